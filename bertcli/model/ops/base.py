"""The array operations that the forward pass and the statistics are written in, once for numpy and once for torch."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

# An array of the backend at hand: numpy.ndarray or torch.Tensor. What both spell alike (indexing, arithmetic, `@`,
# sum(axis), reshape, diagonal) is used as it is; what they spell otherwise is an operation below.
Array = Any


@dataclass(frozen=True, slots=True)
class Linear:
    """weight: (out_features, in_features). bias: (out_features,)."""

    weight: Array
    bias: Array


@dataclass(frozen=True, slots=True)
class LayerNorm:
    """weight and bias: (features,)."""

    weight: Array
    bias: Array


class Ops(Protocol):
    """One backend. Shapes are written (batch, seq, hidden) and (batch, heads, seq, head_size)."""

    device: str
    dtype: str
    # Whether texts of several lengths are computed faster one block after another than with padding.
    supports_packing: bool

    def computing(self) -> AbstractContextManager[Any]:
        """The context that computations run in (no gradients)."""

    def use_threads(self, count: int | None = None) -> int:
        """Have products on the CPU run on so many threads, None: as many as they do; how many these are."""

    def matrix(self, raw: Array) -> Array:
        """A weight matrix for `linear` or `embedding`, from a tensor as the checkpoint stores it."""

    def vector(self, raw: Array) -> Array:
        """A bias or LayerNorm parameter, from a tensor as the checkpoint stores it."""

    def exact(self, raw: Array) -> Array:
        """A tensor as the checkpoint stores it, in float32 whatever is computed in."""

    def prepare(self, linear: Linear) -> Linear:
        """The layer in the form that `linear` is fastest with, whose weight need not be a plain matrix."""

    def stack(self, linears: Sequence[Linear]) -> Any:
        """Linear layers of one input, in the form that `linear_each` is fastest with. They come unprepared."""

    def asarray(self, values: Array) -> Array:
        """A numpy array of ids, masks or float32 factors, on the backend's device."""

    def to_numpy(self, x: Array) -> Array:
        """An array as numpy, in float32 where it is of floats."""

    def embedding(self, ids: Array, table: Array) -> Array:
        """The rows of `table` (rows, hidden) at `ids` (any shape): shape ids + (hidden,)."""

    def linear(self, x: Array, linear: Linear) -> Array:
        """x W^T + b over the last axis."""

    def linear_activation(self, x: Array, linear: Linear, activation: str) -> Array:
        """The function that `activation` names, as `hidden_act` does, of x W^T + b. Raises UnsupportedModel."""

    def linear_each(self, x: Array, stacked: Any) -> Sequence[Array]:
        """`linear` of each of the layers that were stacked."""

    def layer_norm(self, x: Array, norm: LayerNorm, eps: float) -> Array:
        """LayerNorm over the last axis (Ba et al. 2016)."""

    def tanh(self, x: Array) -> Array:
        """Elementwise."""

    def attention(self, query: Array, key: Array, value: Array, mask: Array | None) -> Array:
        """softmax(Q K^T / sqrt(head_size)) V. mask: (batch, 1, 1, seq), True at keys that count."""

    def attention_weights(self, query: Array, key: Array, mask: Array | None) -> Array:
        """softmax(Q K^T / sqrt(head_size)): (batch, heads, seq, seq)."""

    def split_heads(self, x: Array, heads: int) -> Array:
        """(batch, seq, hidden) to (batch, heads, seq, head_size)."""

    def merge_heads(self, x: Array) -> Array:
        """(batch, heads, seq, head_size) to (batch, seq, hidden)."""

    def float32(self, x: Array) -> Array:
        """The array in float32."""

    def is_finite(self, x: Array) -> bool:
        """Whether every one of the numbers is one."""

    def concatenate(self, arrays: Sequence[Array]) -> Array:
        """Arrays one after another along their first axis."""

    def unpack(self, packed: Array, rows: Array, columns: Array, shape: tuple[int, int]) -> Array:
        """Tokens (tokens, hidden) in a rectangle (batch, seq, hidden), each at its row and column, zeros elsewhere."""

    def stack_last(self, arrays: Sequence[Array]) -> Array:
        """Arrays of one shape along a new last axis."""

    def entropy(self, p: Array) -> Array:
        """-sum p ln p over the last axis; a p of 0 adds 0, as its limit does."""

    def clamp_min(self, x: Array, smallest: float) -> Array:
        """Elementwise maximum with a number."""

    def amax(self, x: Array) -> Array:
        """The largest over the last axis."""

    def log_sum_exp(self, logits: Array) -> Array:
        """ln of the sum of exponentials over the last axis, in float32."""

    def top_k(self, x: Array, k: int) -> tuple[Array, Array]:
        """The k largest of each row of (rows, n), best first, and where they stand."""


IntArray = np.ndarray[Any, np.dtype[np.int64]]
BoolArray = np.ndarray[Any, np.dtype[np.bool_]]
FloatArray = np.ndarray[Any, np.dtype[np.float32]]
DoubleArray = np.ndarray[Any, np.dtype[np.float64]]
