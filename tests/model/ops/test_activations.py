"""The activations of numpy and torch equal float64 results over the whole range of float32."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from transformers.activations import ACT2FN

from bertcli.errors import UnsupportedModel
from bertcli.model.ops import torch_ops
from bertcli.model.ops.base import Linear, Ops
from bertcli.model.ops.numpy_activations import ACTIVATIONS
from bertcli.model.ops.numpy_ops import NumpyOps
from bertcli.model.ops.torch_ops import TorchOps

NAMES = list(ACTIVATIONS)
LARGEST, SMALLEST = np.finfo(np.float32).max, np.finfo(np.float32).tiny
# All magnitudes from the smallest to the largest float32, and small steps in the middle, where the curves bend.
SCALES = np.logspace(-44, 38, 4001, dtype=np.float64).astype(np.float32)
MIDDLE = np.linspace(-15, 15, 600_001, dtype=np.float32)
RANGE = np.concatenate([-SCALES[::-1], MIDDLE, SCALES, np.array([0, -0.0, LARGEST, -LARGEST, SMALLEST], np.float32)])


def in_float64(name: str, x: np.ndarray) -> np.ndarray:
    """Compute transformers' function of that name in float64."""
    return ACT2FN[name](torch.from_numpy(x.astype(np.float64))).numpy()


def numpy_activation(name: str) -> Callable[[np.ndarray], np.ndarray]:
    return ACTIVATIONS[name]


def activation_of_product(ops: Ops, name: str, x: np.ndarray) -> np.ndarray:
    """Compute the activation of x after a linear layer that passes x through as its first feature."""
    features = np.zeros((len(x), 16), np.float32)
    features[:, 0] = x
    linear = ops.prepare_linear(
        Linear(ops.load_matrix(np.eye(16, dtype=np.float32)), ops.load_vector(np.zeros(16, np.float32)))
    )
    return ops.to_numpy(ops.linear_activation(ops.asarray(features), linear, name))[:, 0]


@pytest.mark.parametrize("name", NAMES)
def test_numpy_activations_are_accurate_over_the_whole_range_of_float32(name: str) -> None:
    exact = in_float64(name, RANGE)
    with np.errstate(over="ignore"):  # squares overflow beyond 1e19, but the results are still right
        found = numpy_activation(name)(RANGE.copy()).astype(np.float64)
    near = np.abs(RANGE) <= 12
    ulps = 2 * np.spacing(np.abs(exact).astype(np.float32)[near])
    assert (np.abs(found - exact)[near] < np.maximum(5e-7, ulps)).all()
    np.testing.assert_allclose(found[~near], exact[~near], 1e-6, 1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_torch_activations_equal_those_of_transformers(name: str) -> None:
    found = activation_of_product(TorchOps("cpu", "float32"), name, MIDDLE)
    np.testing.assert_allclose(found, in_float64(name, MIDDLE), 0, 2e-6)


@pytest.mark.parametrize("unfused", [{}, {"gelu": torch.ops.aten.gelu_}], ids=["fused", "unfused"])
def test_gelu_is_the_same_with_and_without_the_fused_operator(
    unfused: dict[str, Callable[[torch.Tensor], torch.Tensor]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch_ops, "_FASTER_UNFUSED", unfused)
    found = activation_of_product(TorchOps("cpu", "float32"), "gelu", MIDDLE)
    np.testing.assert_allclose(found, in_float64("gelu", MIDDLE), 0, 2e-6)


def test_numpy_gelu_stays_below_5e_7_between_minus_12_and_12() -> None:
    x = np.concatenate([np.linspace(-12, 12, 2_000_001, dtype=np.float32), SCALES[SCALES < 12], -SCALES[SCALES < 12]])
    assert np.abs(numpy_activation("gelu")(x.copy()) - in_float64("gelu", x)).max() < 5e-7


def test_numpy_gelu_does_not_cancel_on_the_negative_side() -> None:
    x = np.linspace(-8, -3, 100_001, dtype=np.float32)  # here 1 + erf(x / sqrt 2) in float32 has an error of 2e-7
    assert np.abs(numpy_activation("gelu")(x.copy()) - in_float64("gelu", x)).max() < 1.5e-8


def test_numpy_gelu_is_exact_and_gelu_new_uses_tanh() -> None:
    x = np.linspace(-4, 4, 1001, dtype=np.float64)
    wide = torch.from_numpy(x)
    gelu, gelu_new = (numpy_activation(name)(x.astype(np.float32)) for name in ("gelu", "gelu_new"))
    np.testing.assert_allclose(gelu, torch.nn.functional.gelu(wide).numpy(), 0, 1e-6)
    np.testing.assert_allclose(gelu_new, torch.nn.functional.gelu(wide, approximate="tanh").numpy(), 0, 1e-6)
    assert np.abs(gelu - gelu_new).max() > 4e-4


@pytest.mark.parametrize("name", NAMES)
def test_infinity_and_nan_stay_infinity_and_nan(name: str) -> None:
    x = np.array([np.inf, np.nan, 1], np.float32)
    with np.errstate(invalid="ignore"):
        found = numpy_activation(name)(x.copy())
    assert found[0] == (1 if name == "tanh" else np.inf)
    assert np.isnan(found[1])
    assert found[2] == pytest.approx(in_float64(name, x[2:])[0], abs=5e-7)


@pytest.mark.parametrize("name", NAMES)
def test_activations_do_not_depend_on_shape_or_position(name: str) -> None:
    x = np.random.default_rng(0).normal(0, 3, (3, 70_001)).astype(np.float32)
    whole = numpy_activation(name)(x.copy())
    assert whole.shape == x.shape
    assert np.array_equal(whole[:, ::7], numpy_activation(name)(x[:, ::7].copy()))


def test_both_backends_support_the_same_activations() -> None:
    for name in NAMES:
        np.testing.assert_allclose(activation_of_product(NumpyOps(), name, MIDDLE), in_float64(name, MIDDLE), 0, 2e-6)
    for ops in (NumpyOps(), TorchOps("cpu", "float32")):
        with pytest.raises(UnsupportedModel, match="'mish'"):
            activation_of_product(ops, "mish", MIDDLE)
