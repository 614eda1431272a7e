"""A folder of Parquet shards, each written completely or not at all, and the manifest that lists them."""

import hashlib
import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, replace
from typing import Any, BinaryIO

from bertcli import __version__
from bertcli.errors import OutputError
from bertcli.input.records import FailedText
from bertcli.output.files.atomic import replacing
from bertcli.output.files.parquet import ParquetLayout, ParquetWriter
from bertcli.results.corpus import Manifest, Shard
from bertcli.storage import AnyPath, size_of

_PATTERN = "shard-*.parquet"


def shard_name(number: int) -> str:
    """Return the file name of a shard. Numbers start at 0."""
    return f"shard-{number:05}.parquet"


class ShardWriter:
    """Writer of one shard, row by row. Without `finish` it leaves no file."""

    def __init__(self, folder: AnyPath, number: int, layout: ParquetLayout, id_type: str | None) -> None:
        self._name = shard_name(number)
        self._stack = ExitStack()
        self._file = _Hashing(self._stack.enter_context(replacing(folder / self._name)))
        self._writer = ParquetWriter(self._file, layout, id_type)  # type: ignore[arg-type]  # it has the methods that pyarrow calls
        self.rows = self._skipped = 0

    @property
    def id_type(self) -> str | None:
        """Type of the ids; None if not known yet."""
        return self._writer.id_type

    def __enter__(self) -> "ShardWriter":
        return self

    def __exit__(self, *error: Any) -> None:
        self._stack.__exit__(*error)

    def write(self, record: Any) -> None:
        """Write a row."""
        self._writer.write(record)
        self.rows += 1

    def skip(self, missing: FailedText) -> None:
        """Write the row of a failed text."""
        self._writer.skip(missing)
        self.rows += 1
        self._skipped += 1

    def finish(self, input_sha256: str) -> Shard:
        """Complete the file, move it to its name, and return its entry for the manifest."""
        self._writer.finish()
        self._stack.close()
        file = self._file
        return Shard(self._name, self.rows, self._skipped, file.count, file.sha256.hexdigest(), input_sha256)


class ShardsWriter:
    """Writer of the records of a run into shards; see bertcli.output.records.RecordWriter.

    Attributes:
        manifest: Manifest of the complete shards.
    """

    def __init__(
        self, folder: AnyPath, manifest: Manifest, layout: ParquetLayout, input_sha256: Callable[[int], str]
    ) -> None:
        """Continue the folder after the shards of a manifest.

        Args:
            folder: The folder.
            manifest: Manifest of the complete shards.
            layout: Columns of the shards.
            input_sha256: Returns the hash of the texts of a shard, by its number. Called when the shard is full.
        """
        self._folder, self._layout, self._input_sha256 = folder, layout, input_sha256
        self.manifest = manifest
        self._shard: ShardWriter | None = None

    def __enter__(self) -> "ShardsWriter":
        return self

    def __exit__(self, *error: Any) -> None:
        if self._shard is not None:
            self._shard.__exit__(*error if error[0] else (InterruptedError, InterruptedError(), None))

    def write(self, record: Any) -> None:
        """Write a row into the current shard."""
        self._current().write(record)
        self._end_if_full()

    def skip(self, missing: FailedText) -> None:
        """Write the row of a failed text, which has only an id."""
        self._current().skip(missing)
        self._end_if_full()

    def finish(self) -> None:
        """Complete the last shard, which may be smaller, and the manifest."""
        if self._shard is not None or not self.manifest.shards:
            self._current()
            self._end_shard()
        self.manifest = replace(self.manifest, is_complete=True)
        save_manifest(self.manifest, self._folder)

    def _current(self) -> ShardWriter:
        if self._shard is None:
            number = len(self.manifest.shards)
            self._shard = ShardWriter(self._folder, number, self._layout, self.manifest.id_type)
        return self._shard

    def _end_if_full(self) -> None:
        if self._current().rows == self.manifest.shard_rows:
            self._end_shard()

    def _end_shard(self) -> None:
        shard = self._current()
        entry = shard.finish(self._input_sha256(len(self.manifest.shards)))
        self.manifest = self.manifest.with_shard(entry, shard.id_type)
        self._shard = None
        save_manifest(self.manifest, self._folder)


