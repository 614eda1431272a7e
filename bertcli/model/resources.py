"""How many threads numpy's matrix products run on."""

import ctypes
import os
from functools import cache
from typing import Any

_OPENBLAS = "OPENBLAS_NUM_THREADS"
# Below this many floating-point operations (about a fifth of a second) a second thread gains less than it costs.
_WORK_WORTH_THREADS = 1e10


_limited_here = False


def start_with_one_thread() -> None:
    """Keep OpenBLAS from starting threads, unless the user has said how many. To be called before numpy is imported.

    On a sentence they gain nothing, starting them takes half of numpy's import, and on a busy machine waiting for one
    another takes ten times as long as the work itself.
    """
    global _limited_here
    if _OPENBLAS not in os.environ and "OMP_NUM_THREADS" not in os.environ:
        os.environ[_OPENBLAS] = "1"
        _limited_here = True


def leave_threads_to_others() -> None:
    """Keep other libraries from heeding what was meant for numpy. To be called after numpy is imported."""
    if _limited_here:
        os.environ.pop(_OPENBLAS, None)


def use_threads_for(work: float) -> None:
    """Let numpy's products use every core where there is enough work (floating-point operations) to share."""
    if _limited_here and work >= _WORK_WORTH_THREADS:
        from threadpoolctl import threadpool_limits

        threadpool_limits(_cores(), user_api="blas")


def blas_threads(count: int | None = None) -> int:
    """Let numpy's products use so many threads, None: as many as they do; how many these are."""
    from threadpoolctl import threadpool_info, threadpool_limits

    if count is not None:
        threadpool_limits(count, user_api="blas")
    return max((pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"), default=1)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


# oneDNN, and torch's own layer above it, keep what they have prepared for a product by its sizes, 1,024 entries each by
# default: of batches in ever new sizes that comes to 700 MiB. A batch needs four, for the products of a layer.
_CACHES = ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY")
_ENTRIES = "64"


def limit_onednn_cache() -> None:
    """Keep torch's caches small, unless the user has said how large. To be called before torch computes anything."""
    for name in _CACHES:
        os.environ.setdefault(name, _ENTRIES)


def trim_heap() -> None:
    """Have the C library return to the system what has been freed.

    Batches come in ever new sizes, and between the arrays that are held glibc keeps what those before them have left.
    """
    trim = _malloc_trim()
    if trim is not None:
        trim(0)


@cache
def _malloc_trim() -> Any | None:
    return getattr(ctypes.CDLL(None), "malloc_trim", None)
