"""Minimal pairs: the two texts of a row are scored as texts of their own, then joined, compared and counted."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from bertcli.analysis.statistics import RunningMean, wilson_interval
from bertcli.errors import BadInput
from bertcli.input.records import FailedText, Window
from bertcli.results.masks import FillMaskRecord
from bertcli.results.pairs import PairCounts, PairGroup, PairRecord, PairSummary

# Each group takes memory until the end of the run.
MAX_GROUPS = 10_000


def split_pairs(windows: Iterable[Window]) -> Iterator[Window]:
    """Yield both texts of each row, one after the other, as texts with the indices 2i and 2i + 1.

    A row that has failed yields its failure twice.
    """
    for window in windows:
        halves: Window = []
        for row in window:
            index = 2 * row.index
            if isinstance(row, FailedText):
                halves += [replace(row, index=index), replace(row, index=index + 1)]
            else:
                assert row.versus is not None
                halves.append(replace(row, index=index))
                halves.append(replace(row, index=index + 1, text=row.versus, versus=row.text))
        yield halves


def join_pairs(answers: Iterable[FillMaskRecord | FailedText]) -> Iterator[PairRecord | FailedText]:
    """Yield a record for each row that split_pairs has divided, with the index of the row.

    If a text of the pair has failed, the pair fails.
    """
    halves = iter(answers)
    for first, versus in zip(halves, halves, strict=True):
        if isinstance(first, FailedText):
            yield replace(first, index=first.index // 2)
        elif isinstance(versus, FailedText):
            error = versus.error.with_prefix("the text to compare with")
            yield replace(versus, index=versus.index // 2, error=error)
        else:
            yield PairRecord(_with_row_index(first), _with_row_index(versus))


def _with_row_index(record: FillMaskRecord) -> FillMaskRecord:
    return replace(record, text=replace(record.text, index=record.text.index // 2))


class PairCounter:
    """Counter of minimal pairs, in constant memory."""

    def __init__(self) -> None:
        self._preferred = self._ties = 0
        self._differences = RunningMean()

    def add(self, pair: PairRecord) -> None:
        """Count a pair."""
        self._preferred += pair.preferred
        self._ties += pair.is_tie
        self._differences.add(pair.difference)

    def counts(self) -> PairCounts:
        """Return the summary of the pairs, of which there is at least one."""
        count = self._differences.count
        return PairCounts(
            count,
            self._preferred / count,
            wilson_interval(self._preferred, count),
            self._ties,
            self._differences.mean,
            self._differences.interval(),
        )


class PairSummarizer:
    """Summarizes the minimal pairs of a run, and those of each group."""

    def __init__(self, *, has_groups: bool) -> None:
        self._has_groups = has_groups
        self._all = PairCounter()
        self._groups: dict[tuple[str, ...], tuple[Mapping[str, str], PairCounter]] = {}
        self.summary: PairSummary | None = None

    def count(self, pairs: Iterable[PairRecord | FailedText]) -> Iterator[PairRecord | FailedText]:
        """Yield the pairs unchanged. After the last one, `summary` has their summary, if there are any.

        Raises:
            BadInput: There are too many groups.
        """
        has_pairs = False
        for pair in pairs:
            if not isinstance(pair, FailedText):
                has_pairs = True
                self._add(pair)
            yield pair
        if has_pairs:
            self.summary = PairSummary(self._all.counts(), self._group_summaries())

    def aggregate(self, pairs: Iterable[PairRecord | FailedText]) -> Iterator[PairSummary | FailedText]:
        """Yield failed pairs as they come, and at the end the summary of all others, if there are any.

        Raises:
            BadInput: There are too many groups.
        """
        for pair in self.count(pairs):
            if isinstance(pair, FailedText):
                yield pair
        if self.summary is not None:
            yield self.summary

    def _add(self, pair: PairRecord) -> None:
        self._all.add(pair)
        group = pair.text.group
        if group is None:
            return
        key = tuple(group.values())
        if key not in self._groups:
            if len(self._groups) == MAX_GROUPS:
                raise BadInput(
                    f"there are more than {MAX_GROUPS:,} groups by {', '.join(group)}",
                    hint="name fields with fewer values in --group-by",
                )
            self._groups[key] = group, PairCounter()
        self._groups[key][1].add(pair)

    def _group_summaries(self) -> Sequence[PairGroup] | None:
        if not self._has_groups:
            return None
        return [PairGroup(group, counter.counts()) for group, counter in self._groups.values()]
