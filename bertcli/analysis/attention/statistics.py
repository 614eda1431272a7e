"""Statistics of attention heads, the labels that follow from them, and their means over texts.

Each statistic is a mean over the queries of a text (see bertcli.choices.Statistic for the names):

- entropy: -sum_j a[i, j] ln a[i, j], in nats
- self, previous, next: a[i, i], a[i, i - 1] and a[i, i + 1]; the last two over the queries that have such a neighbour
- cls, sep, punctuation: sum of a[i, j] over the keys j that are [CLS], [SEP], or punctuation alone (Unicode P*)
- distance: sum_j a[i, j] |i - j|, in tokens
- confidence: max_j a[i, j] (Voita et al. 2019)

Entropy and the kinds of heads follow Clark et al. 2019.
"""

import math
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any, Self

import numpy as np

from bertcli.choices import HeadLabel, Statistic
from bertcli.lazy_dataclass import dataclass
from bertcli.model.batching import Batch
from bertcli.model.ops.base import Array, FloatArray, Ops
from bertcli.model.tokenizer import TextTokenizer
from bertcli.results.attention import AttnSummary, HeadStatistics

# Thresholds of the labels. A head gets a label if its value is larger.
POSITION_SHARE = 0.5  # share of the attention on the previous token, the next token or the token itself
DELIMITER_SHARE = 0.6  # share of the attention on [CLS] and [SEP] together
BROAD_SHARE = 0.8  # entropy as a share of ln n, the entropy of even attention over the n tokens of the text
BROAD_TOKENS = 8  # a text with fewer tokens has no broad heads
# True at the statistics that are averaged over queries with a neighbour. A text has one such query fewer than tokens.
_NEEDS_NEIGHBOUR = np.array([name in (Statistic.PREVIOUS, Statistic.NEXT) for name in Statistic])
_ENTROPY = list(Statistic).index(Statistic.ENTROPY)


@dataclass(frozen=True, slots=True)
class StatisticInputs:
    """Properties of a batch that the statistics need, as float32 arrays of the backend.

    Attributes:
        is_query: (batch, 1, seq), 1 at tokens and 0 at padding.
        counts: Number of tokens of each text, (batch, 1).
        key_kinds: (batch, 1, seq, 3), 1 at [CLS], at [SEP] and at punctuation.
        distances: |i - j|, (seq, seq).
    """

    is_query: Array
    counts: Array
    key_kinds: Array
    distances: Array


@dataclass(frozen=True, slots=True)
class TextStatistics:
    """Head statistics of one text.

    Attributes:
        token_count: Number of tokens, special tokens included.
        values: (layers, heads, 9), the last axis in the order of Statistic.
        distance: Distances between heads, (layers * heads, layers * heads), or None if not requested.
    """

    token_count: int
    values: FloatArray
    distance: FloatArray | None = None


def statistic_inputs(ops: Ops, batch: Batch, tokenizer: TextTokenizer) -> StatisticInputs:
    """Return the properties of a batch that the statistics need."""
    is_query = batch.attention_mask.astype(np.float32)
    punctuation = np.zeros_like(is_query)
    for row, text in enumerate(batch.texts):
        punctuation[row, : len(text)] = [_is_punctuation(tokenizer.token_text(id_)) for id_ in text.input_ids]
    cls, sep = (batch.input_ids == id_ for id_ in (tokenizer.cls_token_id, tokenizer.sep_token_id))
    key_kinds = np.stack([cls, sep, punctuation], -1).astype(np.float32)
    positions = np.arange(batch.shape[1], dtype=np.float32)
    distances = np.abs(positions[:, None] - positions)
    return StatisticInputs(
        ops.asarray(is_query[:, None]),
        ops.asarray(is_query.sum(-1)[:, None]),
        ops.asarray(key_kinds[:, None]),
        ops.asarray(distances),
    )


def head_statistics(ops: Ops, a: Array, inputs: StatisticInputs) -> Array:
    """Compute the statistics of each head of one layer.

    Args:
        ops: The backend.
        a: Attention weights, (batch, heads, seq, seq).
        inputs: Properties of the batch.

    Returns:
        (batch, heads, 9), the last axis in the order of Statistic.
    """
    is_query, counts = inputs.is_query, inputs.counts
    has_neighbour, neighbour_counts = is_query[..., 1:], ops.clamp_min(counts - 1, 1)
    # Attention that each key receives from all queries that are tokens: one row per head instead of a square.
    key_shares = ((is_query[:, :, None] @ a) @ inputs.key_kinds)[..., 0, :] / counts[..., None]
    return ops.stack_last(
        [
            (ops.entropy(a) * is_query).sum(-1) / counts,
            (a.diagonal(0, -2, -1) * is_query).sum(-1) / counts,
            (a.diagonal(-1, -2, -1) * has_neighbour).sum(-1) / neighbour_counts,
            (a.diagonal(1, -2, -1) * has_neighbour).sum(-1) / neighbour_counts,
            key_shares[..., 0],
            key_shares[..., 1],
            key_shares[..., 2],
            # Summed query by query: a single sum of all products would lose digits of a long text.
            ((a * inputs.distances).sum(-1) * is_query).sum(-1) / counts,
            (ops.amax(a) * is_query).sum(-1) / counts,
        ]
    )


