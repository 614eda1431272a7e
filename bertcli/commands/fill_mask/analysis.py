"""An analysis of fill-mask, ready to run, and how often its texts go through the model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import field
from functools import partial
from typing import TYPE_CHECKING, Any

from bertcli.commands.attributions import HEAD_PASSES
from bertcli.lazy_dataclass import dataclass
from bertcli.model.engine_choice import BYTES_PER_TOKEN

if TYPE_CHECKING:
    from bertcli.commands.fill_mask.request import FillMaskRequest
    from bertcli.input.records import FailedText, Window
    from bertcli.model.batching import Batch
    from bertcli.output.records import BinaryWriters
    from bertcli.output.schema import Schema
    from bertcli.pipeline.documents import Check, DocumentPlan
    from bertcli.results.masks import FillMaskRecord
    from bertcli.results.texts import RunInfo


# Rough number of steps of --joint, each of which runs the whole beam.
_BEAM_STEPS = 20
# Rough number of passes of --pieces 1-3: two beams of words of three pieces, one of words of two, and a few more.
_WORD_PASSES = 80


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
        parts: Number of texts that divide makes of each.
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
    parts: int = 1
    join: Callable[[Iterable[FillMaskRecord | FailedText]], Iterator[Any]] | None = None
    closing_notes: Callable[[], Sequence[str]] = list


def passes_of(request: FillMaskRequest) -> Callable[[int], float]:
    """Return a function that estimates how often a text of that many bytes goes through the model."""
    # With --only-words, few tokens are masked.
    return partial(_estimate_passes, "" if request.pairs.only_words is not None else request.analysis)


def _estimate_passes(analysis: str, size: int) -> float:
    """Estimate how often a text goes through the model.

    Args:
        analysis: The option that names the analysis, empty for the default one.
        size: Bytes of the text.
    """
    tokens = max(size / BYTES_PER_TOKEN, 1)
    passes = {
        "--score": tokens,
        "--mutual": tokens * (tokens + 1) / 2,
        "--joint": _BEAM_STEPS,
        "--pieces": _WORD_PASSES,
        "--head-effects": HEAD_PASSES,
        "--attribute": tokens,
    }
    return passes.get(analysis, 1)
