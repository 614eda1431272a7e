"""Safetensors files: their headers, read without numpy, and their tensors, as views of the mapped file.

The safetensors package copies each tensor that it reads. bertcli maps the file into memory instead, so that a tensor is
a view and unused pages are never read. This needs the byte range of each tensor, which the package does not expose.
File format: the header's length (8 bytes, little-endian), the header as JSON, the tensors' bytes.
"""

import json
import mmap
import os
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from bertcli.errors import BadCheckpoint

BYTES_OF_DTYPE = {
    "F64": 8, "F32": 4, "F16": 2, "BF16": 2, "F8_E4M3": 1, "F8_E5M2": 1,
    "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U64": 8, "U32": 4, "U16": 2, "U8": 1, "BOOL": 1,
}  # fmt: skip
# numpy has no bfloat16. Its bits are passed on as uint16, and the engine widens them to float32.
_NUMPY_DTYPES: dict[str, str] = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2",
    "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "|i1", "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "|u1",
    "BOOL": "|b1",
}  # fmt: skip
_GIT_LFS = b"version "
_LARGEST_HEADER = 100_000_000  # the format's own limit


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """Description of a tensor in a file.

    Attributes:
        name: Name in the file.
        dtype: Number type as safetensors spells it, such as F32.
        shape: Sizes of the dimensions.
        file: The file.
        offset: Position of its first byte in the file.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    file: Path
    offset: int

    @property
    def parameters(self) -> int:
        """Number of values."""
        return prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Size in bytes."""
        return self.parameters * BYTES_OF_DTYPE[self.dtype]


def read_header(path: Path) -> list[TensorInfo]:
    """Read the header of a safetensors file.

    Returns:
        The tensors, in the order of their bytes.

    Raises:
        BadCheckpoint: The header is damaged, or does not match the length of the file.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        beginning = file.read(8)
        if beginning == _GIT_LFS:
            raise BadCheckpoint(f"{path} is a git-lfs pointer, not the weights", hint="fetch them: git lfs pull")
        length = int.from_bytes(beginning, "little")
        if size < 8 or length > min(size - 8, _LARGEST_HEADER):
            raise _damaged(path, "its header is cut short" if size else "it is empty")
        header = _parse(file.read(length), path)
    try:
        infos = [_info(name, entry, path, 8 + length) for name, entry in header.items() if name != "__metadata__"]
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(path, f"its header is malformed ({error})") from None
    infos.sort(key=lambda info: (info.offset, info.nbytes))
    _check_extent(infos, path, 8 + length, size)
    return infos


class MappedTensors:
    """Reader of tensors as views of their files. It maps each file once.

    The mapping is private: writing to a view does not change the file.
    """

    def __init__(self) -> None:
        self._files: dict[Path, mmap.mmap] = {}

    def __call__(self, info: TensorInfo) -> Any:
        """Return a tensor as a numpy array. A bfloat16 tensor is returned as its bits, in uint16."""
        import numpy as np  # here, since headers alone are read without numpy

        if info.file not in self._files:
            with info.file.open("rb") as opened:
                self._files[info.file] = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_COPY)
        flat = np.frombuffer(self._files[info.file], _NUMPY_DTYPES[info.dtype], info.parameters, info.offset)
        return flat.reshape(info.shape)


def _parse(text: bytes, path: Path) -> dict[str, Any]:
    try:
        header = json.loads(text)
    except (ValueError, RecursionError):
        raise _damaged(path, "its header is not JSON") from None
    if not isinstance(header, dict):
        raise _damaged(path, "its header is not a JSON object")
    return header


def _info(name: str, entry: dict[str, Any], path: Path, base: int) -> TensorInfo:
    begin, end = entry["data_offsets"]
    shape = tuple(entry["shape"])
    if any(type(number) is not int or number < 0 for number in (begin, end, *shape)):
        raise ValueError(f"{name} has a shape or an offset that is not a whole number")
    info = TensorInfo(name, entry["dtype"], shape, path, base + begin)
    if info.dtype not in BYTES_OF_DTYPE:
        raise ValueError(f"{name} has the unknown dtype {info.dtype}")
    if info.nbytes != end - begin:
        raise ValueError(f"{name} has {end - begin} bytes, but its shape needs {info.nbytes}")
    return info


def _check_extent(infos: list[TensorInfo], path: Path, begin: int, size: int) -> None:
    """Check that the tensors have no gaps or overlaps, and end where the file ends. Raises BadCheckpoint."""
    for info in infos:
        if info.offset != begin:
            raise _damaged(path, f"{info.name} does not begin where the tensor before it ends")
        begin += info.nbytes
    if size != begin:
        raise _damaged(path, f"it has {size:,} bytes, but its header describes {begin:,}")


def _damaged(path: Path, why: str) -> BadCheckpoint:
    return BadCheckpoint(f"{path} is damaged: {why}", hint="copy or download the checkpoint again")
