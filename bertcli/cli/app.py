"""The command line: signatures and help, nothing else."""

from typing import Annotated

import typer

from bertcli import __version__
from bertcli.choices import FillOrder, Pooling, TargetScore, WithinWord
from bertcli.cli.options import (
    AttentionMapOptions,
    CorpusOptions,
    HeadOptions,
    ModelOptions,
    OutputOptions,
    PageOptions,
    RayOptions,
    TextOptions,
    takes_groups,
)

_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

app = typer.Typer(
    name="bertcli",
    help="""Example: bertcli fill-mask "how [MASK] you"

    Shows what comes out of BERT: hidden states, pooled vectors, predictions for [MASK], tensor shapes and attention.
    """,
    epilog="bertcli COMMAND --help tells of a command's options.",
    context_settings=_SETTINGS,
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"bertcli {__version__}")
        raise typer.Exit


@app.callback()
def _bertcli(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


@app.command(short_help="Vectors: hidden states and pooled outputs of BertModel.")
@takes_groups
def encode(
    texts: TextOptions,
    *,
    pool: Annotated[Pooling, typer.Option("--pool", help="How a text's vector is made of its tokens'.")] = Pooling.MEAN,
    normalize: Annotated[bool, typer.Option("--normalize", help="Scale each embedding to length 1.")] = False,
    tokens: Annotated[bool, typer.Option("--tokens", help="Add each token's vector: token_vectors.")] = False,
    layers: Annotated[
        str | None,
        typer.Option(
            "--layers", metavar="LAYERS", help="Add hidden_states: all, -1, or such as 0,6,12; 0: embeddings."
        ),
    ] = None,
    pooler: Annotated[bool, typer.Option("--pooler", help="Add pooler_output, tanh(W h_[CLS] + b).")] = False,
    similarity: Annotated[bool, typer.Option("--similarity", help="Add the cosine between each two texts.")] = False,
    corpus: CorpusOptions,
    ray: RayOptions,
    model: ModelOptions,
    output: OutputOptions,
) -> int:
    """Example: bertcli encode "Hello, how are you?"

    The vectors that BertModel gives a text: each token's, and one for the whole, made by --pool. -o vectors.npy writes
    a matrix with a row for each text, .parquet a table, and -o vectors/ a folder of tables, which --resume goes on
    with where a run broke off; .npz and .safetensors hold last_hidden_state.
    """
    from bertcli.commands.encode import EncodeRequest, encode_texts

    return encode_texts(
        EncodeRequest(texts, model, output, pool, normalize, tokens, pooler, layers, similarity, corpus, ray)
    )


@app.command("fill-mask", short_help="Predictions: what BertForMaskedLM puts in a [MASK].")
@takes_groups
def fill_mask(
    texts: TextOptions,
    *,
    top_k: Annotated[
        int | None,
        typer.Option("-k", "--top-k", metavar="N", min=1, show_default="5", help="How many candidates for each mask."),
    ] = None,
    mass: Annotated[
        float | None,
        typer.Option("--mass", metavar="P", min=0, max=1, help="As many as it takes to reach probability P."),
    ] = None,
    entropy: Annotated[bool, typer.Option("--entropy", help="Add how unsure the model is, in bits.")] = False,
    targets: Annotated[
        str | None, typer.Option("--targets", metavar="WORDS", help='Score these too, such as are,is,"New York".')
    ] = None,
    target_score: Annotated[
        TargetScore | None,
        typer.Option(
            "--target-score", show_default="l2r", help="Pieces of a target: one after another, or their mean."
        ),
    ] = None,
    joint: Annotated[bool, typer.Option("--joint", help="Fill all masks of a text together.")] = False,
    order: Annotated[
        FillOrder | None,
        typer.Option(
            "--order", show_default="confidence", help="With --joint: the surest mask first, or the leftmost."
        ),
    ] = None,
    score: Annotated[
        bool, typer.Option("--score", help="How probable is each text? Every token is masked in turn.")
    ] = False,
    within_word: Annotated[
        WithinWord | None, typer.Option("--within-word", help="With --score: mask the later pieces of a word too.")
    ] = None,
    lens: Annotated[bool, typer.Option("--lens", help="What would each layer say?")] = False,
    compare: Annotated[
        str | None, typer.Option("--compare", metavar="MODEL", help="What does another model say?")
    ] = None,
    mutual: Annotated[
        bool, typer.Option("--mutual", help="How much does masking one token change what is said of another?")
    ] = False,
    model: ModelOptions,
    output: OutputOptions,
) -> int:
    """Example: bertcli fill-mask "how [MASK] you"

    The most probable tokens for each [MASK]. Of several masks in a text each is answered on its own, the others left
    standing. Other questions, one at a time: --joint, --score, --lens, --compare, --mutual; --score and --mutual need
    no mask.
    """
    from bertcli.commands.fill_mask.answer import fill_mask as run
    from bertcli.commands.fill_mask.request import FillMaskRequest

    return run(
        FillMaskRequest(
            texts,
            model,
            output,
            top_k=top_k,
            mass=mass,
            entropy=entropy,
            targets=targets,
            target_score=target_score,
            joint=joint,
            order=order,
            score=score,
            within_word=within_word,
            lens=lens,
            compare=compare,
            mutual=mutual,
        )
    )


@app.command(short_help="Shapes: every output of both classes, from the config alone.")
@takes_groups
def shapes(
    texts: TextOptions,
    *,
    batch: Annotated[int | None, typer.Option("--batch", metavar="N", min=1, help="Texts, in place of texts.")] = None,
    seq: Annotated[
        int | None, typer.Option("--seq", metavar="N", min=1, help="Tokens to a text, in place of texts.")
    ] = None,
    run: Annotated[bool, typer.Option("--run", help="Run the model, and show what came out beside it.")] = False,
    weights: Annotated[bool, typer.Option("--weights", help="List the checkpoint's tensors instead.")] = False,
    model: ModelOptions,
    output: OutputOptions,
) -> int:
    """Example: bertcli shapes "Hello, how are you?"

    Every output of BertModel and of BertForMaskedLM: name, shape, bytes, and whether this checkpoint holds it. All
    texts together are one batch. Loads neither torch nor weights.
    """
    from bertcli.commands.shapes import ShapesRequest
    from bertcli.commands.shapes import shapes as run_shapes

    return run_shapes(ShapesRequest(texts, model, output, batch, seq, run, weights))


@app.command(short_help="Attention: what each head looks at.")
@takes_groups
def attn(
    texts: TextOptions,
    *,
    heads: HeadOptions,
    maps: AttentionMapOptions,
    page: PageOptions,
    model: ModelOptions,
    output: OutputOptions,
) -> int:
    """Example: bertcli attn "The cat sat on the mat" --layer 2 --head 3

    What each attention head does over a text: its entropy, and how much of it goes to the token itself, the previous,
    the next, [CLS], [SEP] and punctuation. Layers and heads count from 0. -o FILE.npz holds all weights,
    --html FILE.html is a page to look at them in.
    """
    from bertcli.commands.attn.answer import attn as run
    from bertcli.commands.attn.request import AttnRequest

    return run(AttnRequest(texts, model, output, heads, maps, page))


@app.command(short_help="Models: what is here to be given as -m.")
@takes_groups
def models(output: OutputOptions) -> int:
    """Example: bertcli models

    The model inside and those in the hub's cache that bertcli can open: family, layers (L), hidden size (H), attention
    heads (A), parameters, size on disk, and whether they hold a pooler and an MLM head.
    """
    from bertcli.commands.models import models as run

    return run(output)
