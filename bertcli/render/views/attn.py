"""How attention looks."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, fields
from typing import Any

from bertcli.render.numbers import number, numbers
from bertcli.render.view import Cell, View
from bertcli.render.views.texts import TEXT_COLUMNS, text_cells, text_json
from bertcli.results import AttendedFrom, AttnRecord, HeadStatistics, RunInfo

_STATISTICS = tuple(field.name for field in fields(HeadStatistics))


def attn_view(info: RunInfo, thresholds: str) -> View[AttnRecord]:
    """The view of attn: a row, or a line of the table, for each head."""

    def table(record: AttnRecord) -> Any:
        from bertcli.render.tables.attn import attn_table

        return attn_table(record, info, thresholds)

    return View((*TEXT_COLUMNS, *_STATISTICS), _statistics_rows, _json, table)


def matrix_view(info: RunInfo, layer: int, head: int) -> View[AttnRecord]:
    """The view of one head's weights: a row for each query and key."""

    def table(record: AttnRecord) -> Any:
        from bertcli.render.tables.attn import matrix_table

        return matrix_table(record, layer, head, info)

    def rows(record: AttnRecord) -> Iterable[Sequence[Cell]]:
        tokens = record.text.tokens
        for query, weights in enumerate(record.attention if record.attention is not None else ()):
            for key, weight in enumerate(weights):
                place = (*text_cells(record.text), layer, head)
                yield *place, query, tokens[query], key, tokens[key], float(weight)

    columns = (*TEXT_COLUMNS, "layer", "head", "query_position", "query", "key_position", "key", "weight")
    return View(columns, rows, _json, table)


def attended_view(info: RunInfo) -> View[AttnRecord]:
    """The view of what one token attends to: a row for each of its strongest keys."""

    def table(record: AttnRecord) -> Any:
        from bertcli.render.tables.attn import attended_table

        return attended_table(record, info)

    columns = (*TEXT_COLUMNS, "layer", "head", "query_position", "query", "rank", "key_position", "key", "weight")
    return View(columns, _attended_rows, _json, table)


def _statistics_rows(record: AttnRecord) -> Iterable[Sequence[Cell]]:
    for head in record.heads:
        yield *text_cells(record.text), *astuple(head)


def _attended_rows(record: AttnRecord) -> Iterable[Sequence[Cell]]:
    for found in record.attended or ():
        place = (*text_cells(record.text), found.layer, found.head, found.position, found.token)
        for rank, key in enumerate(found.keys, 1):
            yield *place, rank, key.position, key.token, key.weight


def _json(record: AttnRecord) -> Mapping[str, Any]:
    found: dict[str, Any] = {**text_json(record.text), "heads": [_head_json(head) for head in record.heads]}
    if record.attention is not None:
        found["attention"] = numbers(record.attention)
    if record.attended is not None:
        found["from"] = [_attended_json(attended) for attended in record.attended]
    return found


def _head_json(head: HeadStatistics) -> Mapping[str, Any]:
    values = zip(_STATISTICS, astuple(head), strict=True)
    return {name: number(value) if isinstance(value, float) else value for name, value in values}


def _attended_json(attended: AttendedFrom) -> Mapping[str, Any]:
    return {
        "position": attended.position,
        "token": attended.token,
        "layer": attended.layer,
        "head": attended.head,
        "keys": [{"position": key.position, "token": key.token, "weight": number(key.weight)} for key in attended.keys],
    }
