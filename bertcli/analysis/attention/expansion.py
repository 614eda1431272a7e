"""Expansion rates: how much a layer's value and output projections lengthen vectors, from the weights alone."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from bertcli.model.engine import Engine
from bertcli.model.ops.base import FloatArray


def expansion_rates(engine: Engine, layers: Sequence[int]) -> list[float]:
    """Compute the expansion rate of each of the layers.

    Raises:
        WrongUsage: The engine does not show its projections.
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


def _affine(weight: FloatArray, bias: FloatArray) -> Any:
    """Return [[weight, bias], [0, 1]], (hidden + 1, hidden + 1), in float64."""
    hidden = len(bias)
    matrix = np.zeros((hidden + 1, hidden + 1))
    matrix[:hidden, :hidden], matrix[:hidden, hidden], matrix[hidden, hidden] = weight, bias, 1
    return matrix
