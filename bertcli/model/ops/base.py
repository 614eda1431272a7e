"""The interface of an array backend: the array types and the operations of the forward pass and the statistics.

numpy and torch share much of their syntax (indexing, arithmetic, `@`, sum(axis), reshape, diagonal). The code uses that
directly. Ops covers the rest.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

import numpy as np

from bertcli.lazy_dataclass import dataclass

# An array of the backend in use: numpy.ndarray or torch.Tensor.
Array = Any

IntArray = np.ndarray[Any, np.dtype[np.int64]]
BoolArray = np.ndarray[Any, np.dtype[np.bool_]]
FloatArray = np.ndarray[Any, np.dtype[np.float32]]
DoubleArray = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, slots=True)
class Linear:
    """A linear layer: weight (out_features, in_features) and bias (out_features,)."""

    weight: Array
    bias: Array


@dataclass(frozen=True, slots=True)
class LayerNorm:
    """The parameters of a LayerNorm: weight and bias, both (features,)."""

    weight: Array
    bias: Array


class Ops(Protocol):
    """The operations of one backend.

    supports_packing is True if texts of different lengths run faster packed, block by block, than padded.
    """

    device: str
    dtype: str
    supports_packing: bool

    def extra_tokens(self, count: int) -> int:
        """Return the number of tokens to add to a packed batch of count tokens, so that its products run faster."""

    # --- Running ---

    def inference_mode(self) -> AbstractContextManager[Any]:
        """Return the context to run the model in: no gradients, and MemoryError when memory runs out."""

    def use_threads(self, count: int) -> None:
        """Set the number of CPU threads for matrix products. The last digits of results may depend on it."""

    def count_threads(self) -> int:
        """Return the number of CPU threads for matrix products."""

    # --- Loading ---

    def load_matrix(self, raw: Array) -> Array:
        """Convert a stored tensor to a weight matrix for `linear` or `embedding`."""

    def load_vector(self, raw: Array) -> Array:
        """Convert a stored tensor to a bias or a LayerNorm parameter."""

    def load_float32(self, raw: Array) -> Array:
        """Convert a stored tensor to float32, whatever dtype the backend computes in."""

    def prepare_linear(self, linear: Linear) -> Linear:
        """Return the layer in the form that is fastest for `linear`. Its weight may no longer be a plain matrix."""

    def stack_linears(self, linears: Sequence[Linear]) -> Any:
        """Combine layers that share one input, in the form that is fastest for `linear_stacked`.

        Args:
            linears: Layers that prepare_linear has not changed.
        """

    def asarray(self, values: Array) -> Array:
        """Move a numpy array of ids, masks or float32 factors to the backend's device."""

    def to_numpy(self, x: Array) -> Array:
        """Convert an array to numpy. Floats become float32."""

    # --- The forward pass ---

    def embedding(self, ids: Array, table: Array) -> Array:
        """Return the rows of `table` (rows, hidden) at `ids` (any shape): (*ids.shape, hidden)."""

    def linear(self, x: Array, linear: Linear) -> Array:
        """Compute x W^T + b over the last axis."""

    def linear_activation(self, x: Array, linear: Linear, activation: str) -> Array:
        """Compute x W^T + b, then an activation function.

        Args:
            activation: Name of the function, as in transformers' `hidden_act`.

        Raises:
            UnsupportedModel: The backend does not have this function.
        """

    def linear_stacked(self, x: Array, stacked: Any) -> Sequence[Array]:
        """Compute x W^T + b for each of the layers in `stacked`, a result of stack_linears."""

    def layer_norm(self, x: Array, norm: LayerNorm, eps: float) -> Array:
        """Apply LayerNorm over the last axis (Ba et al. 2016)."""

    def tanh(self, x: Array) -> Array:
        """Compute tanh elementwise."""

    def attention(self, query: Array, key: Array, value: Array, mask: Array | None) -> Array:
        """Compute softmax(Q K^T / sqrt(head_size)) V (Vaswani et al. 2017, section 3.2.1).

        Args:
            query, key, value: (batch, heads, seq, head_size).
            mask: True where a query attends to a key: (batch, 1, 1 or seq, seq) or (seq, seq). None for all keys.

        Returns:
            (batch, heads, seq, head_size).
        """

    def attention_weights(self, query: Array, key: Array, mask: Array | None) -> Array:
        """Compute softmax(Q K^T / sqrt(head_size)): (batch, heads, seq, seq). Arguments as in `attention`."""

    def rotate(self, x: Array, cosine: Array, sine: Array) -> Array:
        """Turn each pair of features (i, i + head_size / 2) of each head by an angle (Su et al. 2021, section 3.2.2).

        Args:
            x: (..., seq, heads * head_size).
            cosine, sine: Those of the angle of each token and pair, in float32: (seq, head_size / 2).

        Returns:
            Same shape as x.
        """

    def split_heads(self, x: Array, heads: int) -> Array:
        """Reshape (batch, seq, hidden) to (batch, heads, seq, head_size)."""

    def merge_heads(self, x: Array) -> Array:
        """Reshape (batch, heads, seq, head_size) to (batch, seq, hidden)."""

    # --- Conversion and checks ---

    def to_float32(self, x: Array) -> Array:
        """Convert an array of floats to float32."""

    def is_finite(self, x: Array) -> bool:
        """Return True if the array holds neither infinities nor NaN."""

    # --- Joining ---

    def concatenate(self, arrays: Sequence[Array], axis: int = 0) -> Array:
        """Join arrays along an axis."""

    def zeros_like(self, x: Array, shape: tuple[int, ...]) -> Array:
        """Return zeros of a shape, with the type and the device of x."""

    def stack_last(self, arrays: Sequence[Array]) -> Array:
        """Stack arrays of equal shape along a new last axis."""

    # --- Statistics ---

    def entropy(self, p: Array) -> Array:
        """Compute -sum p ln p over the last axis, with 0 ln 0 = 0."""

    def clamp_min(self, x: Array, smallest: float) -> Array:
        """Compute max(x, smallest) elementwise."""

    def amax(self, x: Array) -> Array:
        """Return the maximum over the last axis."""

    def log_sum_exp(self, logits: Array) -> Array:
        """Compute ln sum exp(logits) over the last axis, in float32."""

    def top_k(self, x: Array, k: int) -> tuple[Array, Array]:
        """Return the k largest values of each row, largest first, and their indices: (rows, n) to (rows, k) each."""
