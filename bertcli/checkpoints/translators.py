"""Translators of the tuned lens (Belrose et al. 2023), as a safetensors file holds them.

The file has `layers.N.weight`, (hidden, hidden), and `layers.N.bias`, (hidden,), for each hidden state N but the last.
It also has `head_logits`, (vocab,): the logits of the model's MLM head for the vector of head_probe. Many models have
the same sizes, and these logits show which of them the file was made for. The metadata may name that model as `model`.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bertcli.checkpoints.find import BUNDLED_FOLDER
from bertcli.checkpoints.safetensors import MappedTensors, TensorInfo, read_header
from bertcli.checkpoints.weight_files import FLOATS
from bertcli.errors import BadCheckpoint, WrongUsage
from bertcli.lazy_dataclass import dataclass
from bertcli.quoting import printable_name, shortened

# The translators of the bundled model.
BUNDLED_LENS = BUNDLED_FOLDER / "lens.safetensors"
HEAD_LOGITS = "head_logits"
_WEIGHT = re.compile(r"layers\.\d+\.weight")


@dataclass(frozen=True, slots=True)
class StoredTranslators:
    """The tensors of a file of translators, as numpy arrays. A bfloat16 tensor is its bits, in uint16.

    Attributes:
        path: The file.
        weights: (hidden, hidden) for each hidden state but the last.
        biases: (hidden,) for each of them.
        head_logits: Logits of the MLM head for head_probe, (vocab,).
    """

    path: Path
    weights: Sequence[Any]
    biases: Sequence[Any]
    head_logits: Any


def weight_name(layer: int) -> str:
    """Return the name of the tensor A in h + A h + b."""
    return f"layers.{layer}.weight"


def bias_name(layer: int) -> str:
    """Return the name of the tensor b in h + A h + b."""
    return f"layers.{layer}.bias"


def head_probe(hidden_size: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return the vector whose logits a file of translators holds: cos(0), cos(1), ..., (1, hidden)."""
    return np.cos(np.arange(hidden_size))[None].astype(np.float32)


def read_translators(path: Path, layers: int, hidden_size: int, vocab_size: int) -> StoredTranslators:
    """Read a file of translators, and check that it fits a model.

    Args:
        path: The file.
        layers: Number of layers of the model.
        hidden_size: Its hidden size.
        vocab_size: Size of its vocabulary.

    Raises:
        WrongUsage: The file cannot be read, is damaged, or does not fit the model.
    """
    try:
        found = {info.name: info for info in read_header(path)}
        _check_count(path, found, layers)
        shapes: dict[str, tuple[int, ...]] = {HEAD_LOGITS: (vocab_size,)}
        for layer in range(layers):
            shapes |= {weight_name(layer): (hidden_size, hidden_size), bias_name(layer): (hidden_size,)}
        _check_tensors(path, found, shapes)
        read = MappedTensors()
        return StoredTranslators(
            path,
            [read(found[weight_name(layer)]) for layer in range(layers)],
            [read(found[bias_name(layer)]) for layer in range(layers)],
            read(found[HEAD_LOGITS]),
        )
    except BadCheckpoint as error:
        raise WrongUsage(
            f"the file of --lens-file is not a safetensors file: {error.message}",
            hint="copy it again, or leave --lens-file out",
        ) from None
    except (OSError, ValueError) as error:
        problem = error.strerror if isinstance(error, OSError) else error
        raise WrongUsage(
            f"the file of --lens-file, {printable_name(path)}, cannot be read: {problem}",
            hint="check its name, or leave --lens-file out",
        ) from None


def wrong_translators(path: Path, problem: str) -> WrongUsage:
    """Return the error for a file of translators that does not fit the model.

    Args:
        path: The file.
        problem: The reason, which follows the name of the file in the message.
    """
    model = _named_model(path)
    made_for = "" if model is None else f" (it was made for {shortened(model)})"
    return WrongUsage(
        f"the file of --lens-file, {printable_name(path)}, {problem}{made_for}",
        hint="use translators that were trained for this model, or leave --lens-file out",
    )


def _check_count(path: Path, found: Mapping[str, TensorInfo], layers: int) -> None:
    count = sum(_WEIGHT.fullmatch(name) is not None for name in found)
    if not count:
        raise wrong_translators(path, f"has no translators: there is no {weight_name(0)}")
    if count != layers:
        raise wrong_translators(
            path, f"does not fit the model: its number of layers is {count}, and should be {layers}"
        )


def _check_tensors(path: Path, found: Mapping[str, TensorInfo], shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Check the names, dtypes and shapes of the tensors. Raises WrongUsage."""
    if missing := [name for name in shapes if name not in found]:
        raise wrong_translators(path, f"has no {missing[0]}")
    if unknown := [name for name in found if name not in shapes]:
        raise wrong_translators(path, f"has the unknown tensor {shortened(unknown[0])}")
    for name, shape in shapes.items():
        info = found[name]
        if info.shape != shape:
            sizes, needed = (" x ".join(map(str, each)) or "one number" for each in (info.shape, shape))
            raise wrong_translators(path, f"does not fit the model: {name} is {sizes}, and should be {needed}")
        if info.dtype not in FLOATS:
            raise wrong_translators(path, f"holds no floating-point numbers: {name} is {info.dtype}")


def _named_model(path: Path) -> str | None:
    """Return the model that the metadata of a safetensors file names, or None."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "numpy") as file:
            return (file.metadata() or {}).get("model")
    except (SafetensorError, OSError):
        return None
