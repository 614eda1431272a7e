"""The activation functions of transformers' `hidden_act`, over float32 numpy arrays, in place.

numpy has no erf, and the exact GELU needs one. With Q(a) the upper tail of the standard normal distribution,

    gelu(x) = x Phi(x) = max(x, 0) - |x| Q(|x|),

and ln Q is so smooth that a polynomial of degree 8 in |x| gives |x| Q(|x|) to 7e-9 over all x: below float32's own
rounding. Unlike 1 + erf it loses nothing to cancellation on the negative side. The coefficients are a weighted
minimax fit to ln(erfc(a / sqrt 2) / 2) on 0 <= a <= 5.8; beyond, the leading one takes the tail to zero.
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
_BEYOND_THE_TAIL = np.float32(20)  # Q(20) is 3e-89, zero in float32; capping |x| here keeps the powers finite
_BLOCK = 1 << 16  # values that stay in a core's cache over all the passes of a polynomial


def _in_blocks(function: Callable[[Array], None]) -> Callable[[Array], Array]:
    """The function over a contiguous array, overwritten block by block."""

    def activation(x: Array) -> Array:
        flat = np.ascontiguousarray(x).reshape(-1)
        for start in range(0, flat.size, _BLOCK):
            function(flat[start : start + _BLOCK])
        return flat.reshape(x.shape)

    return activation


def _gelu(x: Array) -> None:
    magnitude = np.abs(x)
    np.minimum(magnitude, _BEYOND_THE_TAIL, out=magnitude)
    tail = np.full_like(x, _LOG_UPPER_TAIL[-1])
    for coefficient in _LOG_UPPER_TAIL[-2::-1]:
        tail *= magnitude
        tail += coefficient
    np.exp(tail, out=tail)
    tail *= magnitude
    np.maximum(x, 0, out=x)
    x -= tail


def _gelu_tanh(x: Array) -> None:
    """0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))), Hendrycks & Gimpel 2016."""
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
    x *= _sigmoid(x * np.float32(1.702))


def _relu(x: Array) -> None:
    np.maximum(x, 0, out=x)


def _silu(x: Array) -> None:
    x *= _sigmoid(x)


def _tanh(x: Array) -> None:
    np.tanh(x, out=x)


def _sigmoid(x: Array) -> Array:
    # By e^-|x|, which neither overflows nor loses the small end.
    small = np.exp(-np.abs(x))
    return np.where(x < 0, small, np.float32(1)) / (1 + small)


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
