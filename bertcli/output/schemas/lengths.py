"""Schema of shapes --lengths: one row about the lengths of all texts."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from bertcli.output.schema import Cell, Schema, jsonable
from bertcli.results.lengths import TextLengths
from bertcli.results.texts import RunInfo

_COLUMNS = (
    "texts", "tokens", "min", "median", "p90", "p99", "max", "limit", "over_limit", "over_limit_share", "unknown",
    "unknown_share", "unknown_texts",
)  # fmt: skip


def lengths_schema(info: RunInfo, empty: TextLengths, unknown_token: str) -> Schema[TextLengths]:
    """Return the schema of lengths.

    Args:
        info: Run to name in the caption.
        empty: The lengths of no texts.
        unknown_token: Spelling of [UNK] in the vocabulary.
    """
    to_table = partial(_table, info=info, unknown_token=unknown_token)
    return Schema(_COLUMNS, _rows, _lengths_json, to_table, is_document=True, empty=empty)


def _rows(lengths: TextLengths) -> Iterable[Sequence[Cell]]:
    yield [getattr(lengths, column) for column in _COLUMNS]


def _lengths_json(lengths: TextLengths) -> Mapping[str, Any]:
    return {"lengths": jsonable(lengths)}


# rich is imported when the first table is drawn: it takes longer to load than JSON needs.


def _table(lengths: TextLengths, info: RunInfo, unknown_token: str) -> Any:
    from bertcli.output.tables.lengths import lengths_table

    return lengths_table(lengths, info, unknown_token)
