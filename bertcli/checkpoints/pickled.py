"""Tensors of pytorch_model.bin, loaded only with torch's restricted unpickler."""

import pickle
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import torch

from bertcli.checkpoints.safetensors import TensorInfo
from bertcli.errors import BadCheckpoint, UnsupportedModel
from bertcli.quoting import is_utf8

_SAFETENSORS_DTYPES = {
    torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.complex64: "C64",
    torch.float8_e4m3fn: "F8_E4M3", torch.float8_e5m2: "F8_E5M2",
    torch.float8_e4m3fnuz: "F8_E4M3FNUZ", torch.float8_e5m2fnuz: "F8_E5M2FNUZ",
    torch.int64: "I64", torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.bool: "BOOL",
    torch.uint64: "U64", torch.uint32: "U32", torch.uint16: "U16", torch.uint8: "U8",
}  # fmt: skip


@contextmanager
def without_pickle_warnings() -> Iterator[None]:
    """Suppress the warnings of torch.load about valid files: other pickle protocols than 2, and its older format."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Detected pickle protocol")
        warnings.filterwarnings("ignore", message="TypedStorage is deprecated")
        yield


@cache
def load_tensors(path: Path) -> dict[str, torch.Tensor]:
    """Load the tensors of a file by their names. They are memory-mapped if the file's format allows it.

    Sparse and quantised tensors are left out, as are values that are not tensors.

    Raises:
        BadCheckpoint: The file is damaged, or holds anything but tensors and plain containers.
    """
    try:
        with without_pickle_warnings():
            loaded = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except pickle.UnpicklingError:
        raise BadCheckpoint(
            f"{path} is damaged, or its pickle has a protocol above 3 or holds more than tensors; it was not unpickled",
            hint="use the checkpoint's model.safetensors, copy the file again, or save it again with torch.save",
        ) from None
    except (FileNotFoundError, PermissionError):
        raise
    except Exception as error:  # a damaged pickle can raise anything
        why = next(iter(str(error).splitlines()), type(error).__name__)
        raise BadCheckpoint(f"{path} is damaged: {why}", hint="copy or download the checkpoint again") from None
    if not isinstance(loaded, dict):
        raise BadCheckpoint(f"{path} does not hold a state dict", hint="save the model with save_pretrained")
    return {name: tensor for name, tensor in loaded.items() if _is_name(name) and _is_dense(tensor)}


def list_tensors(path: Path) -> list[TensorInfo]:
    """List the tensors of a file, as `safetensors.read_header` does for safetensors. The offset is always 0.

    Raises:
        BadCheckpoint, UnsupportedModel.
    """
    return [
        TensorInfo(name, _dtype(name, tensor, path), tuple(tensor.shape), path, 0)
        for name, tensor in load_tensors(path).items()
    ]


def load_array(path: Path, name: str) -> Any:
    """Load one tensor of a file as a numpy array in float32. Raises BadCheckpoint."""
    return load_tensors(path)[name].detach().to(torch.float32).contiguous().numpy()


def _is_name(name: object) -> bool:
    return isinstance(name, str) and is_utf8(name)


def _is_dense(value: object) -> bool:
    return isinstance(value, torch.Tensor) and value.layout == torch.strided and not value.is_quantized


def _dtype(name: str, tensor: torch.Tensor, path: Path) -> str:
    try:
        return _SAFETENSORS_DTYPES[tensor.dtype]
    except KeyError:
        raise UnsupportedModel(
            f"{path} stores {name} as {tensor.dtype}, which is not supported",
            hint="use the unquantised checkpoint",
        ) from None