def describe_heads(layer: int, heads: Iterable[int], values: Any, token_count: int) -> list[HeadStatistics]:
    """Return the records of heads over one text, with their labels.

    Args:
        layer: Number of the layer.
        heads: Numbers of the heads.
        values: The values of all heads of the layer, (heads, 9), the last axis in the order of Statistic.
        token_count: Number of tokens of the text, special tokens included.
    """
    entropies = _normalized_entropy(values, token_count)
    return [_describe_head(layer, head, values[head], entropies[head]) for head in heads]


def _describe_head(layer: int, head: int, values: Any, normalized_entropy: float) -> HeadStatistics:
    by_name = dict(zip(map(str, Statistic), map(float, values), strict=True))
    unlabelled = HeadStatistics(layer=layer, head=head, **by_name, label=None)
    return replace(unlabelled, label=head_label(unlabelled, normalized_entropy))


def head_label(statistics: HeadStatistics, normalized_entropy: float) -> HeadLabel | None:
    """Return the first label that fits, in the order of HeadLabel, or None if no label fits.

    Args:
        statistics: The statistics of the head, without label.
        normalized_entropy: Its entropy as a share of ln n, or 0 if n is below BROAD_TOKENS.
    """
    if statistics.previous > POSITION_SHARE:
        return HeadLabel.PREVIOUS
    if statistics.next > POSITION_SHARE:
        return HeadLabel.NEXT
    if statistics.self > POSITION_SHARE:
        return HeadLabel.SELF
    if statistics.cls + statistics.sep > DELIMITER_SHARE:
        return HeadLabel.DELIMITER
    return HeadLabel.BROAD if normalized_entropy > BROAD_SHARE else None


def _normalized_entropy(values: Any, token_count: int) -> Any:
    """Return the entropy as a share of ln n, the entropy of even attention over n tokens.

    Args:
        values: (..., 9), the last axis in the order of Statistic.
        token_count: n, special tokens included.

    Returns:
        (...), zeros if n is below BROAD_TOKENS: the attention over few tokens is always near to even.
    """
    entropy = values[..., _ENTROPY]
    return entropy / math.log(token_count) if token_count >= BROAD_TOKENS else np.zeros_like(entropy)


class Aggregate:
    """Means over texts, weighted by the queries of each text.

    For the previous and next token, these are the queries that have such a neighbour. The normalized entropy, which
    decides about the label broad, is a mean over the texts of BROAD_TOKENS tokens or more. Sums are in float64.
    """

    def __init__(self) -> None:
        self._text_count = self._token_count = 0
        self._values: Any = 0.0
        self._normalized_entropy: Any = 0.0
        self._normalized_count = 0
        self._distance: Any = None

    def add(self, text: TextStatistics) -> None:
        """Add one text."""
        queries = np.where(_NEEDS_NEIGHBOUR, text.token_count - 1, text.token_count)
        self._text_count += 1
        self._token_count += text.token_count
        values = text.values.astype(np.float64)
        self._values = self._values + values * queries
        entropies = _normalized_entropy(values, text.token_count)
        self._normalized_entropy = self._normalized_entropy + entropies * text.token_count
        if text.token_count >= BROAD_TOKENS:
            self._normalized_count += text.token_count
        if text.distance is not None:
            weighted = text.distance.astype(np.float64) * text.token_count
            self._distance = weighted if self._distance is None else self._distance + weighted

    def merge(self, other: Self) -> None:
        """Add the texts of another aggregate."""
        self._text_count += other._text_count
        self._token_count += other._token_count
        self._values = self._values + other._values
        self._normalized_entropy = self._normalized_entropy + other._normalized_entropy
        self._normalized_count += other._normalized_count
        if other._distance is not None:
            self._distance = other._distance if self._distance is None else self._distance + other._distance

    def summary(self, layers: Sequence[int], heads: Sequence[int]) -> AttnSummary | None:
        """Return the means over all texts so far, or None if there was no text.

        Args:
            layers: Layer numbers of the first axis of the values.
            heads: Head numbers of the second axis.
        """
        if not self._text_count:
            return None
        queries = np.where(_NEEDS_NEIGHBOUR, self._token_count - self._text_count, self._token_count)
        means = self._values / queries
        entropies = self._normalized_entropy / max(self._normalized_count, 1)
        return AttnSummary(
            self._text_count,
            self._token_count,
            [
                _describe_head(layer, head, means[i, j], entropies[i, j])
                for i, layer in enumerate(layers)
                for j, head in enumerate(heads)
            ],
            None if self._distance is None else self._distance / self._token_count,
        )


@cache
def _is_punctuation(token: str) -> bool:
    return bool(token) and all(unicodedata.category(character).startswith("P") for character in token)
