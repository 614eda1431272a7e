"""Schema of fill-mask --attribute: a row for each token of the text."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from bertcli.output.display import HeatmapSet, text_title
from bertcli.output.schema import Cell, Schema
from bertcli.output.schemas.fill_mask import MASK_COLUMNS, mask_cells, record_json
from bertcli.results.masks import FillMaskRecord
from bertcli.results.texts import RunInfo


def attributions_schema(info: RunInfo) -> Schema[FillMaskRecord]:
    """Return the schema of attributions: a row for each token of the text, for each explained token of each mask."""
    columns = (*MASK_COLUMNS, "target", "token", "logprob", "method", "text_position", "text_token", "value", "gap")
    return Schema(columns, _rows, record_json, partial(_table, info=info), to_heatmaps=_figure)


def _rows(record: FillMaskRecord) -> Iterable[Sequence[Cell]]:
    for place, mask in mask_cells(record):
        for found in mask.attributions or ():
            explained = found.target, found.token, found.logprob, found.method
            for position, (token, value) in enumerate(zip(record.text.tokens, found.values, strict=True)):
                shown = float(value) if value == value else None  # NaN for a token without a value
                yield *place, *explained, position, token, shown, found.gap


def _table(record: FillMaskRecord, info: RunInfo) -> Any:
    from bertcli.output.tables.explanations import attributions_table

    return attributions_table(record, info)


def _figure(record: FillMaskRecord) -> HeatmapSet:
    from bertcli.output.heatmaps import attributions_heatmap, mask_name

    found = [
        attributions_heatmap(record.text.tokens, mask.attributions, mask_name(record, ordinal))
        for ordinal, mask in enumerate(record.masks)
        if mask.attributions
    ]
    return HeatmapSet(text_title(record.text), found)
