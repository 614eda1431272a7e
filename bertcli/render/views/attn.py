"""How attention looks."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bertcli.render.numbers import number, numbers
from bertcli.render.panel import Figured
from bertcli.render.view import Cell, View
from bertcli.render.views.texts import TEXT_COLUMNS, text_cells, text_json, text_title
from bertcli.results.arrays import FloatArray
from bertcli.results.attention import AttendedFrom, AttnRecord, HeadStatistics
from bertcli.results.texts import RunInfo

# Of any matrix. layer, head: where it is one head's.
MAP_COLUMNS = ("map", "layer", "head", "row_position", "row", "column_position", "column", "value")


@dataclass(frozen=True, slots=True)
class AttnLook:
    """What is shown. statistics: their names, in order. thresholds: what labels mean. grid: the statistic it shades.

    is_ordered: heads come in another order than their layers'. rows, columns: the part of a matrix that is drawn; None
    for as much as can be read. is_distance: the distances between heads are wanted.
    """

    statistics: Sequence[str]
    thresholds: str
    grid: str | None = None
    is_ordered: bool = False
    rows: range | None = None
    columns: range | None = None
    is_distance: bool = False

    def part(self, size: int) -> tuple[range, range]:
        """The rows and columns of a square of that size that are shown."""
        whole = range(size)
        rows, columns = (
            whole if asked is None else whole[asked.start : asked.stop] for asked in (self.rows, self.columns)
        )
        return rows, columns


def attn_view(info: RunInfo, look: AttnLook) -> View[AttnRecord]:
    """The view of attn: a row, or a line of the table, for each head."""

    def table(record: AttnRecord) -> Any:
        from bertcli.render.tables.attn import attn_table

        return attn_table(record, info, look)

    def rows(record: AttnRecord) -> Iterable[Sequence[Cell]]:
        for head in record.heads:
            yield *text_cells(record.text), *head_cells(head, look)

    def as_json(record: AttnRecord) -> Mapping[str, Any]:
        return _json(record, look)

    def figured(record: AttnRecord) -> Figured:
        from bertcli.render.panels import grid_panels

        return Figured(text_title(record.text), grid_panels(record.heads, look))

    return View((*TEXT_COLUMNS, *head_columns(look)), rows, as_json, table, to_figured=figured if look.grid else None)


def maps_view(info: RunInfo, look: AttnLook) -> View[AttnRecord]:
    """The view of rollout, value norms and distances: a matrix of each, and a row for each of its places."""

    def table(record: AttnRecord) -> Any:
        from bertcli.render.tables.attn_maps import maps_table

        return maps_table(record, info, look)

    def figured(record: AttnRecord) -> Figured:
        from bertcli.render.panels import map_panels

        return Figured(text_title(record.text), map_panels(record, look))

    def rows(record: AttnRecord) -> Iterable[Sequence[Cell]]:
        return _map_rows(record, look)

    columns = (*TEXT_COLUMNS, *MAP_COLUMNS)
    return replace(attn_view(info, look), columns=columns, to_rows=rows, to_table=table, to_figured=figured)


def matrix_view(info: RunInfo, look: AttnLook, layer: int, head: int) -> View[AttnRecord]:
    """The view of one head's weights: a row for each query and key."""

    def table(record: AttnRecord) -> Any:
        from bertcli.render.tables.attn_maps import matrix_table

        return matrix_table(record, layer, head, info, look)

    def rows(record: AttnRecord) -> Iterable[Sequence[Cell]]:
        names = record.text.tokens if record.words is None else record.words
        place = (*text_cells(record.text), layer, head)
        for query, weights in enumerate(record.attention if record.attention is not None else ()):
            if look.rows is None or query in look.rows:
                for key, weight in enumerate(weights):
                    if look.columns is None or key in look.columns:
                        yield *place, query, names[query], key, names[key], float(weight)

    def as_json(record: AttnRecord) -> Mapping[str, Any]:
        return _json(record, look)

    def figured(record: AttnRecord) -> Figured:
        from bertcli.render.panels import head_panel

        return Figured(text_title(record.text), [head_panel(record, layer, head, look)])

    columns = (*TEXT_COLUMNS, "layer", "head", "query_position", "query", "key_position", "key", "weight")
    return View(columns, rows, as_json, table, to_figured=figured)


