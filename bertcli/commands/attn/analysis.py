"""Analyses of attn: the options and the schema of a request, and which texts it can take."""

import re
from typing import Any

from bertcli.analysis.attention.heads import AttnOptions, batch_tokens
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
from bertcli.commands.options import HeadOptions
from bertcli.errors import WrongUsage
from bertcli.input.records import FailedText
from bertcli.model.requirements import require_attentions
from bertcli.model.session import Session
from bertcli.model.tokenizer import TokenizedText
from bertcli.output.destination import FOLDER, TENSOR_SUFFIXES
from bertcli.output.display import AttentionDisplay
from bertcli.output.schema import Schema
from bertcli.output.schemas.attn import attn_schema, maps_schema, matrix_schema, strongest_keys_schema
from bertcli.pipeline.scheduler import Plan
from bertcli.quoting import shortened
from bertcli.results.texts import RunInfo

_TOP_K = 5
# FROM-TO, FROM- or FROM.
_RANGE = r"(\d{1,9})(-(\d{1,9})?)?"
# End of a range without one, beyond any text.
_NO_END = 1 << 31
THRESHOLDS = (
    f"label: prev, next, self > {POSITION_SHARE}; delimiter: cls + sep > {DELIMITER_SHARE};\n"
    f"broad: entropy > {BROAD_SHARE} ln n, for texts of n >= {BROAD_TOKENS} tokens"
)


def prepare(request: AttnRequest, session: Session, format_: str) -> AttnOptions:
    """Return what to compute, after a check that the model has it.

    Args:
        request: The options.
        session: The open checkpoint.
        format_: Format of the output.
    """
    require_attentions(session)
    session.tokenizer.offers_windows = not (request.heads.aggregate or format_ == FOLDER)
    options = _options(request, session, format_)
    if options.value_norms:
        session.engine.projection(options.layers[0], "output")  # fails early on an engine without access to the weights
    return options


def check_text(options: AttnOptions, display: AttentionDisplay, text: TokenizedText) -> FailedText | None:
    """Return a FailedText if a text lacks the token or the positions to show."""
    return check_has_token(text, options.from_token) or check_positions(
        text, display.rows, display.columns, are_words=options.words
    )


def display_of(request: AttnRequest) -> AttentionDisplay:
    """Return the parts of the result to show. Raises WrongUsage."""
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
    named = re.fullmatch(_RANGE, value, re.ASCII)
    if named is None or int(named[3] or _NO_END) < int(named[1]):
        hint = f"use a range such as {option} 0-20"
        raise WrongUsage(f"{option} {shortened(value)} is not a range of positions", hint=hint)
    first = int(named[1])
    if named[3]:
        return range(first, int(named[3]) + 1)
    return range(first, _NO_END if named[2] else first + 1)


def _selection(heads: HeadOptions) -> Selection:
    order = None if heads.by is None else parse_order(heads.by)
    label = None if heads.label is None else parse_label("--label", heads.label)
    return Selection(label, heads.group is not None, heads.top, order)


def layers_of(request: AttnRequest, session: Session) -> list[int]:
    """Return the layers to show: those of --layers or of --layer. Raises WrongUsage."""
    heads, count = request.heads, session.config.num_hidden_layers
    if heads.layers is not None:
        return select_layers(heads.layers, count, "--layers")
    return select_layers(heads.layer, count)


def _options(request: AttnRequest, session: Session, format_: str) -> AttnOptions:
    heads, maps = request.heads, request.maps
    return AttnOptions(
        layers=layers_of(request, session),
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


def schema_of(request: AttnRequest, options: AttnOptions, display: AttentionDisplay, info: RunInfo) -> Schema[Any]:
    """Return the schema of what is computed."""
    if options.from_token:
        return strongest_keys_schema(info, display)
    if options.rollout or options.value_norms or options.head_distance:
        return maps_schema(info, display)
    if options.matrix:
        return matrix_schema(info, display, options.layers[0], options.heads[0])
    return attn_schema(info, display)


def aggregate_plan(session: Session, options: AttnOptions) -> Plan:
    """Return the plan for statistics over all texts.

    Texts are sorted in large groups, since nothing is written before the last text and the statistics of a text are
    small. With distances between heads a group is one batch, since they take 576 KiB a text for 384 heads. A group is
    computed when the one before it is summed up, so that the statistics of one group only are in memory. Arrays of
    weights grow with the square of the length and leave more unused memory than other arrays. This memory is returned
    to the system often; otherwise a run would need more memory for more texts.
    """
    return Plan(
        sort_window=1 if options.head_distance else 32,
        ids_only=True,
        batch_tokens=batch_tokens(session),
        prefetch=0,
        trim_batches=2,
    )
