"""A folder of Parquet shards and the manifest that lists them. Each shard appears whole or not at all."""

import hashlib
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, BinaryIO, Protocol

from bertcli.errors import OutputError
from bertcli.input.records import FailedText
from bertcli.output.files.arrow_file import STRING, id_type_of
from bertcli.output.files.atomic import atomic_file
from bertcli.output.files.lock import LOCK
from bertcli.output.files.manifest import MANIFEST, save_manifest, shard_name
from bertcli.output.records import RecordWriter
from bertcli.pipeline.shards import ShardBoundaries
from bertcli.results.corpus import Manifest, Shard
from bertcli.results.precision import Precision
from bertcli.storage import AnyPath, size_of

_SHARD_PATTERN = "shard-*.parquet"


class ShardFile(RecordWriter, Protocol):
    """Writer of the Parquet file of a shard."""

    @property
    def id_type(self) -> str | None:
        """Type of the ids, int64 or string, None if not known yet."""


class ShardLayout(Protocol):
    """Columns of the shards of a run."""

    def open_writer(self, stream: BinaryIO, id_type: str | None) -> ShardFile:
        """Return the writer of a file.

        Args:
            stream: The file.
            id_type: Type of the ids, int64 or string, None if not known yet.
        """


class ShardWriter:
    """Writer of one shard. An exit from its context before `finish` must be with an error, and leaves no file."""

    def __init__(self, folder: AnyPath, number: int, layout: ShardLayout, id_type: str | None) -> None:
        """Open a temporary file for the shard.

        Args:
            folder: The folder of shards.
            number: Number of the shard, from 0.
            layout: The columns.
            id_type: Type of the ids, int64 or string, None if not known yet.
        """
        self._name = shard_name(number)
        self._stack = ExitStack()
        self._file = _HashingFile(self._stack.enter_context(atomic_file(folder / self._name)))
        self._writer = layout.open_writer(self._file, id_type)  # type: ignore[arg-type]  # pyarrow needs no more
        self.rows = self._skipped = 0

    @property
    def id_type(self) -> str | None:
        """Type of the ids, int64 or string, None if not known yet."""
        return self._writer.id_type

    def __enter__(self) -> "ShardWriter":
        return self

    def __exit__(self, *error: Any) -> None:
        self._stack.__exit__(*error)

    def write(self, record: Any) -> None:
        """Add the record of a text."""
        self._writer.write(record)
        self.rows += 1

    def skip(self, failed: FailedText) -> None:
        """Add the row of a failed text."""
        self._writer.skip(failed)
        self.rows += 1
        self._skipped += 1

    def finish(self, input_sha256: str) -> Shard:
        """Complete the file, move it to its final name, and return its entry for the manifest.

        Args:
            input_sha256: Hash of the texts and ids of the shard.
        """
        self._writer.finish()
        self._stack.close()
        file = self._file
        return Shard(self._name, self.rows, self._skipped, file.size, file.sha256.hexdigest(), input_sha256)


