"""bertcli attn: what the attention heads do."""

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from bertcli.analysis.attention.heads import (
    AttnOptions,
    batch_tokens,
    compute_attention,
    compute_statistics,
    summarise_texts,
)
from bertcli.analysis.attention.selection import (
    Selection,
    parse_label,
    parse_order,
    parse_statistics,
    select_heads,
    select_layers,
)
from bertcli.analysis.attention.statistics import BROAD_ENTROPY, DELIMITER_SHARE, POSITION_SHARE
from bertcli.analysis.attention.strongest_keys import check_has_token, token_spellings
from bertcli.analysis.attention.words import check_positions
from bertcli.choices import Statistic
from bertcli.cli.options import HeadOptions
from bertcli.commands.attn.expansion import tell_expansion
from bertcli.commands.attn.named_files import with_named_file
from bertcli.commands.attn.page import is_page, write_page
from bertcli.commands.attn.request import AttnRequest
from bertcli.commands.opening import open_for_texts
from bertcli.errors import ExitCode, WrongUsage
from bertcli.input.records import FailedText
from bertcli.model.session import SORT_WINDOW, Session
from bertcli.model.tokenizer import TokenizedText
from bertcli.output.files.arrays import TENSOR_SUFFIXES, Column, tensor_writers
from bertcli.output.schema import Schema
from bertcli.output.schemas.attn import (
    AttentionDisplay,
    attn_schema,
    maps_schema,
    matrix_schema,
    strongest_keys_schema,
    summary_schema,
)
from bertcli.output.schemas.texts import with_ids
from bertcli.output.sink import ArrayWriters, Sink
from bertcli.results.texts import RunInfo

_TOP_K = 5
_THRESHOLDS = (
    f"label: prev, next, self > {POSITION_SHARE}; delimiter: cls + sep > {DELIMITER_SHARE}; "
    f"broad: entropy > {BROAD_ENTROPY}"
)


def attn(request: AttnRequest) -> ExitCode:
    """Tell of the attention over every text, over all of them together, or by the weights alone."""
    output = with_named_file(request.output, request.page)
    if is_page(output, request.page):
        return write_page(replace(request, output=output), _THRESHOLDS)
    if request.maps.expansion:
        return tell_expansion(request.texts, request.model, output, request.heads, request.maps)
    if output.path is not None and output.path.suffix.lower() == ".png" and not request.has_figures:
        raise WrongUsage(
            "a picture is of a matrix, and none is asked for",
            hint="add --layer and --head, --grid, --rollout, --value-norms or --head-distance",
        )
    sink = Sink(output, request.texts.on_error, TENSOR_SUFFIXES, has_figures=request.has_figures)
    request.check()
    request.check_has_place(sink)
    look = _look(request)
    session, reader = open_for_texts(request.texts, request.model, sink)
    options = _options(request, session, sink)
    if options.value_norms:
        session.engine.projection(options.layers[0], "output")  # before any text is answered: not every engine has it
    if request.heads.aggregate:
        summaries = session.answers(
            reader.windows(), partial(compute_statistics, session, options=options), batch_tokens=batch_tokens(session)
        )
        info = session.info("attn")
        return sink.write(info, summary_schema(info, look), summarise_texts(summaries, options))
    answers = session.answers(
        reader.windows(),
        partial(compute_attention, session, options=options),
        partial(_check_text, options=options, look=look),
        batch_tokens(session),
        sort_window=1 if options.returns_matrices else SORT_WINDOW,
    )
    info = session.info("attn")
    view = _view(request, options, look, info)
    view = view if request.texts.id_field is None else with_ids(view)
    return sink.write(info, view, answers, _writers(session, options))


def _check_text(text: TokenizedText, options: AttnOptions, look: AttentionDisplay) -> FailedText | None:
    return check_has_token(text, options.from_token) or check_positions(
        text, look.rows, look.columns, are_words=options.words
    )


def _look(request: AttnRequest) -> AttentionDisplay:
    heads, maps = request.heads, request.maps
    names = tuple(Statistic) if heads.stat is None else tuple(parse_statistics("--stat", heads.stat))
    grid = None if heads.grid is None else str(heads.grid)
    rows, columns = _range("--rows", maps.rows), _range("--cols", maps.cols)
    shown = names if grid is None else (grid,)
    return AttentionDisplay(shown, _THRESHOLDS, grid, heads.by is not None, rows, columns, maps.head_distance)


def _range(option: str, asked: str | None) -> range | None:
    """From and to, both counted in. Raises WrongUsage."""
    if asked is None:
        return None
    first, dash, last = asked.partition("-")
    if not first.isdecimal() or (last and not last.isdecimal()) or (last and int(last) < int(first)):
        raise WrongUsage(f"{option} {asked!r} is not a range of positions", hint=f"write such as {option} 0-20")
    return range(int(first), int(last) + 1 if last else (1 << 31 if dash else int(first) + 1))


def _selection(heads: HeadOptions) -> Selection:
    label = None if heads.label is None else parse_label("--label", heads.label)
    order = None if heads.by is None else parse_order(heads.by)
    return Selection(label, heads.group is not None, heads.top, order)


def _options(request: AttnRequest, session: Session, sink: Sink) -> AttnOptions:
    heads, maps = request.heads, request.maps
    return AttnOptions(
        layers=select_layers(None if heads.layer is None else str(heads.layer), session.config.num_hidden_layers),
        heads=select_heads(heads.head, session.config.num_attention_heads),
        selection=_selection(heads),
        matrix=request.wants_matrix,
        from_token=() if maps.from_token is None else token_spellings(session.tokenizer, maps.from_token),
        top_k=maps.top_k or _TOP_K,
        tensors=sink.format in TENSOR_SUFFIXES,
        rollout=maps.rollout,
        value_norms=maps.value_norms,
        head_distance=maps.head_distance,
        words=maps.words,
    )


def _view(request: AttnRequest, options: AttnOptions, look: AttentionDisplay, info: RunInfo) -> Schema[Any]:
    if options.from_token:
        return strongest_keys_schema(info, look)
    if options.rollout or options.value_norms or options.head_distance:
        return maps_schema(info, look)
    if options.matrix:
        return matrix_schema(info, look, options.layers[0], options.heads[0])
    return attn_schema(info, look)


def _writers(session: Session, options: AttnOptions) -> ArrayWriters:
    attentions = Column(lambda record: record.attentions, missing=np.nan, batch_axis=1)
    shown: dict[str, Iterable[int]] = {"layers": options.layers, "heads": options.heads}
    constants = {name: np.array(list(numbers)) for name, numbers in shown.items()}
    return tensor_writers(session, {"attentions": attentions}, constants)
