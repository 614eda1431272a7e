"""The numbers that tell what a head does, and the label they give it."""

import unicodedata
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from bertcli.model.batching import Batch
from bertcli.model.ops.base import Array, Ops
from bertcli.model.tokenizer import TextTokenizer
from bertcli.results.attention import HeadStatistics

# What a head must reach to be called by a label: a share of its attention, or nats of entropy.
POSITION_SHARE, DELIMITER_SHARE, BROAD_ENTROPY = 0.5, 0.6, 3.8
STATISTICS = (
    "entropy", "self", "previous", "next", "cls", "sep", "punctuation", "distance", "confidence",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Marks:
    """What the statistics need to know of a batch, as the backend's float32 arrays.

    is_query: (batch, 1, seq), 1 at tokens. counts: (batch, 1). kinds: (batch, 1, seq, 3), 1 at [CLS], at [SEP] and at
    punctuation. distances: (seq, seq), |i - j|.
    """

    is_query: Array
    counts: Array
    kinds: Array
    distances: Array


def head_statistics(ops: Ops, a: Array, marks: Marks) -> Array:
    """The nine numbers of each head from entropy to confidence, in the order of HeadStatistics.

    a: (batch, heads, seq, seq), of one layer. Returns (batch, heads, 9). Entropy and labels follow Clark et al. 2019
    and Voita et al. 2019 (confidence: the mean over queries of the largest weight).
    """
    is_query, counts = marks.is_query, marks.counts
    has_neighbour, neighbour_counts = is_query[..., 1:], ops.clamp_min(counts - 1, 1)
    # What each key gets of all queries that are tokens: one row for a head, where the weights are a square.
    kinds = ((is_query[:, :, None] @ a) @ marks.kinds)[..., 0, :] / counts[..., None]
    return ops.stack_last(
        [
            (ops.entropy(a) * is_query).sum(-1) / counts,
            (a.diagonal(0, -2, -1) * is_query).sum(-1) / counts,
            (a.diagonal(-1, -2, -1) * has_neighbour).sum(-1) / neighbour_counts,
            (a.diagonal(1, -2, -1) * has_neighbour).sum(-1) / neighbour_counts,
            kinds[..., 0],
            kinds[..., 1],
            kinds[..., 2],
            # Summed query by query: one sum of all products would lose digits of a long text.
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


def mark(ops: Ops, batch: Batch, tokenizer: TextTokenizer) -> Marks:
    """What the statistics need to know of the batch."""
    is_query = batch.attention_mask.astype(np.float32)
    punctuation = np.zeros_like(is_query)
    for row, text in enumerate(batch.texts):
        punctuation[row, : len(text)] = [_is_punctuation(tokenizer.token_text(id_)) for id_ in text.input_ids]
    cls, sep = (batch.input_ids == id_ for id_ in (tokenizer.cls_token_id, tokenizer.sep_token_id))
    kinds = np.stack([cls, sep, punctuation], -1).astype(np.float32)
    positions = np.arange(batch.shape[1], dtype=np.float32)
    distances = np.abs(positions[:, None] - positions)
    return Marks(
        ops.asarray(is_query[:, None]),
        ops.asarray(is_query.sum(-1)[:, None]),
        ops.asarray(kinds[:, None]),
        ops.asarray(distances),
    )


@cache
def _is_punctuation(token: str) -> bool:
    return bool(token) and all(unicodedata.category(character).startswith("P") for character in token)


def named(layer: int, head: int, numbers: Any) -> HeadStatistics:
    """A head's nine numbers by their names, and its label."""
    values = dict(zip(STATISTICS, map(float, numbers), strict=True))
    unlabelled = HeadStatistics(layer=layer, head=head, **values, label=None)
    return replace(unlabelled, label=label(unlabelled))
