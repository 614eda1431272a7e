"""Rows of text files and JSON lines: a text, its id and its line number."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from bertcli.errors import BadInput, BadText
from bertcli.input.records import TEXT_FIELD, TextId, too_long
from bertcli.input.streams import Line, LongLine
from bertcli.lazy_dataclass import dataclass
from bertcli.quoting import is_utf8, shortened

# Blank lines to report together.
_BLANK_ROWS = 1024
# Names of columns or fields that a message lists.
_LISTED_NAMES = 30
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"  # some editors write it
_KINDS = {dict: "an object", list: "a list", bool: "true or false", int: "a number", float: "a number", str: "a string"}


@dataclass(frozen=True, slots=True)
class Row:
    """One row of an input. text: the text, or the error that it has. The rest is as in TextRecord."""

    text: str | BadText
    line: int | None
    id: TextId | None = None
    versus: str | None = None
    group: Mapping[str, str] | None = None
    target: str | None = None


@dataclass(frozen=True, slots=True)
class Fields:
    """Names of the fields or columns to read from each row.

    text: holds the text. id: holds its id. versus: holds the text to compare with. group: name the group of the text.
    target: holds the word that the text expects in its mask.
    """

    text: str = TEXT_FIELD
    id: str | None = None
    versus: str | None = None
    group: Sequence[str] = ()
    target: str | None = None

    @property
    def names(self) -> Sequence[str]:
        """All names that are set, each once."""
        return [name for name in dict.fromkeys(self._all_names) if name is not None]

    def advice(self, name: str) -> str:
        """Return how to choose another field than the one of that name."""
        if name in (self.text, self.id):
            return "choose with --field for the text, --id-field for the id"
        options = {self.versus: "--versus", self.target: "--target-field"}
        return f"choose with {options.get(name, '--group-by')}"

    @property
    def _all_names(self) -> Sequence[str | None]:
        return self.text, self.id, self.versus, self.target, *self.group


Rows = Iterator[list[Row]]


def line_rows(windows: Iterable[list[Line]], encoding_hint: str, *, ignores_blank: bool = False) -> Rows:
    """Yield the rows of plain text, one text a line. Blank lines at the end are no rows.

    Args:
        windows: Lines in lists.
        encoding_hint: What to do about a line that is not UTF-8.
        ignores_blank: Treat all blank lines in this way.
    """
    blank = 0  # number of blank lines since the last text
    for lines in numbered(windows):
        rows: list[Row] = []
        for line, content in lines:
            text = _decoded(content, encoding_hint)
            if isinstance(text, str) and not text.strip():
                blank += not ignores_blank
                continue
            if blank:
                yield rows
                yield from _blank_rows(line - blank, line)
                rows, blank = [], 0
            rows.append(Row(text, line))
        yield rows


def json_rows(windows: Iterable[list[Line]], fields: Fields, encoding_hint: str) -> Rows:
    """Yield the rows of JSON lines, one object a line. Blank lines are skipped."""
    for lines in numbered(windows):
        yield [
            _json_row(line, _decoded(content, encoding_hint), fields)
            for line, content in lines
            if isinstance(content, LongLine) or content.strip()
        ]


def column_index(columns: list[str], name: str, fields: Fields, place: str) -> int:
    """Return the index of a column.

    Args:
        columns: Names of all columns.
        name: The column to find.
        fields: All columns to read.
        place: The file, and line if known, for the message.

    Raises:
        BadInput: There is no such column, or more than one.
    """
    count = columns.count(name)
    if count == 1:
        return columns.index(name)
    if count:
        raise BadInput(f"{place}: there are {count} columns {name!r}", hint="rename all but one of them")
    raise BadInput(
        f"{place}: there is no column {name!r}",
        hint=f"the columns are {listed(columns)}; {fields.advice(name)}",
    )


def check_text(value: Any, field: str, option: str = "--field") -> str | BadText:
    """Return the value of a field if it is a string, else the error, which names the option that chose the field."""
    if isinstance(value, str):
        return value
    kind = "empty (null)" if value is None else f"{_kind(value)}, not a string"
    return BadText(
        f"{field!r} is {kind}", hint=f"choose another field with {option}, or skip such texts with --on-error skip"
    )


def check_group(value: Any, field: str) -> str | BadText:
    """Return the value of a field if it can name a group (a string, a number, true or false), else the error."""
    if isinstance(value, str) and is_utf8(value):
        return value
    if isinstance(value, (bool, int, float)):
        return str(value).lower() if isinstance(value, bool) else str(value)
    kind = "empty (null)" if value is None else "not UTF-8" if isinstance(value, str) else _kind(value)
    return BadText(
        f"{field!r} is {kind}, which names no group",
        hint="choose another field with --group-by, or skip such texts with --on-error skip",
    )


def check_id(value: Any, field: str) -> TextId | BadText:
    """Return the value of a field if it can be an id (a string or a 64-bit integer), else the error."""
    if isinstance(value, int) and not isinstance(value, bool) and -(1 << 63) <= value < 1 << 63:
        return value
    if isinstance(value, str) and is_utf8(value):
        return value
    return BadText(
        f"{field!r} is neither a 64-bit whole number nor a string: {shortened(value)}",
        hint="fix it, or choose another field",
    )


def listed(names: Iterable[str]) -> str:
    """Return names as a list in a message, cut off if there are many."""
    first = list(islice(names, _LISTED_NAMES + 1))
    return ", ".join(["(none)"] if not first else first if len(first) <= _LISTED_NAMES else [*first[:-1], "..."])


def make_row(values: Mapping[str, Any], line: int | None, fields: Fields) -> Row:
    """Return the row with these values of its fields, or with an error if one is not valid."""
    text = check_text(values[fields.text], fields.text)
    id_ = None if fields.id is None else check_id(values[fields.id], fields.id)
    if isinstance(id_, BadText):
        return Row(id_, line)
    versus = None if fields.versus is None else check_text(values[fields.versus], fields.versus, "--versus")
    if isinstance(versus, BadText):
        return Row(versus, line, id_)
    target = None if fields.target is None else check_text(values[fields.target], fields.target, "--target-field")
    if isinstance(target, BadText):
        return Row(target, line, id_)
    group: dict[str, str] = {}
    for name in fields.group:
        found = check_group(values[name], name)
        if isinstance(found, BadText):
            return Row(found, line, id_)
        group[name] = found
    return Row(text, line, id_, versus, group or None, target)


def _kind(value: Any) -> str:
    return _KINDS.get(type(value), type(value).__name__)


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
            hint = f"its fields are {listed(found)}; {fields.advice(field)}"
            return Row(BadText(f"the object has no field {field!r}", hint=hint), line)
        if isinstance(found[field], str) and not is_utf8(found[field]):
            hint = "write both halves, or the character itself, or skip it with --on-error skip"
            return Row(BadText(f"{field!r} has half of a surrogate pair, such as \\ud83d", hint=hint), line)
    return make_row(found, line, fields)


def numbered(windows: Iterable[list[Line]]) -> Iterator[list[tuple[int, Line]]]:
    """Number the lines from 1, and remove a byte order mark and carriage returns."""
    count = 0
    for lines in windows:
        if not count and isinstance(lines[0], bytes):
            lines[0] = lines[0].removeprefix(_BYTE_ORDER_MARK)
        yield [
            (number, line.removesuffix(b"\r") if isinstance(line, bytes) else line)
            for number, line in enumerate(lines, count + 1)
        ]
        count += len(lines)


def _blank_rows(first: int, end: int) -> Rows:
    """Yield a row without text for each line from `first` to before `end`."""
    for start in range(first, end, _BLANK_ROWS):
        yield [Row("", line) for line in range(start, min(start + _BLANK_ROWS, end))]


def _decoded(content: Line, encoding_hint: str) -> str | BadText:
    if isinstance(content, LongLine):
        return too_long("the line")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        return BadText(
            f"the text is not UTF-8: byte {content[error.start]:#04x} at column {error.start + 1}", hint=encoding_hint
        )
