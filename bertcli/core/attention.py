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
from bertcli.core.engine import LayerAttention, Wanted
from bertcli.core.session import Session, text_info
from bertcli.core.tokens import TextTokenizer, TokenizedText
from bertcli.errors import BadText, WrongUsage
from bertcli.results import Attended, AttendedFrom, AttnRecord, HeadStatistics
from bertcli.texts import Unanswered, is_utf8

# What a head must reach to be called by a label: a share of its attention, or nats of entropy.
POSITION_SHARE, DELIMITER_SHARE, BROAD_ENTROPY = 0.5, 0.6, 3.8
_SMALLEST = float(np.finfo(np.float32).tiny)  # a weight of 0 adds 0 to the entropy, as its limit does
_STATISTICS = (
    "entropy", "self", "previous", "next", "cls", "sep", "punctuation", "distance", "confidence",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class AttnOptions:
    """layers, heads: those to tell of. matrix: whether the weights of the one head among them are wanted whole.

    attended_from: spellings of a token, or a position, whose top_k strongest keys are wanted, where there are any.
    tensors: all their weights are wanted.
    """

    layers: Sequence[int]
    heads: Sequence[int]
    matrix: bool = False
    attended_from: Sequence[str] = ()
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
    kept = _Kept(options, [_positions(text.tokens, options.attended_from) for text in batch.texts])

    def observe(attention: LayerAttention) -> None:
        if attention.layer in options.layers:
            weights = ops.float32(attention.weights)
            statistics[attention.layer] = ops.to_numpy(head_statistics(ops, weights, marks))
            kept.keep(attention.layer, ops.to_numpy(weights))

    session.run(batch, Wanted(on_attention=observe))
    return [_record(text, row, statistics, kept, options) for row, text in enumerate(batch.texts)]


class _Kept:
    """Of the weights what is asked for, copied, so that a layer's are let go of before the next one's come.

    whole: (batch, heads, seq, seq) by layer. rows: (heads, seq) by the text's row, the query's position and the layer.
    """

    def __init__(self, options: AttnOptions, positions: Sequence[Sequence[int]]) -> None:
        self._options, self.positions = options, positions
        self.whole: dict[int, Any] = {}
        self.rows: dict[tuple[int, int, int], Any] = {}

    def keep(self, layer: int, attention: Any) -> None:
        """One layer's weights, (batch, all heads, seq, seq)."""
        heads = list(self._options.heads)
        if self._options.tensors or self._options.matrix:
            self.whole[layer] = attention[:, heads]
        for row, positions in enumerate(self.positions):
            for position in positions:
                self.rows[row, position, layer] = attention[row, heads, position]


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


def spellings(tokenizer: TextTokenizer, token: str) -> Sequence[str]:
    """A token as it was asked for, and as the tokenizer spells it where that is one piece: The, the."""
    if not is_utf8(token):
        raise WrongUsage(f"the token {token!r} is not UTF-8", hint="check the terminal's encoding")
    pieces = tokenizer.pieces(token)
    return (token, tokenizer.token(pieces[0])) if len(pieces) == 1 else (token,)


def check_attended_from(text: TokenizedText, asked: Sequence[str]) -> Unanswered | None:
    """What is wrong with a text that is asked about a token: that it has no such token."""
    if not asked or _positions(text.tokens, asked):
        return None
    problem = BadText(
        f"the text has no token {asked[0]!r}; its tokens are {' '.join(text.tokens)}",
        hint=f"name a token as it is spelt there, or a position from 0 to {len(text) - 1}",
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
        punctuation[row, : len(text)] = [_is_punctuation(tokenizer.surface(id_)) for id_ in text.input_ids]
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
    return bool(token) and all(unicodedata.category(character).startswith("P") for character in token)


def _record(text: TokenizedText, row: int, statistics: dict[int, Any], kept: _Kept, options: AttnOptions) -> AttnRecord:
    weights = [attention[row, :, : len(text), : len(text)] for attention in kept.whole.values()]
    return AttnRecord(
        text_info(text),
        [_head(layer, head, statistics[layer][row, head]) for layer in options.layers for head in options.heads],
        attention=weights[0][0] if options.matrix else None,
        attended=_attended(text.tokens, row, kept, options) if options.attended_from else None,
        attentions=np.stack(weights) if options.tensors else None,
    )


def _head(layer: int, head: int, numbers: Any) -> HeadStatistics:
    named = dict(zip(_STATISTICS, map(float, numbers), strict=True))
    unlabelled = HeadStatistics(layer=layer, head=head, **named, label=None)
    return HeadStatistics(layer=layer, head=head, **named, label=label(unlabelled))


def _attended(tokens: Sequence[str], row: int, kept: _Kept, options: AttnOptions) -> list[AttendedFrom]:
    found = []
    for position in kept.positions[row]:
        for layer in options.layers:
            weights = kept.rows[row, position, layer][:, : len(tokens)]
            strongest = np.argsort(-weights, kind="stable")[:, : options.top_k]
            for head, of_head, keys in zip(options.heads, weights, strongest, strict=True):
                attended = [Attended(int(key), tokens[key], float(of_head[key])) for key in keys]
                found.append(AttendedFrom(position, tokens[position], layer, head, attended))
    return found


def _positions(tokens: Sequence[str], asked: Sequence[str]) -> list[int]:
    """Where the token stands, by the first of its spellings that is there; a number that is no token is a position."""
    numbers = list(map(str, range(len(tokens))))
    places = (
        [at for at, found in enumerate(names) if found == token] for names in (tokens, numbers) for token in asked
    )
    return next(filter(None, places), [])
