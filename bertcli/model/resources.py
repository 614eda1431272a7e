"""Limits on the threads and the memory of numpy and torch."""

import os
from functools import cache
from typing import Any

_OPENBLAS = "OPENBLAS_NUM_THREADS"
# Below this much work (floating-point operations; about a fifth of a second) a second thread costs more than it gains.
_MIN_WORK_FOR_THREADS = 1e10
# oneDNN, and torch's own layer above it, cache what they have prepared for a matrix product of certain sizes. They keep
# 1,024 entries each by default, which takes up to 700 MiB when every batch has a new size. A batch needs four entries,
# one for each product of a layer. In float32, sizes seldom recur and are prepared fast. In reduced precision, preparing
# takes as long as a product, and bertcli makes sizes recur.
_ONEDNN_CACHES = ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY")
_FLOAT32_ENTRIES, _REDUCED_ENTRIES = "16", "64"

_has_blas_limit = False
_blas_threads: int | None = None  # as bertcli has set it


def limit_blas_to_one_thread() -> None:
    """Keep OpenBLAS to one thread, unless the user has set a number. Call this before numpy is imported.

    Threads do not speed up a single sentence, and starting them takes half of numpy's import time. On a busy machine,
    waiting for one another takes ten times as long as the work itself.
    """
    global _has_blas_limit, _blas_threads
    if _OPENBLAS not in os.environ and "OMP_NUM_THREADS" not in os.environ:
        os.environ[_OPENBLAS] = "1"
        _has_blas_limit = True
        _blas_threads = 1


def unset_blas_limit() -> None:
    """Remove the limit from the environment, so that only numpy obeys it. Call this after numpy is imported."""
    if _has_blas_limit:
        os.environ.pop(_OPENBLAS, None)


def choose_blas_threads(work: float) -> int | None:
    """Return the number of threads for numpy's matrix products, or None if the user has set it in the environment.

    It depends only on the work, since a product may round differently with another number.

    Args:
        work: Amount of work of the whole run in floating-point operations.
    """
    if not _has_blas_limit:
        return None
    return _cores() if work >= _MIN_WORK_FOR_THREADS else 1


def set_blas_threads(count: int) -> None:
    """Set the number of threads of numpy's matrix products, unless bertcli has set the same number before."""
    global _blas_threads
    if count != _blas_threads:
        from threadpoolctl import threadpool_limits

        threadpool_limits(count, user_api="blas")
        _blas_threads = count


def count_blas_threads() -> int:
    """Return the number of threads of numpy's matrix products."""
    from threadpoolctl import threadpool_info

    return max((pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"), default=1)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def limit_onednn_cache(*, is_reduced: bool) -> None:
    """Keep the caches of oneDNN and torch small, unless the user has set a size. Call this before torch computes.

    Args:
        is_reduced: The computation may be in reduced precision.
    """
    for name in _ONEDNN_CACHES:
        os.environ.setdefault(name, _REDUCED_ENTRIES if is_reduced else _FLOAT32_ENTRIES)


def trim_heap() -> None:
    """Make the C library return freed memory to the system.

    Batches differ in size. Memory freed by earlier batches lies between arrays still in use, and glibc keeps it.
    """
    trim = _malloc_trim()
    if trim is not None:
        trim(0)


@cache
def _malloc_trim() -> Any | None:
    import ctypes  # here, since --help does without it

    return getattr(ctypes.CDLL(None), "malloc_trim", None)
