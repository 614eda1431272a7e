"""Schema of a command's records: their columns, rows, JSON, table and heatmaps."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field, fields, is_dataclass, replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from bertcli.lazy_dataclass import dataclass
from bertcli.output.formatting import number, numbers
from bertcli.results.texts import TextInfo

if TYPE_CHECKING:
    from bertcli.output.display import HeatmapSet

Record = TypeVar("Record")
Cell = str | int | float | bool | None

# JSON keys that differ from the attribute of a result.
_ATTRIBUTES = {"bytes": "nbytes", "pooler": "has_pooler", "mlm_head": "has_mlm_head"}
# The JSON keys of dataclasses.
JsonKeys = Mapping[type, Sequence[str]]
_OWN_FIELDS: JsonKeys = {}


@dataclass(frozen=True, slots=True)
class Schema(Generic[Record]):
    """Functions that turn a record of one command into each output format.

    Attributes:
        columns: Column names of CSV and TSV.
        to_rows: Return the rows of a record, each with a cell for every column.
        to_json: Return a record's JSON object.
        to_table: Return a table that rich can draw.
        closing: Return keys to add to the top level of JSON after the last record.
        closing_table: Return a table to draw after the last record, or None.
        to_lines: Return the JSON Lines objects of a record, if it has several.
        is_document: True if the run has one record, whose keys belong at the top level of JSON.
        empty: The record to show in JSON if a run has none, which only a document needs.
        to_heatmaps: Return a record's matrices for a figure, or None if the command draws none.
        to_plain: Return the bare answers of a record, a line for each, or None if the command has none.
    """

    columns: Sequence[str]
    to_rows: Callable[[Record], Iterable[Sequence[Cell]]]
    to_json: Callable[[Record], Mapping[str, Any]]
    to_table: Callable[[Record], Any]
    closing: Callable[[], Mapping[str, Any]] = field(default=dict)
    closing_table: Callable[[], Any] = field(default=lambda: None)
    to_lines: Callable[[Record], Iterable[Mapping[str, Any]]] | None = None
    is_document: bool = False
    empty: Record | None = None
    to_heatmaps: "Callable[[Record], HeatmapSet] | None" = None
    to_plain: Callable[[Record], Iterable[str]] | None = None


def jsonable(value: Any, keys: JsonKeys = _OWN_FIELDS) -> Any:
    """Return a result as JSON values.

    A dataclass becomes an object. A field whose default is None is left out while it is None; any other None becomes
    null. Floats and arrays get the digits that float32 allows.

    Args:
        value: A dataclass, array, sequence, mapping or plain value.
        keys: JSON keys of a dataclass in order, where they are not its fields in order.
    """
    if isinstance(value, float):
        return number(value)
    if value is None or isinstance(value, (str, int)):
        return value
    if is_dataclass(value):
        kind: Any = type(value)
        optional = _optional_fields(kind)
        found = ((key, getattr(value, _ATTRIBUTES.get(key, key))) for key in keys.get(kind) or _field_names(kind))
        return {key: jsonable(each, keys) for key, each in found if each is not None or key not in optional}
    if isinstance(value, Mapping):
        return {key: jsonable(each, keys) for key, each in value.items()}
    if hasattr(value, "ndim"):
        return numbers(value) if value.ndim else number(value)
    return [jsonable(each, keys) for each in value]


@cache
def _field_names(kind: Any) -> Sequence[str]:
    return tuple(each.name for each in fields(kind))


@cache
def _optional_fields(kind: Any) -> frozenset[str]:
    return frozenset(each.name for each in fields(kind) if each.default is None)


TEXT_COLUMNS = ("index", "file", "line", "text", "pair", "truncated")
_OPTIONAL_KEYS = ("id", "file", "line", "group")


def text_cells(text: TextInfo) -> Sequence[Cell]:
    """Return the cells of TEXT_COLUMNS."""
    return text.index, text.file, text.line, text.text, text.pair, text.truncated


def text_json(text: TextInfo) -> Mapping[str, Any]:
    """Return the first keys of a record. Keys are left out if the text has no such value."""
    found: dict[str, Any] = {"index": text.index}
    found.update({key: value for key in _OPTIONAL_KEYS if (value := getattr(text, key)) is not None})
    found["text"] = text.text
    if text.pair is not None:
        found["pair"] = text.pair
    found.update({"tokens": list(text.tokens), "truncated": text.truncated, "unknown": text.unknown})
    if text.windows:
        found["windows"] = jsonable(text.windows)
    if text.window is not None:
        found.update({"window": text.window.number, "start": text.window.start, "end": text.window.end})
    return found


def with_closing(
    schema: Schema[Record], keys: Callable[[], Mapping[str, Any]], table: Callable[[], Any] | None = None
) -> Schema[Record]:
    """Return a schema that closes the run with more keys, after those that it closes with already.

    Args:
        schema: Schema of the records.
        keys: Return the keys to add to the top level of JSON after the last record.
        table: Return the table to draw after the last record, or None. None keeps that of the schema.
    """
    return replace(
        schema,
        closing=partial(_closing_keys, schema.closing, keys),
        closing_table=schema.closing_table if table is None else table,
    )


def _closing_keys(first: Callable[[], Mapping[str, Any]], more: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
    return {**first(), **more()}


def with_ids(schema: Schema[Any], id_field: str | None) -> Schema[Any]:
    """Return a schema with one more column at the end: text_id, the id that the input gives each text.

    Args:
        schema: Schema of records that have a text.
        id_field: Field of the input that holds the ids. None returns the schema unchanged.
    """
    if id_field is None:
        return schema
    # The column is not called "id", which is a token's id where tokens have rows.
    return replace(schema, columns=(*schema.columns, "text_id"), to_rows=partial(_rows_with_ids, schema=schema))


def _rows_with_ids(record: Any, schema: Schema[Any]) -> Iterable[Sequence[Cell]]:
    for cells in schema.to_rows(record):
        yield *cells, record.text.id


# The number of a window, and its first and last characters, with encode --per-window.
WINDOW_COLUMNS = ("window", "start", "end")


@dataclass(frozen=True, slots=True)
class WindowCell:
    """Getter of one of WINDOW_COLUMNS from a record about a window, or about a whole text, which is its only window."""

    name: str

    def __call__(self, record: Any) -> int | None:
        text: TextInfo = record.text
        if text.window is None:
            whole = text.text if text.pair is None else text.pair
            return {"window": 0, "start": 0, "end": len(whole)}[self.name]
        return {"window": text.window.number, "start": text.window.start, "end": text.window.end}[self.name]


def with_windows(schema: Schema[Any]) -> Schema[Any]:
    """Return a schema with the place of a window in its text, as more columns and as keys of each record."""
    return replace(with_window_columns(schema), to_json=partial(_json_with_windows, schema=schema))


def with_window_columns(schema: Schema[Any]) -> Schema[Any]:
    """Return a schema with the place of a window in its text as more columns."""
    return replace(
        schema,
        columns=(*schema.columns, *WINDOW_COLUMNS),
        to_rows=partial(_rows_with_windows, schema=schema),
    )


def _rows_with_windows(record: Any, schema: Schema[Any]) -> Iterable[Sequence[Cell]]:
    for cells in schema.to_rows(record):
        yield *cells, *(WindowCell(name)(record) for name in WINDOW_COLUMNS)


def _json_with_windows(record: Any, schema: Schema[Any]) -> Mapping[str, Any]:
    return {**schema.to_json(record), **{name: WindowCell(name)(record) for name in WINDOW_COLUMNS}}
