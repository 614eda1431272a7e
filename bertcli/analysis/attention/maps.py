"""Values derived from attention: distances between heads, rollout, value norms, and expansion rates of weights."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from bertcli.model.engine import Engine
from bertcli.model.ops.base import Array, DoubleArray, FloatArray, Ops

# Number of float64 values in a block of queries of all heads (2 MiB). Blocks keep memory close to that of the weights.
_BLOCK_VALUES = 1 << 18


def head_distance(attention: FloatArray) -> FloatArray:
    """Compute the Jensen-Shannon distance between each pair of heads, averaged over queries.

    The distance is the square root of the divergence in nats. The divergence of p and q is
    H((p + q) / 2) - (H(p) + H(q)) / 2 (Lin 1991). It is computed in float64: for distributions that are nearly equal,
    the difference would otherwise be all rounding error.

    Args:
        attention: Weights of one text, (heads, seq, seq).

    Returns:
        (heads, heads), zeros on the diagonal.
    """
    heads, queries, keys = attention.shape
    total = np.zeros((heads, heads))
    step = max(_BLOCK_VALUES // (heads * keys), 1)
    for start in range(0, queries, step):
        total += _summed_distance(attention[:, start : start + step].astype(np.float64))
    return np.asarray((total + total.T) / queries, np.float32)


class Rollout:
    """Attention rollout (Abnar & Zuidema 2020): the product A_L ... A_1 with A_l = (mean over heads + I) / 2.

    The identity represents the residual connection. The row of a token sums to 1, since the rows of each A_l do.
    """

    def __init__(self, ops: Ops) -> None:
        self._ops = ops
        self._product: Array | None = None

    def observe(self, weights: Array) -> None:
        """Multiply by the next layer. Call it for every layer, from the first on.

        Args:
            weights: Weights of the layer, (batch, heads, seq, seq).
        """
        identity = self._ops.asarray(np.eye(weights.shape[-1], dtype=np.float32))
        layer = (weights.sum(1) / weights.shape[1] + identity) / 2
        self._product = layer if self._product is None else layer @ self._product

    def matrices(self) -> Array:
        """Return the product so far as a numpy array, (batch, seq, seq). Columns of padding hold zeros.

        Rows are tokens of the last layer observed, columns are tokens of the embeddings.
        """
        return self._ops.to_numpy(self._product)


def value_norms(weights: Array, value: Array, output: Array) -> Array:
    """Compute ||a[i, j] f(x_j)|| of each head (Kobayashi et al. 2020).

    f(x) = (x W_V + b_V) W_O, where W_O are the head's own rows of the output projection.

    Args:
        weights: a, (batch, heads, seq, seq).
        value: x W_V + b_V, (batch, heads, seq, head_size).
        output: The projection after the heads as checkpoints store it, (hidden, heads * head_size).

    Returns:
        (batch, heads, seq, seq).
    """
    heads, head_size = value.shape[1], value.shape[-1]
    by_head = output.T.reshape(heads, head_size, output.shape[0])
    transformed = value @ by_head
    norms = ((transformed * transformed).sum(-1)) ** 0.5
    return weights * norms[:, :, None, :]


def expansion_rates(engine: Engine, layers: Sequence[int]) -> list[float]:
    """Compute the expansion rate of each of the layers.

    Args:
        engine: The engine, which holds the weights.
        layers: Numbers of the layers.

    Raises:
        WrongUsage: The engine has no access to the projections.
    """
    to_numpy, rates = engine.ops.to_numpy, []
    for layer in layers:
        value, output = engine.projection(layer, "value"), engine.projection(layer, "output")
        rates.append(expansion_rate(*(to_numpy(x) for x in (value.weight, value.bias, output.weight, output.bias))))
    return rates


def expansion_rate(
    value_weight: FloatArray, value_bias: FloatArray, output_weight: FloatArray, output_bias: FloatArray
) -> float:
    """Compute the expansion rate of one layer (Kobayashi et al. 2021): ||V^T O||_F / sqrt(d + 1).

    V = [[W_V, b_V], [0, 1]] and O = [[W_O^T, b_O], [0, 1]], where d is the hidden size. This is the layout behind the
    published figures: b_O is in the last column, although an affine map of row vectors would have it in the last row.

    Args:
        value_weight: W_V as checkpoints store it, (out, in) = (hidden, hidden).
        value_bias: b_V, (hidden,).
        output_weight: W_O as checkpoints store it, (hidden, hidden).
        output_bias: b_O, (hidden,).
    """
    v = _affine(value_weight, value_bias)
    o = _affine(output_weight.T, output_bias)
    return float(np.linalg.norm(v.T @ o) / np.sqrt(len(v)))


def _summed_distance(p: DoubleArray) -> DoubleArray:
    """Sum distances over a block of queries: (heads, queries, seq) to the upper triangle of (heads, heads)."""
    entropy = _entropy(p)
    distance = np.zeros((len(p), len(p)))
    for head in range(len(p) - 1):
        others = slice(head + 1, None)
        divergence = _entropy((p[head] + p[others]) / 2) - (entropy[head] + entropy[others]) / 2
        distance[head, others] = np.sqrt(np.maximum(divergence, 0)).sum(-1)
    return distance


def _entropy(p: DoubleArray) -> Any:
    """Return -sum p ln p over the last axis, in nats."""
    return -(p * np.log(np.where(p > 0, p, 1))).sum(-1)


def _affine(weight: FloatArray, bias: FloatArray) -> Any:
    """Return [[weight, bias], [0, 1]], (hidden + 1, hidden + 1), in float64."""
    hidden = len(bias)
    matrix = np.zeros((hidden + 1, hidden + 1))
    matrix[:hidden, :hidden], matrix[:hidden, hidden], matrix[hidden, hidden] = weight, bias, 1
    return matrix
