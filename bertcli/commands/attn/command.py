"""bertcli attn: statistics, matrices and maps of attention heads."""

from functools import partial
from typing import Any

import numpy as np

from bertcli.analysis.attention.heads import (
    AttnOptions,
    batch_tokens,
    compute_attention,
    compute_statistics,
    summarize_texts,
)
from bertcli.analysis.attention.selection import (
    Selection,
    parse_label,
    parse_order,
    parse_statistic,
    parse_statistics,
    select_heads,
    select_layers,
)
from bertcli.analysis.attention.statistics import BROAD_SHARE, BROAD_TOKENS, DELIMITER_SHARE, POSITION_SHARE
from bertcli.analysis.attention.strongest_keys import check_has_token, token_spellings
from bertcli.analysis.attention.words import check_positions
from bertcli.choices import Statistic
from bertcli.commands.attn.request import AttnRequest
from bertcli.commands.dialogue import Dialogue, wants_dialogue
from bertcli.commands.opening import open_texts, streaming_plan
from bertcli.commands.options import HeadOptions
from bertcli.commands.request import lists_fields, open_sink
from bertcli.errors import ExitCode, WrongUsage
from bertcli.input.reader import TextReader
from bertcli.input.records import FailedText
from bertcli.model.requirements import require_attentions
from bertcli.model.session import Session, open_session
from bertcli.model.tokenizer import TokenizedText
from bertcli.output.destination import TENSOR_SUFFIXES
from bertcli.output.display import AttentionDisplay
from bertcli.output.files.arrays import ArrayColumn, tensor_writers
from bertcli.output.records import BinaryWriters
from bertcli.output.schema import Schema, with_ids, with_window_columns
from bertcli.output.schemas.attn import (
    attn_schema,
    expansion_schema,
    maps_schema,
    matrix_schema,
    strongest_keys_schema,
    summary_schema,
)
from bertcli.output.sink import Sink
from bertcli.pipeline.scheduler import Run
from bertcli.results.attention import Expansion
from bertcli.results.texts import RunInfo

_TOP_K = 5
# End of a range without one, beyond any text.
_NO_END = 1 << 31
THRESHOLDS = (
    f"label: prev, next, self > {POSITION_SHARE}; delimiter: cls + sep > {DELIMITER_SHARE};\n"
    f"broad: entropy > {BROAD_SHARE} ln n, for texts of n >= {BROAD_TOKENS} tokens"
)


def attn(request: AttnRequest) -> ExitCode:
    """Show the attention over every text, over all texts together, or from the weights alone."""
    if lists_fields(request):
        return ExitCode.DONE
    sink = open_sink(request, request.texts)
    if wants_dialogue(request) and not request.maps.expansion:
        return Dialogue("attn", request, attn).run()
    if request.writes_page:
        from bertcli.commands.attn.page import write_page

        return write_page(request, sink, THRESHOLDS)
    if request.maps.expansion:
        return _show_expansion(request, sink)
    display = _display(request)
    session, reader = open_texts(request.texts, request.model, sink)
    require_attentions(session)
    session.tokenizer.offers_windows = not request.heads.aggregate
    options = _options(request, session, sink.destination.format)
    if options.value_norms:
        session.engine.projection(options.layers[0], "output")  # fails early on an engine without access to the weights
    if request.heads.aggregate:
        return _aggregate(session, reader, options, display, sink)
    info = session.info("attn")
    schema = _schema(request, options, display, info)
    schema = with_window_columns(schema) if request.model.reads_windows else schema
    schema = with_ids(schema, request.texts.id_field)
    plan = streaming_plan(reader, batch_tokens=batch_tokens(session), is_large=options.returns_matrices)
    check = partial(_check_text, options, display)
    with Run(session, reader, plan, sink.reporter, sink.reporter.note) as run:
        answers = run.answers(partial(compute_attention, session, options=options), check=check)
        return sink.write(info, schema, answers, _tensor_writers(session, options))


