"""Schemas of fill-mask --attribute: a row for each token of the text, or for each word."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from bertcli.output.display import HeatmapSet, text_title
from bertcli.output.formatting import joined
from bertcli.output.schema import Cell, Schema
from bertcli.output.schemas.fill_mask import MASK_COLUMNS, mask_cells, record_json
from bertcli.results.masks import FillMaskRecord
from bertcli.results.texts import RunInfo


def attributions_schema(info: RunInfo) -> Schema[FillMaskRecord]:
    """Return the schema of attributions: a row for each token of the text, for each explained token of each mask."""
    columns = (*MASK_COLUMNS, "target", "token", "logprob", "method", "text_position", "text_token", "value", "gap")
    return Schema(columns, _rows, record_json, partial(_table, info=info), to_heatmaps=_figure)


def word_attributions_schema(info: RunInfo) -> Schema[FillMaskRecord]:
    """Return the schema of attributions to words: a row for each word, for each explained token of each mask."""
    columns = (
        *MASK_COLUMNS, "target", "token", "logprob", "method", "word", "word_index", "sentence", "start", "end",
        "positions", "value", "gap",
    )  # fmt: skip
    return Schema(columns, _word_rows, _word_json, partial(_table, info=info), to_heatmaps=_figure)


def _rows(record: FillMaskRecord) -> Iterable[Sequence[Cell]]:
    for place, mask in mask_cells(record):
        for found in mask.attributions or ():
            explained = found.target, found.token, found.logprob, found.method
            for position, (token, value) in enumerate(zip(record.text.tokens, found.values, strict=True)):
                shown = float(value) if value == value else None  # NaN for a token without a value
                yield *place, *explained, position, token, shown, found.gap


def _word_rows(record: FillMaskRecord) -> Iterable[Sequence[Cell]]:
    for place, mask in mask_cells(record):
        for found in mask.attributions or ():
            explained = found.target, found.token, found.logprob, found.method
            for word in found.words or ():
                own = word.word, word.index, word.sentence or 0, word.start, word.end, joined(word.positions)
                yield *place, *explained, *own, word.value, found.gap


def _word_json(record: FillMaskRecord) -> Mapping[str, Any]:
    found = record_json(record)
    if record.text.pair is None:
        words = (word for mask in found["masks"] for each in mask["attributions"] for word in each["words"])
        for word in words:
            del word["sentence"]
    return found


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
