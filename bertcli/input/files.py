"""Inputs: the files, or standard input, that texts are read from, each with its format."""

import errno
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Protocol

from bertcli.choices import InputFormat
from bertcli.errors import BadInput, WrongUsage
from bertcli.input.file_types import STANDARD_INPUT, encoding_hint, refuse_other_types, refuse_suffix
from bertcli.input.records import STDIN, TEXT_FIELD, TextSource
from bertcli.input.rows import Fields, Rows, json_rows, line_rows
from bertcli.input.streams import ByteStream, FileStream, LineStream, is_compressed
from bertcli.lazy_dataclass import dataclass
from bertcli.quoting import printable_name
from bertcli.storage import WILDCARDS, AnyPath, RemotePath, size_of

_SUFFIXES = {
    ".jsonl": InputFormat.JSONL,
    ".ndjson": InputFormat.JSONL,
    ".json": InputFormat.JSONL,
    ".csv": InputFormat.CSV,
    ".tsv": InputFormat.TSV,
    ".parquet": InputFormat.PARQUET,
    ".pq": InputFormat.PARQUET,
}


class OpenInput(Protocol):
    """An input that is open for reading."""

    @property
    def position(self) -> int:
        """The number of bytes read from the file."""

    def estimate_bytes(self) -> int:
        """Estimate the size of the text in bytes, without waiting for its end."""

    def rows(self) -> Rows:
        """Yield the rows, in lists of those available."""

    def close(self) -> None:
        """Close the file."""


@dataclass(frozen=True, slots=True)
class Input:
    """A source of texts. path: None is standard input. fields: the fields or columns to read."""

    path: AnyPath | None
    format: InputFormat
    fields: Fields

    @property
    def name(self) -> str:
        """The name for messages."""
        return STANDARD_INPUT if self.path is None else printable_name(self.path)

    @property
    def size(self) -> int | None:
        """The number of bytes to read; None for a stream, whose end is not known."""
        if isinstance(self.path, RemotePath):
            return self.path.size()
        status = os.fstat(sys.stdin.fileno()) if self.path is None else self.path.stat()
        return status.st_size if stat.S_ISREG(status.st_mode) else None

    def open(self) -> OpenInput:
        """Open the input for reading.

        Raises:
            OSError, Unreachable: The file cannot be read.
            MissingPackage: The format needs a package that is not installed.
        """
        if self.format == InputFormat.PARQUET and self.path is not None:
            from bertcli.input.parquet import ParquetTexts

            return ParquetTexts(self.path, self.fields)
        return _Lines(self._stream(), self)

    def _stream(self) -> LineStream:
        if self.path is None:
            return ByteStream(sys.stdin.fileno(), self.name, owns_descriptor=False)
        if isinstance(self.path, Path) and not is_compressed(self.path):
            return ByteStream(os.open(self.path, os.O_RDONLY), self.name, owns_descriptor=True)
        return FileStream(self.path)


class _Lines:
    """An open input in any of the formats made of lines."""

    def __init__(self, stream: LineStream, input_: Input) -> None:
        self._stream, self._input = stream, input_

    @property
    def position(self) -> int:
        return self._stream.position

    def estimate_bytes(self) -> int:
        return self._stream.estimate_bytes()

    def rows(self) -> Rows:
        format_, fields, path = self._input.format, self._input.fields, self._input.path
        windows, hint = refuse_other_types(self._stream.lines(), path), encoding_hint(path)
        if format_ == InputFormat.JSONL:
            return json_rows(windows, fields, hint)
        if format_ in (InputFormat.CSV, InputFormat.TSV):
            from bertcli.input.tables import table_rows

            return table_rows(windows, fields, self._input.name, "," if format_ == InputFormat.CSV else "\t", hint)
        return line_rows(windows, hint, ignores_blank=self._stream.is_terminal)

    def close(self) -> None:
        self._stream.close()


def find_inputs(source: TextSource) -> Sequence[Input]:
    """Find the inputs that the user names, and expand patterns. Without files it is standard input.

    Raises:
        OSError, Unreachable: A file cannot be read.
        BadInput: No file matches a pattern.
        WrongUsage: An option does not fit the format of an input, or standard input is named twice.
    """
    paths = [each for path in source.files for each in _matching(path)] or [None]
    if paths.count(None) > 1:
        raise WrongUsage("standard input (-) can be read only once", hint="give -f - once")
    return [_input(path, source) for path in paths]


def _input(path: AnyPath | None, source: TextSource) -> Input:
    if path is not None and path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if path is not None:
        size_of(path)  # raises for a missing file, before any file is read
        if source.format == InputFormat.AUTO:
            refuse_suffix(path)
    found = _format(path, source)
    versus = None if source.pairs else source.versus
    if found == InputFormat.TEXT and (option := _option_of_fields(source, versus)):
        name = STANDARD_INPUT if path is None else printable_name(path)
        advice = (
            "write A<TAB>B on each line and add --pairs --versus B" if option == "--versus" else f"leave {option} out"
        )
        raise WrongUsage(
            f"{name} is plain text, one text a line, and has no fields for {option}",
            hint=f"{advice}, or give the format with --input-format jsonl, csv, tsv or parquet",
        )
    if found == InputFormat.PARQUET and (path is None or not path.is_file()):
        raise WrongUsage("Parquet cannot be read from a stream", hint="save it to a file first")
    return Input(
        path, found, Fields(source.field or TEXT_FIELD, source.id_field, versus, source.group_by, source.target_field)
    )


def _option_of_fields(source: TextSource, versus: str | None) -> str:
    """Return the first option that names a field, or "" if none does."""
    given = {
        "--field": source.field is not None,
        "--id-field": source.id_field is not None,
        "--versus": versus is not None,
        "--target-field": source.target_field is not None,
        "--group-by": bool(source.group_by),
    }
    return next((option for option, is_given in given.items() if is_given), "")


def _format(path: AnyPath | None, source: TextSource) -> InputFormat:
    if source.format != InputFormat.AUTO:
        return source.format
    if path is None:
        return InputFormat.TEXT
    name = PurePosixPath(path.name)
    name = name.with_suffix("") if is_compressed(path) else name
    found = _SUFFIXES.get(name.suffix.lower(), InputFormat.TEXT)
    # Files with a pair of sentences on each line are often named .tsv. They have no header.
    is_pairs = found == InputFormat.TSV and source.pairs and source.field is None and not source.group_by
    return InputFormat.TEXT if is_pairs else found


def _matching(path: AnyPath) -> Iterator[AnyPath | None]:
    if str(path) == STDIN:
        yield None
    elif isinstance(path, RemotePath):
        is_pattern = path.is_pattern and not path.exists()
        yield from _check_found(path, path.matching() if is_pattern else [path])
    elif path.exists() or not WILDCARDS & set(str(path)):
        yield path
    else:
        from glob import glob

        found = sorted(glob(str(path), recursive=True))  # noqa: PTH207 - Path.glob takes no absolute pattern
        yield from _check_found(path, [Path(each) for each in found])


def _check_found(pattern: AnyPath, paths: Sequence[AnyPath]) -> Sequence[AnyPath]:
    if not paths:
        raise BadInput(
            f"no file matches the pattern {printable_name(pattern)}", hint="check the pattern and its folder"
        )
    return paths
