"""The numpy backend: float32 on the CPU, for inputs so small that importing torch would take longer than computing.

Half-precision weights are kept as stored. The first product with such a weight converts it to float32 and keeps
nothing, so a process that runs one batch stays small. The second product keeps the float32 copy, so a process that runs
many batches converts it only once more. Either way the pages of the checkpoint's file are released after use.

Products must not depend on earlier ones, to the last bit. BLAS may round a product of blocks differently from a product
of the whole weight, so the number of rows alone decides which of them is computed, with a kept copy and without.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from bertcli.checkpoints.safetensors import release_pages
from bertcli.errors import UnsupportedModel
from bertcli.model.ops.base import Array, LayerNorm, Linear
from bertcli.model.ops.numpy_activations import ACTIVATIONS
from bertcli.model.resources import count_blas_threads, set_blas_threads

_BLOCK_VALUES = 1 << 18  # 1 MiB in float32: a widened block is still in the core's cache when it is multiplied
# With fewer rows, converting a weight takes a large part of the time, and blocks that stay in the cache make up for it.
# W rows^T also takes half the time of rows W^T then, since BLAS copies its second matrix into an order of its own.
# With more rows, one large product is faster than several small ones.
_MIN_ROWS_FOR_WHOLE = 64


def widen(raw: Array) -> Array:
    """Convert a stored tensor to float32.

    Args:
        raw: float32, float16 or float64; or uint16, the bits of bfloat16, which are the upper half of a float32.
    """
    if raw.dtype == np.uint16:
        return np.left_shift(raw, 16, dtype=np.uint32).view(np.float32)
    return raw.astype(np.float32, copy=False)


class NumpyOps:
    """The operations of bertcli.model.ops.base.Ops in numpy."""

    device = "cpu"
    dtype = "float32"
    supports_packing = True

    def __init__(self) -> None:
        self._used: set[int] = set()
        self._widened: dict[int, Array] = {}
        self._threads: int | None = None

    def extra_tokens(self, count: int) -> int:
        return 0

    def use_threads(self, count: int) -> None:
        self._threads = count
        set_blas_threads(count)

    def count_threads(self) -> int:
        return count_blas_threads() if self._threads is None else self._threads

    def inference_mode(self) -> AbstractContextManager[Any]:
        # The number belongs to the process, and another engine may have set it since.
        if self._threads is not None:
            set_blas_threads(self._threads)
        # Infinities and NaN raise an error where the output is checked, so numpy's warnings add nothing.
        return np.errstate(all="ignore")

    def load_matrix(self, raw: Array) -> Array:
        return raw

    def load_vector(self, raw: Array) -> Array:
        return widen(raw)

    def load_float32(self, raw: Array) -> Array:
        return widen(raw)

    def prepare_linear(self, linear: Linear) -> Linear:
        return linear

    def stack_linears(self, linears: Sequence[Linear]) -> Sequence[Linear]:
        # Stacking would copy a quarter of the weights, and one sentence does not repay that.
        return linears

    def asarray(self, values: Array) -> Array:
        return values

    def to_numpy(self, x: Array) -> Array:
        return x

    def embedding(self, ids: Array, table: Array) -> Array:
        return widen(table[ids])

    def linear(self, x: Array, linear: Linear) -> Array:
        rows = x.reshape(-1, x.shape[-1])
        product = self._product(rows, linear.weight)
        product += linear.bias
        return product.reshape(*x.shape[:-1], -1)

    def linear_activation(self, x: Array, linear: Linear, activation: str) -> Array:
        try:
            function = ACTIVATIONS[activation]
        except KeyError:
            raise UnsupportedModel(
                f"the numpy engine does not support hidden_act {activation!r}, only {', '.join(ACTIVATIONS)}",
                hint="use --engine transformers",
            ) from None
        return function(self.linear(x, linear))

    def linear_stacked(self, x: Array, stacked: Sequence[Linear]) -> Sequence[Array]:
        return [self.linear(x, linear) for linear in stacked]

    def _product(self, rows: Array, weight: Array) -> Array:
        """Compute rows W^T for a weight of any stored dtype: (n, in_features) to (n, out_features)."""
        if weight.dtype == np.float32:
            return rows @ weight.T if len(rows) >= _MIN_ROWS_FOR_WHOLE else np.ascontiguousarray((weight @ rows.T).T)
        kept = self._widened_from_second_use(weight)
        source = weight if kept is None else kept
        if len(rows) >= _MIN_ROWS_FOR_WHOLE:
            whole = widen(source)
            release_pages(source)
            return rows @ whole.T
        out_features, in_features = weight.shape
        product = np.empty((out_features, len(rows)), np.float32)
        step = max(_BLOCK_VALUES // in_features, 1)
        for start in range(0, out_features, step):
            block = source[start : start + step]
            np.matmul(widen(block), rows.T, out=product[start : start + step])
            release_pages(block)
        return np.ascontiguousarray(product.T)

    def _widened_from_second_use(self, weight: Array) -> Array | None:
        """Return the weight in float32 and keep it, or None if this is its first use."""
        # Weights live as long as the checkpoint is open, so no other array can get the same id.
        key = id(weight)
        if key in self._used and key not in self._widened:
            self._widened[key] = widen(weight)
            release_pages(weight)
        self._used.add(key)
        return self._widened.get(key)

    def layer_norm(self, x: Array, norm: LayerNorm, eps: float) -> Array:
        centred = x - x.mean(-1, keepdims=True)
        variance = np.einsum("...i,...i->...", centred, centred)[..., None] / x.shape[-1]
        centred /= np.sqrt(variance + np.float32(eps))
        centred *= norm.weight
        centred += norm.bias
        return centred

    def tanh(self, x: Array) -> Array:
        return np.tanh(x)

    def attention(self, query: Array, key: Array, value: Array, mask: Array | None) -> Array:
        return self.attention_weights(query, key, mask) @ value

    def attention_weights(self, query: Array, key: Array, mask: Array | None) -> Array:
        scores = query @ key.swapaxes(-1, -2)
        scores *= np.float32(1 / np.sqrt(query.shape[-1]))
        if mask is not None:
            scores += np.where(mask, np.float32(0), np.float32(-np.inf))
        scores -= scores.max(-1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(-1, keepdims=True)
        return scores

    def rotate(self, x: Array, cosine: Array, sine: Array) -> Array:
        pairs = x.reshape(*x.shape[:-1], -1, 2, cosine.shape[-1])  # (..., heads, 2, head_size / 2)
        first, second = pairs[..., 0, :], pairs[..., 1, :]
        cosine, sine = cosine[..., None, :], sine[..., None, :]
        turned = np.empty_like(pairs)
        turned[..., 0, :] = first * cosine - second * sine
        turned[..., 1, :] = second * cosine + first * sine
        return turned.reshape(x.shape)

    def split_heads(self, x: Array, heads: int) -> Array:
        batch, seq, hidden = x.shape
        return x.reshape(batch, seq, heads, hidden // heads).transpose(0, 2, 1, 3)

    def merge_heads(self, x: Array) -> Array:
        batch, heads, seq, head_size = x.shape
        return x.transpose(0, 2, 1, 3).reshape(batch, seq, heads * head_size)

    def to_float32(self, x: Array) -> Array:
        return x

    def is_finite(self, x: Array) -> bool:
        # Infinities and NaN carry over into the sum, which needs no temporary array of the size of x.
        with np.errstate(all="ignore"):
            return bool(np.isfinite(x.sum()))

    def concatenate(self, arrays: Sequence[Array], axis: int = 0) -> Array:
        return np.concatenate(arrays, axis)

    def zeros_like(self, x: Array, shape: tuple[int, ...]) -> Array:
        return np.zeros(shape, x.dtype)

    def stack_last(self, arrays: Sequence[Array]) -> Array:
        return np.stack(arrays, -1)

    def entropy(self, p: Array) -> Array:
        terms = np.maximum(p, np.finfo(np.float32).tiny)
        np.log(terms, out=terms)
        terms *= p
        return -terms.sum(-1)

    def clamp_min(self, x: Array, smallest: float) -> Array:
        return np.maximum(x, np.float32(smallest))

    def amax(self, x: Array) -> Array:
        return x.max(-1)

    def log_sum_exp(self, logits: Array) -> Array:
        largest = logits.max(-1, keepdims=True)
        return np.log(np.exp(logits - largest).sum(-1)) + largest[..., 0]

    def top_k(self, x: Array, k: int) -> tuple[Array, Array]:
        best = np.argpartition(x, -k, axis=-1)[:, -k:] if k < x.shape[-1] else np.broadcast_to(np.arange(k), x.shape)
        # Break ties by the lower id.
        order = np.lexsort((best, -np.take_along_axis(x, best, -1)))
        best = np.take_along_axis(best, order, -1)
        return np.take_along_axis(x, best, -1), best
