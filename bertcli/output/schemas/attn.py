"""Schemas of attn: statistics of heads, matrices, the tokens that a token attends to, and expansion rates."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from bertcli.output.display import AttentionDisplay, HeatmapSet, corpus_title, text_title
from bertcli.output.formatting import number, numbers
from bertcli.output.schema import TEXT_COLUMNS, Cell, Schema, jsonable, text_cells, text_json
from bertcli.results.attention import AttnRecord, AttnSummary, Expansion, HeadStatistics
from bertcli.results.texts import FloatArray, RunInfo

# Columns of every kind of matrix. layer and head are empty if the matrix is not of one head.
_MAP_COLUMNS = ("map", "layer", "head", "row_position", "row", "column_position", "column", "value")
_SUMMARY_COLUMNS = ("text_count", "token_count")
_HeadPlace = tuple[int | None, int | None]


def attn_schema(info: RunInfo, display: AttentionDisplay) -> Schema[AttnRecord]:
    """Return the schema of head statistics: a row for each head."""
    return Schema(
        (*TEXT_COLUMNS, *_head_columns(display)),
        partial(_head_rows, display=display),
        partial(_record_json, display=display),
        partial(_head_table, info=info, display=display),
        to_heatmaps=partial(_grid_figure, display=display) if display.grid else None,
    )


def matrix_schema(info: RunInfo, display: AttentionDisplay, layer: int, head: int) -> Schema[AttnRecord]:
    """Return the schema of one head's attention weights: a row for each query and key."""
    return Schema(
        (*TEXT_COLUMNS, "layer", "head", "query_position", "query", "key_position", "key", "weight"),
        partial(_weight_rows, layer=layer, head=head, display=display),
        partial(_record_json, display=display),
        partial(_weight_table, layer=layer, head=head, info=info, display=display),
        to_heatmaps=partial(_weight_figure, layer=layer, head=head, display=display),
    )


def maps_schema(info: RunInfo, display: AttentionDisplay) -> Schema[AttnRecord]:
    """Return the schema of rollout, value norms and head distances: a row for each entry of each matrix."""
    return Schema(
        (*TEXT_COLUMNS, *_MAP_COLUMNS),
        partial(_map_rows, display=display),
        partial(_record_json, display=display),
        partial(_map_table, info=info, display=display),
        to_heatmaps=partial(_map_figure, display=display),
    )


def strongest_keys_schema(info: RunInfo, display: AttentionDisplay) -> Schema[AttnRecord]:
    """Return the schema of the tokens that one token attends to: a row for each of its strongest keys."""
    return Schema(
        (*TEXT_COLUMNS, "layer", "head", "query_position", "query", "rank", "key_position", "key", "weight"),
        _strongest_keys_rows,
        partial(_record_json, display=display),
        partial(_strongest_keys_table, info=info),
    )


def summary_schema(info: RunInfo, display: AttentionDisplay) -> Schema[AttnSummary]:
    """Return the schema of statistics over all texts: one record, and a row for each head or pair of heads."""
    schema = Schema(
        (*_SUMMARY_COLUMNS, *_head_columns(display)),
        partial(_summary_rows, display=display),
        partial(_summary_json, display=display),
        partial(_summary_table, info=info, display=display),
        to_heatmaps=partial(_summary_figure, display=display),
    )
    if display.is_distance:
        return replace(schema, columns=(*_SUMMARY_COLUMNS, *_MAP_COLUMNS), to_rows=_summary_distance_rows)
    return schema


def expansion_schema(info: RunInfo) -> Schema[Expansion]:
    """Return the schema of expansion rates: a row for each layer."""
    return Schema(
        ("layer", "expansion"),
        _expansion_rows,
        _expansion_json,
        partial(_expansion_table, info=info),
        to_lines=_expansion_lines,
        is_document=True,
    )


# Rows


def _head_columns(display: AttentionDisplay) -> Sequence[str]:
    return "layer", "head", *display.statistics, "label"


def _head_cells(head: HeadStatistics, display: AttentionDisplay) -> Sequence[Cell]:
    return tuple(getattr(head, name) for name in _head_columns(display))


def _head_rows(record: AttnRecord, display: AttentionDisplay) -> Iterable[Sequence[Cell]]:
    for head in record.heads:
        yield *text_cells(record.text), *_head_cells(head, display)


def _weight_rows(record: AttnRecord, layer: int, head: int, display: AttentionDisplay) -> Iterable[Sequence[Cell]]:
    names = record.text.tokens if record.words is None else record.words
    place = (*text_cells(record.text), layer, head)
    for query, weights in enumerate(record.attention if record.attention is not None else ()):
        if display.rows is None or query in display.rows:
            for key, weight in enumerate(weights):
                if display.columns is None or key in display.columns:
                    yield *place, query, names[query], key, names[key], float(weight)


def _map_rows(record: AttnRecord, display: AttentionDisplay) -> Iterable[Sequence[Cell]]:
    names = record.text.tokens if record.words is None else record.words
    rows, columns = display.part(len(names))
    heads: list[_HeadPlace] = [(head.layer, head.head) for head in record.heads]
    maps: list[tuple[str, _HeadPlace, FloatArray]] = []
    if record.attention is not None:
        maps.append(("attention", heads[0], record.attention))
    if record.rollout is not None:
        maps.append(("rollout", (None, None), record.rollout))
    for head, norms in zip(heads, record.value_norms if record.value_norms is not None else (), strict=False):
        maps.append(("value_norms", head, norms))
    for name, head, matrix in maps:
        for row in rows:
            for column in columns:
                value = float(matrix[row][column])
                yield *text_cells(record.text), name, *head, row, names[row], column, names[column], value
    if record.head_distance is not None:
        yield from _distance_rows(text_cells(record.text), record.heads, record.head_distance)


