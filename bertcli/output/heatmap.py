"""Matrices as they are drawn, whether on a terminal or as a figure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bertcli.results.texts import FloatArray


@dataclass(frozen=True, slots=True)
class Heatmap:
    """values: rows by columns, nan where nothing is to stand. rows, columns: the numbers that they go by.

    row_names, column_names: what stands there, as a text has it. row_axis, column_axis: what they are. faint, strong:
    the values that are drawn as weakest and as strongest, in whichever order. digits: how a value is written.
    is_symmetric: what is above the diagonal says it all. is_even: values stand all over the scale, where weights crowd
    at its faint end.
    """

    name: str
    note: str
    values: Sequence[Sequence[float]] | FloatArray
    rows: Sequence[int]
    columns: Sequence[int]
    row_names: Sequence[str]
    column_names: Sequence[str]
    row_axis: str
    column_axis: str
    digits: Callable[[float], str]
    faint: float = 0.0
    strong: float = 1.0
    is_symmetric: bool = False
    is_even: bool = False

    def shown(self, row: int, column: int) -> tuple[str, float]:
        """What is written at a place, and how strongly it is drawn, from 0 to 1; nothing where there is no value."""
        value = float(self.values[row][column])
        if value != value:
            return "", 0.0
        span = self.strong - self.faint
        return self.digits(value), min(max((value - self.faint) / span, 0.0), 1.0) if span else 0.0


@dataclass(frozen=True, slots=True)
class HeatmapSet:
    """A record's. title: what it is about. heatmaps: its matrices."""

    title: str
    heatmaps: Sequence[Heatmap]
