"""The names and help of all options, each written once.

A group joins a request dataclass to the command line, as bertcli.cli.groups defines it.
"""

from typing import Annotated, Any, get_args

import typer

from bertcli.cli.groups import Group
from bertcli.commands.options import (
    CorpusOptions,
    HeadOptions,
    MapOptions,
    PageOptions,
    RayOptions,
    TextOptions,
    WordOptions,
)
from bertcli.model.request import EmbeddingRequest, SessionRequest
from bertcli.output.destination import OutputOptions

INPUT, MODEL, OUTPUT, CORPUS, OTHER = "Input", "Model", "Output", "Corpus", "Other"
VECTORS = "Vectors"


def option(*names: str, panel: str, help: str, **more: Any) -> Any:
    """Return a Typer option.

    Args:
        names: Its names, the documented one first or second after a letter.
        panel: The heading that --help lists it under.
        help: A sentence about it.
        more: Further arguments of typer.Option.
    """
    return typer.Option(*names, rich_help_panel=panel, help=help, **more)


TextGroup = Annotated[
    TextOptions,
    Group(
        {
            "texts": typer.Argument(
                metavar="[TEXT]...", help="Texts, or - for standard input.", show_default=False, rich_help_panel=INPUT
            ),
            "file": option(
                "-f", "--file", panel=INPUT, metavar="FILE", show_default=False,
                help="Read texts from FILE: one on each line, or one in each row of a table. Repeat it, or use a "
                "pattern such as '*.csv', for several files.",
            ),
            "text_field": option(
                "--field", "--column", panel=INPUT, metavar="NAME", show_default="text",
                help="Column or field that holds the text.",
            ),
            "id_field": option(
                "--id-field", "--id-column", panel=INPUT, metavar="NAME",
                help="Column or field to use as the record id.",
            ),
            "input_format": option(
                "--input-format", panel=INPUT, help="Format of the input. auto goes by the suffix of FILE."
            ),
            "pair": option("--pair", panel=INPUT, metavar="TEXT", help="Sentence B, for every text."),
            "pairs": option("--pairs", panel=INPUT, help="Split each text at its tab into sentence A and sentence B."),
            "on_error": option(
                "--on-error", panel=INPUT, help="Stop at a text that fails, or skip it and exit with 1 at the end."
            ),
        }
    ),
]  # fmt: skip

ModelGroup = Annotated[
    SessionRequest,
    Group(
        {
            "model": option(
                "-m", "--model", panel=MODEL, metavar="MODEL", envvar="BERTCLI_MODEL", show_default="bundled",
                help="A folder, a name on the model hub, or bundled.",
            ),
            "revision": option(
                "--revision", panel=MODEL, metavar="REVISION", help="Branch, tag or commit of a model on the hub."
            ),
            "offline": option(
                "--offline", panel=MODEL, envvar="BERTCLI_OFFLINE", help="Use downloaded models only; no network."
            ),
            "token": option(
                "--token", panel=MODEL, metavar="TOKEN", show_default="that of HF_TOKEN or of `hf auth login`",
                help="Access token for private models on the hub.",
            ),
            "engine": option(
                "--engine", panel=MODEL, envvar="BERTCLI_ENGINE",
                help="numpy starts fastest, torch suits many texts and GPUs, transformers is a cross-check.",
            ),
            "device": option(
                "--device", panel=MODEL, metavar="DEVICE", envvar="BERTCLI_DEVICE",
                help="auto, cpu, cuda, cuda:N or mps.",
            ),
            "dtype": option(
                "--dtype", panel=MODEL,
                help="Number type of the computation. auto is bfloat16 if the hardware multiplies it, else float32.",
            ),
            "batch_tokens": option(
                "--batch-tokens", panel=MODEL, metavar="N", min=1, show_default="2048; with cuda 16384, with mps 8192",
                help="Number of tokens in a batch, padding included.",
            ),
            "batch_size": option(
                "--batch-size", panel=MODEL, metavar="N", min=1, show_default="limited by --batch-tokens only",
                help="Largest number of texts in a batch.",
            ),
            "max_length": option(
                "--max-length", panel=MODEL, metavar="N", min=3, show_default="the model's limit",
                help="Largest number of tokens in a text, special tokens included.",
            ),
            "truncate": option("--truncate", panel=MODEL, help="Cut texts that are longer; short for --long truncate."),
            "long": option(
                "--long", panel=MODEL, show_default="error",
                help="Refuse texts that are longer, cut them, or read all of them in windows that overlap.",
            ),
            "overlap": option(
                "--overlap", panel=MODEL, metavar="N", min=0, show_default="64, or half a window if that is less",
                help="Number of tokens that a window shares with the next one.",
            ),
        }
    ),
]  # fmt: skip

