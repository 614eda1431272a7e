"""Timing of work inside this process, and the comparison of two sides that take turns."""

import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import median
from typing import TypeVar

Result = TypeVar("Result")


def seconds(work: Callable[[], object]) -> float:
    """Return the seconds that the work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def fastest_size(sizes: Iterable[int], work: Callable[[int], object]) -> int:
    """Return the batch size with which the work is fastest. Each size is tried twice."""
    return min(sizes, key=lambda size: min(seconds(lambda: work(size)) for _ in range(2)))


def in_turn(
    rounds: int, cases: Mapping[str, Callable[[], Result]], *, is_warm: bool = False
) -> dict[str, list[Result]]:
    """Run all cases in turn, for several rounds.

    Args:
        rounds: Number of rounds.
        cases: The functions to call, by name.
        is_warm: True if everything has run before. Otherwise a warm-up round comes first, which does not count.

    Returns:
        The results of each case, one a round.
    """
    results: dict[str, list[Result]] = {name: [] for name in cases}
    for number in range(1 if is_warm else 0, rounds + 1):
        for name, case in cases.items():
            print(f"\rround {number} of {rounds}: {name:60.60}", end="", file=sys.stderr, flush=True)
            result = case()
            if number:
                results[name].append(result)
    print(file=sys.stderr)
    return results


def median_ratio(numerators: Sequence[float], denominators: Sequence[float]) -> float:
    """Return the median of the ratios of each round."""
    return median(above / below for above, below in zip(numerators, denominators, strict=True))
