"""How the heads over many texts look."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bertcli.render.numbers import numbers
from bertcli.render.panel import Figured
from bertcli.render.view import Cell, View
from bertcli.render.views.attn import MAP_COLUMNS, AttnLook, distance_rows, head_cells, head_columns, head_json
from bertcli.results.attention import AttnSummary
from bertcli.results.texts import RunInfo


def summary_title(summary: AttnSummary) -> str:
    """Of how much it tells."""
    texts = "text" if summary.text_count == 1 else "texts"
    return f"{summary.text_count:,} {texts}, {summary.token_count:,} tokens"


def summary_view(info: RunInfo, look: AttnLook) -> View[AttnSummary]:
    """The view of all texts together: one record, and a row for each head."""

    def table(summary: AttnSummary) -> Any:
        from bertcli.render.tables.attn import summary_table

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

    def figured(summary: AttnSummary) -> Figured:
        from bertcli.render.panels import distance_panel, grid_panels

        panels = grid_panels(summary.heads, look)
        if summary.head_distance is not None and summary.heads:
            panels.append(distance_panel(summary.heads, summary.head_distance))
        return Figured(summary_title(summary), panels)

    if look.is_distance:
        columns = ("text_count", "token_count", *MAP_COLUMNS)
        return View(columns, distances, as_json, table, to_figured=figured)
    return View(("text_count", "token_count", *head_columns(look)), rows, as_json, table, to_figured=figured)