# The model of commands that compute with attention heads.
HeadModelGroup = Annotated[
    SessionRequest,
    Group(
        {
            **get_args(ModelGroup)[1].parameters,
            "ablate": option(
                "--ablate", panel=MODEL, metavar="HEADS",
                help="Switch these attention heads off, such as 3.7 (layer 3, head 7) or 5.* (all of layer 5), "
                "separated by commas. Layers and heads count from 0.",
            ),
        }
    ),
]  # fmt: skip

EmbeddingGroup = Annotated[
    EmbeddingRequest,
    Group(
        {
            "pooling": option(
                "--pooling", "--pool", panel=VECTORS, metavar="METHOD",
                help="Method that combines the vectors of a text's tokens into one: mean, cls, max, mean-sqrt, "
                "weighted-mean, last, pooler or lexical. auto is the checkpoint's own recipe, or mean if it has none.",
            ),
            "normalize": option(
                "--normalize/--no-normalize", panel=VECTORS, show_default="as in the recipe",
                help="Scale each embedding to length 1, or not.",
            ),
            "prompt": option(
                "--prompt", panel=VECTORS, metavar="TEXT", show_default="that of the recipe",
                help="Text to put before each text.",
            ),
            "prompt_name": option(
                "--prompt-name", panel=VECTORS, metavar="NAME",
                help="Put the prompt of this name before each text, such as query. The checkpoint defines the names.",
            ),
            "layer_op": option(
                "--layer-op", panel=VECTORS,
                help="Make one hidden state of the --layers, and use its vectors instead of the last one's.",
            ),
        }
    ),
]  # fmt: skip

WordGroup = Annotated[
    WordOptions,
    Group(
        {
            "words": option("--words", panel=VECTORS, help="Show the vector of each word instead of each token."),
            "pretokenized": option(
                "--pretokenized", panel=VECTORS,
                help="With --words, take words as whitespace separates them, not as the tokenizer does.",
            ),
            "word_pooling": option(
                "--word-pooling", panel=VECTORS, show_default="mean",
                help="With --words, take the mean of the pieces of a word, the first one, or the last one.",
            ),
            "word": option(
                "--word", panel=VECTORS, metavar="WORD",
                help="Show only this word, wherever it occurs. With --similarity, compare its occurrences.",
            ),
        }
    ),
]  # fmt: skip

OutputGroup = Annotated[
    OutputOptions,
    Group(
        {
            "format": option(
                "--format", panel=OUTPUT,
                help="Format of the output. auto is a table on a terminal and TSV in a pipe; plain is the bare answer.",
            ),
            "json": option("--json", panel=OUTPUT, help="Short for --format json."),
            "fields": option(
                "--fields", panel=OUTPUT, metavar="NAMES",
                help="Show these fields only, in this order, such as text,score; help lists the names.",
            ),
            "output": option(
                "-o", "--output", panel=OUTPUT, metavar="FILE", help="Write to FILE, in the format of its suffix."
            ),
            "svg": option(
                "--svg", panel=OUTPUT, metavar="FILE", help="Draw the table as a picture; same as -o FILE.svg."
            ),
            "force": option("--force", panel=OUTPUT, help="Replace FILE if it exists."),
            "color": option("--color", panel=OUTPUT, help="Colour tables. auto goes by the terminal and NO_COLOR."),
            "width": option(
                "--width", panel=OUTPUT, metavar="N", min=20, show_default="the terminal's",
                help="Width of tables in columns.",
            ),
            "pager": option(
                "--pager/--no-pager", panel=OUTPUT, show_default="--pager",
                help="Show tables that are longer than the terminal in the program that PAGER names, or in less.",
            ),
            "quiet": option("-q", "--quiet", panel=OTHER, help="Print no notes and no progress."),
            "debug": option("--debug", panel=OTHER, help="Print notes for developers, and the traceback of a bug."),
        }
    ),
]  # fmt: skip

CorpusGroup = Annotated[
    CorpusOptions,
    Group(
        {
            "dtype_out": option(
                "--dtype-out", panel=CORPUS, show_default="float32", help="Number type to write vectors in."
            ),
            "keep_text": option("--keep-text", panel=CORPUS, help="Write each text beside its vector, in Parquet."),
            "shard_rows": option(
                "--shard-rows", panel=CORPUS, metavar="N", min=1, show_default="20000, or 30 s of work",
                help="Number of rows in each file of a folder (-o out/).",
            ),
            "resume": option("--resume", panel=CORPUS, help="Continue an interrupted run into a folder."),
            "dedupe": option("--dedupe", panel=CORPUS, help="Compute equal texts once."),
        }
    ),
]  # fmt: skip

_CORPUS = get_args(CorpusGroup)[1].parameters

# The options of a folder for commands that write no vectors.
FolderGroup = Annotated[
    CorpusOptions,
    Group(
        {
            "keep_text": option("--keep-text", panel=CORPUS, help="Write each text too, into a folder (-o out/)."),
            **{name: _CORPUS[name] for name in ("shard_rows", "resume")},
        }
    ),
]