def _distance_rows(
    first_cells: Sequence[Cell], heads: Sequence[HeadStatistics], distance: FloatArray
) -> Iterable[Sequence[Cell]]:
    """Yield a row for each pair of heads, which are named layer.head."""
    names = [f"{head.layer}.{head.head}" for head in heads]
    for row, own in enumerate(names):
        for column, other in enumerate(names):
            yield *first_cells, "head_distance", None, None, row, own, column, other, float(distance[row][column])


def _strongest_keys_rows(record: AttnRecord) -> Iterable[Sequence[Cell]]:
    for attended in record.strongest_keys or ():
        place = (*text_cells(record.text), attended.layer, attended.head, attended.position, attended.token)
        for rank, key in enumerate(attended.keys, 1):
            yield *place, rank, key.position, key.token, key.weight


def _summary_rows(summary: AttnSummary, display: AttentionDisplay) -> Iterable[Sequence[Cell]]:
    for head in summary.heads:
        yield summary.text_count, summary.token_count, *_head_cells(head, display)


def _summary_distance_rows(summary: AttnSummary) -> Iterable[Sequence[Cell]]:
    return _distance_rows((summary.text_count, summary.token_count), summary.heads, summary.head_distance)


def _expansion_rows(result: Expansion) -> Iterable[Sequence[Cell]]:
    return zip(result.layers, result.rates, strict=True)


# JSON


def _record_json(record: AttnRecord, display: AttentionDisplay) -> Mapping[str, Any]:
    heads = jsonable(record.heads, {HeadStatistics: _head_columns(display)})
    found: dict[str, Any] = {**text_json(record.text), "heads": heads}
    if record.words is not None:
        found["words"] = list(record.words)
    rows, columns = display.part(len(record.text.tokens if record.words is None else record.words))
    if display.rows is not None or display.columns is not None:
        found["rows"], found["columns"] = list(rows), list(columns)
    for name in ("attention", "rollout", "value_norms"):
        if (matrix := getattr(record, name)) is not None:
            found[name] = numbers(matrix[..., rows.start : rows.stop, columns.start : columns.stop])
    if record.head_distance is not None:
        found["head_distance"] = numbers(record.head_distance)
    if record.strongest_keys is not None:
        found["from"] = jsonable(record.strongest_keys)
    return found


def _summary_json(summary: AttnSummary, display: AttentionDisplay) -> Mapping[str, Any]:
    found: Mapping[str, Any] = jsonable(summary, {HeadStatistics: _head_columns(display)})
    return found


def _expansion_json(result: Expansion) -> Mapping[str, Any]:
    return {"records": [], "layers": list(result.layers), "expansion": jsonable(result.rates)}


def _expansion_lines(result: Expansion) -> Iterable[Mapping[str, Any]]:
    pairs = zip(result.layers, result.rates, strict=True)
    return ({"layer": layer, "expansion": number(rate)} for layer, rate in pairs)


# Tables and figures. They are imported when the first one is drawn: rich takes longer to load than JSON needs.


def _head_table(record: AttnRecord, info: RunInfo, display: AttentionDisplay) -> Any:
    from bertcli.output.tables.attn import head_table

    return head_table(record, info, display)


def _weight_table(record: AttnRecord, layer: int, head: int, info: RunInfo, display: AttentionDisplay) -> Any:
    from bertcli.output.tables.attn import weight_table

    return weight_table(record, layer, head, info, display)


def _map_table(record: AttnRecord, info: RunInfo, display: AttentionDisplay) -> Any:
    from bertcli.output.tables.attn import map_table

    return map_table(record, info, display)


def _strongest_keys_table(record: AttnRecord, info: RunInfo) -> Any:
    from bertcli.output.tables.attn import strongest_keys_table

    return strongest_keys_table(record, info)


def _summary_table(summary: AttnSummary, info: RunInfo, display: AttentionDisplay) -> Any:
    from bertcli.output.tables.attn import summary_table

    return summary_table(summary, info, display)


def _expansion_table(result: Expansion, info: RunInfo) -> Any:
    from bertcli.output.tables.attn import expansion_table

    return expansion_table(result, info)


def _grid_figure(record: AttnRecord, display: AttentionDisplay) -> HeatmapSet:
    from bertcli.output.heatmaps import grid_heatmaps

    return HeatmapSet(text_title(record.text), grid_heatmaps(record.heads, display))


def _weight_figure(record: AttnRecord, layer: int, head: int, display: AttentionDisplay) -> HeatmapSet:
    from bertcli.output.heatmaps import head_heatmap

    return HeatmapSet(text_title(record.text), [head_heatmap(record, layer, head, display)])


def _map_figure(record: AttnRecord, display: AttentionDisplay) -> HeatmapSet:
    from bertcli.output.heatmaps import map_heatmaps

    return HeatmapSet(text_title(record.text), map_heatmaps(record, display))


def _summary_figure(summary: AttnSummary, display: AttentionDisplay) -> HeatmapSet:
    from bertcli.output.heatmaps import distance_heatmap, grid_heatmaps

    heatmaps = grid_heatmaps(summary.heads, display)
    if summary.head_distance is not None and summary.heads:
        heatmaps.append(distance_heatmap(summary.heads, summary.head_distance))
    return HeatmapSet(corpus_title(summary.text_count, summary.token_count), heatmaps)
