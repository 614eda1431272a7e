"""Report of the distance of a run in reduced precision from float32."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from bertcli.model.session import are_sessions_kept
from bertcli.output.formatting import counted
from bertcli.output.schema import Schema, jsonable, with_closing
from bertcli.output.sink import Sink
from bertcli.pipeline.scheduler import Run
from bertcli.results.precision import Precision


def with_precision(schema: Schema[Any], run: Run) -> Schema[Any]:
    """Return a schema that closes JSON with the precision of a run, if the run has reduced precision."""
    return with_closing(schema, partial(_keys, run)) if run.session.is_reduced else schema


def report_precision(run: Run, sink: Sink) -> None:
    """Print how far a run in reduced precision was from float32. A dialogue, a run for each line, prints nothing."""
    if run.session.is_reduced and not sink.reporter.is_quiet and not are_sessions_kept() and run.precision is not None:
        sink.reporter.report(f"{run.session.engine_choice.dtype}: {describe(run.precision)}")


def describe(precision: Precision) -> str:
    """Return the distance from float32 in words."""
    found = (
        f"cosine to float32 mean {precision.mean_cosine:.5f}, min {precision.min_cosine:.5f} "
        f"over {counted(precision.texts, 'text')}"
    )
    if precision.masks is None:
        return found
    assert precision.same_top is not None
    return (
        f"{found}; {100 * precision.same_top:.1f} % equal top predictions of {counted(precision.masks, 'mask')}, "
        f"probabilities within {precision.max_difference:.2g}"
    )


def _keys(run: Run) -> Mapping[str, Any]:
    return {"precision": jsonable(run.precision)}
