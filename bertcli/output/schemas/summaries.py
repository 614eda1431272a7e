"""Schemas of summaries: a row for each group of texts, for the mean over the groups, and for all texts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from bertcli.output.formatting import number
from bertcli.output.schema import Cell, Schema
from bertcli.results.summaries import AVERAGED, Interval, PairCounts, ProbeCounts, Summary
from bertcli.results.texts import RunInfo

# The numbers of a summary, in their order. A name that ends in _interval has two columns.
_PAIR_KEYS = (
    "count", "accuracy", "accuracy_interval", "ties", "mean_difference", "mean_difference_interval",
)  # fmt: skip
_PROBE_KEYS = (
    "count", "unranked", "precision_at_1", "precision_at_1_interval", "precision_at_5", "precision_at_10",
    "mean_reciprocal_rank", "mean_reciprocal_rank_interval", "mean_rank",
)  # fmt: skip
_INTERVAL = "_interval"


def pair_summary_schema(info: RunInfo, group_fields: Sequence[str]) -> Schema[Summary[PairCounts]]:
    """Return the schema of the summary of minimal pairs.

    Args:
        info: Run to name in captions.
        group_fields: Fields that name the group of a text.
    """
    return _summary_schema(_PAIR_KEYS, partial(_pair_table, info=info, group_fields=group_fields), group_fields)


def probe_summary_schema(info: RunInfo, group_fields: Sequence[str]) -> Schema[Summary[ProbeCounts]]:
    """Return the schema of the summary of the ranks of expected words.

    Args:
        info: Run to name in captions.
        group_fields: Fields that name the group of a text.
    """
    return _summary_schema(_PROBE_KEYS, partial(_probe_table, info=info, group_fields=group_fields), group_fields)


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


def _summary_schema(keys: Sequence[str], table: Any, group_fields: Sequence[str]) -> Schema[Any]:
    columns = ("level", *map(_group_column, group_fields), *(name for key in keys for name in _columns(key)))
    rows = partial(_summary_rows, keys=keys, group_fields=group_fields)
    return Schema(columns, rows, partial(_summary_json, keys=keys), table)


def _group_column(field: str) -> str:
    return f"group_{field}"


def _columns(key: str) -> Sequence[str]:
    """Return the names of the columns of a number or an interval."""
    name = key.removesuffix(_INTERVAL)
    return (key,) if name == key else (f"{name}_low", f"{name}_high")


# Rows


def _rows_with_groups(record: Any, schema: Schema[Any]) -> Iterable[Sequence[Cell]]:
    for cells in schema.to_rows(record):
        yield *cells, *record.text.group.values()


def _summary_rows(summary: Summary[Any], keys: Sequence[str], group_fields: Sequence[str]) -> Iterable[Sequence[Cell]]:
    no_group = [None] * len(group_fields)
    for group in summary.groups or ():
        yield "group", *group.group.values(), *_count_cells(group.counts, keys)
    if summary.groups is not None:
        means = (cell for key in keys for cell in _mean_cells(summary, key, keys))
        yield "mean", *no_group, *means
    yield "all", *no_group, *_count_cells(summary.counts, keys)


def _count_cells(counts: Any, keys: Sequence[str]) -> Iterable[Cell]:
    for key in keys:
        value = getattr(counts, key)
        if not key.endswith(_INTERVAL):
            yield value
        else:
            yield from (None, None) if value is None else (value.low, value.high)


def _mean_cells(summary: Summary[Any], key: str, keys: Sequence[str]) -> Sequence[Cell]:
    """Return the cells of the mean over the groups; their number in the column of counts."""
    if key == "count":
        return [_averaged_groups(summary, keys)]
    return [summary.mean(key)] if key in AVERAGED else [None] * len(_columns(key))


def _averaged_groups(summary: Summary[Any], keys: Sequence[str]) -> int:
    """Return the number of groups that the means are over."""
    return summary.averaged_groups(next(key for key in keys if key in AVERAGED))


# JSON


def _summary_json(summary: Summary[Any], keys: Sequence[str]) -> Mapping[str, Any]:
    found = _counts_json(summary.counts, keys)
    if summary.groups is None:
        return found
    groups = [{"group": dict(each.group), **_counts_json(each.counts, keys)} for each in summary.groups]
    means = {key: _value(summary.mean(key)) for key in keys if key in AVERAGED}
    return {**found, "groups": groups, "mean_over_groups": {"count": _averaged_groups(summary, keys), **means}}


def _counts_json(counts: Any, keys: Sequence[str]) -> Mapping[str, Any]:
    return {key: _value(getattr(counts, key)) for key in keys}


def _value(value: float | Interval | None) -> Any:
    if isinstance(value, Interval):
        return [number(value.low), number(value.high)]
    return number(value) if isinstance(value, float) else value


# Tables. They are imported when the first one is drawn: rich takes longer to load than JSON needs.


def _pair_table(summary: Summary[PairCounts], info: RunInfo, group_fields: Sequence[str]) -> Any:
    from bertcli.output.tables.summaries import pair_summary_table

    return pair_summary_table(summary, info, group_fields)


def _probe_table(summary: Summary[ProbeCounts], info: RunInfo, group_fields: Sequence[str]) -> Any:
    from bertcli.output.tables.summaries import probe_summary_table

    return probe_summary_table(summary, info, group_fields)
