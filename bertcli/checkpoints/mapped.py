"""Tensors of safetensors files, as numpy views of the memory-mapped file. Only the pages that are used are read.

This is separate from `headers` so that commands that list tensors do not import numpy.
"""

import mmap
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from bertcli.checkpoints.headers import TensorInfo

# numpy has no bfloat16. Its bits are passed on as uint16, and the engine widens them to float32.
_NUMPY_DTYPES: dict[str, str] = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2",
    "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "|i1", "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "|u1",
    "BOOL": "|b1",
}  # fmt: skip


def tensor_reader() -> Callable[[TensorInfo], np.ndarray[Any, Any]]:
    """Return a function that reads a tensor as a view of its file. It maps each file once.

    A bfloat16 tensor is returned as its bits, in uint16. The mapping is private: writing to a view does not change the
    file.
    """

    @cache
    def mapped(file: Path) -> mmap.mmap:
        with file.open("rb") as opened:
            return mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_COPY)

    def read(info: TensorInfo) -> np.ndarray[Any, Any]:
        flat = np.frombuffer(mapped(info.file), _NUMPY_DTYPES[info.dtype], info.parameters, info.offset)
        return flat.reshape(info.shape)

    return read
