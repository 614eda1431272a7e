"""Records as JSON, JSON lines, CSV and TSV, each written as it comes."""

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, BinaryIO, Protocol, TextIO

from bertcli import __version__
from bertcli.input.records import FailedText
from bertcli.output.schema import Cell, Schema
from bertcli.results.texts import RunInfo

SCHEMA = 1


class RecordWriter(Protocol):
    """Takes the answers of a run one by one. Nothing is written before the first, or before the run is done."""

    def write(self, record: Any) -> None:
        """One answer."""

    def skip(self, missing: FailedText) -> None:
        """A text without an answer."""

    def finish(self) -> None:
        """No more will come."""


# Writers of binary files, by suffix.
BinaryWriters = Mapping[str, Callable[[BinaryIO], RecordWriter]]


def header(info: RunInfo) -> Mapping[str, Any]:
    """The keys with which every JSON begins."""
    return {
        "schema": SCHEMA,
        "bertcli": __version__,
        **info.as_json(),
    }


class JsonWriter:
    """One object, its `records` one a line."""

    def __init__(self, stream: TextIO, view: Schema[Any], info: RunInfo) -> None:
        self._stream, self._view, self._info = stream, view, info
        self._count = 0

    def write(self, record: Any) -> None:
        self._stream.write(",\n" if self._count else f"{self._opening()}\n")
        self._stream.write(_dumps(self._view.to_json(record)))
        self._stream.flush()
        self._count += 1

    def skip(self, missing: FailedText) -> None:
        pass

    def finish(self) -> None:
        self._stream.write("\n]" if self._count else f"{self._opening()}]")
        for key, value in self._view.closing().items():
            self._stream.write(f',\n"{key}": {_dumps(value)}')
        self._stream.write("}\n")

    def _opening(self) -> str:
        return f'{_dumps(header(self._info))[:-1]}, "records": ['


class JsonDocumentWriter:
    """One object, with the keys of the run's one record beside those of the header."""

    def __init__(self, stream: TextIO, view: Schema[Any], info: RunInfo) -> None:
        self._stream, self._view, self._info = stream, view, info

    def write(self, record: Any) -> None:
        self._stream.write(_dumps({**header(self._info), **self._view.to_json(record)}) + "\n")

    def skip(self, missing: FailedText) -> None:
        pass

    def finish(self) -> None:
        pass


class JsonLinesWriter:
    """The bare records, one a line."""

    def __init__(self, stream: TextIO, view: Schema[Any]) -> None:
        self._stream, self._view = stream, view

    def write(self, record: Any) -> None:
        lines = self._view.to_lines(record) if self._view.to_lines else [self._view.to_json(record)]
        for line in lines:
            self._stream.write(_dumps(line) + "\n")
        self._stream.flush()

    def skip(self, missing: FailedText) -> None:
        pass

    def finish(self) -> None:
        pass


class CsvWriter:
    """A header line, then rows as RFC 4180 quotes them."""

    def __init__(self, stream: TextIO, view: Schema[Any]) -> None:
        self._stream, self._view = stream, view
        self._writer = csv.writer(stream, lineterminator="\n")
        self._begun = False

    def write(self, record: Any) -> None:
        self._begin()
        for row in self._view.to_rows(record):
            self._write_row([_plain(cell) for cell in row])
        self._stream.flush()

    def skip(self, missing: FailedText) -> None:
        pass

    def finish(self) -> None:
        self._begin()

    def _begin(self) -> None:
        if not self._begun:
            self._write_row(list(self._view.columns))
            self._begun = True

    def _write_row(self, cells: list[str]) -> None:
        self._writer.writerow(cells)


_TSV_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


class TsvWriter(CsvWriter):
    """A header line, then rows parted by tabs; tabs, line ends and backslashes in text escaped."""

    def _write_row(self, cells: list[str]) -> None:
        self._stream.write("\t".join(cell.translate(_TSV_ESCAPES) for cell in cells) + "\n")


def _plain(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return f"{cell:.9g}" if isinstance(cell, float) else str(cell)


def _dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def joined(parts: Sequence[object]) -> str:
    """A list in one cell of a row."""
    return " ".join(map(str, parts))
