"""pytorch_model.bin, through torch's restricted unpickler and nothing else."""

import pickle
import zipfile
from functools import cache
from pathlib import Path

import torch

from bertcli.checkpoints.headers import TensorInfo
from bertcli.errors import BadCheckpoint

_SAFETENSORS_DTYPES = {
    torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16",
    torch.int64: "I64", torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8", torch.bool: "BOOL",
}  # fmt: skip


@cache
def load_tensors(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of the file by their names there, mapped where the file's format allows it.

    Raises BadCheckpoint for a file that is damaged or that holds anything but tensors and plain containers.
    """
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except pickle.UnpicklingError:
        raise BadCheckpoint(
            f"{path} is damaged, or its pickle holds more than tensors: it was not unpickled",
            hint="use the checkpoint's model.safetensors, or copy the file again",
        ) from None
    except (RuntimeError, EOFError, ValueError, KeyError) as error:
        raise BadCheckpoint(
            f"{path} is damaged: {str(error).splitlines()[0]}", hint="copy or download the checkpoint again"
        ) from None
    if not isinstance(loaded, dict):
        raise BadCheckpoint(f"{path} holds no state dict", hint="save the model with save_pretrained")
    return {name: tensor for name, tensor in loaded.items() if isinstance(tensor, torch.Tensor)}


def list_tensors(path: Path) -> list[TensorInfo]:
    """The same as headers tell of safetensors; the offset means nothing here."""
    return [
        TensorInfo(name, _SAFETENSORS_DTYPES[tensor.dtype], tuple(tensor.shape), path, 0)
        for name, tensor in load_tensors(path).items()
    ]
