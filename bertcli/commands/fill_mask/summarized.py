"""Records of fill-mask that have a summary: minimal pairs, and texts that have an expected word."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from bertcli.analysis.statistics import Counter, Summarizer

if TYPE_CHECKING:
    from bertcli.commands.fill_mask.request import FillMaskRequest
    from bertcli.output.schema import Schema
    from bertcli.results.texts import RunInfo


class SummarizedRecords:
    """Records with their summary in a note at the end, or their summary alone with --aggregate.

    Args:
        request: The options.
        make_counter: Returns a new counter of the records.
        schema: Returns the schema of the records, given the run and the fields of --group-by.
        summary_schema: Returns the schema of their summary, given the same.
        summary_lines: Returns the lines of the summary that follows the records.
    """

    def __init__(
        self,
        request: FillMaskRequest,
        make_counter: Callable[[], Counter[Any]],
        schema: Callable[[RunInfo, Sequence[str]], Schema[Any]],
        summary_schema: Callable[[RunInfo, Sequence[str]], Schema[Any]],
        summary_lines: Callable[[Any], Sequence[str]],
    ) -> None:
        self._group_fields, self._is_aggregate = request.group_fields, request.pairs.aggregate
        self._schema = summary_schema if self._is_aggregate else schema
        self._summary_lines = summary_lines
        self._summarizer: Summarizer[Any, Any] = Summarizer(make_counter, has_groups=bool(self._group_fields))

    def schema(self, info: RunInfo) -> Schema[Any]:
        """Return the schema of the records that `choose` yields."""
        return self._schema(info, self._group_fields)

    def choose(self, records: Iterable[Any]) -> Iterator[Any]:
        """Yield the records, or their summary alone. Failed texts are yielded in both cases."""
        return self._summarizer.aggregate(records) if self._is_aggregate else self._summarizer.count(records)

    def closing_notes(self) -> Sequence[str]:
        """Return the summary of several records, unless it is the output."""
        summary = self._summarizer.summary
        if self._is_aggregate or summary is None or summary.counts.count < 2:
            return []
        return self._summary_lines(summary)
