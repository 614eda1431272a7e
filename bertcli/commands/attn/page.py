"""bertcli attn --html: a page to look at attention in."""

from dataclasses import replace
from functools import partial
from pathlib import Path

from bertcli import __version__
from bertcli.analysis.attention.heads import batch_tokens
from bertcli.analysis.attention.page import compute_page_attention
from bertcli.analysis.attention.selection import select_heads, select_layers
from bertcli.cli.options import AttentionMapOptions, HeadOptions, OutputOptions, PageOptions
from bertcli.commands.attn.request import AttnRequest
from bertcli.commands.opening import open_for_texts
from bertcli.errors import ExitCode, WrongUsage
from bertcli.output.page.encoding import EncodedLayer, LayerEncoder
from bertcli.output.schema import Schema
from bertcli.output.sink import Sink
from bertcli.results.attention import AttnPageRecord

PAGE_SUFFIX = ".html"


def is_page(output: OutputOptions, page: PageOptions) -> bool:
    """Whether a page is asked for. Raises WrongUsage where it is asked to be opened and is not written."""
    is_written = output.path is not None and output.path.suffix.lower() == PAGE_SUFFIX
    if page.open_page and not is_written:
        raise WrongUsage("--open opens the page that --html writes, and none is written", hint="add --html page.html")
    return is_written


def write_page(request: AttnRequest, thresholds: str) -> ExitCode:
    """Write all about every text into one file. Its heads and maps: what it opens with. thresholds: of labels."""
    from bertcli.output.page.writer import PageInfo, PageWriter

    heads, maps, output = request.heads, request.maps, request.output
    _check_combination(heads, maps)
    sink = Sink(output, request.texts.on_error, [PAGE_SUFFIX])
    session, reader = open_for_texts(request.texts, request.model, sink)
    config = session.config
    layers = select_layers(None if heads.layer is None else str(heads.layer), config.num_hidden_layers)
    select_heads(heads.head, config.num_attention_heads)
    if heads.layer is not None:
        heads = replace(heads, layer=layers[0])
    info = session.info("attn")
    about = PageInfo(
        run=info,
        version=__version__,
        layer_count=config.num_hidden_layers,
        head_count=config.num_attention_heads,
        head_size=config.hidden_size // config.num_attention_heads,
        has_mlm_head=session.has_mlm_head,
        thresholds=thresholds,
        start=_start(heads, maps),
    )
    encode = LayerEncoder(config.num_hidden_layers)
    answers = session.answers(
        reader.windows(),
        partial(compute_page_attention, session, encode=encode),
        batch_tokens=batch_tokens(session),
        sort_window=1,
    )
    exit_code = sink.write(info, _NO_VIEW, answers, {PAGE_SUFFIX: partial(PageWriter, info=about)})
    if request.page.open_page and isinstance(output.path, Path):
        _open(output.path, sink)
    return exit_code


def _open(path: Path, sink: Sink) -> None:
    import webbrowser

    if not webbrowser.open(path.resolve().as_uri()):
        sink.note(f"no browser could be started; open {path} in one")


def _check_combination(heads: HeadOptions, maps: AttentionMapOptions) -> None:
    """Raise WrongUsage for an option that would leave no mark on the page."""
    opened_with = HeadOptions(layer=heads.layer, head=heads.head, label=heads.label, grid=heads.grid)
    if heads != opened_with or maps != AttentionMapOptions(rollout=maps.rollout):
        raise WrongUsage(
            "a page holds every head and every token, and goes with no option that chooses among them",
            hint="keep --layer, --head, --label, --grid and --rollout, which say what it opens with",
        )


def _start(heads: HeadOptions, maps: AttentionMapOptions) -> dict[str, str | int]:
    """What the page opens with, as its address names it."""
    view = "rollout" if maps.rollout else "statistics" if heads.grid or heads.label else "heads"
    asked: dict[str, str | int | None] = {
        "view": view,
        "layer": heads.layer,
        "head": heads.head,
        "statistic": None if heads.grid is None else str(heads.grid),
        "find": None if heads.label is None else str(heads.label),
    }
    return {name: value for name, value in asked.items() if value is not None}


# A page is no list of records.
_NO_VIEW: Schema[AttnPageRecord[EncodedLayer]] = Schema((), lambda record: (), lambda record: {}, lambda record: None)
