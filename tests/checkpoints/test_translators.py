"""Files of translators: which are read, and what is said about the others."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from bertcli.checkpoints.translators import BUNDLED_LENS, StoredTranslators, read_translators
from bertcli.errors import WrongUsage
from tests.tiny import DEFAULTS
from tests.translators import Tensors, random_translators, save_translators

LAYERS, HIDDEN, VOCAB = (DEFAULTS[name] for name in ("num_hidden_layers", "hidden_size", "vocab_size"))


def read(path: Path) -> StoredTranslators:
    return read_translators(path, LAYERS, HIDDEN, VOCAB)


@pytest.fixture
def tensors(tiny_bert: Path) -> Tensors:
    """Return the tensors of a file that fits the tiny checkpoint."""
    return random_translators(tiny_bert)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.float64])
def test_a_file_is_read_layer_by_layer(tmp_path: Path, tensors: Tensors, dtype: torch.dtype) -> None:
    found = read(save_translators(tmp_path / "lens.safetensors", tensors, dtype))
    for layer in range(LAYERS):
        np.testing.assert_array_equal(found.weights[layer], tensors[f"layers.{layer}.weight"].to(dtype))
        np.testing.assert_array_equal(found.biases[layer], tensors[f"layers.{layer}.bias"].to(dtype))
    np.testing.assert_array_equal(found.head_logits, tensors["head_logits"].to(dtype))


def without(name: str) -> Callable[[Tensors], Tensors]:
    return lambda tensors: {key: each for key, each in tensors.items() if key != name}


def changed(name: str, tensor: torch.Tensor) -> Callable[[Tensors], Tensors]:
    return lambda tensors: {**tensors, name: tensor}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda tensors: {"a": torch.zeros(2)}, "has no translators: there is no layers.0.weight"),
        (without("layers.1.weight"), "does not fit the model: its number of layers is 1, and should be 2"),
        (
            changed("layers.2.weight", torch.zeros(HIDDEN, HIDDEN)),
            "does not fit the model: its number of layers is 3, and should be 2",
        ),
        (without("layers.1.bias"), "has no layers.1.bias"),
        (without("head_logits"), "has no head_logits"),
        (changed("layers.0.scale", torch.zeros(2)), "has the unknown tensor 'layers.0.scale'"),
        (
            changed("layers.0.weight", torch.zeros(HIDDEN, 8)),
            "does not fit the model: layers.0.weight is 24 x 8, and should be 24 x 24",
        ),
        (
            changed("layers.1.bias", torch.zeros(())),
            "does not fit the model: layers.1.bias is one number, and should be 24",
        ),
        (changed("head_logits", torch.zeros(7)), f"does not fit the model: head_logits is 7, and should be {VOCAB}"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(
    tmp_path: Path, tensors: Tensors, change: Callable[[Tensors], Tensors], problem: str
) -> None:
    path = save_translators(tmp_path / "lens.safetensors", change(tensors), model="bert-base-uncased")
    with pytest.raises(WrongUsage) as raised:
        read(path)
    expected = f"the file of --lens-file, {path}, {problem} (it was made for 'bert-base-uncased')"
    assert raised.value.message == expected
    assert raised.value.hint == "use translators that were trained for this model, or leave --lens-file out"


def test_whole_numbers_are_refused(tmp_path: Path, tensors: Tensors) -> None:
    with pytest.raises(WrongUsage, match=r"holds no floating-point numbers: head_logits is I32$"):
        read(save_translators(tmp_path / "lens.safetensors", tensors, torch.int32))


def test_a_file_that_cannot_be_read_is_reported(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("not a safetensors file")
    (tmp_path / "empty").touch()
    for name, problem in (
        ("missing", r"the file of --lens-file, .*missing, cannot be read: No such file or directory"),
        (".", r"cannot be read: Is a directory"),
        ("\0", r"cannot be read: embedded null byte"),
        ("text", r"is not a safetensors file: .* is damaged: its header is cut short"),
        ("empty", r"is not a safetensors file: .* is damaged: it is empty"),
    ):
        with pytest.raises(WrongUsage, match=problem) as raised:
            read(tmp_path / name)
        assert raised.value.hint.endswith("or leave --lens-file out")


def test_the_bundled_file_is_small() -> None:
    assert BUNDLED_LENS.stat().st_size < 2_000_000
