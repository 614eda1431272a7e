"""Schema of fill-mask --head-effects: a row for each attention head."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from bertcli.output.display import HeatmapSet, text_title
from bertcli.output.schema import Cell, Schema
from bertcli.output.schemas.fill_mask import MASK_COLUMNS, mask_cells, record_json
from bertcli.results.masks import FillMaskRecord
from bertcli.results.texts import RunInfo


def head_effects_schema(info: RunInfo) -> Schema[FillMaskRecord]:
    """Return the schema of the effects of heads: a row for each head, for each explained token of each mask."""
    columns = (*MASK_COLUMNS, "target", "token", "logprob", "layer", "head", "effect")
    return Schema(columns, _rows, record_json, partial(_table, info=info), to_heatmaps=_figure)


def _rows(record: FillMaskRecord) -> Iterable[Sequence[Cell]]:
    for place, mask in mask_cells(record):
        for effects in mask.head_effects or ():
            for layer, of_layer in enumerate(effects.values):
                for head, effect in enumerate(of_layer):
                    yield *place, effects.target, effects.token, effects.logprob, layer, head, float(effect)


def _table(record: FillMaskRecord, info: RunInfo) -> Any:
    from bertcli.output.tables.explanations import head_effects_table

    return head_effects_table(record, info)


def _figure(record: FillMaskRecord) -> HeatmapSet:
    from bertcli.output.heatmaps import head_effects_heatmap, mask_name

    found = [
        head_effects_heatmap(effects, mask_name(record, ordinal))
        for ordinal, mask in enumerate(record.masks)
        for effects in mask.head_effects or ()
    ]
    return HeatmapSet(text_title(record.text), found)
