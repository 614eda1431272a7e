"""How the answers to fill-mask's other questions look: their rows and tables. As JSON every record is one schema."""

from collections.abc import Iterable, Sequence
from typing import Any

from bertcli.output.heatmap import HeatmapSet
from bertcli.output.records import joined
from bertcli.output.schema import Cell, Schema
from bertcli.output.schemas.fill_mask import MASK_COLUMNS, masks_of, record_json
from bertcli.output.schemas.texts import TEXT_COLUMNS, text_cells, text_title
from bertcli.results.masks import FillMaskRecord, rank_change
from bertcli.results.texts import RunInfo


def joint_schema(info: RunInfo, order: str) -> Schema[FillMaskRecord]:
    """The view of masks that are filled together: a row for each whole sequence."""

    def table(record: FillMaskRecord) -> Any:
        from bertcli.output.tables.masks import joint_table

        return joint_table(record, order, info)

    return Schema((*TEXT_COLUMNS, "rank", "logprob", "tokens", "sequence"), _joint_rows, record_json, table)


def score_schema(info: RunInfo) -> Schema[FillMaskRecord]:
    """The view of pseudo-log-likelihoods: a row for each token, with the numbers of its text."""

    def table(record: FillMaskRecord) -> Any:
        from bertcli.output.tables.masks import score_table

        return score_table(record, info)

    columns = (
        *TEXT_COLUMNS, "sum", "mean", "perplexity", "position", "token", "id", "logprob", "surprisal", "rank", "best",
    )  # fmt: skip
    return Schema(columns, _score_rows, record_json, table)


def lens_schema(info: RunInfo) -> Schema[FillMaskRecord]:
    """The view of predictions as they form: a row for each candidate and target of each layer."""

    def table(record: FillMaskRecord) -> Any:
        from bertcli.output.tables.masks import lens_table

        return lens_table(record, info)

    columns = (*MASK_COLUMNS, "layer", "target", "rank", "score", "logit", "token", "token_str", "logprob", "share")
    return Schema(columns, _lens_rows, record_json, table)


def compare_schema(info: RunInfo, explanation: str) -> Schema[FillMaskRecord]:
    """The view of two models side by side: a row for each candidate of either. explanation: of the distance."""

    def table(record: FillMaskRecord) -> Any:
        from bertcli.output.tables.masks import compare_table

        return compare_table(record, info, explanation)

    columns = (
        *MASK_COLUMNS, "target", "token_str", "rank", "other_rank", "change", "score", "other_score", "other_model",
        "jensen_shannon", "pieces", "logprob", "other_logprob", "share", "other_share", "method",
    )  # fmt: skip
    return Schema(columns, _compare_rows, record_json, table)


def mutual_schema(info: RunInfo) -> Schema[FillMaskRecord]:
    """The view of how tokens bear on one another: a row for each two."""

    def table(record: FillMaskRecord) -> Any:
        from bertcli.output.tables.masks import mutual_table

        return mutual_table(record, info)

    def figured(record: FillMaskRecord) -> HeatmapSet:
        from bertcli.output.heatmaps import mutual_heatmap

        return HeatmapSet(text_title(record.text), [mutual_heatmap(record)])

    columns = (*TEXT_COLUMNS, "position", "token", "masked_position", "masked_token", "distance")
    return Schema(columns, _mutual_rows, record_json, table, to_heatmaps=figured)


def _joint_rows(record: FillMaskRecord) -> Iterable[Sequence[Cell]]:
    for rank, filled in enumerate(record.sequences or (), 1):
        yield *text_cells(record.text), rank, filled.logprob, joined(filled.tokens), filled.sequence


def _score_rows(record: FillMaskRecord) -> Iterable[Sequence[Cell]]:
    score = record.score
    for token in score.tokens if score else ():
        of_text = (*text_cells(record.text), score.sum, score.mean, score.perplexity) if score else ()
        of_token = token.position, token.token, token.id, token.logprob, token.surprisal, token.rank, token.best
        yield *of_text, *of_token


def _lens_rows(record: FillMaskRecord) -> Iterable[Sequence[Cell]]:
    for place, mask in masks_of(record):
        for layer in mask.lens or ():
            for found in layer.predictions:
                yield (
                    *place,
                    layer.layer,
                    None,
                    found.rank,
                    found.score,
                    found.logit,
                    found.token,
                    found.token_str,
                    None,
                    None,
                )
            for target in layer.targets or ():
                own = target.rank, target.score, target.logit, target.token, target.token_str
                yield *place, layer.layer, target.target, *own, target.logprob, target.share


def _compare_rows(record: FillMaskRecord) -> Iterable[Sequence[Cell]]:
    for place, mask in masks_of(record):
        comparison = mask.comparison
        if comparison is None:
            continue
        end = comparison.model, comparison.jensen_shannon
        for found in comparison.changes:
            ranks = found.rank, found.other_rank, found.change
            yield *place, None, found.token_str, *ranks, found.score, found.other_score, *end, *[None] * 6
        for own, other in zip(mask.targets or (), comparison.targets or (), strict=True):
            scores = own.rank, other.rank, rank_change(own.rank, other.rank), own.score, other.score
            of_target = joined(own.pieces), own.logprob, other.logprob, own.share, other.share, own.method
            yield *place, own.target, own.token_str, *scores, *end, *of_target


def _mutual_rows(record: FillMaskRecord) -> Iterable[Sequence[Cell]]:
    tokens = record.text.tokens
    for position, row in enumerate(record.mutual if record.mutual is not None else ()):
        for masked_position, distance in enumerate(row):
            if distance == distance:  # a special token has none
                place = (*text_cells(record.text), position, tokens[position])
                yield *place, masked_position, tokens[masked_position], float(distance)
