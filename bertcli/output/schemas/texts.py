"""Columns and JSON keys that all records about a text share."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from bertcli.output.schema import Cell, Schema
from bertcli.results.texts import TextInfo

TEXT_COLUMNS = ("index", "line", "text", "pair", "truncated")
_OPTIONAL_KEYS = ("id", "file", "line")


def text_cells(text: TextInfo) -> Sequence[Cell]:
    """Return the cells of TEXT_COLUMNS."""
    return text.index, text.line, text.text, text.pair, text.truncated


def text_json(text: TextInfo) -> Mapping[str, Any]:
    """Return the first keys of a record. `id`, `file`, `line` and `pair` are left out if the text has none."""
    found: dict[str, Any] = {"index": text.index}
    found.update({key: value for key in _OPTIONAL_KEYS if (value := getattr(text, key)) is not None})
    found["text"] = text.text
    if text.pair is not None:
        found["pair"] = text.pair
    return {**found, "tokens": list(text.tokens), "truncated": text.truncated}


def with_ids(schema: Schema[Any]) -> Schema[Any]:
    """Return a schema with one more column at the end: text_id, the id that the input gives each text.

    Args:
        schema: Schema of records that have a text.
    """
    # The column is not called "id", which is a token's id where tokens have rows.
    return replace(schema, columns=(*schema.columns, "text_id"), to_rows=partial(_rows_with_ids, schema=schema))


def _rows_with_ids(record: Any, schema: Schema[Any]) -> Iterable[Sequence[Cell]]:
    for cells in schema.to_rows(record):
        yield *cells, record.text.id
