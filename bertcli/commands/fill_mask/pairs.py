"""Minimal pairs in fill-mask: the schema, the records and the notes of texts that are compared by their scores."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from bertcli.analysis.masks.minimal_pairs import PairCounter, join_pairs
from bertcli.analysis.statistics import Summarizer
from bertcli.output.display import pair_summary_lines
from bertcli.output.schemas.pairs import pair_schema
from bertcli.output.schemas.summaries import pair_summary_schema

if TYPE_CHECKING:
    from bertcli.commands.fill_mask.request import FillMaskRequest
    from bertcli.input.records import FailedText
    from bertcli.output.schema import Schema
    from bertcli.results.masks import FillMaskRecord
    from bertcli.results.pairs import PairRecord
    from bertcli.results.summaries import PairCounts
    from bertcli.results.texts import RunInfo


class PairComparison:
    """Comparison of the two texts of each row, whose scores come one after the other.

    Args:
        request: The options.
    """

    def __init__(self, request: FillMaskRequest) -> None:
        self._group_fields, self._is_aggregate = request.group_fields, request.pairs.aggregate
        self._summarizer: Summarizer[PairRecord, PairCounts] = Summarizer(
            PairCounter, has_groups=bool(self._group_fields)
        )

    def schema(self, info: RunInfo) -> Schema[Any]:
        """Return how pairs are shown, or their summary."""
        if self._is_aggregate:
            return pair_summary_schema(info, self._group_fields)
        return pair_schema(info, self._group_fields)

    def join(self, answers: Iterable[FillMaskRecord | FailedText]) -> Iterator[Any]:
        """Yield the pairs, or their summary alone."""
        pairs = join_pairs(answers)
        return self._summarizer.aggregate(pairs) if self._is_aggregate else self._summarizer.count(pairs)

    def closing_notes(self) -> Sequence[str]:
        """Return the summary of several pairs, unless it is the output."""
        summary = self._summarizer.summary
        if self._is_aggregate or summary is None or summary.counts.count < 2:
            return []
        return pair_summary_lines(summary)
