"""Summaries of texts that come one by one: means, shares, confidence intervals of 95 %, and groups."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from math import sqrt
from typing import Any, Generic, Protocol, TypeVar

from bertcli.errors import BadInput
from bertcli.input.records import FailedText
from bertcli.results.summaries import GroupSummary, Interval, Summary

Record = TypeVar("Record")
Counts = TypeVar("Counts", covariant=True)
# Each group takes memory until the end of the run.
MAX_GROUPS = 10_000
# The quantile of the normal distribution that leaves 2.5 % above it.
_QUANTILE = 1.959963984540054


class RunningMean:
    """Mean of values that come one by one (Welford 1962).

    Attributes:
        count: Number of values.
        mean: Their mean, 0 if there are none.
    """

    def __init__(self) -> None:
        self.count, self.mean = 0, 0.0
        self._squares = 0.0

    def add(self, value: float) -> None:
        """Add a value."""
        self.count += 1
        distance = value - self.mean
        self.mean += distance / self.count
        self._squares += distance * (value - self.mean)

    def interval(self) -> Interval | None:
        """Return the interval of the mean by the normal approximation, or None for fewer than two values."""
        if self.count < 2:
            return None
        width = _QUANTILE * sqrt(self._squares / (self.count - 1) / self.count)
        return Interval(self.mean - width, self.mean + width)


def wilson_interval(successes: int, count: int) -> Interval:
    """Return the interval of a share (Wilson 1927).

    Args:
        successes: Number of successes.
        count: Number of trials, at least one.

    >>> interval = wilson_interval(95, 100)
    >>> round(interval.low, 4), round(interval.high, 4)
    (0.8882, 0.9785)
    """
    share, square = successes / count, _QUANTILE**2
    middle = share + square / (2 * count)
    width = _QUANTILE * sqrt(share * (1 - share) / count + square / (4 * count**2))
    scale = 1 + square / count
    return Interval(max((middle - width) / scale, 0.0), min((middle + width) / scale, 1.0))


class Counter(Protocol[Counts]):
    """Counter of records, in constant memory."""

    def add(self, record: Any) -> None:
        """Count a record."""

    def counts(self) -> Counts:
        """Return the counts of the records, of which there is at least one."""


class Summarizer(Generic[Record, Counts]):
    """Summarizes the records of a run, and those of each group of their texts.

    Args:
        make_counter: Returns a new counter.
        has_groups: True if the texts have groups.
    """

    def __init__(self, make_counter: Callable[[], Counter[Counts]], *, has_groups: bool) -> None:
        self._make_counter, self._has_groups = make_counter, has_groups
        self._all = make_counter()
        self._groups: dict[tuple[str, ...], tuple[Mapping[str, str], Counter[Counts]]] = {}
        self.summary: Summary[Counts] | None = None

    def count(self, records: Iterable[Record | FailedText]) -> Iterator[Record | FailedText]:
        """Yield the records unchanged. After the last one, `summary` has their summary, if there are any.

        Raises:
            BadInput: There are too many groups.
        """
        has_records = False
        for record in records:
            if not isinstance(record, FailedText):
                has_records = True
                self._add(record)
            yield record
        if has_records:
            self.summary = Summary(self._all.counts(), self._group_summaries())

    def aggregate(self, records: Iterable[Record | FailedText]) -> Iterator[Summary[Counts] | FailedText]:
        """Yield failed texts as they come, and at the end the summary of all others, if there are any.

        Raises:
            BadInput: There are too many groups.
        """
        for record in self.count(records):
            if isinstance(record, FailedText):
                yield record
        if self.summary is not None:
            yield self.summary

    def _add(self, record: Any) -> None:
        self._all.add(record)
        group = record.text.group
        if group is None:
            return
        key = tuple(group.values())
        if key not in self._groups:
            if len(self._groups) == MAX_GROUPS:
                raise BadInput(
                    f"there are more than {MAX_GROUPS:,} groups by {', '.join(group)}",
                    hint="name fields with fewer values in --group-by",
                )
            self._groups[key] = group, self._make_counter()
        self._groups[key][1].add(record)

    def _group_summaries(self) -> list[GroupSummary[Counts]] | None:
        if not self._has_groups:
            return None
        return [GroupSummary(group, counter.counts()) for group, counter in self._groups.values()]
