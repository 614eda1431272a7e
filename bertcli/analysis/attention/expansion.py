"""How much the values' way through the heads makes vectors longer, by the weights alone."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from bertcli.model.engine import Engine
from bertcli.model.ops.base import FloatArray


def expansion_rates(engine: Engine, layers: Sequence[int]) -> list[float]:
    """The expansion rate of each of the layers."""
    to_numpy, rates = engine.ops.to_numpy, []
    for layer in layers:
        value, output = engine.projection(layer, "value"), engine.projection(layer, "output")
        rates.append(expansion_rate(*(to_numpy(x) for x in (value.weight, value.bias, output.weight, output.bias))))
    return rates


def expansion_rate(
    value_weight: FloatArray, value_bias: FloatArray, output_weight: FloatArray, output_bias: FloatArray
) -> float:
    """The expansion rate of f in one layer (Kobayashi et al. 2021): ||V^T O||_F / sqrt(d + 1).

    V = [[W_V, b_V], [0, 1]] and O = [[W_O^T, b_O], [0, 1]], with W as checkpoints store them, (out, in), and d the
    hidden size. This is the layout behind the published figures: b_O stands in the last column, where an affine map of
    row vectors would have it in the last row.
    """
    v = _affine(value_weight, value_bias)
    o = _affine(output_weight.T, output_bias)
    return float(np.linalg.norm(v.T @ o) / np.sqrt(len(v)))


def _affine(weight: FloatArray, bias: FloatArray) -> Any:
    hidden = len(bias)
    matrix = np.zeros((hidden + 1, hidden + 1))
    matrix[:hidden, :hidden], matrix[:hidden, hidden], matrix[hidden, hidden] = weight, bias, 1
    return matrix