class ShardFolderWriter:
    """Writer of the records of a run into shards; see bertcli.output.records.RecordWriter.

    An exit from its context before `finish` removes the shard that is being written, and keeps the complete ones.

    Attributes:
        manifest: The complete shards so far.
    """

    def __init__(self, folder: AnyPath, manifest: Manifest, layout: ShardLayout, boundaries: ShardBoundaries) -> None:
        """Continue after the shards of a manifest.

        Args:
            folder: The folder.
            manifest: The shards that are complete already.
            layout: The columns.
            boundaries: The ends of the shards, which the texts of the records have passed.
        """
        self._folder, self._layout, self._boundaries = folder, layout, boundaries
        self.manifest = manifest
        self._rows = manifest.rows
        self._shard: ShardWriter | None = None

    def __enter__(self) -> "ShardFolderWriter":
        return self

    def __exit__(self, *error: Any) -> None:
        if self._shard is not None:
            self._shard.__exit__(*error if error[0] else (InterruptedError, InterruptedError(), None))

    def write(self, record: Any) -> None:
        """Add the record of a text."""
        self._current_shard().write(record)
        self._finish_full_shard()

    def skip(self, failed: FailedText) -> None:
        """Add the row of a failed text."""
        self._current_shard().skip(failed)
        self._finish_full_shard()

    def finish(self) -> None:
        """Complete the last shard, which may be smaller, and the manifest. Without records, write one empty shard."""
        if self._shard is not None or not self.manifest.shards:
            self._current_shard()
            self._finish_shard()
        self.manifest = replace(self.manifest, is_complete=True)
        save_manifest(self.manifest, self._folder)

    def add_precision(self, precision: Precision) -> None:
        """Add the distance from float32 to the manifest."""
        self.manifest = replace(self.manifest, precision=precision)
        save_manifest(self.manifest, self._folder)

    def _current_shard(self) -> ShardWriter:
        """Return the shard that is being written. Open the next one if there is none."""
        if self._shard is None:
            number = len(self.manifest.shards)
            self._shard = ShardWriter(self._folder, number, self._layout, self.manifest.id_type)
        return self._shard

    def _finish_full_shard(self) -> None:
        self._rows += 1
        if self._boundaries.ends_after(self._rows - 1):
            self._finish_shard()

    def _finish_shard(self) -> None:
        """Complete the shard that is being written, and add it to the manifest."""
        shard = self._current_shard()
        entry = shard.finish(self._boundaries.take(len(self.manifest.shards)).sha256)
        self.manifest = self.manifest.with_shard(entry, shard.id_type)
        self._shard = None
        save_manifest(self.manifest, self._folder)


def check_shards(folder: AnyPath, manifest: Manifest) -> None:
    """Check that the size and the hash of each shard, and the type of the ids, are those in the manifest.

    Raises:
        OutputError: A shard is missing or damaged, or differs from the manifest.
    """
    path = folder
    for shard in manifest.shards:
        path = folder / shard.file
        if not path.is_file():
            raise OutputError(
                f"{path} is missing, although {MANIFEST} lists it",
                hint="put the file back, start over with --force, or name another folder",
            )
        if size_of(path) != shard.bytes or _sha256(path) != shard.sha256:
            raise _differs(path)
    # The ids of the last shard have the type of all.
    if manifest.shards and id_type_of(path) not in (None, manifest.id_type or STRING):
        raise _differs(path)


def _differs(shard: AnyPath) -> OutputError:
    return OutputError(
        f"{shard} differs from its entry in {MANIFEST}: it is damaged, or has been changed",
        hint="start over with --force, or name another folder",
    )


def remove_shards(folder: AnyPath) -> None:
    """Remove all files of bertcli from the folder.

    The manifest is removed first, since shards without a manifest are ignored.
    """
    for path in [folder / MANIFEST, *folder.glob(_SHARD_PATTERN), *_temporary_files(folder)]:
        path.unlink(missing_ok=True)


def remove_leftovers(folder: AnyPath, manifest: Manifest) -> None:
    """Remove the leftovers of a killed run: temporary files, and shards that the manifest does not list."""
    listed = {shard.file for shard in manifest.shards}
    unlisted = [path for path in folder.glob(_SHARD_PATTERN) if path.name not in listed]
    for path in [*_temporary_files(folder), *unlisted]:
        path.unlink(missing_ok=True)


def has_content(folder: AnyPath) -> bool:
    """Return True if the folder contains anything except the lock and temporary files of bertcli."""
    ignored = {folder / LOCK, *_temporary_files(folder)}
    return any(path not in ignored for path in folder.iterdir())


def _temporary_files(folder: AnyPath) -> list[AnyPath]:
    return [path for name in (_SHARD_PATTERN, MANIFEST, LOCK) for path in folder.glob(f".{name}.*.part")]


def _sha256(path: AnyPath) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _HashingFile:
    """File that counts and hashes the bytes written to it.

    Attributes:
        sha256: Hash of the content so far.
        size: Bytes written so far.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.sha256 = hashlib.sha256()
        self.size = 0
        self.closed = False

    def write(self, content: Any) -> int:
        view = memoryview(content).cast("B")
        self.sha256.update(view)
        self._file.write(view)
        self.size += len(view)
        return len(view)

    def tell(self) -> int:
        return self.size

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        """Do nothing. The code that opened the file closes it."""

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False
