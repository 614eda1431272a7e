"""The activation functions of transformers' `hidden_act` for float32 numpy arrays, computed in place.

The exact GELU needs erf, which numpy does not have. Let Q(a) be the upper tail of the standard normal distribution.
Then

    gelu(x) = x Phi(x) = max(x, 0) - |x| Q(|x|).

ln Q is smooth: a polynomial of degree 8 in |x| gives |x| Q(|x|) to within 7e-9 for all x, which is below the rounding
error of float32. Unlike 1 + erf, this formula does not suffer from cancellation for negative x. The coefficients are a
weighted minimax fit to ln(erfc(a / sqrt 2) / 2) on 0 <= a <= 5.8. Beyond 5.8, the leading coefficient takes the tail to
zero.
"""

from collections.abc import Callable

import numpy as np

from bertcli.model.ops.base import Array

_LOG_UPPER_TAIL = np.array(
    [
        -0.6931464000321956, -0.7978978439372183, -0.31823457104333197, -0.03653869812218459, 0.005083114482317903,
        -0.00022412368661711127, -7.933947594030036e-05, 1.7386421357919566e-05, -1.1716969038547058e-06,
    ],
    np.float32,
)  # fmt: skip
_MAX_MAGNITUDE = np.float32(20)  # Q(20) = 3e-89 is zero in float32; capping |x| here keeps the powers finite
_BLOCK = 1 << 16  # number of values that stay in a core's cache while the polynomial passes over them


def _in_blocks(function: Callable[[Array], None]) -> Callable[[Array], Array]:
    """Turn a function that overwrites a flat array into one that takes any shape and works block by block.

    The result overwrites x if x is contiguous.
    """

    def activation(x: Array) -> Array:
        flat = np.ascontiguousarray(x).reshape(-1)
        for start in range(0, flat.size, _BLOCK):
            function(flat[start : start + _BLOCK])
        return flat.reshape(x.shape)

    return activation


def _gelu(x: Array) -> None:
    """Compute max(x, 0) - |x| Q(|x|), as derived in the module's docstring."""
    magnitude = np.abs(x)
    np.minimum(magnitude, _MAX_MAGNITUDE, out=magnitude)
    tail = np.full_like(x, _LOG_UPPER_TAIL[-1])
    for coefficient in _LOG_UPPER_TAIL[-2::-1]:
        tail *= magnitude
        tail += coefficient
    np.exp(tail, out=tail)
    tail *= magnitude
    np.maximum(x, 0, out=x)
    x -= tail


def _gelu_tanh(x: Array) -> None:
    """Compute 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) (Hendrycks & Gimpel 2016)."""
    inner = x * x
    inner *= np.float32(0.044715)
    inner += 1
    inner *= x
    inner *= np.float32(np.sqrt(2 / np.pi))
    np.tanh(inner, out=inner)
    inner += 1
    inner *= np.float32(0.5)
    x *= inner


def _quick_gelu(x: Array) -> None:
    """Compute x sigmoid(1.702 x) (Hendrycks & Gimpel 2016)."""
    x *= sigmoid(x * np.float32(1.702))


def _relu(x: Array) -> None:
    np.maximum(x, 0, out=x)


def _silu(x: Array) -> None:
    """Compute x sigmoid(x)."""
    x *= sigmoid(x)


def _tanh(x: Array) -> None:
    np.tanh(x, out=x)


def sigmoid(x: Array) -> Array:
    """Compute 1 / (1 + e^-x), and leave x unchanged."""
    # e^-|x| neither overflows nor loses precision for very negative x.
    small = np.exp(-np.abs(x))
    return np.where(x < 0, small, np.float32(1)) / (1 + small)


def softmax(x: Array) -> Array:
    """Compute the softmax over the last axis, and leave x unchanged."""
    exponentials = np.exp(x - x.max(-1, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(-1, keepdims=True))


ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "gelu": _in_blocks(_gelu),
    "gelu_new": _in_blocks(_gelu_tanh),
    "gelu_pytorch_tanh": _in_blocks(_gelu_tanh),
    "gelu_fast": _in_blocks(_gelu_tanh),
    "quick_gelu": _in_blocks(_quick_gelu),
    "relu": _in_blocks(_relu),
    "silu": _in_blocks(_silu),
    "swish": _in_blocks(_silu),
    "tanh": _in_blocks(_tanh),
}
