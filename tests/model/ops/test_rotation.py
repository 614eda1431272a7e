"""Rotary positions turn pairs of features as complex numbers, on every backend."""

import numpy as np
import pytest
import torch

from bertcli.model.modernbert import rotary_angles
from bertcli.model.ops.base import Ops
from bertcli.model.ops.numpy_ops import NumpyOps
from bertcli.model.ops.torch_ops import TorchOps

HEADS, HEAD_SIZE, LENGTH = 3, 8, 11


@pytest.mark.parametrize("ops", [NumpyOps(), TorchOps("cpu", "float32")], ids=["numpy", "torch"])
@pytest.mark.parametrize("rest", [(), (2,)], ids=["packed", "padded"])
def test_each_pair_is_a_complex_number_that_is_turned(ops: Ops, rest: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).normal(size=(*rest, LENGTH, HEADS * HEAD_SIZE)).astype(np.float32)
    angles = rotary_angles(LENGTH, HEAD_SIZE, 300.0)
    turned = ops.to_numpy(ops.rotate(*map(ops.asarray, (x, np.cos(angles), np.sin(angles)))))
    heads = x.reshape(*rest, LENGTH, HEADS, 2, HEAD_SIZE // 2)
    expected = (heads[..., 0, :] + 1j * heads[..., 1, :]) * np.exp(1j * angles)[:, None]
    assert turned.shape == x.shape
    assert turned.dtype == np.float32
    np.testing.assert_allclose(turned, np.stack([expected.real, expected.imag], -2).reshape(x.shape), 1e-6, 1e-6)


@pytest.mark.parametrize("theta", [10_000.0, 160_000.0])
def test_the_angles_of_the_published_models_are_those_of_transformers_to_the_last_bit(theta: float) -> None:
    frequencies = 1.0 / (theta ** (torch.arange(0, 64, 2, dtype=torch.float) / 64))
    expected = torch.arange(8192).float()[:, None] * frequencies
    np.testing.assert_array_equal(rotary_angles(8192, 64, theta), expected.numpy())
