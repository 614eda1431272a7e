"""Writers of JSON, JSON Lines, CSV and TSV. Each record is written as soon as it is computed."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO, Protocol, TextIO

from bertcli import __version__
from bertcli.input.records import FailedText
from bertcli.output.schema import Cell, Schema
from bertcli.results.texts import RunInfo

SCHEMA_VERSION = 1
# Readers of CSV and TSV stop at a null character, so write it as an escape.
_NUL_ESCAPE = {"\0": r"\0"}
_CSV_ESCAPES = str.maketrans(_NUL_ESCAPE)
_TSV_ESCAPES = str.maketrans({**_NUL_ESCAPE, "\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})
# Characters that a cell must be quoted for. Python's csv.writer does not quote a carriage return before Python 3.13.
_QUOTED = re.compile(r'[",\r\n]')


class RecordWriter(Protocol):
    """Writer of the records of a run, one by one.

    It writes nothing before the first record, unless the run ends without one.
    """

    def write(self, record: Any) -> None:
        """Write one record."""

    def skip(self, failed: FailedText) -> None:
        """Take note of a failed text that the run skips."""

    def finish(self) -> None:
        """Write what follows the last record."""


# Writers of binary files, by suffix.
BinaryWriters = Mapping[str, Callable[[BinaryIO], RecordWriter]]


def header(info: RunInfo) -> Mapping[str, Any]:
    """Return the keys that every JSON document begins with."""
    return {
        "schema": SCHEMA_VERSION,
        "bertcli": __version__,
        **info.as_json(),
    }


class JsonWriter:
    """Writer of one JSON object; each of its `records` is on a line of its own."""

    def __init__(self, stream: TextIO, schema: Schema[Any], info: RunInfo) -> None:
        self._stream, self._schema, self._info = stream, schema, info
        self._count = 0

    def write(self, record: Any) -> None:
        self._stream.write(",\n" if self._count else f"{self._opening()}\n")
        self._stream.write(_dumps(self._schema.to_json(record)))
        self._stream.flush()
        self._count += 1

    def skip(self, failed: FailedText) -> None:
        pass

    def finish(self) -> None:
        self._stream.write("\n]" if self._count else f"{self._opening()}]")
        for key, value in self._schema.closing().items():
            self._stream.write(f',\n"{key}": ')
            self._stream.writelines(_parts(value))
        self._stream.write("}\n")

    def _opening(self) -> str:
        return f'{_dumps(header(self._info))[:-1]}, "records": ['


class JsonDocumentWriter:
    """Writer of one JSON object that has the keys of the header and of the run's only record."""

    def __init__(self, stream: TextIO, schema: Schema[Any], info: RunInfo) -> None:
        self._stream, self._schema, self._info = stream, schema, info
        self._is_written = False

    def write(self, record: Any) -> None:
        self._is_written = True
        self._stream.write(_dumps({**header(self._info), **self._schema.to_json(record)}) + "\n")

    def skip(self, failed: FailedText) -> None:
        pass

    def finish(self) -> None:
        if not self._is_written and self._schema.empty is not None:
            self.write(self._schema.empty)


class JsonLinesWriter:
    """Writer of one JSON object a line, without a header."""

    def __init__(self, stream: TextIO, schema: Schema[Any]) -> None:
        self._stream, self._schema = stream, schema

    def write(self, record: Any) -> None:
        lines = self._schema.to_lines(record) if self._schema.to_lines else [self._schema.to_json(record)]
        for line in lines:
            self._stream.write(_dumps(line) + "\n")
        self._stream.flush()

    def skip(self, failed: FailedText) -> None:
        pass

    def finish(self) -> None:
        pass


class CsvWriter:
    """Writer of a header line and rows, quoted as RFC 4180 says."""

    _separator = ","

    def __init__(self, stream: TextIO, schema: Schema[Any]) -> None:
        self._stream, self._schema = stream, schema
        self._has_header = False

    def write(self, record: Any) -> None:
        self._write_header()
        for row in self._schema.to_rows(record):
            self._write_row([_cell_text(cell) for cell in row])
        self._stream.flush()

    def skip(self, failed: FailedText) -> None:
        pass

    def finish(self) -> None:
        self._write_header()

    def _write_header(self) -> None:
        if not self._has_header:
            self._write_row(list(self._schema.columns))
            self._has_header = True

    def _write_row(self, cells: list[str]) -> None:
        self._stream.write(self._separator.join(map(self._encode, cells)) + "\n")

    @staticmethod
    def _encode(cell: str) -> str:
        """Return a cell as it is written, in quotes if it needs them."""
        escaped = cell.translate(_CSV_ESCAPES)
        return _in_quotes(escaped) if _QUOTED.search(escaped) else escaped


class TsvWriter(CsvWriter):
    """Writer of a header line and rows of one line each, separated by tabs.

    Tabs, line ends and backslashes in text are escaped. A cell that contains a quote is quoted as in CSV, since readers
    of CSV that are told to read tabs expect that.
    """

    _separator = "\t"

    @staticmethod
    def _encode(cell: str) -> str:
        escaped = cell.translate(_TSV_ESCAPES)
        return _in_quotes(escaped) if '"' in escaped else escaped


class PlainWriter:
    """Writer of the bare answer of each text on a line of its own. A failed text has an empty line.

    Line ends are escaped as in TSV, so that the lines of the output are those of the input.
    """

    def __init__(self, stream: TextIO, schema: Schema[Any]) -> None:
        self._stream, self._schema = stream, schema

    def write(self, record: Any) -> None:
        assert self._schema.to_plain is not None
        for line in self._schema.to_plain(record):
            self._stream.write(f"{line}\n")
        self._stream.flush()

    def skip(self, failed: FailedText) -> None:
        self._stream.write("\n")

    def finish(self) -> None:
        pass


def plain_line(*answers: Cell) -> str:
    """Return answers as a line: separated by tabs, escaped as in TSV."""
    return "\t".join(_cell_text(answer).translate(_TSV_ESCAPES) for answer in answers)


def _in_quotes(cell: str) -> str:
    doubled = cell.replace('"', '""')
    return f'"{doubled}"'


def _cell_text(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return f"{cell:.9g}" if isinstance(cell, float) else str(cell)


def _parts(value: Any) -> Iterator[str]:
    """Yield a JSON value in parts: an iterator as a list that is written while it is made."""
    if not isinstance(value, Iterator):
        yield _dumps(value)
        return
    yield "["
    for count, each in enumerate(value):
        yield f"{', ' if count else ''}{_dumps(each)}"
    yield "]"


def _dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
