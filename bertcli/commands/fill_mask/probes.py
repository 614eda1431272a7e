"""Probes in fill-mask: the schema, the records and the notes of texts that have an expected word."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from bertcli.analysis.masks.probes import ProbeCounter
from bertcli.analysis.statistics import Summarizer
from bertcli.output.display import probe_summary_lines
from bertcli.output.schemas.probes import probe_schema
from bertcli.output.schemas.summaries import probe_summary_schema

if TYPE_CHECKING:
    from bertcli.commands.fill_mask.request import FillMaskRequest
    from bertcli.input.records import FailedText
    from bertcli.output.schema import Schema
    from bertcli.results.masks import FillMaskRecord
    from bertcli.results.summaries import ProbeCounts
    from bertcli.results.texts import RunInfo


class ProbeResults:
    """Results for the expected words of texts: each of them, or their summary.

    Args:
        request: The options.
    """

    def __init__(self, request: FillMaskRequest) -> None:
        self._group_fields, self._is_aggregate = request.group_fields, request.pairs.aggregate
        self._summarizer: Summarizer[FillMaskRecord, ProbeCounts] = Summarizer(
            ProbeCounter, has_groups=bool(self._group_fields)
        )

    def schema(self, info: RunInfo) -> Schema[Any]:
        """Return how texts are shown, or their summary."""
        if self._is_aggregate:
            return probe_summary_schema(info, self._group_fields)
        return probe_schema(info, self._group_fields)

    def join(self, answers: Iterable[FillMaskRecord | FailedText]) -> Iterator[Any]:
        """Yield the records, or their summary alone."""
        return self._summarizer.aggregate(answers) if self._is_aggregate else self._summarizer.count(answers)

    def closing_notes(self) -> Sequence[str]:
        """Return the summary of several texts, unless it is the output."""
        summary = self._summarizer.summary
        if self._is_aggregate or summary is None or summary.counts.count < 2:
            return []
        return probe_summary_lines(summary)
