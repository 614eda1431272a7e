"""How attention looks."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bertcli.output.formatting import number, numbers
from bertcli.output.heatmap import HeatmapSet
from bertcli.output.schema import Cell, Schema
from bertcli.output.schemas.texts import TEXT_COLUMNS, text_cells, text_json, text_title
from bertcli.results.attention import AttnRecord, AttnSummary, Expansion, HeadStatistics, StrongestKeys
from bertcli.results.texts import FloatArray, RunInfo

# Of any matrix. layer, head: where it is one head's.
MAP_COLUMNS = ("map", "layer", "head", "row_position", "row", "column_position", "column", "value")


@dataclass(frozen=True, slots=True)
class AttentionDisplay:
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


def attn_schema(info: RunInfo, look: AttentionDisplay) -> Schema[AttnRecord]:
    """The view of attn: a row, or a line of the table, for each head."""

    def table(record: AttnRecord) -> Any:
        from bertcli.output.tables.attn import attn_table

        return attn_table(record, info, look)

    def rows(record: AttnRecord) -> Iterable[Sequence[Cell]]:
        for head in record.heads:
            yield *text_cells(record.text), *head_cells(head, look)

    def as_json(record: AttnRecord) -> Mapping[str, Any]:
        return _json(record, look)

    def figured(record: AttnRecord) -> HeatmapSet:
        from bertcli.output.heatmaps import grid_heatmaps

        return HeatmapSet(text_title(record.text), grid_heatmaps(record.heads, look))

    return Schema(
        (*TEXT_COLUMNS, *head_columns(look)), rows, as_json, table, to_heatmaps=figured if look.grid else None
    )


def maps_schema(info: RunInfo, look: AttentionDisplay) -> Schema[AttnRecord]:
    """The view of rollout, value norms and distances: a matrix of each, and a row for each of its places."""

    def table(record: AttnRecord) -> Any:
        from bertcli.output.tables.attn_maps import maps_table

        return maps_table(record, info, look)

    def figured(record: AttnRecord) -> HeatmapSet:
        from bertcli.output.heatmaps import map_heatmaps

        return HeatmapSet(text_title(record.text), map_heatmaps(record, look))

    def rows(record: AttnRecord) -> Iterable[Sequence[Cell]]:
        return _map_rows(record, look)

    columns = (*TEXT_COLUMNS, *MAP_COLUMNS)
    return replace(attn_schema(info, look), columns=columns, to_rows=rows, to_table=table, to_heatmaps=figured)


def matrix_schema(info: RunInfo, look: AttentionDisplay, layer: int, head: int) -> Schema[AttnRecord]:
    """The view of one head's weights: a row for each query and key."""

    def table(record: AttnRecord) -> Any:
        from bertcli.output.tables.attn_maps import matrix_table

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

    def figured(record: AttnRecord) -> HeatmapSet:
        from bertcli.output.heatmaps import head_heatmap

        return HeatmapSet(text_title(record.text), [head_heatmap(record, layer, head, look)])

    columns = (*TEXT_COLUMNS, "layer", "head", "query_position", "query", "key_position", "key", "weight")
    return Schema(columns, rows, as_json, table, to_heatmaps=figured)


def strongest_keys_schema(info: RunInfo, look: AttentionDisplay) -> Schema[AttnRecord]:
    """The view of what one token attends to: a row for each of its strongest keys."""

    def table(record: AttnRecord) -> Any:
        from bertcli.output.tables.attn import strongest_keys_table

        return strongest_keys_table(record, info)

    def as_json(record: AttnRecord) -> Mapping[str, Any]:
        return _json(record, look)

    columns = (*TEXT_COLUMNS, "layer", "head", "query_position", "query", "rank", "key_position", "key", "weight")
    return Schema(columns, _strongest_keys_rows, as_json, table)


def head_columns(look: AttentionDisplay) -> Sequence[str]:
    """The columns that tell of a head."""
    return "layer", "head", *look.statistics, "label"


def head_cells(head: HeadStatistics, look: AttentionDisplay) -> Sequence[Cell]:
    """The cells under head_columns."""
    return tuple(getattr(head, name) for name in head_columns(look))


