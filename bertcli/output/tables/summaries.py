"""Tables of summaries: a row for each group of texts, for the mean over the groups, and for all texts."""

from collections.abc import Callable, Sequence
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from bertcli.output.formatting import counted
from bertcli.output.tables import cells
from bertcli.output.tables.blocks import Blocks
from bertcli.output.tables.fill_mask import probability
from bertcli.results.summaries import Interval, PairCounts, ProbeCounts, Summary
from bertcli.results.texts import RunInfo

_ACCURACY = "accuracy: share of pairs whose first text is more probable; 95 %: Wilson"
_DIFFERENCE = "difference: ln p of the first text minus that of the other; ±: 95 %, normal"
_PRECISION = "P@k: share of expected words with rank k or better; 95 %: Wilson, of P@1"
_RECIPROCAL = "MRR: mean of the reciprocal ranks"
_UNRANKED = "words of several pieces have no rank and are left out"
_ABSENT = "–"
_NO_NAME = "(empty)"


def pair_summary_table(summary: Summary[PairCounts], info: RunInfo, group_fields: Sequence[str]) -> RenderableType:
    """Draw the summary of minimal pairs.

    Args:
        summary: The summary.
        info: Run to name in the caption.
        group_fields: Fields that name the group of a pair.
    """
    drawn = _table(group_fields, "pairs")
    cells.add_bars(drawn, "accuracy", "95 %")
    cells.add_numbers(drawn, "ties", "difference")
    mean = [_share(summary.mean("accuracy")), Text(), Text(), _with_margin(summary.mean("mean_difference"), None)]
    _add_rows(drawn, summary, _pair_cells, mean, summary.averaged_groups("accuracy"))
    title = Text(counted(summary.counts.count, "pair"), cells.STRONG)
    return cells.figure(title, Blocks(drawn, keys=1), cells.caption(info, _ACCURACY, _DIFFERENCE))


def probe_summary_table(summary: Summary[ProbeCounts], info: RunInfo, group_fields: Sequence[str]) -> RenderableType:
    """Draw the summary of the ranks of expected words.

    Args:
        summary: The summary.
        info: Run to name in the caption.
        group_fields: Fields that name the group of a text.
    """
    drawn = _table(group_fields, "texts")
    cells.add_bars(drawn, "P@1", "95 %")
    cells.add_numbers(drawn, "P@5", "P@10", "MRR", "mean rank")
    means = [summary.mean(name) for name in ("precision_at_5", "precision_at_10", "mean_reciprocal_rank")]
    mean = [_share(summary.mean("precision_at_1")), Text(), *map(_number, means), _rank(summary.mean("mean_rank"))]
    _add_rows(drawn, summary, _probe_cells, mean, summary.averaged_groups("precision_at_1"))
    counts = summary.counts
    title = Text(counted(counts.count + counts.unranked, "text"), cells.STRONG)
    if counts.unranked:
        title.append(f"  ({counts.unranked:,} without a rank)", cells.ALARM)
    notes = [_PRECISION, _RECIPROCAL, *([_UNRANKED] if counts.unranked else [])]
    return cells.figure(title, Blocks(drawn, keys=1), cells.caption(info, *notes))


def _table(group_fields: Sequence[str], noun: str) -> Table:
    drawn = cells.table()
    cells.add_words(drawn, ", ".join(group_fields) or noun)
    cells.add_numbers(drawn, "count")
    return drawn


def _add_rows(
    drawn: Table,
    summary: Summary[Any],
    count_cells: Callable[[Any], Sequence[Text]],
    mean: Sequence[Text],
    averaged: int,
) -> None:
    for group in summary.groups or ():
        name = cells.cell(", ".join(value or _NO_NAME for value in group.group.values()))
        drawn.add_row(name, Text(f"{group.counts.count:,}"), *count_cells(group.counts))
    drawn.add_section()
    if summary.groups is not None:
        drawn.add_row(Text(f"mean over {counted(averaged, 'group')}"), Text(), *mean)
    drawn.add_row(Text("all"), Text(f"{summary.counts.count:,}"), *count_cells(summary.counts))


def _pair_cells(counts: PairCounts) -> Sequence[Text]:
    return [
        _share(counts.accuracy),
        _ends(counts.accuracy_interval),
        Text(f"{counts.ties:,}"),
        _with_margin(counts.mean_difference, counts.mean_difference_interval),
    ]


def _probe_cells(counts: ProbeCounts) -> Sequence[Text]:
    return [
        _share(counts.precision_at_1),
        _ends(counts.precision_at_1_interval),
        _number(counts.precision_at_5),
        _number(counts.precision_at_10),
        _number(counts.mean_reciprocal_rank),
        _rank(counts.mean_rank),
    ]


def _share(value: float | None) -> Text:
    return _absent() if value is None else probability(value)


def _number(value: float | None) -> Text:
    return _absent() if value is None else cells.number(value)


def _rank(value: float | None) -> Text:
    return _absent() if value is None else Text(f"{value:,.1f}")


def _ends(interval: Interval | None) -> Text:
    return _absent() if interval is None else Text(f"{interval.low:.3f}–{interval.high:.3f}")


def _with_margin(mean: float | None, interval: Interval | None) -> Text:
    """Return a mean and half the width of its interval."""
    shown = _number(mean)
    return shown if interval is None else shown.append(f" ± {(interval.high - interval.low) / 2:.3f}", cells.QUIET)


def _absent() -> Text:
    return Text(_ABSENT, cells.QUIET)