RayGroup = Annotated[
    RayOptions,
    Group(
        {
            "on_ray": option("--ray", panel=CORPUS, help="Compute with Ray, here or on a cluster, and write a folder."),
            "ray_address": option(
                "--ray-address", panel=CORPUS, metavar="ADDRESS", show_default="a Ray on this machine",
                help="Address of the cluster, such as ray://head:10001.",
            ),
            "actors": option(
                "--actors", panel=CORPUS, metavar="N", min=1, show_default="one for each CPU or GPU",
                help="Number of models to run at the same time.",
            ),
            "gpus_per_actor": option(
                "--gpus-per-actor", panel=CORPUS, metavar="X", min=0, show_default="0",
                help="Number of GPUs for each model, such as 1 or 0.5.",
            ),
        }
    ),
]  # fmt: skip

_HEADS, _MAPS, _PAGE = "Heads", "Matrices", "Pages and pictures"

HeadGroup = Annotated[
    HeadOptions,
    Group(
        {
            "layer": option(
                "--layer", panel=_HEADS, metavar="LAYERS",
                help="Show these layers only, such as 3, -1 or 1,2. Layers count from 0; -1 is the last one.",
            ),
            "layers": option(
                "--layers", panel=_HEADS, metavar="LAYERS",
                help="Show these layers only, such as -1 or 0,6,12. The page of --html holds these layers alone.",
            ),
            "head": option(
                "--head", panel=_HEADS, metavar="H", help="Show this head only; together with one layer, its matrix."
            ),
            "label": option(
                "--label", panel=_HEADS, metavar="LABEL",
                help="Show heads with this label only: previous, next, self, delimiter or broad.",
            ),
            "top": option(
                "--top", panel=_HEADS, metavar="N", min=1, help="Show the first N heads in the order of --by."
            ),
            "by": option(
                "--by", panel=_HEADS, metavar="STAT",
                help="Sort heads by a statistic, the largest first; with a minus (-entropy), the smallest first.",
            ),
            "group": option("--group", panel=_HEADS, help="Average the heads of each layer."),
            "stat": option(
                "--stat", panel=_HEADS, metavar="STATS",
                help="Show these statistics only: any of entropy, self, previous, next, cls, sep, punctuation, "
                "distance, confidence, separated by commas.",
            ),
            "grid": option(
                "--grid", panel=_HEADS, metavar="STAT", help="Draw a statistic as a grid of layers by heads."
            ),
            "aggregate": option("--aggregate", panel=_HEADS, help="Average over all texts."),
        }
    ),
]  # fmt: skip

MapGroup = Annotated[
    MapOptions,
    Group(
        {
            "from_token": option(
                "--from", panel=_MAPS, metavar="TOKEN",
                help="List the tokens that TOKEN (or a position) attends to most, in each head.",
            ),
            "top_k": option(
                "-k", "--top-k", panel=_MAPS, metavar="N", min=1, show_default="5",
                help="Number of tokens to list with --from.",
            ),
            "rollout": option("--rollout", panel=_MAPS, help="Show attention rollout through all layers."),
            "value_norms": option(
                "--value-norms", panel=_MAPS, help="Weight attention by the norm of the value vectors."
            ),
            "head_distance": option(
                "--head-distance", panel=_MAPS, help="Show the Jensen-Shannon distance between each pair of heads."
            ),
            "words": option("--words", panel=_MAPS, help="Show matrices over words instead of tokens."),
            "rows": option(
                "--rows", panel=_MAPS, metavar="FROM-TO", help="Show these rows (queries) of a matrix only."
            ),
            "cols": option(
                "--cols", panel=_MAPS, metavar="FROM-TO", help="Show these columns (keys) of a matrix only."
            ),
            "expansion": option(
                "--expansion", panel=_MAPS, help="Show the expansion rate of each layer, from its weights alone."
            ),
        }
    ),
]  # fmt: skip

PageGroup = Annotated[
    PageOptions,
    Group(
        {
            "html": option(
                "--html", panel=_PAGE, metavar="FILE", help="Write an interactive page; same as -o FILE.html."
            ),
            "open_page": option("--open", panel=_PAGE, help="Open the page of --html in the browser."),
            "png": option(
                "--png", panel=_PAGE, metavar="FILE", help="Draw a matrix or the grid into FILE; same as -o FILE.png."
            ),
            "attribute": option(
                "--attribute", panel=_PAGE,
                help="With --html, show how much each token contributes to the prediction for each mask: by masking "
                "it, or by integrated gradients.",
            ),
            "baseline": option(
                "--baseline", panel=_PAGE, show_default="mask",
                help="With --attribute ig, start from the embedding of the mask, from that of the padding, or from "
                "zero.",
            ),
            "steps": option(
                "--steps", panel=_PAGE, metavar="N", min=1, max=1000, show_default="50",
                help="With --attribute ig, compute gradients at N points between the baseline and the text.",
            ),
            "head_effects": option(
                "--head-effects", panel=_PAGE,
                help="With --html, show how much each attention head contributes to the prediction for each mask.",
            ),
        }
    ),
]  # fmt: skip
