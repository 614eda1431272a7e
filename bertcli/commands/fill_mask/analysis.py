"""An analysis of fill-mask, ready to run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Any

from bertcli.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from bertcli.input.records import FailedText, Window
    from bertcli.model.batching import Batch
    from bertcli.output.records import BinaryWriters
    from bertcli.output.schema import Schema
    from bertcli.pipeline.documents import Check, DocumentPlan
    from bertcli.results.masks import FillMaskRecord
    from bertcli.results.texts import RunInfo


@dataclass(frozen=True, slots=True)
class FillMaskAnalysis:
    """An analysis, ready to run.

    Attributes:
        compute: Returns the records of a batch.
        check: Returns a FailedText for a text that the analysis cannot take.
        schema: Returns how the records are shown.
        batch_tokens: Token budget of a batch, if it is smaller than the session's.
        is_large: A record holds a matrix.
        binary_writers: Writers of binary files.
        notes: Notes for formats that are not a table; a table shows them itself.
        documents: How texts that are longer than the limit are read. None if the analysis does not read windows.
        divide: Returns the texts to compute for the texts of the input. None if they are the same.
        join: Returns the records to show for the answers. None if they are the same.
        closing_notes: Returns the notes to print after the last record.
    """

    compute: Callable[[Batch], Sequence[FillMaskRecord]]
    check: Check
    schema: Callable[[RunInfo], Schema[Any]]
    batch_tokens: int | None = None
    is_large: bool = False
    binary_writers: BinaryWriters = field(default_factory=dict)
    notes: Sequence[str] = ()
    documents: DocumentPlan[FillMaskRecord] | None = None
    divide: Callable[[Iterable[Window]], Iterator[Window]] | None = None
    join: Callable[[Iterable[FillMaskRecord | FailedText]], Iterator[Any]] | None = None
    closing_notes: Callable[[], Sequence[str]] = list