def attended_view(info: RunInfo, look: AttnLook) -> View[AttnRecord]:
    """The view of what one token attends to: a row for each of its strongest keys."""

    def table(record: AttnRecord) -> Any:
        from bertcli.render.tables.attn import attended_table

        return attended_table(record, info)

    def as_json(record: AttnRecord) -> Mapping[str, Any]:
        return _json(record, look)

    columns = (*TEXT_COLUMNS, "layer", "head", "query_position", "query", "rank", "key_position", "key", "weight")
    return View(columns, _attended_rows, as_json, table)


def head_columns(look: AttnLook) -> Sequence[str]:
    """The columns that tell of a head."""
    return "layer", "head", *look.statistics, "label"


def head_cells(head: HeadStatistics, look: AttnLook) -> Sequence[Cell]:
    """The cells under head_columns."""
    return tuple(getattr(head, name) for name in head_columns(look))


def head_json(head: HeadStatistics, look: AttnLook) -> Mapping[str, Any]:
    """A head as JSON."""
    values = zip(head_columns(look), head_cells(head, look), strict=True)
    return {name: number(value) if isinstance(value, float) else value for name, value in values}


def _map_rows(record: AttnRecord, look: AttnLook) -> Iterable[Sequence[Cell]]:
    names = record.text.tokens if record.words is None else record.words
    rows, columns = look.part(len(names))
    told: list[tuple[int | None, int | None]] = [(head.layer, head.head) for head in record.heads]
    maps: list[tuple[str, tuple[int | None, int | None], FloatArray]] = []
    if record.attention is not None:
        maps.append(("attention", told[0], record.attention))
    if record.rollout is not None:
        maps.append(("rollout", (None, None), record.rollout))
    for head, norms in zip(told, record.value_norms if record.value_norms is not None else (), strict=False):
        maps.append(("value_norms", head, norms))
    for name, head, matrix in maps:
        for row in rows:
            for column in columns:
                value = float(matrix[row][column])
                yield *text_cells(record.text), name, *head, row, names[row], column, names[column], value
    if record.head_distance is not None:
        yield from distance_rows(text_cells(record.text), record.heads, record.head_distance)


def distance_rows(
    place: Sequence[Cell], heads: Sequence[HeadStatistics], distance: FloatArray
) -> Iterable[Sequence[Cell]]:
    """A row for each two heads, called layer.head."""
    names = [f"{head.layer}.{head.head}" for head in heads]
    for row, own in enumerate(names):
        for column, other in enumerate(names):
            yield *place, "head_distance", None, None, row, own, column, other, float(distance[row][column])


def _attended_rows(record: AttnRecord) -> Iterable[Sequence[Cell]]:
    for found in record.attended or ():
        place = (*text_cells(record.text), found.layer, found.head, found.position, found.token)
        for rank, key in enumerate(found.keys, 1):
            yield *place, rank, key.position, key.token, key.weight


def _json(record: AttnRecord, look: AttnLook) -> Mapping[str, Any]:
    found: dict[str, Any] = {**text_json(record.text), "heads": [head_json(head, look) for head in record.heads]}
    if record.words is not None:
        found["words"] = list(record.words)
    rows, columns = look.part(len(record.text.tokens if record.words is None else record.words))
    if look.rows is not None or look.columns is not None:
        found["rows"], found["columns"] = list(rows), list(columns)
    for name in ("attention", "rollout", "value_norms"):
        if (matrix := getattr(record, name)) is not None:
            found[name] = numbers(matrix[..., rows.start : rows.stop, columns.start : columns.stop])
    if record.head_distance is not None:
        found["head_distance"] = numbers(record.head_distance)
    if record.attended is not None:
        found["from"] = [_attended_json(attended) for attended in record.attended]
    return found


def _attended_json(attended: AttendedFrom) -> Mapping[str, Any]:
    return {
        "position": attended.position,
        "token": attended.token,
        "layer": attended.layer,
        "head": attended.head,
        "keys": [{"position": key.position, "token": key.token, "weight": number(key.weight)} for key in attended.keys],
    }
