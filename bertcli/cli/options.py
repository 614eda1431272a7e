"""The options that commands share: each is defined once, with its name, type, default and help.

An option group is a dataclass whose fields are options. A command takes the group as one parameter, and
`takes_groups` shows Typer the single options in its place.
"""

import inspect
import os
from collections.abc import Callable
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from bertcli.choices import (
    ColorName,
    DtypeName,
    DtypeOut,
    EngineName,
    FormatName,
    HeadGroup,
    HeadLabel,
    InputFormat,
    OnError,
    Statistic,
)
from bertcli.input.source import TextSource
from bertcli.storage import AnyPath, RemotePath, located


@dataclass(frozen=True, slots=True)
class HeadOptions:
    """Which attention heads are told of, and what of them."""

    layer: Annotated[int | None, typer.Option("--layer", metavar="L", help="This layer only, counted from 0.")] = None
    head: Annotated[
        int | None, typer.Option("--head", metavar="H", help="This head only; with --layer, its matrix.")
    ] = None
    label: Annotated[HeadLabel | None, typer.Option("--label", help="The heads of this label only.")] = None
    top: Annotated[int | None, typer.Option("--top", metavar="N", min=1, help="The first N heads only, --by.")] = None
    by: Annotated[
        str | None, typer.Option("--by", metavar="STAT", help="Sort: the largest first, or with -STAT the smallest.")
    ] = None
    group: Annotated[HeadGroup | None, typer.Option("--group", help="The mean of each layer's heads.")] = None
    stat: Annotated[
        str | None, typer.Option("--stat", metavar="STATS", help="These statistics only, such as entropy,cls.")
    ] = None
    grid: Annotated[Statistic | None, typer.Option("--grid", help="Layers by heads, shaded by this statistic.")] = None
    aggregate: Annotated[bool, typer.Option("--aggregate", help="All texts together, as one record.")] = False


@dataclass(frozen=True, slots=True)
class AttentionMapOptions:
    """What is asked of attention beside the statistics of heads."""

    from_token: Annotated[
        str | None, typer.Option("--from", metavar="TOKEN", help="What TOKEN, or a position, attends to most.")
    ] = None
    top_k: Annotated[
        int | None,
        typer.Option(
            "-k", "--top-k", metavar="N", min=1, show_default="5", help="With --from, how many tokens it attends to."
        ),
    ] = None
    rollout: Annotated[bool, typer.Option("--rollout", help="Attention followed through all layers.")] = False
    value_norms: Annotated[bool, typer.Option("--value-norms", help="Weights times the size of what they weigh.")] = (
        False
    )
    head_distance: Annotated[
        bool, typer.Option("--head-distance", help="The Jensen-Shannon distance between each two heads.")
    ] = False
    words: Annotated[bool, typer.Option("--words", help="Matrices over words, not over their pieces.")] = False
    rows: Annotated[
        str | None, typer.Option("--rows", metavar="FROM-TO", help="Of a matrix, these rows (queries) only.")
    ] = None
    cols: Annotated[
        str | None, typer.Option("--cols", metavar="FROM-TO", help="Of a matrix, these columns (keys) only.")
    ] = None
    expansion: Annotated[
        bool, typer.Option("--expansion", help="By the weights alone: how much each layer's values expand.")
    ] = False


@dataclass(frozen=True, slots=True)
class PageOptions:
    """What attention is looked at in outside a terminal. open_page: --open."""

    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="A page of everything, for any browser: -o FILE.html.")
    ] = None
    open_page: Annotated[bool, typer.Option("--open", help="Open the page that is written.")] = False
    png: Annotated[
        Path | None, typer.Option("--png", metavar="FILE", help="A picture of one head or of the grid: -o FILE.png.")
    ] = None


