"""Which engine computes, and where."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from bertcli.errors import WrongUsage
from bertcli.model.resources import limit_onednn_cache

NUMPY, TORCH, TRANSFORMERS = "numpy", "torch", "transformers"
_DEVICE = re.compile(r"cpu|cuda(:\d+)?|mps")
# Importing torch costs about two seconds of a core. Below this much work (floating-point operations of the encoder's
# products) numpy has finished before torch would have begun; benchmarks/engines.py measures where they meet.
_WORK_WORTH_TORCH = 3e11
_BYTES_OF_A_TOKEN = 4


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """An engine, a device as torch spells it, and the dtype to compute in."""

    engine: str
    device: str
    dtype: str


def encoder_work(text_bytes: int, parameters: int) -> float:
    """Floating-point operations, roughly, for so much text: two for each parameter of the layers and each token."""
    return 2.0 * parameters * text_bytes / _BYTES_OF_A_TOKEN


@dataclass(frozen=True, slots=True)
class CheckpointTraits:
    """What a checkpoint asks of an engine. foreign_family: its model_type where its layers are not BERT's."""

    is_pickled: bool = False
    foreign_family: str | None = None


def place(engine: str, device: str, dtype: str, needs: CheckpointTraits, work: Callable[[], float]) -> EngineChoice:
    """The engine and device for what the user asked, `auto` decided by what only torch can do and by the work.

    work: asked where it decides, since to find out may take as long as standard input takes to come.
    Raises WrongUsage for what contradicts itself, DeviceUnavailable for a device that is not here.
    """
    if device != "auto" and not _DEVICE.fullmatch(device):
        raise WrongUsage(f"there is no device {device!r}", hint="use auto, cpu, cuda, cuda:N or mps")
    if needs.foreign_family and engine not in ("auto", TRANSFORMERS):
        raise WrongUsage(
            f"the {engine} engine computes BERT's layers, not those of {needs.foreign_family}",
            hint="use --engine transformers, or auto",
        )
    only_torch = _why_only_torch(device, dtype, needs)
    if engine == NUMPY and only_torch:
        raise WrongUsage(f"the numpy engine cannot do this: {only_torch}", hint="use --engine torch, or auto")
    if engine == NUMPY or (engine == "auto" and not only_torch and work() < _WORK_WORTH_TORCH):
        return EngineChoice(NUMPY, "cpu", dtype)
    limit_onednn_cache()
    from bertcli.model.ops.torch_ops import best_device, check_device

    if engine == "auto":
        engine = TRANSFORMERS if needs.foreign_family else TORCH
    return EngineChoice(engine, best_device() if device == "auto" else check_device(device), dtype)


def _why_only_torch(device: str, dtype: str, needs: CheckpointTraits) -> str:
    if device not in ("auto", "cpu"):
        return f"it computes on the CPU, not on {device}"
    if dtype != "float32":
        return f"it computes in float32, not in {dtype}"
    if needs.foreign_family:
        return f"it computes BERT's layers, not those of {needs.foreign_family}"
    return "it does not read pytorch_model.bin" if needs.is_pickled else ""
