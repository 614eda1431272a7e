"""Schema of fill-mask --pieces: a row for each word that is found for a mask."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from bertcli.output.formatting import joined
from bertcli.output.records import plain_line
from bertcli.output.schema import Cell, Schema
from bertcli.output.schemas.fill_mask import MASK_COLUMNS, Decode, mask_cells, record_json
from bertcli.results.masks import FillMaskRecord
from bertcli.results.texts import RunInfo


def whole_words_schema(info: RunInfo, rank: str, decode: Decode | None = None) -> Schema[FillMaskRecord]:
    """Return the schema of words of one or more pieces: a row for each word of each mask.

    Args:
        info: Run to name in captions.
        rank: The order of the words, a bertcli.choices.WordRank.
        decode: Returns the text of a text whose masks are filled; None if no plain answer is written.
    """
    return Schema(
        (*MASK_COLUMNS, "rank", "word", "pieces", "width", "logprob", "mean", "sequence"),
        _rows,
        record_json,
        partial(_table, info=info, rank=rank),
        to_plain=None if decode is None else partial(_plain, decode=decode),
    )


def _rows(record: FillMaskRecord) -> Iterable[Sequence[Cell]]:
    for place, mask in mask_cells(record):
        for found in mask.candidates or ():
            numbers = found.width, found.logprob, found.mean
            yield *place, found.rank, found.word, joined(found.pieces), *numbers, found.sequence


def _plain(record: FillMaskRecord, decode: Decode) -> Iterable[str]:
    """Yield the text with the best word in each mask. A mask without a word stays."""
    ids = list(record.text.input_ids)
    for mask in reversed(record.masks):
        if mask.candidates:
            ids[mask.position : mask.position + 1] = mask.candidates[0].ids
    yield plain_line(decode(ids))


def _table(record: FillMaskRecord, info: RunInfo, rank: str) -> Any:
    from bertcli.output.tables.whole_words import whole_words_table

    return whole_words_table(record, info, rank)
