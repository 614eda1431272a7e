"""Layers of a recipe that are applied to pooled vectors: dense, LayerNorm and normalisation."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from bertcli.analysis.embeddings.pooling import normalize
from bertcli.checkpoints.recipe import DenseModule, LayerNormModule
from bertcli.model.ops.base import FloatArray, LayerNorm
from bertcli.model.ops.numpy_activations import ACTIVATIONS as BERT_ACTIVATIONS
from bertcli.model.ops.numpy_activations import sigmoid
from bertcli.model.ops.numpy_ops import NumpyOps
from bertcli.model.recipe import RecipeLayer

# torch's default, which the recipe's LayerNorm has no setting for.
_LAYER_NORM_EPS = 1e-5
# Slopes and scales of torch's activation classes.
_LEAKY_SLOPE = np.float32(0.01)
_SELU_ALPHA, _SELU_SCALE = np.float32(1.6732632423543772), np.float32(1.0507009873554805)


def apply_layers(vectors: FloatArray, layers: Sequence[RecipeLayer]) -> FloatArray:
    """Apply the layers of a recipe, one after another, to pooled vectors: (batch, in) to (batch, out)."""
    with np.errstate(all="ignore"):  # the caller checks the result
        for layer in layers:
            vectors = apply_layer(vectors, layer)
    return vectors


def apply_layer(vectors: FloatArray, layer: RecipeLayer) -> FloatArray:
    """Apply one layer to pooled vectors.

    Args:
        vectors: (batch, in).
        layer: The layer, and its weights by name.

    Returns:
        (batch, out).
    """
    module, weights = layer
    if isinstance(module, DenseModule):
        return _dense(vectors, module, weights)
    if isinstance(module, LayerNormModule):
        norm = LayerNorm(weights["norm.weight"], weights["norm.bias"])
        return np.asarray(NumpyOps().layer_norm(vectors, norm, _LAYER_NORM_EPS))
    return normalize(vectors)


def _dense(vectors: FloatArray, module: DenseModule, weights: Mapping[str, FloatArray]) -> FloatArray:
    """Compute f(x W^T + b), plus x or a projection of it if the layer is residual."""
    inner = vectors @ weights["linear.weight"].T
    if module.has_bias:
        inner = inner + weights["linear.bias"]
    output = activate(inner, module.activation)
    if not module.is_residual:
        return output
    projection = weights.get("residual.weight")
    return np.asarray(output + (vectors if projection is None else vectors @ projection.T))


def activate(x: FloatArray, name: str) -> FloatArray:
    """Apply an activation function.

    Args:
        x: float32, of any shape.
        name: One of bertcli.checkpoints.recipe.ACTIVATIONS.
    """
    return np.asarray(_FUNCTIONS[name](x), np.float32)


def _softplus(x: FloatArray) -> FloatArray:
    """Compute ln(1 + e^x)."""
    return np.asarray(np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))))


def _elu(x: FloatArray) -> FloatArray:
    """Compute x for positive x, else e^x - 1."""
    return np.asarray(np.where(x > 0, x, np.expm1(np.minimum(x, 0))))


def _selu(x: FloatArray) -> FloatArray:
    """Compute scale * x for positive x, else scale * alpha * (e^x - 1) (Klambauer et al. 2017)."""
    return np.asarray(_SELU_SCALE * np.where(x > 0, x, _SELU_ALPHA * np.expm1(np.minimum(x, 0))))


def _hard_swish(x: FloatArray) -> FloatArray:
    return np.asarray(x * np.clip(x + 3, 0, 6) / 6)


_FUNCTIONS: Mapping[str, Callable[[FloatArray], FloatArray]] = {
    "Identity": lambda x: x,
    "Tanh": np.tanh,
    "ReLU": lambda x: np.maximum(x, 0),
    "ReLU6": lambda x: np.clip(x, 0, 6),
    "LeakyReLU": lambda x: np.where(x > 0, x, _LEAKY_SLOPE * x),
    "ELU": _elu,
    "SELU": _selu,
    "GELU": lambda x: BERT_ACTIVATIONS["gelu"](x.copy()),  # computed in place
    "SiLU": lambda x: x * sigmoid(x),
    "Mish": lambda x: x * np.tanh(_softplus(x)),
    "Sigmoid": sigmoid,
    "LogSigmoid": lambda x: -_softplus(-x),
    "Softplus": _softplus,
    "Softsign": lambda x: x / (1 + np.abs(x)),
    "Hardtanh": lambda x: np.clip(x, -1, 1),
    "Hardswish": _hard_swish,
    "Tanhshrink": lambda x: x - np.tanh(x),
}
