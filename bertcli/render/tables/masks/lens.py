"""How the predictions for each mask form, layer by layer."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from bertcli.render.tables import cells
from bertcli.render.tables.blocks import Blocks
from bertcli.render.tables.fill_mask import probability
from bertcli.results.masks import FillMaskRecord, LensLayer
from bertcli.results.texts import RunInfo

_LAYERS = "layer 0: the embeddings; the MLM head was trained on the last layer alone"
_TOP = "of each layer's candidates the first; --json has all that -k asks for"
_RANKS = "beneath a target: its rank in the vocabulary"


def lens_table(record: FillMaskRecord, info: RunInfo) -> RenderableType:
    """A row for each layer; for each mask the top prediction, its probability, and the rank of each target."""
    drawn = cells.table()
    cells.add_numbers(drawn, "layer")
    several = len(record.masks) > 1
    for ordinal, mask in enumerate(record.masks, 1):
        cells.add_words(drawn, f"mask {ordinal}" if several else "top")
        drawn.add_column(cells.cell("probability"), no_wrap=True)
        cells.add_numbers(drawn, *(target.target for target in mask.targets or ()))
    for layers in zip(*(mask.lens or () for mask in record.masks), strict=True):
        parts = (part for layer in layers for part in _cells(layer))
        drawn.add_row(Text(str(layers[0].layer)), *parts)
    notes = (_LAYERS, _TOP, _RANKS) if any(mask.targets for mask in record.masks) else (_LAYERS, _TOP)
    return cells.figure(cells.title(record.text), Blocks(drawn, keys=1), cells.caption(info, *notes))


def _cells(layer: LensLayer) -> Iterator[Text]:
    best = layer.predictions[0]
    yield cells.cell(best.token_str)
    yield probability(best.score)
    for target in layer.targets or ():
        yield Text(f"{target.rank:,}", cells.STRONG if target.rank == 1 else "")
