"""Schema of minimal pairs: a row for each pair."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from bertcli.output.formatting import number
from bertcli.output.records import plain_line
from bertcli.output.schema import TEXT_COLUMNS, Cell, Schema, text_cells
from bertcli.output.schemas.fill_mask import record_json
from bertcli.output.schemas.summaries import with_groups
from bertcli.results.pairs import PairRecord
from bertcli.results.texts import RunInfo

_PAIR_COLUMNS = (
    *TEXT_COLUMNS, "versus", "sum", "versus_sum", "mean", "versus_mean", "difference", "preferred",
)  # fmt: skip
# Keys of a record that belong to the row of the input, not to one of its two texts.
_ROW_KEYS = ("index", "id", "file", "line", "group")


def pair_schema(info: RunInfo, group_fields: Sequence[str]) -> Schema[PairRecord]:
    """Return the schema of minimal pairs: a row for each pair.

    Args:
        info: Run to name in captions.
        group_fields: Fields that name the group of a pair.
    """
    table = partial(_pair_table, info=info)
    schema = Schema(_PAIR_COLUMNS, _pair_rows, _pair_json, table, to_plain=_plain_difference)
    return with_groups(schema, group_fields)


def _plain_difference(pair: PairRecord) -> Iterable[str]:
    yield plain_line(pair.difference)


# Rows


def _pair_rows(pair: PairRecord) -> Iterable[Sequence[Cell]]:
    first, versus = pair.scores
    other = pair.versus.text
    *place, truncated = text_cells(pair.text)
    numbers = first.sum, versus.sum, first.mean, versus.mean, pair.difference, pair.preferred
    yield *place, truncated or other.truncated, other.text, *numbers


# JSON


def _pair_json(pair: PairRecord) -> Mapping[str, Any]:
    versus = {key: value for key, value in record_json(pair.versus).items() if key not in _ROW_KEYS}
    difference = {"difference": number(pair.difference), "preferred": pair.preferred}
    return {**record_json(pair.first), "versus": versus, **difference}


# Tables. They are imported when the first one is drawn: rich takes longer to load than JSON needs.


def _pair_table(pair: PairRecord, info: RunInfo) -> Any:
    from bertcli.output.tables.pairs import pair_table

    return pair_table(pair, info)
