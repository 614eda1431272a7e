"""How the expansion rates of layers look."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bertcli.render.numbers import number
from bertcli.render.view import Cell, View
from bertcli.results.attention import Expansion
from bertcli.results.texts import RunInfo


def expansion_view(info: RunInfo) -> View[Expansion]:
    """The view of the rates: one in each row."""

    def table(result: Expansion) -> Any:
        from bertcli.render.tables.attn_maps import expansion_table

        return expansion_table(result, info)

    return View(("layer", "expansion"), _rows, _json, table, to_lines=_lines, is_document=True)


def _rows(result: Expansion) -> Iterable[Sequence[Cell]]:
    return zip(result.layers, result.rates, strict=True)


def _json(result: Expansion) -> Mapping[str, Any]:
    return {"records": [], "layers": list(result.layers), "expansion": [number(rate) for rate in result.rates]}


def _lines(result: Expansion) -> Iterable[Mapping[str, Any]]:
    pairs = zip(result.layers, result.rates, strict=True)
    return ({"layer": layer, "expansion": number(rate)} for layer, rate in pairs)
