"""Safetensors files: their headers, read without numpy, and their tensors, as views of the mapped file.

The safetensors package copies each tensor that it reads. bertcli maps the file into memory instead, so that a tensor is
a view and unused pages are never read. This needs the byte range of each tensor, which the package does not expose.
File format: the header's length (8 bytes, little-endian), the header as JSON, the tensors' bytes.
"""

import json
import mmap
import os
from math import prod
from pathlib import Path
from typing import Any

from bertcli.errors import BadCheckpoint
from bertcli.lazy_dataclass import dataclass

# Every dtype of the format. The engines read fewer of them.
BITS_OF_DTYPE = {
    "F64": 64, "F32": 32, "F16": 16, "BF16": 16, "C64": 64,
    "F8_E4M3": 8, "F8_E4M3FNUZ": 8, "F8_E5M2": 8, "F8_E5M2FNUZ": 8, "F8_E8M0": 8, "F6_E2M3": 6, "F6_E3M2": 6, "F4": 4,
    "I64": 64, "I32": 32, "I16": 16, "I8": 8, "U64": 64, "U32": 32, "U16": 16, "U8": 8, "BOOL": 8,
}  # fmt: skip
# numpy has no bfloat16. Its bits are passed on as uint16, and the engine widens them to float32.
_NUMPY_DTYPES: dict[str, str] = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2",
    "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "|i1", "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "|u1",
    "BOOL": "|b1",
}  # fmt: skip
_GIT_LFS = b"version "
LARGEST_HEADER = 100_000_000  # the format's own limit
# A BERT of 24 layers has 400 tensors. Checking 50,000 takes half a second.
_MAX_TENSORS = 50_000
# numpy's own limit. The size of a tensor with many more would take seconds to multiply.
_MAX_DIMENSIONS = 64


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
        return self.parameters * BITS_OF_DTYPE[self.dtype] // 8


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
        if size < 8 or length > min(size - 8, LARGEST_HEADER):
            raise _damaged(path, "its header is cut short" if size else "it is empty")
        return parse_header(file.read(length), path, size)


def parse_header(text: bytes, path: Path, size: int | None = None) -> list[TensorInfo]:
    """Parse the header of a safetensors file.

    Args:
        text: The header, without its length.
        path: The file's name.
        size: The file's size in bytes. None if it is unknown.

    Returns:
        The tensors, in the order of their bytes.

    Raises:
        BadCheckpoint: The header is damaged, has too many tensors, or does not match the size.
    """
    # Parsing a million entries takes several seconds, so count them first.
    count = text.count(b'"data_offsets"')
    if count > _MAX_TENSORS:
        raise BadCheckpoint(
            f"{path} lists {count:,} tensors, and the limit is {_MAX_TENSORS:,}",
            hint="the file does not belong to a BERT; copy or download the checkpoint again",
        )
    header = _parse_json(text, path)
    header.pop("__metadata__", None)
    begin = 8 + len(text)
    try:
        infos = [_info(name, entry, path, begin) for name, entry in header.items()]
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(path, f"its header is malformed ({error})") from None
    infos.sort(key=lambda info: (info.offset, info.nbytes))
    _check_extent(infos, path, begin, size)
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


def release_pages(tensor: Any) -> None:
    """Release the memory of a tensor that is a view of a mapped file. Its next use reads the file's pages again.

    Other tensors are left alone. Nothing may have been written to the view, since that would be lost.
    """
    import numpy as np

    mapped = tensor
    while isinstance(mapped, np.ndarray | memoryview):
        mapped = mapped.base if isinstance(mapped, np.ndarray) else mapped.obj
    if not isinstance(mapped, mmap.mmap) or not tensor.flags.c_contiguous:
        return
    offset = _address(tensor) - _address(np.frombuffer(mapped, np.uint8, 1))
    # Whole pages only: others share the first and the last one.
    begin = -(-offset // mmap.PAGESIZE) * mmap.PAGESIZE
    end = (offset + tensor.nbytes) // mmap.PAGESIZE * mmap.PAGESIZE
    if begin < end:
        mapped.madvise(mmap.MADV_DONTNEED, begin, end - begin)


def _address(array: Any) -> int:
    address: int = array.__array_interface__["data"][0]
    return address


def _parse_json(text: bytes, path: Path) -> dict[str, Any]:
    try:
        header = json.loads(text, object_pairs_hook=_without_repeats)
    except _RepeatedName as error:
        raise _damaged(path, f"its header has {str(error)!r} twice") from None
    except (ValueError, RecursionError):
        raise _damaged(path, "its header is not JSON") from None
    if not isinstance(header, dict):
        raise _damaged(path, "its header is not a JSON object")
    return header


class _RepeatedName(Exception):
    """A name that a JSON object has twice."""


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise _RepeatedName(name)
            seen.add(name)
    return found


def _info(name: str, entry: dict[str, Any], path: Path, base: int) -> TensorInfo:
    name.encode()  # raises ValueError for half of a surrogate pair
    (begin, end), sizes, dtype = entry["data_offsets"], entry["shape"], entry["dtype"]
    if not isinstance(sizes, list) or any(type(number) is not int or number < 0 for number in (begin, end, *sizes)):
        raise ValueError(f"{name} has a shape or an offset that is not a whole number")
    if len(sizes) > _MAX_DIMENSIONS:
        raise ValueError(f"{name} has {len(sizes):,} dimensions")
    if dtype not in BITS_OF_DTYPE:
        raise ValueError(f"{name} has the unknown dtype {dtype!r}")
    info = TensorInfo(name, dtype, tuple(sizes), path, base + begin)
    if info.parameters * BITS_OF_DTYPE[dtype] != 8 * (end - begin):
        raise ValueError(f"{name} has {end - begin} bytes, but its shape needs {info.nbytes}")
    return info


def _check_extent(infos: list[TensorInfo], path: Path, begin: int, size: int | None) -> None:
    """Check that the tensors have no gaps or overlaps, and end where the file ends. Raises BadCheckpoint."""
    for info in infos:
        if info.offset != begin:
            raise _damaged(path, f"{info.name} does not begin where the tensor before it ends")
        begin += info.nbytes
    if size is not None and size != begin:
        raise _damaged(path, f"it has {size:,} bytes, but its header describes {begin:,}")


def _damaged(path: Path, why: str) -> BadCheckpoint:
    return BadCheckpoint(f"{path} is damaged: {why}", hint="copy or download the checkpoint again")
