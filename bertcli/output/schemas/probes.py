"""Schema of probes: a row for each text, with the rank of the word that it expects in its mask."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from bertcli.output.formatting import joined, number
from bertcli.output.records import plain_line
from bertcli.output.schema import TEXT_COLUMNS, Cell, Schema, text_cells
from bertcli.output.schemas.fill_mask import record_json
from bertcli.output.schemas.summaries import with_groups
from bertcli.results.masks import FillMaskRecord, TargetPrediction, expected_word
from bertcli.results.texts import RunInfo

_COLUMNS = (
    *TEXT_COLUMNS, "target", "pieces", "rank", "reciprocal_rank", "score", "logprob", "best", "best_score",
)  # fmt: skip


def probe_schema(info: RunInfo, group_fields: Sequence[str]) -> Schema[FillMaskRecord]:
    """Return the schema of probes.

    Args:
        info: Run to name in captions.
        group_fields: Fields that name the group of a text.
    """
    schema = Schema(_COLUMNS, _rows, _json, partial(_table, info=info), to_plain=_plain_rank)
    return with_groups(schema, group_fields)


def _plain_rank(record: FillMaskRecord) -> Iterable[str]:
    yield plain_line(expected_word(record).rank)


def _reciprocal_rank(target: TargetPrediction) -> float | None:
    return None if target.rank is None else 1 / target.rank


def _rows(record: FillMaskRecord) -> Iterable[Sequence[Cell]]:
    target, best = expected_word(record), record.masks[0].predictions[0]
    ranks = target.rank, _reciprocal_rank(target)
    word = target.target, joined(target.pieces), *ranks, target.score, target.logprob
    yield *text_cells(record.text), *word, best.token_str, best.score


def _json(record: FillMaskRecord) -> Mapping[str, Any]:
    target = expected_word(record)
    reciprocal = _reciprocal_rank(target)
    expected = {
        "target": target.target,
        "rank": target.rank,
        "reciprocal_rank": None if reciprocal is None else number(reciprocal),
        "score": number(target.score),
        "logprob": number(target.logprob),
    }
    return {**record_json(record), "expected": expected}


def _table(record: FillMaskRecord, info: RunInfo) -> Any:
    # rich is imported when the first table is drawn: it takes longer to load than JSON needs.
    from bertcli.output.tables.fill_mask import fill_mask_table

    return fill_mask_table(record, info)