def head_json(head: HeadStatistics, look: AttentionDisplay) -> Mapping[str, Any]:
    """A head as JSON."""
    values = zip(head_columns(look), head_cells(head, look), strict=True)
    return {name: number(value) if isinstance(value, float) else value for name, value in values}


def _map_rows(record: AttnRecord, look: AttentionDisplay) -> Iterable[Sequence[Cell]]:
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


def _strongest_keys_rows(record: AttnRecord) -> Iterable[Sequence[Cell]]:
    for found in record.strongest_keys or ():
        place = (*text_cells(record.text), found.layer, found.head, found.position, found.token)
        for rank, key in enumerate(found.keys, 1):
            yield *place, rank, key.position, key.token, key.weight


def _json(record: AttnRecord, look: AttentionDisplay) -> Mapping[str, Any]:
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
    if record.strongest_keys is not None:
        found["from"] = [_strongest_keys_json(found) for found in record.strongest_keys]
    return found


def _strongest_keys_json(found: StrongestKeys) -> Mapping[str, Any]:
    return {
        "position": found.position,
        "token": found.token,
        "layer": found.layer,
        "head": found.head,
        "keys": [{"position": key.position, "token": key.token, "weight": number(key.weight)} for key in found.keys],
    }


def summary_title(summary: AttnSummary) -> str:
    """Of how much it tells."""
    texts = "text" if summary.text_count == 1 else "texts"
    return f"{summary.text_count:,} {texts}, {summary.token_count:,} tokens"


def summary_schema(info: RunInfo, look: AttentionDisplay) -> Schema[AttnSummary]:
    """The view of all texts together: one record, and a row for each head."""

    def table(summary: AttnSummary) -> Any:
        from bertcli.output.tables.attn import summary_table

        return summary_table(summary, info, look)

    def rows(summary: AttnSummary) -> Iterable[Sequence[Cell]]:
        for head in summary.heads:
            yield summary.text_count, summary.token_count, *head_cells(head, look)

    def distances(summary: AttnSummary) -> Iterable[Sequence[Cell]]:
        return distance_rows((summary.text_count, summary.token_count), summary.heads, summary.head_distance)

    def as_json(summary: AttnSummary) -> Mapping[str, Any]:
        found: dict[str, Any] = {
            "text_count": summary.text_count,
            "token_count": summary.token_count,
            "heads": [head_json(head, look) for head in summary.heads],
        }
        if summary.head_distance is not None:
            found["head_distance"] = numbers(summary.head_distance)
        return found

    def figured(summary: AttnSummary) -> HeatmapSet:
        from bertcli.output.heatmaps import distance_heatmap, grid_heatmaps

        heatmaps = grid_heatmaps(summary.heads, look)
        if summary.head_distance is not None and summary.heads:
            heatmaps.append(distance_heatmap(summary.heads, summary.head_distance))
        return HeatmapSet(summary_title(summary), heatmaps)

    if look.is_distance:
        columns = ("text_count", "token_count", *MAP_COLUMNS)
        return Schema(columns, distances, as_json, table, to_heatmaps=figured)
    return Schema(("text_count", "token_count", *head_columns(look)), rows, as_json, table, to_heatmaps=figured)


def expansion_schema(info: RunInfo) -> Schema[Expansion]:
    """The view of the rates: one in each row."""

    def table(result: Expansion) -> Any:
        from bertcli.output.tables.attn_maps import expansion_table

        return expansion_table(result, info)

    return Schema(("layer", "expansion"), _rows, _expansion_json, table, to_lines=_lines, is_document=True)


def _rows(result: Expansion) -> Iterable[Sequence[Cell]]:
    return zip(result.layers, result.rates, strict=True)


def _expansion_json(result: Expansion) -> Mapping[str, Any]:
    return {"records": [], "layers": list(result.layers), "expansion": [number(rate) for rate in result.rates]}


def _lines(result: Expansion) -> Iterable[Mapping[str, Any]]:
    pairs = zip(result.layers, result.rates, strict=True)
    return ({"layer": layer, "expansion": number(rate)} for layer, rate in pairs)
