"""How the records of one command look in each format: what a sink needs to know of them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from bertcli.output.heatmap import HeatmapSet

Record = TypeVar("Record")
Cell = str | int | float | bool | None


def _nothing() -> Mapping[str, Any]:
    return {}


@dataclass(frozen=True, slots=True)
class Schema(Generic[Record]):
    """columns: of CSV and TSV. to_rows: their cells. to_json: a record's object. to_table: something rich can draw.

    closing: keys that stand at the top level of JSON, after the records. closing_table: what is drawn after the last.
    to_lines: the objects that JSON lines has of a record, where it is not one. is_document: the run has one record,
    whose keys stand at the top level of JSON. to_heatmaps: a record's matrices, where it has any to draw.
    """

    columns: Sequence[str]
    to_rows: Callable[[Record], Iterable[Sequence[Cell]]]
    to_json: Callable[[Record], Mapping[str, Any]]
    to_table: Callable[[Record], Any]
    closing: Callable[[], Mapping[str, Any]] = field(default=_nothing)
    closing_table: Callable[[], Any] = field(default=lambda: None)
    to_lines: Callable[[Record], Iterable[Mapping[str, Any]]] | None = None
    is_document: bool = False
    to_heatmaps: Callable[[Record], HeatmapSet] | None = None