@dataclass(frozen=True, slots=True)
class TextOptions:
    """Where texts come from."""

    texts: Annotated[
        list[str], typer.Argument(metavar="[TEXT]...", help="Texts, or - for standard input.", show_default=False)
    ] = field(default_factory=list)
    # Not paths, which would lose a slash of s3://.
    file: Annotated[
        list[str],
        typer.Option(
            "-f",
            "--file",
            metavar="FILE",
            help="Read a text from each line of FILE, or from a field of its rows; may be given again, or be '*.csv'.",
            show_default=False,
        ),
    ] = field(default_factory=list)
    text_field: Annotated[
        str | None,
        typer.Option("--field", "--column", metavar="NAME", help="Where a row has its text.", show_default="text"),
    ] = None
    id_field: Annotated[
        str | None,
        typer.Option("--id-field", "--id-column", metavar="NAME", help="What a row is known by: its id."),
    ] = None
    input_format: Annotated[
        InputFormat, typer.Option("--input-format", help="What the texts are in; auto goes by FILE's suffix.")
    ] = InputFormat.AUTO
    pair: Annotated[str | None, typer.Option("--pair", metavar="TEXT", help="Sentence B for every text.")] = None
    pairs: Annotated[bool, typer.Option("--pairs", help="In each text a tab parts sentence A from B.")] = False
    on_error: Annotated[
        OnError, typer.Option("--on-error", help="What to do about a text that cannot be answered.")
    ] = OnError.STOP

    def source(self) -> TextSource:
        """Where the texts are."""
        files = [located(name) for name in self.file]
        return TextSource(self.texts, files, self.pair, self.pairs, self.input_format, self.text_field, self.id_field)


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """Which model answers, and how it is run."""

    model: Annotated[
        str | None,
        typer.Option(
            "-m",
            "--model",
            metavar="MODEL",
            envvar="BERTCLI_MODEL",
            help="A checkpoint folder, a name on the model hub, or bundled.",
            show_default="bundled",
        ),
    ] = None
    revision: Annotated[
        str | None,
        typer.Option("--revision", metavar="REVISION", help="A branch, tag or commit of a model from the hub."),
    ] = None
    offline: Annotated[
        bool, typer.Option("--offline", envvar="BERTCLI_OFFLINE", help="Never ask the hub: use what is here.")
    ] = False
    engine: Annotated[
        EngineName,
        typer.Option(
            "--engine",
            envvar="BERTCLI_ENGINE",
            help="numpy starts at once, torch is for bulk and GPUs, transformers is the cross-check.",
        ),
    ] = EngineName.AUTO
    device: Annotated[
        str, typer.Option("--device", metavar="DEVICE", envvar="BERTCLI_DEVICE", help="auto, cpu, cuda, cuda:N or mps.")
    ] = "auto"
    dtype: Annotated[DtypeName, typer.Option("--dtype", help="The numbers to compute in.")] = DtypeName.FLOAT32
    batch_tokens: Annotated[
        int | None,
        typer.Option("--batch-tokens", metavar="N", min=1, help="Tokens to a batch; by default 2048, on a GPU 16384."),
    ] = None
    max_length: Annotated[
        int | None,
        typer.Option("--max-length", metavar="N", min=3, help="Tokens to a text; by default all that the model takes."),
    ] = None
    truncate: Annotated[bool, typer.Option("--truncate", help="Cut longer texts instead of refusing them.")] = False


