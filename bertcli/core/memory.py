"""What keeps a long run from holding more memory than a short one."""

import ctypes
import os
from functools import cache
from typing import Any

# oneDNN, and torch's own layer above it, keep what they have prepared for a product by its sizes, 1,024 entries each by
# default: of batches in ever new sizes that comes to 700 MiB. A batch needs four, for the products of a layer.
_CACHES = ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY")
_ENTRIES = "64"


def bound_caches() -> None:
    """Keep torch's caches small, unless the user has said how large. To be called before torch computes anything."""
    for name in _CACHES:
        os.environ.setdefault(name, _ENTRIES)


def give_back() -> None:
    """Have the C library return to the system what has been freed.

    Batches come in ever new sizes, and between the arrays that are held glibc keeps what those before them have left.
    """
    trim = _malloc_trim()
    if trim is not None:
        trim(0)


@cache
def _malloc_trim() -> Any | None:
    return getattr(ctypes.CDLL(None), "malloc_trim", None)
