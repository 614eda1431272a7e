"""What texts are read from: each file, or standard input, in its format."""

import errno
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

from bertcli.choices import InputFormat
from bertcli.errors import BadInput, WrongUsage
from bertcli.input.records import STDIN, TEXT_FIELD, TextSource
from bertcli.input.rows import Fields, Rows, json_rows, line_rows, table_rows
from bertcli.input.streams import ByteStream, FileStream, LineStream, is_compressed, refuse_compressed
from bertcli.storage import AnyPath, RemotePath, size_of

_SUFFIXES = {
    ".jsonl": InputFormat.JSONL,
    ".ndjson": InputFormat.JSONL,
    ".json": InputFormat.JSONL,
    ".csv": InputFormat.CSV,
    ".tsv": InputFormat.TSV,
    ".parquet": InputFormat.PARQUET,
    ".pq": InputFormat.PARQUET,
}
_PATTERN = frozenset("*?[")


class OpenInput(Protocol):
    """An input that is being read."""

    @property
    def position(self) -> int:
        """How many bytes of the file have been read."""

    def estimate_bytes(self) -> int:
        """How much text there is, as far as that is known without waiting for it, or roughly."""

    def rows(self) -> Rows:
        """Its rows, in lists of what is there."""


@dataclass(frozen=True, slots=True)
class Input:
    """A file, None for standard input, and how it holds texts."""

    path: AnyPath | None
    format: InputFormat
    fields: Fields

    @property
    def name(self) -> str:
        """What messages call it."""
        return "standard input" if self.path is None else str(self.path)

    @property
    def size(self) -> int | None:
        """How many bytes there are to read, None where that is not known before its end."""
        if isinstance(self.path, RemotePath):
            return self.path.size()
        status = os.fstat(sys.stdin.fileno()) if self.path is None else self.path.stat()
        return status.st_size if stat.S_ISREG(status.st_mode) else None

    def open(self) -> OpenInput:
        """Begin to read it. Raises OSError, Unreachable, MissingPackage."""
        if self.format == InputFormat.PARQUET and self.path is not None:
            from bertcli.input.parquet import ParquetTexts

            return ParquetTexts(self.path, self.fields)
        return _Lines(self._stream(), self)

    def _stream(self) -> LineStream:
        if self.path is None:
            return ByteStream(sys.stdin.fileno())
        if isinstance(self.path, Path) and not is_compressed(self.path):
            return ByteStream(os.open(self.path, os.O_RDONLY))
        return FileStream(self.path)


class _Lines:
    """An input of lines, whatever stands on them."""

    def __init__(self, stream: LineStream, about: Input) -> None:
        self._stream, self._about = stream, about

    @property
    def position(self) -> int:
        return self._stream.position

    def estimate_bytes(self) -> int:
        return self._stream.estimate_bytes()

    def rows(self) -> Rows:
        about, windows = self._about, refuse_compressed(self._stream.lines(), self._about.name)
        if about.format == InputFormat.JSONL:
            return json_rows(windows, about.fields)
        if about.format in (InputFormat.CSV, InputFormat.TSV):
            return table_rows(windows, about.fields, about.name, "," if about.format == InputFormat.CSV else "\t")
        return line_rows(windows)


def find_inputs(source: TextSource) -> Sequence[Input]:
    """The inputs that the user named, patterns as the files they stand for.

    Raises OSError, BadInput, WrongUsage, Unreachable.
    """
    paths = [each for path in source.files for each in _matching(path)] or [None]
    return [_input(path, source) for path in paths]


def _input(path: AnyPath | None, source: TextSource) -> Input:
    if path is not None and path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if path is not None:
        size_of(path)  # a file that is not there is an error before any is read
    found = _format(path, source)
    if found == InputFormat.TEXT and (source.field is not None or source.id_field is not None):
        option = "--field" if source.field is not None else "--id-field"
        name = "standard input" if path is None else str(path)
        raise WrongUsage(
            f"{name} has a text on each line, and no fields for {option}",
            hint="leave it out, or say what the input is with --input-format jsonl, csv, tsv or parquet",
        )
    if found == InputFormat.PARQUET and (path is None or not path.is_file()):
        raise WrongUsage("Parquet is read from a file, not from a stream", hint="write it to a file first")
    return Input(path, found, Fields(source.field or TEXT_FIELD, source.id_field))


def _format(path: AnyPath | None, source: TextSource) -> InputFormat:
    if source.format != InputFormat.AUTO:
        return source.format
    if path is None:
        return InputFormat.TEXT
    name = PurePosixPath(path.name)
    name = name.with_suffix("") if is_compressed(path) else name
    found = _SUFFIXES.get(name.suffix.lower(), InputFormat.TEXT)
    # Two sentences to a line have long been called a .tsv; they have no header.
    is_pairs = found == InputFormat.TSV and source.pairs and source.field is None
    return InputFormat.TEXT if is_pairs else found


def _matching(path: AnyPath) -> Iterator[AnyPath | None]:
    if str(path) == STDIN:
        yield None
    elif isinstance(path, RemotePath):
        is_pattern = path.is_pattern and not path.exists()
        yield from _found(path, path.matching() if is_pattern else [path])
    elif path.exists() or not _PATTERN & set(str(path)):
        yield path
    else:
        from glob import glob

        found = sorted(glob(str(path), recursive=True))  # noqa: PTH207 - Path.glob takes no absolute pattern
        yield from _found(path, [Path(each) for each in found])


def _found(pattern: AnyPath, paths: Sequence[AnyPath]) -> Sequence[AnyPath]:
    if not paths:
        raise BadInput(f"no file fits the pattern {pattern}", hint="check it, and the folder that it begins with")
    return paths
