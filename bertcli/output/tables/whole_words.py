"""Table of fill-mask --pieces: words of one or more pieces for each mask."""

from collections.abc import Mapping

from rich.console import Group, RenderableType
from rich.text import Text

from bertcli.choices import WordRank
from bertcli.output.tables import cells
from bertcli.output.tables.blocks import Blocks
from bertcli.output.tables.fill_mask import common_ends, filled_text
from bertcli.results.masks import FillMaskRecord, MaskPredictions
from bertcli.results.texts import RunInfo

_SUM = "ln p: sum over the pieces of the word, each given those before it"
_RANKS: Mapping[str, str] = {
    WordRank.MEAN: "ranked by mean: ln p divided by the number of pieces",
    WordRank.SUM: "ranked by ln p; mean: ln p divided by the number of pieces",
}


def whole_words_table(record: FillMaskRecord, info: RunInfo, rank: str) -> RenderableType:
    """Draw the words for each mask: their pieces, log-probabilities and texts.

    Args:
        record: Text and its masks.
        info: Run to name in the caption.
        rank: The order of the words, a bertcli.choices.WordRank.
    """
    parts: list[RenderableType] = []
    for ordinal, mask in enumerate(record.masks, 1):
        if len(record.masks) > 1:
            heading = cells.subtitle(f"mask {ordinal} of {len(record.masks)}", f"position {mask.position}")
            parts.append(Group(heading, _words(mask, rank)))
        else:
            parts.append(_words(mask, rank))
    return cells.figure(cells.title(record.text), *parts, cells.caption(info, _SUM, _RANKS[rank]))


def _words(mask: MaskPredictions, rank: str) -> RenderableType:
    if not mask.candidates:
        return Text("no word found", cells.QUIET)
    drawn = cells.table()
    cells.add_numbers(drawn, "rank")
    cells.add_words(drawn, "word", "pieces")
    cells.add_numbers(drawn, "width", "ln p", "mean")
    cells.add_words(drawn, "text")
    ends = common_ends([found.sequence for found in mask.candidates])
    by_mean = rank == WordRank.MEAN
    for found in mask.candidates:
        drawn.add_row(
            Text(f"{found.rank:,}"),
            cells.cell(found.word, cells.STRONG),
            cells.cell(" ".join(found.pieces), cells.QUIET if found.width == 1 else ""),
            Text(str(found.width)),
            cells.number(found.logprob, style=cells.QUIET if by_mean else ""),
            cells.number(found.mean, style="" if by_mean else cells.QUIET),
            filled_text(found.sequence, found.word, ends),
        )
    return Blocks(drawn, keys=2)
