"""Texts with all their masks filled together."""

from rich.console import RenderableType
from rich.text import Text

from bertcli.render.tables import cells
from bertcli.render.tables.blocks import Blocks
from bertcli.results.masks import FillMaskRecord
from bertcli.results.texts import RunInfo

_ORDERS = {
    "confidence": "filled in order of confidence: the surest mask first",
    "l2r": "filled from left to right",
}
_LOGPROB = "ln p: the sum over the masks, each given those filled before it"


def joint_table(record: FillMaskRecord, order: str, info: RunInfo) -> RenderableType:
    """A row for each sequence: what fills each mask, its log-probability, and the whole text."""
    count = len(record.masks)
    drawn = cells.table()
    cells.add_numbers(drawn, "rank", "ln p")
    cells.add_words(drawn, *(f"mask {ordinal}" if count > 1 else "mask" for ordinal in range(1, count + 1)), "text")
    for rank, filled in enumerate(record.sequences or (), 1):
        tokens = (cells.cell(token, cells.STRONG) for token in filled.tokens)
        drawn.add_row(Text(f"{rank:,}"), cells.number(filled.logprob), *tokens, cells.cell(filled.sequence))
    caption = cells.caption(info, _ORDERS[order], _LOGPROB)
    return cells.figure(cells.title(record.text), Blocks(drawn, keys=2), caption)
