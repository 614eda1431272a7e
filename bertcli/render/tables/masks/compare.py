"""What two models put in the same masks, side by side."""

from rich.console import Group, RenderableType
from rich.text import Text

from bertcli.render.tables import cells
from bertcli.render.tables.blocks import Blocks
from bertcli.render.tables.fill_mask import probability
from bertcli.results.masks import Comparison, FillMaskRecord, MaskPredictions, rank_change
from bertcli.results.texts import RunInfo

_ABSENT = "–"


def compare_table(record: FillMaskRecord, info: RunInfo, explanation: str) -> RenderableType:
    """A table for each mask: the candidates of both models with both ranks, and the targets beneath them."""
    parts: list[RenderableType] = []
    for ordinal, mask in enumerate(record.masks, 1):
        comparison = mask.comparison
        assert comparison is not None
        place = f"mask {ordinal} of {len(record.masks)}" if len(record.masks) > 1 else "mask"
        heading = cells.subtitle(place, _distance(mask, comparison))
        parts.append(Group(heading, _side_by_side(mask, comparison)))
    other = next((mask.comparison.model for mask in record.masks if mask.comparison), "")
    caption = cells.caption(info, f"A: {info.model}", f"B: {other}", explanation)
    return cells.figure(cells.title(record.text), *parts, caption)


def _distance(mask: MaskPredictions, comparison: Comparison) -> str:
    place = f"position {mask.position}"
    if comparison.jensen_shannon is None:
        return place
    return f"{place}  Jensen-Shannon distance {comparison.jensen_shannon:.3f}"


def _side_by_side(mask: MaskPredictions, comparison: Comparison) -> Blocks:
    drawn = cells.table()
    cells.add_words(drawn, "token")
    for model in ("A", "B"):
        cells.add_numbers(drawn, f"rank {model}")
        drawn.add_column(cells.cell(f"probability {model}"), no_wrap=True)
    cells.add_numbers(drawn, "A to B")
    for found in comparison.changes:
        ranks = _rank(found.rank), _score(found.score), _rank(found.other_rank), _score(found.other_score)
        drawn.add_row(cells.cell(found.token_str), *ranks, _change(found.change))
    targets = list(zip(mask.targets or (), comparison.targets or (), strict=True))
    if targets:
        drawn.add_section()
        drawn.add_row(Text("targets", cells.QUIET))
    for own, other in targets:
        ranks = _rank(own.rank), _score(own.score), _rank(other.rank), _score(other.score)
        drawn.add_row(cells.cell(own.target), *ranks, _change(rank_change(own.rank, other.rank)))
    return Blocks(drawn, keys=1)


def _rank(rank: int | None) -> Text:
    return Text(_ABSENT, cells.QUIET) if rank is None else Text(f"{rank:,}")


def _score(score: float | None) -> Text:
    return Text(_ABSENT, cells.QUIET) if score is None else probability(score)


def _change(change: int | None) -> Text:
    """By how many ranks a candidate rises from the one model to the other, or falls."""
    if not change:
        return Text(_ABSENT if change is None else "=", cells.QUIET)
    return Text(f"↑{change:,}" if change > 0 else f"↓{-change:,}", cells.ACCENT if change > 0 else "")
