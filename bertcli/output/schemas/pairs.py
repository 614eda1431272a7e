"""Schemas of minimal pairs: a row for each pair, and the summary of many pairs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from bertcli.output.formatting import number
from bertcli.output.schema import TEXT_COLUMNS, Cell, Schema, jsonable, text_cells
from bertcli.output.schemas.fill_mask import record_json
from bertcli.results.pairs import Interval, PairCounts, PairRecord, PairSummary
from bertcli.results.texts import RunInfo

_PAIR_COLUMNS = (
    *TEXT_COLUMNS, "versus", "sum", "versus_sum", "mean", "versus_mean", "difference", "preferred",
)  # fmt: skip
_COUNT_COLUMNS = (
    "count", "accuracy", "accuracy_low", "accuracy_high", "ties",
    "mean_difference", "mean_difference_low", "mean_difference_high",
)  # fmt: skip
# Keys of a record that belong to the row of the input, not to one of its two texts.
_ROW_KEYS = ("index", "id", "file", "line", "group")


def pair_schema(info: RunInfo, group_fields: Sequence[str]) -> Schema[PairRecord]:
    """Return the schema of minimal pairs: a row for each pair.

    Args:
        info: Run to name in captions.
        group_fields: Fields that name the group of a pair.
    """
    schema: Schema[PairRecord] = Schema(_PAIR_COLUMNS, _pair_rows, _pair_json, partial(_pair_table, info=info))
    return with_groups(schema, group_fields)


def pair_summary_schema(info: RunInfo, group_fields: Sequence[str]) -> Schema[PairSummary]:
    """Return the schema of the summary of minimal pairs: a row for each group, for their mean, and for all pairs.

    Args:
        info: Run to name in captions.
        group_fields: Fields that name the group of a pair.
    """
    columns = ("level", *map(_group_column, group_fields), *_COUNT_COLUMNS)
    rows = partial(_summary_rows, group_fields=group_fields)
    table = partial(_summary_table, info=info, group_fields=group_fields)
    return Schema(columns, rows, _summary_json, table)


def with_groups(schema: Schema[Any], group_fields: Sequence[str]) -> Schema[Any]:
    """Return a schema with a column more for each field of --group-by, at the end.

    Args:
        schema: Schema of records that have a text.
        group_fields: Fields that name the group of a text. None of them returns the schema unchanged.
    """
    if not group_fields:
        return schema
    columns = (*schema.columns, *map(_group_column, group_fields))
    return replace(schema, columns=columns, to_rows=partial(_rows_with_groups, schema=schema))


def _group_column(field: str) -> str:
    return f"group_{field}"


# Rows


def _rows_with_groups(record: Any, schema: Schema[Any]) -> Iterable[Sequence[Cell]]:
    for cells in schema.to_rows(record):
        yield *cells, *record.text.group.values()


def _pair_rows(pair: PairRecord) -> Iterable[Sequence[Cell]]:
    first, versus = pair.scores
    other = pair.versus.text
    index, line, text, sentence_b, truncated = text_cells(pair.text)
    numbers = first.sum, versus.sum, first.mean, versus.mean, pair.difference, pair.preferred
    yield index, line, text, sentence_b, truncated or other.truncated, other.text, *numbers


def _summary_rows(summary: PairSummary, group_fields: Sequence[str]) -> Iterable[Sequence[Cell]]:
    no_group = [None] * len(group_fields)
    for group in summary.groups or ():
        yield "group", *group.group.values(), *_count_cells(group.counts)
    if summary.groups is not None:
        yield "mean", *no_group, len(summary.groups), summary.mean_accuracy, None, None, None, *_mean_cells(summary)
    yield "all", *no_group, *_count_cells(summary.counts)


def _mean_cells(summary: PairSummary) -> Sequence[Cell]:
    return summary.mean_difference, None, None


def _count_cells(counts: PairCounts) -> Sequence[Cell]:
    accuracy, difference = counts.accuracy_interval, counts.mean_difference_interval
    ends = (None, None) if difference is None else (difference.low, difference.high)
    return counts.count, counts.accuracy, accuracy.low, accuracy.high, counts.ties, counts.mean_difference, *ends


# JSON


def _pair_json(pair: PairRecord) -> Mapping[str, Any]:
    versus = {key: value for key, value in record_json(pair.versus).items() if key not in _ROW_KEYS}
    difference = {"difference": number(pair.difference), "preferred": pair.preferred}
    return {**record_json(pair.first), "versus": versus, **difference}


def _summary_json(summary: PairSummary) -> Mapping[str, Any]:
    found = _counts_json(summary.counts)
    if summary.groups is None:
        return found
    groups = [{"group": dict(each.group), **_counts_json(each.counts)} for each in summary.groups]
    mean = {
        "count": len(groups),
        "accuracy": number(summary.mean_accuracy),
        "mean_difference": number(summary.mean_difference),
    }
    return {**found, "groups": groups, "mean_over_groups": mean}


def _counts_json(counts: PairCounts) -> Mapping[str, Any]:
    return {
        "count": counts.count,
        "accuracy": number(counts.accuracy),
        "accuracy_interval": _interval_json(counts.accuracy_interval),
        "ties": counts.ties,
        "mean_difference": number(counts.mean_difference),
        "mean_difference_interval": _interval_json(counts.mean_difference_interval),
    }


def _interval_json(interval: Interval | None) -> Any:
    return None if interval is None else jsonable([interval.low, interval.high])


# Tables. They are imported when the first one is drawn: rich takes longer to load than JSON needs.


def _pair_table(pair: PairRecord, info: RunInfo) -> Any:
    from bertcli.output.tables.pairs import pair_table

    return pair_table(pair, info)


def _summary_table(summary: PairSummary, info: RunInfo, group_fields: Sequence[str]) -> Any:
    from bertcli.output.tables.pairs import pair_summary_table

    return pair_summary_table(summary, info, group_fields)
