"""Collector of a run on Ray, which puts the results of shards into the manifest and reports progress."""

import time
from dataclasses import replace
from pathlib import Path

from bertcli.cluster.tasks import ShardResult
from bertcli.errors import OutputError
from bertcli.output.files.manifest import save_manifest
from bertcli.output.messages import Reporter
from bertcli.pipeline.progress import RunCounts
from bertcli.results.corpus import Manifest, RunSummary, Shard
from bertcli.storage import AnyPath, size_of


class ManifestCollector:
    """Collects the shards of a run, in the order of the input.

    Args:
        folder: Where the shards are.
        manifest: The shards that were finished before.
        reporter: Reports skipped texts, notes and progress.
        total_bytes: Bytes of the input, None if unknown.
    """

    def __init__(self, folder: AnyPath, manifest: Manifest, reporter: Reporter, total_bytes: int | None) -> None:
        self.folder, self.manifest = folder, manifest
        self._reporter, self._total_bytes = reporter, total_bytes
        self._counts = RunCounts()
        self._printed_notes: set[str] = set()
        self._skipped = 0
        self._started = time.monotonic()

    def add(self, result: ShardResult) -> None:
        """Add a shard that has been written.

        Raises:
            OutputError: The shard is not in the folder, as seen from this machine.
        """
        for text in result.failed:
            self._reporter.report_skipped(text)
        for note in result.notes:
            if note not in self._printed_notes:  # every actor may report the same
                self._printed_notes.add(note)
                self._reporter.note(note)
        _check_exists(self.folder, result.shard)
        self.manifest = self.manifest.with_shard(result.shard, result.id_type)
        save_manifest(self.manifest, self.folder)
        self._skipped += len(result.failed)
        self._counts.add(result.counts)
        if self._reporter.is_shown:
            self._reporter.show(self.summary(), result.read_bytes, self._total_bytes)

    def finish(self, unk_token: str) -> None:
        """Mark the manifest as complete, and report tokens that the model does not know.

        Args:
            unk_token: The spelling of [UNK] in the vocabulary.
        """
        self.manifest = replace(self.manifest, is_complete=True)
        save_manifest(self.manifest, self.folder)
        note = self._counts.note_on_unknown(unk_token)
        if note is not None:
            self._reporter.note(note)

    def summary(self) -> RunSummary:
        """Return the summary of the run so far."""
        return self._counts.summary(self._skipped, time.monotonic() - self._started)


def _check_exists(folder: AnyPath, shard: Shard) -> None:
    path = folder / shard.file
    if isinstance(path, Path) and not (path.is_file() and size_of(path) == shard.bytes):
        raise OutputError(
            f"{path} was written on another machine",
            hint="use a folder that every node can reach, such as s3://bucket/folder/",
        )