def check_shards(folder: AnyPath, manifest: Manifest) -> None:
    """Check that the shards are as the manifest describes them: the sizes of all, and the hash of the last.

    Raises:
        OutputError: A shard is missing or has changed.
    """
    for number, shard in enumerate(manifest.shards, 1):
        path = folder / shard.file
        is_last = number == len(manifest.shards)
        if not path.is_file() or size_of(path) != shard.bytes or (is_last and _sha256(path) != shard.sha256):
            raise OutputError(
                f"{path} is missing, or differs from its entry in {MANIFEST}",
                hint="start over with --force, or name another folder",
            )


def remove_shards(folder: AnyPath) -> None:
    """Remove the files that bertcli has written to the folder. The manifest goes first: without it no shard counts."""
    for path in [folder / MANIFEST, *folder.glob(_PATTERN), *_parts(folder)]:
        path.unlink(missing_ok=True)


def remove_parts(folder: AnyPath, manifest: Manifest) -> None:
    """Remove what a killed run has left: partial files, and a shard that the manifest does not list."""
    named = {shard.file for shard in manifest.shards}
    for path in [*_parts(folder), *(path for path in folder.glob(_PATTERN) if path.name not in named)]:
        path.unlink(missing_ok=True)


def is_in_use(folder: AnyPath) -> bool:
    """Return True if the folder holds anything but partial files of bertcli."""
    parts = set(_parts(folder))
    return any(path not in parts for path in folder.iterdir())


def _parts(folder: AnyPath) -> list[AnyPath]:
    return [path for name in (_PATTERN, MANIFEST) for path in folder.glob(f".{name}.*.part")]


def _sha256(path: AnyPath) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _Hashing:
    """A file that counts and hashes the bytes written to it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.sha256 = hashlib.sha256()
        self.count = 0
        self.closed = False

    def write(self, content: Any) -> int:
        view = memoryview(content).cast("B")
        self.sha256.update(view)
        self._file.write(view)
        self.count += len(view)
        return len(view)

    def tell(self) -> int:
        return self.count

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        """Do nothing: the caller that opened the file closes it."""

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False


MANIFEST = "manifest.json"
_SCHEMA = 1


def save_manifest(manifest: Manifest, folder: AnyPath) -> None:
    """Write the manifest of a folder, replacing the one before. It is on the disk when this returns.

    Raises:
        OSError, Unreachable: The file cannot be written.
    """
    content = {
        "schema": _SCHEMA,
        "bertcli": __version__,
        **manifest.about,
        "shard_rows": manifest.shard_rows,
        "id_type": manifest.id_type,
        "complete": manifest.is_complete,
        "rows": manifest.rows,
        "skipped": manifest.skipped,
        "shards": [asdict(shard) for shard in manifest.shards],
    }
    with replacing(folder / MANIFEST) as file:
        file.write(json.dumps(content, ensure_ascii=False, indent=1).encode() + b"\n")


def load_manifest(folder: AnyPath) -> Manifest | None:
    """Read the manifest of a folder. Return None if it has none.

    Raises:
        OutputError: The file is not a manifest of bertcli.
    """
    path = folder / MANIFEST
    try:
        content = json.loads(path.read_bytes())
        shards = tuple(Shard(**shard) for shard in content.pop("shards"))
        written = {name: content.pop(name) for name in ("schema", "bertcli", "rows", "skipped")}
        if written["schema"] != _SCHEMA or written["rows"] != sum(shard.rows for shard in shards):
            raise ValueError
        shard_rows, id_type, is_complete = (content.pop(name) for name in ("shard_rows", "id_type", "complete"))
        return Manifest(content, shard_rows, shards, id_type, is_complete)
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise OutputError(f"{path} is not a manifest of bertcli", hint="name another folder") from None
