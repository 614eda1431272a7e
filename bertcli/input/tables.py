"""Rows of CSV and TSV, in bounded memory even if a quoted cell never ends."""

import csv
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence

from bertcli.errors import BadInput, BadText
from bertcli.input.records import MAX_TEXT_BYTES, too_long
from bertcli.input.rows import Fields, Row, Rows, column_index, make_row, numbered
from bertcli.input.streams import Line, LongLine
from bertcli.quoting import is_utf8

Record = tuple[int, list[str] | BadText]


def table_rows(windows: Iterable[list[Line]], fields: Fields, name: str, delimiter: str, encoding_hint: str) -> Rows:
    """Yield the rows of CSV (RFC 4180) or of TSV, which has no quotes. The first line holds the column names.

    Args:
        windows: Lines in lists.
        fields: The columns to read.
        name: The file's name, for messages.
        delimiter: A comma or a tab.
        encoding_hint: What to do about a cell that is not UTF-8.

    Raises:
        BadInput: The header is damaged, or a column is missing.
    """
    records = _Records(windows, delimiter)
    header = next(records, None)
    if header is None:
        return
    line, names = header
    if isinstance(names, BadText):
        raise BadInput(f"{name}, line {line:,}, the header: {names.message}", hint="fix the line with the column names")
    columns = {field: column_index(names, field, fields, f"{name}, line {line:,}") for field in fields.names}
    rows: list[Row] = []
    for line, cells in records:
        rows.append(
            Row(cells, line) if isinstance(cells, BadText) else _table_row(line, cells, columns, fields, encoding_hint)
        )
        if records.is_drained:
            yield rows
            rows = []
    yield rows


def _table_row(line: int, cells: Sequence[str], columns: Mapping[str, int], fields: Fields, encoding_hint: str) -> Row:
    for field, column in columns.items():
        if column >= len(cells):
            problem = f"{field!r} is cell {column + 1}, but the row has only {len(cells)}"
            return Row(BadText(problem, hint="fix it, or skip it with --on-error skip"), line)
        if not is_utf8(cells[column]):
            return Row(BadText(f"the text is not UTF-8, in column {field!r}", hint=encoding_hint), line)
    return make_row({field: cells[column] for field, column in columns.items()}, line, fields)


class _Records:
    """Iterator over the records of a table: the line that each begins on, and its cells or the error that it has.

    Blank lines between records are skipped.

    Attributes:
        is_drained: True if the line after the last record is not available yet.
    """

    def __init__(self, windows: Iterable[list[Line]], delimiter: str) -> None:
        has_quotes = delimiter == ","
        self._kind = "CSV" if has_quotes else "TSV"
        csv.field_size_limit(sys.maxsize)
        self._feed = _LineFeed(numbered(windows), has_quotes=has_quotes)
        self._reader = (
            csv.reader(self._feed, delimiter=delimiter, strict=True)
            if has_quotes
            else csv.reader(self._feed, delimiter=delimiter, quoting=csv.QUOTE_NONE, strict=True)
        )

    @property
    def is_drained(self) -> bool:
        return self._feed.is_drained

    def __iter__(self) -> Iterator[Record]:
        return self

    def __next__(self) -> Record:
        while True:
            self._feed.begin_record()
            try:
                cells: list[str] | BadText = next(self._reader)
            except csv.Error as error:
                cells = self._damaged(error)
            except _RecordTooLong:
                cells = too_long("the row")
            if cells and not self._feed.is_rest:
                return self._feed.first_line, cells

    def _damaged(self, error: csv.Error) -> BadText:
        if "new-line character" in str(error):
            problem = "it has a carriage return within a line and outside of quotes"
            return BadText(f"the row is not valid {self._kind}: {problem}", hint="end each line with a line feed (\\n)")
        return BadText(f"the row is not valid {self._kind}: {error}", hint="quote the cells as in RFC 4180")


class _RecordTooLong(Exception):
    """A record over MAX_TEXT_BYTES. csv.reader forgets what it has read of it."""


class _LineFeed:
    """Iterator of single lines for csv.reader, since a cell may contain line breaks.

    It ends a record over MAX_TEXT_BYTES with _RecordTooLong, and then passes the rest of it as if it were a record.

    Attributes:
        first_line: Number of the first line of the current record.
        is_rest: True if the current record is the rest of one that was too long.
    """

    def __init__(self, windows: Iterator[list[tuple[int, Line]]], *, has_quotes: bool) -> None:
        self._windows, self._has_quotes = windows, has_quotes
        self._lines: list[tuple[int, Line]] = []  # the last line first
        self._record_bytes = 0
        # The place where a record was ended: inside quotes, and before a line that is too long?
        self._was_quoted = False
        self._long_line: LongLine | None = None
        self.first_line, self.is_rest = 1, False

    @property
    def is_drained(self) -> bool:
        """True if the next line is not available yet."""
        return not self._lines

    def begin_record(self) -> None:
        """Expect the first line of a record."""
        self._record_bytes, self.is_rest = 0, False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        while not self._lines:
            self._lines = next(self._windows)[::-1]
        is_first = not self._record_bytes
        if is_first:
            self.first_line = self._lines[-1][0]
            self.is_rest = self._takes_rest()
        is_quoted = self._has_quotes and (self.is_rest or not is_first)
        content = self._lines[-1][1]
        if isinstance(content, LongLine):
            self._lines.pop()
            self._was_quoted, self._long_line = is_quoted, content
            raise _RecordTooLong
        if self._record_bytes + len(content) > MAX_TEXT_BYTES:
            self._was_quoted = is_quoted
            raise _RecordTooLong
        self._lines.pop()
        self._record_bytes += len(content) + 1
        # Bytes that are not UTF-8 are an error only in a column that is read; that is checked later.
        return ('"' if self.is_rest and is_first else "") + content.decode(errors="surrogateescape") + "\n"

    def _takes_rest(self) -> bool:
        """Return True if the next line is inside the quotes of a record that was too long."""
        is_quoted = self._was_quoted
        if self._has_quotes and self._long_line is not None:
            is_quoted ^= self._long_line.quotes % 2 == 1
        self._was_quoted, self._long_line = False, None
        return is_quoted
