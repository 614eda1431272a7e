"""Weights of the small modules of a recipe."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bertcli.checkpoints.modules import COPY_AGAIN, MODULE_WEIGHTS
from bertcli.checkpoints.safetensors import MappedTensors, TensorInfo, read_header
from bertcli.checkpoints.weight_files import FLOATS
from bertcli.errors import BadCheckpoint, UnsupportedModel

Shape = tuple[int, ...]
# A numpy array. numpy itself is imported when weights are read.
Array = Any


def read_module_weights(folder: Path, shapes: Mapping[str, Shape]) -> dict[str, Array]:
    """Read tensors of a module.

    Args:
        folder: The folder of the module.
        shapes: The shape that the module's config gives each tensor, by name.

    Returns:
        The tensors by name: in their stored dtype as MappedTensors gives it, or in float32 from a pickle.

    Raises:
        BadCheckpoint: The weights are missing or damaged, or do not fit the config.
        UnsupportedModel: The weights are not floating-point numbers.
    """
    file = next((folder / name for name in MODULE_WEIGHTS if (folder / name).is_file()), None)
    if file is None:
        raise BadCheckpoint(
            f"{folder} has no weights: neither {' nor '.join(MODULE_WEIGHTS)}",
            hint=COPY_AGAIN,
        )
    is_pickled = file.name == MODULE_WEIGHTS[1]
    found = {info.name: info for info in (_list_pickled(file) if is_pickled else read_header(file))}
    for name, shape in shapes.items():
        if name not in found:
            raise _misfit(file, f"{name} is missing")
        if found[name].shape != shape:
            raise _misfit(file, f"{name} has shape {found[name].shape} but the config gives it {shape}")
        if found[name].dtype not in FLOATS:
            raise UnsupportedModel(
                f"{file} stores {name} as {found[name].dtype}, which is not supported", hint="use --pooling mean"
            )
    if is_pickled:
        from bertcli.checkpoints.pickled import load_array

        return {name: load_array(file, name) for name in shapes}
    read = MappedTensors()
    return {name: read(found[name]) for name in shapes}


def _list_pickled(file: Path) -> list[TensorInfo]:
    from bertcli.checkpoints.pickled import list_tensors

    return list_tensors(file)


def _misfit(file: Path, why: str) -> BadCheckpoint:
    return BadCheckpoint(
        f"the weights in {file} do not fit the config beside them: {why}",
        hint=COPY_AGAIN,
    )