def _aggregate(
    session: Session, reader: TextReader, options: AttnOptions, display: AttentionDisplay, sink: Sink
) -> ExitCode:
    info = session.info("attn")
    plan = streaming_plan(reader, batch_tokens=batch_tokens(session))
    with Run(session, reader, plan, sink.reporter, sink.reporter.note) as run:
        summaries = run.answers(partial(compute_statistics, session, options=options))
        return sink.write(info, summary_schema(info, display), summarize_texts(summaries, options))


def _show_expansion(request: AttnRequest, sink: Sink) -> ExitCode:
    from bertcli.analysis.attention.maps import expansion_rates

    session = open_session(request.model, on_download=sink.reporter.announce)
    layers = _layers(request, session)
    result = Expansion(layers, expansion_rates(session.engine, layers))
    info = session.info("attn")
    return sink.write(info, expansion_schema(info), [result])


def _check_text(options: AttnOptions, display: AttentionDisplay, text: TokenizedText) -> FailedText | None:
    return check_has_token(text, options.from_token) or check_positions(
        text, display.rows, display.columns, are_words=options.words
    )


def _display(request: AttnRequest) -> AttentionDisplay:
    heads, maps = request.heads, request.maps
    names = tuple(Statistic) if heads.stat is None else tuple(parse_statistics("--stat", heads.stat))
    grid = None if heads.grid is None else parse_statistic("--grid", heads.grid)
    rows, columns = _range("--rows", maps.rows), _range("--cols", maps.cols)
    shown = names if grid is None else (grid,)
    return AttentionDisplay(shown, THRESHOLDS, grid, heads.by is not None, rows, columns, maps.head_distance)


def _range(option: str, value: str | None) -> range | None:
    """Return the positions that FROM-TO, FROM- or FROM names, both ends included. Raises WrongUsage."""
    if value is None:
        return None
    first, dash, last = value.partition("-")
    if not first.isdecimal() or (last and not last.isdecimal()) or (last and int(last) < int(first)):
        raise WrongUsage(f"{option} {value!r} is not a range of positions", hint=f"use a range such as {option} 0-20")
    if not last:
        return range(int(first), _NO_END if dash else int(first) + 1)
    return range(int(first), int(last) + 1)


def _selection(heads: HeadOptions) -> Selection:
    order = None if heads.by is None else parse_order(heads.by)
    label = None if heads.label is None else parse_label("--label", heads.label)
    return Selection(label, heads.group is not None, heads.top, order)


def _layers(request: AttnRequest, session: Session) -> list[int]:
    """Return the layers to show: those of --layers or of --layer. Raises WrongUsage."""
    heads, count = request.heads, session.config.num_hidden_layers
    if heads.layers is not None:
        return select_layers(heads.layers, count, "--layers")
    return select_layers(heads.layer, count)


def _options(request: AttnRequest, session: Session, format_: str) -> AttnOptions:
    heads, maps = request.heads, request.maps
    return AttnOptions(
        layers=_layers(request, session),
        heads=select_heads(heads.head, session.config.num_attention_heads),
        selection=_selection(heads),
        matrix=request.shows_one_head,
        from_token=() if maps.from_token is None else token_spellings(session.tokenizer, maps.from_token),
        top_k=maps.top_k or _TOP_K,
        tensors=format_ in TENSOR_SUFFIXES,
        rollout=maps.rollout,
        value_norms=maps.value_norms,
        head_distance=maps.head_distance,
        words=maps.words,
    )


def _schema(request: AttnRequest, options: AttnOptions, display: AttentionDisplay, info: RunInfo) -> Schema[Any]:
    if options.from_token:
        return strongest_keys_schema(info, display)
    if options.rollout or options.value_norms or options.head_distance:
        return maps_schema(info, display)
    if options.matrix:
        return matrix_schema(info, display, options.layers[0], options.heads[0])
    return attn_schema(info, display)


def _tensor_writers(session: Session, options: AttnOptions) -> BinaryWriters:
    attentions = ArrayColumn(lambda record: record.attentions, failed=np.nan, batch_axis=1)
    constants = {"layers": np.array(list(options.layers)), "heads": np.array(list(options.heads))}
    return tensor_writers(session, {"attentions": attentions}, constants)
