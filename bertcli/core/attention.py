"""What each attention head does, in numbers, computed layer by layer so that one layer's weights are held at a time.

a[i, j] is the weight from query i to key j. Special tokens count as tokens; PAD never does, neither as key nor as
query. Natural logarithms. Averages are over a text's queries.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from bertcli.core.backends import Array, Ops
from bertcli.core.batches import Batch
from bertcli.core.engine import Wanted
from bertcli.core.session import Session, text_info
from bertcli.core.tokens import TextTokenizer, TokenizedText
from bertcli.errors import BadText, WrongUsage
from bertcli.results import Attended, AttendedFrom, AttnRecord, HeadStatistics
from bertcli.texts import Unanswered

# What a head must reach to be called by a label: a share of its attention, or nats of entropy.
POSITION_SHARE, DELIMITER_SHARE, BROAD_ENTROPY = 0.5, 0.6, 3.8
_SMALLEST = 1e-38  # a weight of 0 adds 0 to the entropy, as its limit does
_STATISTICS = (
    "entropy", "self", "previous", "next", "cls", "sep", "punctuation", "distance", "confidence",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class AttnOptions:
    """layers, heads: those to tell of. matrix: (layer, head) whose weights are wanted whole.

    attended_from: a token, or a position, whose top_k strongest keys are wanted. tensors: all weights are wanted.
    """

    layers: Sequence[int]
    heads: Sequence[int]
    matrix: tuple[int, int] | None = None
    attended_from: str | None = None
    top_k: int = 5
    tensors: bool = False


@dataclass(frozen=True, slots=True)
class _Marks:
    """What the statistics need to know of a batch, as the backend's float32 arrays.

    is_query: (batch, 1, seq), 1 at tokens. counts: (batch, 1). kinds: (batch, 1, seq, 3), 1 at [CLS], at [SEP] and at
    punctuation. distances: (seq, seq).
    """

    is_query: Array
    counts: Array
    kinds: Array
    distances: Array


def attend(session: Session, batch: Batch, options: AttnOptions) -> list[AttnRecord]:
    """For each text of the batch the statistics of each head, and of the weights themselves what is asked for."""
    ops = session.engine.ops
    marks = _marks(ops, batch, session.tokenizer)
    statistics: dict[int, Any] = {}
    kept: dict[int, Any] = {}

    def observe(layer: int, attention: Array) -> None:
        if layer not in options.layers:
            return
        statistics[layer] = ops.to_numpy(head_statistics(ops, ops.float32(attention), marks))
        if options.tensors or options.attended_from is not None or (options.matrix or (None,))[0] == layer:
            kept[layer] = ops.to_numpy(attention)

    session.run(batch, Wanted(on_attention=observe))
    return [_record(text, row, statistics, kept, options) for row, text in enumerate(batch.texts)]


def head_statistics(ops: Ops, a: Array, marks: _Marks) -> Array:
    """The nine numbers of each head from entropy to confidence, in the order of HeadStatistics.

    a: (batch, heads, seq, seq), of one layer. Returns (batch, heads, 9). Entropy and labels follow Clark et al. 2019
    and Voita et al. 2019 (confidence: the mean over queries of the largest weight).
    """
    is_query, counts = marks.is_query, marks.counts
    has_neighbour, neighbour_counts = is_query[..., 1:], ops.clamp_min(counts - 1, 1)
    kinds = ((a @ marks.kinds) * is_query[..., None]).sum(-2) / counts[..., None]
    return ops.stack_last(
        [
            -((a * ops.log(ops.clamp_min(a, _SMALLEST))).sum(-1) * is_query).sum(-1) / counts,
            (a.diagonal(0, -2, -1) * is_query).sum(-1) / counts,
            (a.diagonal(-1, -2, -1) * has_neighbour).sum(-1) / neighbour_counts,
            (a.diagonal(1, -2, -1) * has_neighbour).sum(-1) / neighbour_counts,
            kinds[..., 0],
            kinds[..., 1],
            kinds[..., 2],
            ((a * marks.distances).sum(-1) * is_query).sum(-1) / counts,
            (ops.amax(a) * is_query).sum(-1) / counts,
        ]
    )


def label(statistics: HeadStatistics) -> str | None:
    """The first that fits: previous, next, self, delimiter, broad; None for a head that is none of them."""
    if statistics.previous > POSITION_SHARE:
        return "previous"
    if statistics.next > POSITION_SHARE:
        return "next"
    if statistics.self > POSITION_SHARE:
        return "self"
    if statistics.cls + statistics.sep > DELIMITER_SHARE:
        return "delimiter"
    return "broad" if statistics.entropy > BROAD_ENTROPY else None


def check_attended_from(text: TokenizedText, token: str) -> Unanswered | None:
    """What is wrong with a text that is asked about a token: that it has no such token."""
    if _positions(text.tokens, token):
        return None
    problem = BadText(
        f"the text has no token {token!r}; its tokens are {' '.join(text.tokens)}",
        hint="name a token as it is spelt there, or a position counted from 0",
    )
    return Unanswered(text.record.index, text.record.line, problem)


def chosen(what: str, asked: int | None, count: int) -> list[int]:
    """The one index asked for, or all. Raises WrongUsage for one out of range."""
    if asked is None:
        return list(range(count))
    if not 0 <= asked < count:
        raise WrongUsage(f"there is no {what} {asked}: this model has {count}", hint=f"use --{what} 0 to {count - 1}")
    return [asked]


def _marks(ops: Ops, batch: Batch, tokenizer: TextTokenizer) -> _Marks:
    seq = batch.shape[1]
    is_query = batch.attention_mask.astype(np.float32)
    punctuation = np.zeros_like(is_query)
    for row, text in enumerate(batch.texts):
        punctuation[row, : len(text)] = [_is_punctuation(token) for token in text.tokens]
    cls, sep = (batch.input_ids == id_ for id_ in (tokenizer.cls_token_id, tokenizer.sep_token_id))
    kinds = np.stack([cls, sep, punctuation], -1).astype(np.float32)
    positions = np.arange(seq, dtype=np.float32)
    return _Marks(
        ops.asarray(is_query[:, None]),
        ops.asarray(is_query.sum(-1)[:, None]),
        ops.asarray(kinds[:, None]),
        ops.asarray(np.abs(positions[:, None] - positions)),
    )


@cache
def _is_punctuation(token: str) -> bool:
    return all(unicodedata.category(character).startswith("P") for character in token)


def _record(
    text: TokenizedText, row: int, statistics: dict[int, Any], kept: dict[int, Any], options: AttnOptions
) -> AttnRecord:
    size = len(text)
    weights = {layer: attention[row, :, :size, :size] for layer, attention in kept.items()}
    return AttnRecord(
        text_info(text),
        [_head(layer, head, statistics[layer][row, head]) for layer in options.layers for head in options.heads],
        # A copy, so that the record does not hold on to every other head of the batch.
        attention=weights[options.matrix[0]][options.matrix[1]].copy() if options.matrix else None,
        attended=_attended(text.tokens, weights, options) if options.attended_from is not None else None,
        attentions=np.stack([weights[layer] for layer in options.layers]) if options.tensors else None,
    )


def _head(layer: int, head: int, numbers: Any) -> HeadStatistics:
    named = dict(zip(_STATISTICS, map(float, numbers), strict=True))
    unlabelled = HeadStatistics(layer=layer, head=head, **named, label=None)
    return HeadStatistics(layer=layer, head=head, **named, label=label(unlabelled))


def _attended(tokens: Sequence[str], weights: dict[int, Any], options: AttnOptions) -> list[AttendedFrom]:
    found = []
    for position in _positions(tokens, options.attended_from or ""):
        for layer in options.layers:
            for head in options.heads:
                row = weights[layer][head, position]
                strongest = np.argsort(-row, kind="stable")[: options.top_k]
                keys = [Attended(int(key), tokens[key], float(row[key])) for key in strongest]
                found.append(AttendedFrom(position, tokens[position], layer, head, keys))
    return found


def _positions(tokens: Sequence[str], token: str) -> list[int]:
    """Where the token stands; a number that is no token of the text is a position."""
    positions = [position for position, found in enumerate(tokens) if found == token]
    if not positions and token.isdecimal() and int(token) < len(tokens):
        return [int(token)]
    return positions
