"""Minimal pairs: the two texts of a row are scored as texts of their own, then joined, compared and counted."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from bertcli.analysis.statistics import RunningMean, wilson_interval
from bertcli.input.records import FailedText, Window
from bertcli.results.masks import FillMaskRecord
from bertcli.results.pairs import PairRecord
from bertcli.results.summaries import PairCounts


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
                halves.append(replace(row, index=index + 1, text=row.versus, versus=row.text, is_versus=True))
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
    """Counter of minimal pairs; a bertcli.analysis.statistics.Counter."""

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
