"""Reports of a run into a folder: its notes, how much is saved if it ends early, and what a resumed run found done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from bertcli.errors import BertcliError
from bertcli.output.files.manifest import load_manifest
from bertcli.output.formatting import counted
from bertcli.output.sink import Sink
from bertcli.pipeline.jobs import TextJob
from bertcli.results.corpus import Manifest

if TYPE_CHECKING:
    from bertcli.storage import AnyPath


def note_all(job: TextJob, sink: Sink) -> None:
    """Print the notes of a job."""
    for note in job.notes:
        sink.reporter.note(note)


@contextmanager
def report_early_end(folder: AnyPath, started: Manifest | None, sink: Sink) -> Iterator[None]:
    """Report how much is saved, and how to continue, if the context is left by an interrupt or an error.

    Args:
        folder: The folder that is written.
        started: The manifest of the run that is resumed, None for a new run.
        sink: Where the report goes.
    """
    try:
        yield
    except KeyboardInterrupt:
        with suppress(BertcliError, OSError):
            sink.reporter.note_if_interrupted(_describe_saved(_saved_rows(folder), folder))
        raise
    except (BertcliError, OSError, MemoryError):
        with suppress(BertcliError, OSError):
            rows = _saved_rows(folder)
            if rows > (0 if started is None else started.rows):
                sink.reporter.note(_describe_saved(rows, folder))
        raise


def report_resumed(started: Manifest | None, sink: Sink) -> None:
    """Report how many rows a resumed run found done."""
    if started is not None:
        were = "was" if started.rows == 1 else "were"
        sink.reporter.note(f"resumed: {counted(started.rows, 'row')} {were} already done")


def _saved_rows(folder: AnyPath) -> int:
    manifest = load_manifest(folder)
    return 0 if manifest is None else manifest.rows


def _describe_saved(rows: int, folder: AnyPath) -> str:
    if not rows:
        return "no shard is complete, so nothing is saved; start again with the same command"
    are = "is" if rows == 1 else "are"
    return f"{counted(rows, 'row')} {are} saved in {folder}/; continue with the same command and --resume"
