"""How many threads numpy's matrix products run on."""

import os

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
