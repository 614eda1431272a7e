"""Report of the distance of a run in reduced precision from float32."""

from collections.abc import Mapping
from functools import partial
from math import ceil, log10
from typing import Any, Protocol

from bertcli.choices import DtypeName
from bertcli.model.session import are_sessions_kept
from bertcli.output.formatting import counted
from bertcli.output.schema import Schema, jsonable, with_closing
from bertcli.output.sink import Sink
from bertcli.results.precision import Precision

_FEWEST_DIGITS = 5
# A distance below it is the rounding of float64.
_NO_DISTANCE = 1e-12


class MeasuredRun(Protocol):
    """A run that knows its distance from float32 once it has ended."""

    @property
    def dtype(self) -> str:
        """Number type of the computation."""

    @property
    def precision(self) -> Precision | None:
        """The distance; None in float32, or if no text could be compared."""


def with_precision(schema: Schema[Any], run: MeasuredRun) -> Schema[Any]:
    """Return a schema that closes JSON with the precision of a run, if the run has reduced precision."""
    return schema if run.dtype == DtypeName.FLOAT32 else with_closing(schema, partial(_keys, run))


def report_precision(run: MeasuredRun, sink: Sink) -> None:
    """Print how far a run in reduced precision was from float32. A dialogue, a run for each line, prints nothing."""
    # In this order, since the distance is measured when it is needed first.
    if run.dtype == DtypeName.FLOAT32 or sink.reporter.is_quiet or are_sessions_kept() or run.precision is None:
        return
    sink.reporter.report(f"{run.dtype}: {describe(run.precision)}")


def describe(precision: Precision) -> str:
    """Return the distance from float32 in words."""
    found = (
        f"cosine to float32 mean {_cosine(precision.mean_cosine)}, min {_cosine(precision.min_cosine)} "
        f"over {counted(precision.texts, 'text')}"
    )
    if precision.masks is None:
        return found
    assert precision.same_top is not None
    equal = round(precision.same_top * precision.masks)
    return (
        f"{found}; same top prediction for {equal:,} of {counted(precision.masks, 'mask')}, "
        f"probabilities within {precision.max_difference:.2g}"
    )


def _cosine(cosine: float) -> str:
    """Return a cosine with five decimals, or with more if it would be shown as 1 otherwise."""
    if 1 - cosine < _NO_DISTANCE:
        return "1"
    digits = max(ceil(-log10(1 - cosine)), _FEWEST_DIGITS)
    return f"{cosine:.{digits}f}"


def _keys(run: MeasuredRun) -> Mapping[str, Any]:
    return {"precision": jsonable(run.precision)}
