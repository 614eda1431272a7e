"""How unlike heads are."""

from typing import Any

import numpy as np

from bertcli.core.arrays import DoubleArray, FloatArray

_BLOCK_VALUES = 1 << 18  # 2 MiB: some queries of all heads, so that little more than the weights is held at a time


def head_distance(attention: FloatArray) -> FloatArray:
    """The Jensen-Shannon distance between each two heads: the square root of the divergence in nats, mean over queries.

    attention: (heads, seq, seq) of one text. Returns (heads, heads), zeros on the diagonal. The divergence of p and q
    is H((p + q) / 2) - (H(p) + H(q)) / 2 (Lin 1991), in float64: of near equals the difference is all rounding else.
    """
    heads, queries, keys = attention.shape
    total = np.zeros((heads, heads))
    step = max(_BLOCK_VALUES // (heads * keys), 1)
    for start in range(0, queries, step):
        total += _summed_distance(attention[:, start : start + step].astype(np.float64))
    return np.asarray((total + total.T) / queries, np.float32)


def _summed_distance(p: DoubleArray) -> DoubleArray:
    """Over some of the queries, (heads, queries, seq): (heads, heads), what is under the diagonal left out."""
    entropy = _entropy(p)
    distance = np.zeros((len(p), len(p)))
    for head in range(len(p) - 1):
        others = slice(head + 1, None)
        divergence = _entropy((p[head] + p[others]) / 2) - (entropy[head] + entropy[others]) / 2
        distance[head, others] = np.sqrt(np.maximum(divergence, 0)).sum(-1)
    return distance


def _entropy(p: DoubleArray) -> Any:
    return -(p * np.log(np.where(p > 0, p, 1))).sum(-1)