@dataclass(frozen=True, slots=True)
class OutputOptions:
    """Where results go and how they look."""

    format: Annotated[FormatName, typer.Option("--format", help="auto is a table on a terminal and TSV elsewhere.")] = (
        FormatName.AUTO
    )
    json: Annotated[bool, typer.Option("--json", help="Short for --format json.")] = False
    # Not a Path, which would lose the slash that tells a folder from a file.
    output: Annotated[
        str | None,
        typer.Option("-o", "--output", metavar="FILE", help="Write to FILE, in the format that its suffix names."),
    ] = None
    svg: Annotated[
        Path | None, typer.Option("--svg", metavar="FILE", help="Write the table to FILE as a picture: -o FILE.svg.")
    ] = None
    force: Annotated[bool, typer.Option("--force", help="Replace FILE if it is there.")] = False
    color: Annotated[
        ColorName, typer.Option("--color", help="Colour tables; auto heeds the terminal and NO_COLOR.")
    ] = ColorName.AUTO
    width: Annotated[
        int | None, typer.Option("--width", metavar="N", min=20, help="Columns for tables; by default the terminal's.")
    ] = None
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Leave out notes on stderr.")] = False
    # Looked for in the command line itself, by what catches the error: bertcli.__main__.
    debug: Annotated[bool, typer.Option("--debug", help="Show the trace of an error inside bertcli.")] = False

    @property
    def path(self) -> AnyPath | None:
        """What -o names."""
        return None if self.output is None else located(self.output)

    @property
    def names_folder(self) -> bool:
        """Whether -o names a folder: one that is there, or anything that ends in a slash. A suffix names a file.

        What is elsewhere and has no suffix is a folder too: there only folders are written.
        """
        path = self.path
        if self.output is None or path is None:
            return False
        if isinstance(path, RemotePath):
            return self.output.endswith("/") or not path.suffix
        return self.output.endswith(os.sep) or (not path.suffix and path.is_dir())


def takes_groups(command: Callable[..., int]) -> Callable[..., None]:
    """The command as Typer is to see it: every option of its groups beside its own, and its exit code raised."""
    hints = get_type_hints(command, include_extras=True)
    parameters = inspect.signature(command).parameters
    groups = {name: hints[name] for name in parameters if is_dataclass(hints[name])}
    shown: list[inspect.Parameter] = []
    for name, parameter in parameters.items():
        if name in groups:
            shown += _options(groups[name])
        else:
            shown.append(parameter.replace(annotation=hints[name], kind=inspect.Parameter.KEYWORD_ONLY))

    def run(**values: Any) -> None:
        gathered = {
            name: group(**{option.name: values.pop(option.name) for option in fields(group)})
            for name, group in groups.items()
        }
        raise typer.Exit(command(**gathered, **values))

    run.__name__, run.__doc__ = command.__name__, command.__doc__
    run.__signature__ = inspect.Signature(shown)  # type: ignore[attr-defined]
    return run


def _options(group: Any) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    return [
        inspect.Parameter(
            option.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=[] if option.default is MISSING else option.default,
            annotation=hints[option.name],
        )
        for option in fields(group)
    ]


SHARD_ROWS = 20_000


@dataclass(frozen=True, slots=True)
class CorpusOptions:
    """How vectors of many texts are written. dtype_out None: float32. shard_rows None: SHARD_ROWS."""

    dtype_out: Annotated[
        DtypeOut | None, typer.Option("--dtype-out", help="The numbers to write in.", show_default="float32")
    ] = None
    keep_text: Annotated[bool, typer.Option("--keep-text", help="To Parquet, write each text beside its vector.")] = (
        False
    )
    shard_rows: Annotated[
        int | None,
        typer.Option(
            "--shard-rows", metavar="N", min=1, show_default="20000", help="Rows to a file, of a folder (-o out/)."
        ),
    ] = None
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a folder where a run broke off.")] = False
    dedupe: Annotated[bool, typer.Option("--dedupe", help="Compute equal texts once.")] = False


@dataclass(frozen=True, slots=True)
class RayOptions:
    """Whether a corpus is encoded on Ray, and how. on_ray: --ray."""

    on_ray: Annotated[bool, typer.Option("--ray", help="Into a folder, encode on Ray: here, or on a cluster.")] = False
    ray_address: Annotated[
        str | None,
        typer.Option(
            "--ray-address",
            metavar="ADDRESS",
            help="The cluster, such as ray://head:10001; else one is started.",
        ),
    ] = None
    actors: Annotated[
        int | None,
        typer.Option("--actors", metavar="N", min=1, help="How many models run; by default one for each CPU, or GPU."),
    ] = None
    gpus_per_actor: Annotated[
        float | None, typer.Option("--gpus-per-actor", metavar="X", min=0, help="GPUs for each, such as 1 or 0.5.")
    ] = None

    @property
    def is_asked(self) -> bool:
        """Whether the run goes to Ray: an address says so too."""
        return self.on_ray or self.ray_address is not None
