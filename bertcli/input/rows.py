"""Rows of text files, JSON lines, CSV and TSV: a text, its id and its line number."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bertcli.errors import BadInput, BadText
from bertcli.input.records import TEXT_FIELD, TextId, is_utf8

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"  # some editors write it
_KINDS = {dict: "an object", list: "a list", bool: "true or false", int: "a number", float: "a number", str: "a string"}


@dataclass(frozen=True, slots=True)
class Row:
    """One row of an input. text: the text, or the error that it has."""

    text: str | BadText
    line: int | None
    id: TextId | None = None


@dataclass(frozen=True, slots=True)
class Fields:
    """Names of the fields or columns to read from each row."""

    text: str = TEXT_FIELD
    id: str | None = None

    @property
    def names(self) -> Sequence[str]:
        """All names that are set."""
        return (self.text,) if self.id is None else (self.text, self.id)


Rows = Iterator[list[Row]]


def line_rows(windows: Iterable[list[bytes]]) -> Rows:
    """Yield the rows of plain text, one text a line."""
    for lines in _numbered(windows):
        yield [Row(_decoded(content), line) for line, content in lines]


def json_rows(windows: Iterable[list[bytes]], fields: Fields) -> Rows:
    """Yield the rows of JSON lines, one object a line. Empty lines are skipped."""
    for lines in _numbered(windows):
        yield [_json_row(line, _decoded(content), fields) for line, content in lines if content.strip()]


def table_rows(windows: Iterable[list[bytes]], fields: Fields, name: str, delimiter: str) -> Rows:
    """Yield the rows of CSV (RFC 4180) or of TSV, which has no quotes. The first line holds the column names.

    Args:
        windows: Lines in lists.
        fields: The columns to read.
        name: The file's name, for messages.
        delimiter: A comma or a tab.

    Raises:
        BadInput: A column is missing.
    """
    import csv
    import sys

    csv.field_size_limit(sys.maxsize)
    feed = _LineFeed(_numbered(windows))
    reader = (
        csv.reader(feed, delimiter="\t", quoting=csv.QUOTE_NONE, strict=True)
        if delimiter == "\t"
        else csv.reader(feed, delimiter=delimiter, strict=True)
    )
    header = next(filter(None, reader), None)
    if header is None:
        return
    columns = {field: column_index(header, field, f"{name}, line {reader.line_num:,}") for field in fields.names}
    rows: list[Row] = []
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            rows.append(Row(BadText(f"the row is not valid CSV: {error}", hint="quote the cells as in RFC 4180"), line))
            continue
        if cells:
            rows.append(_table_row(line, cells, columns, fields))
        if feed.is_drained:
            yield rows
            rows = []
    yield rows


def column_index(columns: Sequence[str], name: str, place: str) -> int:
    """Return the index of a column.

    Args:
        columns: Names of all columns.
        name: The column to find.
        place: The file, and line if known, for the message.

    Raises:
        BadInput: There is no such column.
    """
    if name in columns:
        return columns.index(name)
    raise BadInput(
        f"{place}: there is no column {name!r}",
        hint=f"the columns are {', '.join(columns)}; choose with --column for texts, --id-column for ids",
    )


def check_text(value: Any, field: str) -> str | BadText:
    """Return the value of a field if it is a string, else the error."""
    if isinstance(value, str):
        return value
    kind = "empty (null)" if value is None else _KINDS.get(type(value), type(value).__name__) + ", not a string"
    return BadText(
        f"{field!r} is {kind}", hint="choose another field with --field, or skip such texts with --on-error skip"
    )


def check_id(value: Any, field: str) -> TextId | BadText:
    """Return the value of a field if it can be an id (a string or a 64-bit integer), else the error."""
    if isinstance(value, int) and not isinstance(value, bool) and -(1 << 63) <= value < 1 << 63:
        return value
    if isinstance(value, str) and is_utf8(value):
        return value
    return BadText(
        f"{field!r} is neither a whole number nor a string: {value!r}", hint="fix it, or choose another field"
    )


def make_row(values: Mapping[str, Any], line: int | None, fields: Fields) -> Row:
    """Return the row with these values of its fields, or with an error if one is not valid."""
    text = check_text(values[fields.text], fields.text)
    if fields.id is None:
        return Row(text, line)
    id_ = check_id(values[fields.id], fields.id)
    return Row(id_, line) if isinstance(id_, BadText) else Row(text, line, id_)


def _json_row(line: int, content: str | BadText, fields: Fields) -> Row:
    if isinstance(content, BadText):
        return Row(content, line)
    from json import JSONDecodeError, loads

    try:
        found = loads(content)
    except (ValueError, RecursionError) as error:
        where = f"{error.msg}, at column {error.colno}" if isinstance(error, JSONDecodeError) else str(error)
        return Row(BadText(f"the line is not JSON: {where}", hint="fix it, or skip it with --on-error skip"), line)
    if not isinstance(found, dict):
        hint = 'write a line such as {"text": "how are you"}'
        return Row(BadText(f"the line is {_KINDS.get(type(found), 'null')}, not an object", hint=hint), line)
    for field in fields.names:
        if field not in found:
            hint = f"its fields are {', '.join(found)}; choose with --field for the text, --id-field for the id"
            return Row(BadText(f"the object has no field {field!r}", hint=hint), line)
    return make_row(found, line, fields)


def _table_row(line: int, cells: Sequence[str], columns: Mapping[str, int], fields: Fields) -> Row:
    for field, column in columns.items():
        if column >= len(cells):
            problem = f"{field!r} is cell {column + 1}, but the row has only {len(cells)}"
            return Row(BadText(problem, hint="fix it, or skip it with --on-error skip"), line)
    return make_row({field: cells[column] for field, column in columns.items()}, line, fields)


def _numbered(windows: Iterable[list[bytes]]) -> Iterator[list[tuple[int, bytes]]]:
    """Number the lines from 1, and remove a byte order mark and carriage returns."""
    count = 0
    for lines in windows:
        if not count:
            lines[0] = lines[0].removeprefix(_BYTE_ORDER_MARK)
        yield [(number, content.removesuffix(b"\r")) for number, content in enumerate(lines, count + 1)]
        count += len(lines)


def _decoded(content: bytes) -> str | BadText:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        return BadText(
            f"the text is not UTF-8: byte {content[error.start]:#04x} at column {error.start + 1}",
            hint="convert the file first, for example: iconv -f latin1 -t utf-8",
        )


class _LineFeed:
    """Iterator of single lines for csv.reader, since a cell may contain line breaks."""

    def __init__(self, windows: Iterator[list[tuple[int, bytes]]]) -> None:
        self._windows = windows
        self._lines: Iterator[tuple[int, bytes]] = iter(())
        self._left = 0

    @property
    def is_drained(self) -> bool:
        """True if the next line is not available yet."""
        return not self._left

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        while not self._left:
            window = next(self._windows)
            self._lines, self._left = iter(window), len(window)
        self._left -= 1
        _, content = next(self._lines)
        # Bytes that are not UTF-8 are an error only in a column that is read; that is checked later.
        return content.decode(errors="surrogateescape") + "\n"
