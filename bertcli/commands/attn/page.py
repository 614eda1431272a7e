"""bertcli attn --html: an interactive page with the attention of every head."""

import webbrowser
from functools import partial
from pathlib import Path

from bertcli import __version__
from bertcli.analysis.attention.heads import batch_tokens
from bertcli.analysis.attention.page import compute_page_attention
from bertcli.analysis.attention.selection import parse_label, parse_statistic, select_heads, select_layers
from bertcli.commands.attn.explanations import (
    MaskWatch,
    estimate_passes,
    explaining_analyses,
    explaining_options,
)
from bertcli.commands.attn.request import AttnRequest
from bertcli.commands.opening import open_texts, streaming_plan
from bertcli.commands.options import HeadOptions, MapOptions
from bertcli.commands.precision import report_precision
from bertcli.errors import ExitCode, WrongUsage
from bertcli.model.requirements import require_attentions
from bertcli.model.tokenizer import MASK
from bertcli.output.destination import HTML_SUFFIX
from bertcli.output.page.encoding import EncodedLayer, LayerEncoder
from bertcli.output.page.writer import PageInfo, PageWriter
from bertcli.output.schema import Schema
from bertcli.output.sink import Sink
from bertcli.pipeline.scheduler import Run
from bertcli.results.attention import AttnPageRecord

# The page is not a list of records.
_NO_SCHEMA: Schema[AttnPageRecord[EncodedLayer]] = Schema((), lambda record: (), lambda record: {}, lambda record: None)


def write_page(request: AttnRequest, sink: Sink, thresholds: str) -> ExitCode:
    """Write the attention over every text into one page.

    Args:
        request: The options. The page starts with the view that its heads and maps select.
        sink: Writes the page.
        thresholds: Explains the labels of heads.
    """
    session, reader = open_texts(request.texts, request.session, sink, partial(estimate_passes, request.page))
    require_attentions(session)
    config = session.config
    heads = request.heads
    layers = sorted(select_layers(heads.layers, config.num_hidden_layers, "--layers"))
    start_layer = None if heads.layer is None else select_layers(heads.layer, config.num_hidden_layers)[0]
    if start_layer not in (None, *layers):
        raise WrongUsage(
            f"the page starts with layer {start_layer} of --layer, which --layers leaves out",
            hint=f"use --layer {layers[0]}, or leave --layers out",
        )
    select_heads(heads.head, config.num_attention_heads)
    analyses = explaining_analyses(request.page, session, layers)
    info = session.info("attn")
    about = PageInfo(
        run=info,
        version=__version__,
        layers=layers,
        head_count=config.num_attention_heads,
        head_size=config.hidden_size // config.num_attention_heads,
        has_mlm_head=session.has_mlm_head,
        thresholds=thresholds,
        start=_start(heads, None if start_layer is None else layers.index(start_layer), request.maps),
    )
    encode = LayerEncoder(len(layers))
    compute = partial(compute_page_attention, session, encode=encode, layers=layers, analyses=analyses)
    masks = MaskWatch()
    plan = streaming_plan(reader, batch_tokens=batch_tokens(session), is_large=True)
    with Run(session, reader, plan, sink.reporter, sink.reporter.note) as run:
        writers = {HTML_SUFFIX: partial(PageWriter, info=about)}
        exit_code = sink.write(info, _NO_SCHEMA, masks.watch(run.answers(compute)), writers)
        report_precision(run, sink)
    if analyses and masks.found_none:
        option = explaining_options(request.page)[0]
        sink.reporter.note(f"no text has a mask, so {option} had nothing to explain; write {MASK} for a missing word")
    path = sink.destination.path
    if request.page.open_page and path is not None:
        _open(path, sink)
    return exit_code


def _open(path: Path, sink: Sink) -> None:
    if not webbrowser.open(path.resolve().as_uri()):
        sink.reporter.note(f"no browser could be started; open {path} in one")


def _start(heads: HeadOptions, layer: int | None, maps: MapOptions) -> dict[str, str | int]:
    """Return the view that the page starts with, in the terms of its address.

    Args:
        heads: The options of heads.
        layer: Number of the first layer among those of the page, or None for any.
        maps: The options of matrices.
    """
    view = "rollout" if maps.rollout else "statistics" if heads.grid or heads.label else "heads"
    requested: dict[str, str | int | None] = {
        "view": view,
        "layer": layer,
        "head": heads.head,
        "statistic": None if heads.grid is None else parse_statistic("--grid", heads.grid),
        "find": None if heads.label is None else parse_label("--label", heads.label),
    }
    return {name: value for name, value in requested.items() if value is not None}
