"""How unlike heads are."""

from typing import Any

import numpy as np

from bertcli.model.ops.base import Array, DoubleArray, FloatArray, Ops

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


class Rollout:
    """Attention rollout (Abnar & Zuidema 2020): the product A_L ... A_1 with A_l = (mean over heads + I) / 2.

    The identity stands for the residual connection. Rows of tokens sum to 1, as those of each A_l do.
    """

    def __init__(self, ops: Ops) -> None:
        self._ops = ops
        self._product: Array | None = None

    def observe(self, weights: Array) -> None:
        """The next layer's weights, from the first layer on: (batch, heads, seq, seq)."""
        identity = self._ops.asarray(np.eye(weights.shape[-1], dtype=np.float32))
        layer = (weights.sum(1) / weights.shape[1] + identity) / 2
        self._product = layer if self._product is None else layer @ self._product

    def matrices(self) -> Array:
        """(batch, seq, seq), from the token of the last layer to that of the embeddings. PAD columns hold zeros."""
        return self._ops.to_numpy(self._product)


def value_norms(weights: Array, value: Array, output: Array) -> Array:
    """||a[i, j] f(x_j)|| of each head, f(x) = (x W_V + b_V) W_O, W_O the head's own rows of the output projection.

    weights: (batch, heads, seq, seq). value: x W_V + b_V, (batch, heads, seq, head_size). output: the projection after
    the heads as checkpoints store it, (hidden, heads * head_size). Returns (batch, heads, seq, seq).
    """
    heads, head_size = value.shape[1], value.shape[-1]
    by_head = output.T.reshape(heads, head_size, output.shape[0])
    transformed = value @ by_head
    norms = ((transformed * transformed).sum(-1)) ** 0.5
    return weights * norms[:, :, None, :]
