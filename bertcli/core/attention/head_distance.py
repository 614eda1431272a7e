"""How unlike heads are."""

from typing import Any

import numpy as np

FloatArray = np.ndarray[Any, np.dtype[np.float32]]


def head_distance(attention: FloatArray) -> FloatArray:
    """The Jensen-Shannon distance between each two heads: the square root of the divergence in nats, mean over queries.

    attention: (heads, seq, seq) of one text. Returns (heads, heads), zeros on the diagonal. The divergence of p and q
    is H((p + q) / 2) - (H(p) + H(q)) / 2 (Lin 1991), in float64: of near equals the difference is all rounding else.
    """
    p = attention.astype(np.float64)
    entropy = _entropy(p)
    distance = np.zeros((len(p), len(p)))
    for head in range(len(p) - 1):
        others = slice(head + 1, None)
        divergence = _entropy((p[head] + p[others]) / 2) - (entropy[head] + entropy[others]) / 2
        distance[head, others] = np.sqrt(np.maximum(divergence, 0)).mean(-1)
    return np.asarray(distance + distance.T, np.float32)


def _entropy(p: Any) -> Any:
    return -(p * np.log(np.where(p > 0, p, 1))).sum(-1)
