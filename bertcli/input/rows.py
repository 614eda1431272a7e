"""What each format of lines has in a row: a text, what it is known by, and the line on which it stands."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bertcli.errors import BadInput, BadText
from bertcli.input.records import TEXT_FIELD, TextId, is_utf8

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"  # which some editors write
_KINDS = {dict: "an object", list: "a list", bool: "a truth value", int: "a number", float: "a number", str: "a text"}


@dataclass(frozen=True, slots=True)
class Row:
    """text: or what is wrong with it."""

    text: str | BadText
    line: int | None
    id: TextId | None = None


@dataclass(frozen=True, slots=True)
class Fields:
    """The names of what is read of each row."""

    text: str = TEXT_FIELD
    id: str | None = None

    @property
    def names(self) -> Sequence[str]:
        """All of them."""
        return (self.text,) if self.id is None else (self.text, self.id)


Rows = Iterator[list[Row]]


def line_rows(windows: Iterable[list[bytes]]) -> Rows:
    """Of plain text: a text a line."""
    for lines in _numbered(windows):
        yield [Row(_decoded(content), line) for line, content in lines]


def json_rows(windows: Iterable[list[bytes]], fields: Fields) -> Rows:
    """Of JSON lines: an object a line. Lines without anything are passed over."""
    for lines in _numbered(windows):
        yield [_json_row(line, _decoded(content), fields) for line, content in lines if content.strip()]


def table_rows(windows: Iterable[list[bytes]], fields: Fields, name: str, delimiter: str) -> Rows:
    """Of CSV (RFC 4180), or of TSV, which knows no quotes: the first line has the columns' names.

    Raises BadInput where a column is missing. name: the file's, for the message.
    """
    import csv
    import sys

    csv.field_size_limit(sys.maxsize)
    feed = _Feed(_numbered(windows))
    reader = (
        csv.reader(feed, delimiter="\t", quoting=csv.QUOTE_NONE, strict=True)
        if delimiter == "\t"
        else csv.reader(feed, delimiter=delimiter, strict=True)
    )
    header = next(filter(None, reader), None)
    if header is None:
        return
    places = {field: column_index(header, field, f"{name}, line {reader.line_num:,}") for field in fields.names}
    rows: list[Row] = []
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            rows.append(Row(BadText(f"the row is not CSV: {error}", hint="quote a cell as RFC 4180 says"), line))
            continue
        if cells:
            rows.append(_table_row(line, cells, places, fields))
        if feed.is_drained:
            yield rows
            rows = []
    yield rows


def column_index(columns: Sequence[str], name: str, place: str) -> int:
    """Where a column stands. Raises BadInput where there is none of that name. place: for the message."""
    if name in columns:
        return columns.index(name)
    raise BadInput(
        f"{place}: there is no column {name!r}",
        hint=f"the columns are {', '.join(columns)}: name the texts' with --column, the ids' with --id-column",
    )


def check_text(value: Any, field: str) -> str | BadText:
    """The value of a field, where it is a text."""
    if isinstance(value, str):
        return value
    kind = "empty (null)" if value is None else _KINDS.get(type(value), type(value).__name__) + ", not a text"
    return BadText(f"{field!r} is {kind}", hint="name another with --field, or skip such texts with --on-error skip")


def check_id(value: Any, field: str) -> TextId | BadText:
    """The value of a field, where a text can be known by it."""
    if isinstance(value, int) and not isinstance(value, bool) and -(1 << 63) <= value < 1 << 63:
        return value
    if isinstance(value, str) and is_utf8(value):
        return value
    return BadText(f"{field!r} is neither a whole number nor a text: {value!r}", hint="mend it, or name another field")


def make_row(values: Mapping[str, Any], line: int | None, fields: Fields) -> Row:
    """A row of the values of its fields."""
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
        return Row(BadText(f"the line is not JSON: {where}", hint="mend it, or skip it with --on-error skip"), line)
    if not isinstance(found, dict):
        hint = 'write such as {"text": "how are you"}'
        return Row(BadText(f"the line is {_KINDS.get(type(found), 'null')}, not an object", hint=hint), line)
    for field in fields.names:
        if field not in found:
            hint = f"its fields are {', '.join(found)}: name the text's with --field, the id's with --id-field"
            return Row(BadText(f"the object has no field {field!r}", hint=hint), line)
    return make_row(found, line, fields)


def _table_row(line: int, cells: Sequence[str], places: Mapping[str, int], fields: Fields) -> Row:
    for field, place in places.items():
        if place >= len(cells):
            problem = f"the row has {len(cells)} of at least {place + 1} cells, and none for {field!r}"
            return Row(BadText(problem, hint="mend it, or skip it with --on-error skip"), line)
    return make_row({field: cells[place] for field, place in places.items()}, line, fields)


def _numbered(windows: Iterable[list[bytes]]) -> Iterator[list[tuple[int, bytes]]]:
    """The lines with their numbers, from 1, without a byte order mark and the line ends of Windows."""
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
            hint="convert the file first, such as with: iconv -f latin1 -t utf-8",
        )


class _Feed:
    """Lines for a reader of CSV, one by one, as cells may go over several."""

    def __init__(self, windows: Iterator[list[tuple[int, bytes]]]) -> None:
        self._windows = windows
        self._lines: Iterator[tuple[int, bytes]] = iter(())
        self._left = 0

    @property
    def is_drained(self) -> bool:
        """Whether the next line would have to be waited for."""
        return not self._left

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        while not self._left:
            window = next(self._windows)
            self._lines, self._left = iter(window), len(window)
        self._left -= 1
        _, content = next(self._lines)
        # What is not UTF-8 is found where the text is looked at: the rest of the row may do without it.
        return content.decode(errors="surrogateescape") + "\n"
