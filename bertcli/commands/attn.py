"""bertcli attn: what the attention heads do."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from bertcli.commands.array_files import TENSOR_SUFFIXES, tensor_writers
from bertcli.commands.attn_page import is_page, write_page
from bertcli.commands.expansion import tell_expansion
from bertcli.commands.opening import open_for_texts
from bertcli.commands.sink import ArrayWriters, Sink
from bertcli.core.attention.heads import (
    AttnOptions,
    aggregated,
    attend,
    batch_tokens,
    check_attended_from,
    chosen,
    spellings,
    summarise,
)
from bertcli.core.attention.selection import Selection, order_named, statistics_named
from bertcli.core.attention.statistics import BROAD_ENTROPY, DELIMITER_SHARE, POSITION_SHARE, STATISTICS
from bertcli.core.session import Session
from bertcli.errors import ExitCode, WrongUsage
from bertcli.options import (
    AttentionMapOptions,
    HeadOptions,
    ModelOptions,
    OutputOptions,
    PageOptions,
    TextOptions,
)
from bertcli.render.view import View
from bertcli.render.views.attn import AttnLook, attended_view, attn_view, maps_view, matrix_view
from bertcli.render.views.attn_summary import summary_view
from bertcli.results.texts import RunInfo
from bertcli.writers.arrays import Column

_TOP_K = 5
_THRESHOLDS = (
    f"label: prev, next, self > {POSITION_SHARE}; delimiter: cls + sep > {DELIMITER_SHARE}; "
    f"broad: entropy > {BROAD_ENTROPY}"
)
_STRUCTURED = ("table", "svg", "json", "jsonl")


@dataclass(frozen=True, slots=True)
class AttnRequest:
    """heads: which of them, and what of each. maps: what is asked beside their statistics. page: all in one file."""

    texts: TextOptions
    model: ModelOptions
    output: OutputOptions
    heads: HeadOptions
    maps: AttentionMapOptions
    page: PageOptions

    @property
    def wants_matrix(self) -> bool:
        """Whether the weights of one head are to be shown."""
        return self.heads.layer is not None and self.heads.head is not None


def attn(request: AttnRequest) -> ExitCode:
    """Tell of the attention over every text, over all of them together, or by the weights alone."""
    if is_page(request.output, request.page):
        return write_page(
            request.texts, request.model, request.output, request.heads, request.maps, request.page, _THRESHOLDS
        )
    if request.maps.expansion:
        return tell_expansion(request.texts, request.model, request.output, request.heads, request.maps)
    sink = Sink(request.output, request.texts.on_error, TENSOR_SUFFIXES)
    _check_combination(request)
    _check_has_place(request, sink)
    look = _look(request)
    session, reader = open_for_texts(request.texts, request.model, sink)
    options = _options(request, session, sink)
    if request.heads.aggregate:
        summaries = session.answers(
            reader.windows(), partial(summarise, session, options=options), batch_tokens=batch_tokens(session)
        )
        info = session.info("attn")
        return sink.write(info, summary_view(info, look), aggregated(summaries, options))
    answers = session.answers(
        reader.windows(),
        partial(attend, session, options=options),
        partial(check_attended_from, asked=options.attended_from),
        batch_tokens(session),
    )
    info = session.info("attn")
    return sink.write(info, _view(request, options, look, info), answers, _writers(session, options))


def _check_combination(request: AttnRequest) -> None:
    """Raise WrongUsage for options that say nothing without another, or that contradict each other."""
    heads, maps = request.heads, request.maps
    has_part = maps.rows is not None or maps.cols is not None
    shows_matrix = request.wants_matrix or maps.rollout or maps.value_norms
    one_text = {"--from": maps.attended_from is not None, "--rollout": maps.rollout, "--value-norms": maps.value_norms}
    _refuse(
        (
            maps.top_k is not None and maps.attended_from is None,
            "--top-k says how many tokens --from shows",
            "add --from TOKEN, or leave --top-k out",
        ),
        (
            heads.top is not None and heads.by is None,
            "--top takes the first heads of an order, and there is none",
            "add --by and a statistic, such as --by entropy",
        ),
        (
            maps.words and not shows_matrix,
            "--words makes words of a matrix's tokens, and no matrix is asked for",
            "add --layer and --head, --rollout or --value-norms",
        ),
        (
            has_part and not shows_matrix,
            "--rows and --cols choose a part of a matrix, and none is asked for",
            "add --layer and --head, --rollout or --value-norms",
        ),
        (
            heads.group is not None and (maps.value_norms or maps.head_distance or request.wants_matrix),
            "--group averages heads, and what is asked for tells them apart",
            "leave --group out",
        ),
        (
            heads.group is not None and (heads.head is not None or heads.label is not None),
            "--group is the mean of all heads of a layer, and --head and --label choose among them",
            "leave one out",
        ),
        (
            maps.attended_from is not None and (maps.rollout or maps.value_norms or maps.head_distance),
            "--from shows what one token attends to, and nothing beside it",
            "leave out the other map, or --from",
        ),
        (
            heads.grid is not None and heads.stat is not None,
            "--grid shows one statistic, and --stat chooses columns",
            "leave one out",
        ),
        (
            (heads.grid is not None or heads.stat is not None) and maps.rollout,
            "--rollout is of all heads together, and has no statistics",
            "leave out --rollout, or --stat and --grid",
        ),
        (
            heads.grid is not None and (shows_matrix or maps.attended_from is not None or maps.head_distance),
            "--grid draws the statistics of heads, and what is asked for is drawn in its place",
            "leave --grid out",
        ),
        (
            heads.aggregate and (request.wants_matrix or maps.words or has_part),
            "--aggregate puts all texts together, and a matrix is of one text",
            "leave --aggregate out, or --layer with --head, --words, --rows and --cols",
        ),
    )
    if heads.aggregate:
        _refuse(
            *(
                (is_asked, f"{option} is of one text, and --aggregate puts all of them together", "leave one out")
                for option, is_asked in one_text.items()
            )
        )


def _refuse(*cases: tuple[bool, str, str]) -> None:
    for is_wrong, message, hint in cases:
        if is_wrong:
            raise WrongUsage(message, hint=hint)


def _check_has_place(request: AttnRequest, sink: Sink) -> None:
    """Raise WrongUsage for what was asked for and would be lost in the format."""
    maps = request.maps
    for option, is_asked in {
        "--rollout": maps.rollout,
        "--value-norms": maps.value_norms,
        "--head-distance": maps.head_distance,
    }.items():
        if is_asked and sink.format not in _STRUCTURED:
            raise WrongUsage(
                f"{sink.format} has no place for {option}, which goes into {', '.join(_STRUCTURED)}",
                hint=f"use --json, or leave {option} out",
            )
    if request.heads.aggregate and sink.format in TENSOR_SUFFIXES:
        raise WrongUsage(
            f"{sink.format} holds the weights of each text, and --aggregate has none", hint="use --json, or .json"
        )
    if maps.value_norms and sink.wants_table and not request.wants_matrix:
        raise WrongUsage(
            "a table shows the value norms of one head", hint="add --layer and --head, or use --json for all of them"
        )


def _look(request: AttnRequest) -> AttnLook:
    heads, maps = request.heads, request.maps
    names = tuple(STATISTICS) if heads.stat is None else tuple(statistics_named("--stat", heads.stat))
    grid = None if heads.grid is None else str(heads.grid)
    rows, columns = _range("--rows", maps.rows), _range("--cols", maps.cols)
    return AttnLook(names if grid is None else (grid,), _THRESHOLDS, grid, heads.by is not None, rows, columns)


def _range(option: str, asked: str | None) -> range | None:
    """From and to, both counted in. Raises WrongUsage."""
    if asked is None:
        return None
    first, dash, last = asked.partition("-")
    if not first.isdecimal() or (last and not last.isdecimal()) or (last and int(last) < int(first)):
        raise WrongUsage(f"{option} {asked!r} is not a range of positions", hint=f"write such as {option} 0-20")
    return range(int(first), int(last) + 1 if last else (1 << 31 if dash else int(first) + 1))


def _selection(heads: HeadOptions) -> Selection:
    by = None if heads.by is None else order_named(heads.by)
    return Selection(None if heads.label is None else str(heads.label), heads.group is not None, heads.top, by)


def _options(request: AttnRequest, session: Session, sink: Sink) -> AttnOptions:
    heads, maps = request.heads, request.maps
    return AttnOptions(
        layers=chosen("layer", heads.layer, session.config.num_hidden_layers),
        heads=chosen("head", heads.head, session.config.num_attention_heads),
        selection=_selection(heads),
        matrix=request.wants_matrix,
        attended_from=() if maps.attended_from is None else spellings(session.tokenizer, maps.attended_from),
        top_k=maps.top_k or _TOP_K,
        tensors=sink.format in TENSOR_SUFFIXES,
        rollout=maps.rollout,
        value_norms=maps.value_norms,
        head_distance=maps.head_distance,
        words=maps.words,
    )


def _view(request: AttnRequest, options: AttnOptions, look: AttnLook, info: RunInfo) -> View[Any]:
    if options.attended_from:
        return attended_view(info, look)
    if options.rollout or options.value_norms or options.head_distance:
        return maps_view(info, look)
    if options.matrix:
        return matrix_view(info, look, options.layers[0], options.heads[0])
    return attn_view(info, look)


def _writers(session: Session, options: AttnOptions) -> ArrayWriters:
    attentions = Column(lambda record: record.attentions, missing=np.nan, batch_axis=1)
    shown: dict[str, Iterable[int]] = {"layers": options.layers, "heads": options.heads}
    constants = {name: np.array(list(numbers)) for name, numbers in shown.items()}
    return tensor_writers(session, {"attentions": attentions}, constants)
