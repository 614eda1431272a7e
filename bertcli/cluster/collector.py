"""Collectors of a run on Ray: they take the results of tasks, and report progress."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from bertcli.analysis.precision import summarize_distances
from bertcli.choices import DtypeName
from bertcli.cluster.tasks import ShardResult, TaskResult, TotalResult
from bertcli.errors import OutputError
from bertcli.input.records import FailedText
from bertcli.output.files.manifest import save_manifest
from bertcli.output.messages import Reporter
from bertcli.pipeline.jobs import Total
from bertcli.pipeline.progress import RunCounts
from bertcli.pipeline.sample import Sample
from bertcli.results.corpus import Manifest, RunSummary, Shard
from bertcli.results.precision import Precision, TextDistance
from bertcli.storage import AnyPath, size_of


class Collector:
    """Counts the texts of tasks, and reports notes and progress.

    Args:
        reporter: Reports skipped texts, notes and progress.
        total_bytes: Bytes of the input, None if unknown.
        dtype: Number type that the workers compute in.
    """

    def __init__(self, reporter: Reporter, total_bytes: int | None, dtype: str = DtypeName.FLOAT32) -> None:
        self.dtype = dtype
        self._reporter, self._total_bytes = reporter, total_bytes
        self._counts = RunCounts()
        self._printed_notes: set[str] = set()
        self._distances: Sample[TextDistance] = Sample()
        self._skipped = 0
        self._started = time.monotonic()

    def report_notes(self, result: TaskResult) -> None:
        """Report the notes of a task."""
        for note in result.notes:
            if note not in self._printed_notes:  # every actor may report the same
                self._printed_notes.add(note)
                self._reporter.note(note)

    def count(self, result: TaskResult) -> None:
        """Count the texts of a task, and show the progress."""
        self._skipped += len(result.failed)
        self._counts.add(result.counts)
        for distance in result.distances:
            self._distances.add(distance)
        if self._reporter.is_shown:
            self._reporter.show(self.summary(), result.read_bytes, self._total_bytes)

    def report_unknown(self, unk_token: str) -> None:
        """Report tokens that the model does not know.

        Args:
            unk_token: The spelling of [UNK] in the vocabulary.
        """
        note = self._counts.note_on_unknown(unk_token)
        if note is not None:
            self._reporter.note(note)

    @property
    def precision(self) -> Precision | None:
        """The distance from float32, of a sample of the texts that the workers compared. None in float32."""
        return summarize_distances(self._distances.items())

    def summary(self) -> RunSummary:
        """Return the summary of the run so far."""
        return self._counts.summary(self._skipped, time.monotonic() - self._started)


class ManifestCollector(Collector):
    """Collects the shards of a run, in the order of the input.

    Args:
        folder: Where the shards are.
        manifest: The shards that were finished before.
        reporter: As for Collector, as are total_bytes and dtype.
    """

    def __init__(
        self,
        folder: AnyPath,
        manifest: Manifest,
        reporter: Reporter,
        total_bytes: int | None,
        dtype: str = DtypeName.FLOAT32,
    ) -> None:
        super().__init__(reporter, total_bytes, dtype)
        self.folder, self.manifest = folder, manifest

    def add(self, result: TaskResult) -> None:
        """Add a shard that has been written.

        Raises:
            OutputError: The shard is not in the folder, as seen from this machine.
        """
        assert isinstance(result, ShardResult)
        for text in result.failed:
            self._reporter.report_skipped(text)
        self.report_notes(result)
        _check_exists(self.folder, result.shard)
        self.manifest = self.manifest.with_shard(result.shard, result.id_type)
        save_manifest(self.manifest, self.folder)
        self.count(result)

    def finish(self, unk_token: str) -> None:
        """Mark the manifest as complete, and report tokens that the model does not know.

        Args:
            unk_token: The spelling of [UNK] in the vocabulary.
        """
        precision = self.precision or self.manifest.precision
        self.manifest = replace(self.manifest, is_complete=True, precision=precision)
        save_manifest(self.manifest, self.folder)
        self.report_unknown(unk_token)


class TotalCollector(Collector):
    """Merges the sums of tasks.

    Attributes:
        total: The sums over the texts so far.

    Args:
        total: Sums over no text.
        reporter: As for Collector, as are total_bytes and dtype.
    """

    def __init__(
        self, total: Total, reporter: Reporter, total_bytes: int | None, dtype: str = DtypeName.FLOAT32
    ) -> None:
        super().__init__(reporter, total_bytes, dtype)
        self.total: Any = total

    def failed_texts(self, results: Iterable[TaskResult]) -> Iterator[FailedText]:
        """Merge the sums of all tasks, and yield their failed texts as they come."""
        for result in results:
            assert isinstance(result, TotalResult)
            self.report_notes(result)
            yield from result.failed
            self.total.merge(result.total)
            self.count(result)


def _check_exists(folder: AnyPath, shard: Shard) -> None:
    path = folder / shard.file
    if isinstance(path, Path) and not (path.is_file() and size_of(path) == shard.bytes):
        raise OutputError(
            f"{path} was written on another machine",
            hint="use a folder that every node can reach, such as s3://bucket/folder/",
        )
