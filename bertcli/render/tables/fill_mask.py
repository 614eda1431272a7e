"""What may stand in each mask."""

from collections.abc import Iterable, Sequence
from os.path import commonprefix

from rich.console import Group, RenderableType
from rich.text import Text

from bertcli.render.tables import cells
from bertcli.render.tables.blocks import Blocks
from bertcli.render.visible import visible
from bertcli.results import FillMaskRecord, MaskPredictions, Prediction, RunInfo, TargetPrediction

_BAR_WIDTH, _EIGHTHS = 8, " ▏▎▍▌▋▊▉"
_SMALLEST_WITH_DECIMALS = 0.00005


def fill_mask_table(record: FillMaskRecord, info: RunInfo) -> RenderableType:
    """A table for each mask of the text: its candidates, and beneath them the words that were asked about."""
    parts: list[RenderableType] = []
    for ordinal, mask in enumerate(record.masks, 1):
        drawn = _mask(mask)
        if len(record.masks) > 1:
            heading = cells.subtitle(f"mask {ordinal} of {len(record.masks)}", f"position {mask.position}")
            parts.append(Group(heading, drawn))
        else:
            parts.append(drawn)
    return cells.figure(cells.title(record.text), *parts, cells.caption(info))


def _mask(mask: MaskPredictions) -> Blocks:
    drawn = cells.table()
    cells.add_numbers(drawn, "rank")
    cells.add_words(drawn, "token")
    cells.add_numbers(drawn, "id")
    drawn.add_column(cells.cell("probability"), no_wrap=True)
    cells.add_numbers(drawn, "logit")
    cells.add_words(drawn, "text")
    targets = mask.targets or ()
    ends = common_ends([each.sequence for each in (*mask.predictions, *(target.prediction for target in targets))])
    for prediction in mask.predictions:
        drawn.add_row(*_row(prediction, cells.cell(prediction.token_str), ends))
    if targets:
        drawn.add_section()
        drawn.add_row(Text(), Text("targets", cells.QUIET))
    for target in targets:
        drawn.add_row(*_row(target.prediction, _target(target), ends))
    return Blocks(drawn, keys=2)


def _row(prediction: Prediction, token: Text, ends: tuple[int, int]) -> Iterable[Text]:
    yield Text(f"{prediction.rank:,}")
    yield token
    yield Text(str(prediction.token))
    yield probability(prediction.score)
    yield cells.number(prediction.logit)
    yield _filled(prediction, ends)


def _target(target: TargetPrediction) -> Text:
    """The word as it was asked for, and what the vocabulary makes of it where that is something else."""
    word, found = target.target, target.prediction.token_str
    shown = cells.cell(word)
    return shown if word == found else shown.append(f" ({visible(found)})", cells.QUIET)


def probability(score: float) -> Text:
    """A probability to four decimals, or to two digits where those would be 0, and a bar as long as it is large."""
    digits = f"{score:.1e}".replace("e-0", "e-") if 0 < score < _SMALLEST_WITH_DECIMALS else f"{score:.4f}"
    return Text.assemble(digits, " ", (_bar(score), cells.ACCENT))


def _bar(score: float) -> str:
    if not score > 0:  # nor a number, which half precision can bring about
        return ""
    whole, eighths = divmod(round(score * _BAR_WIDTH * 8), 8)
    return "█" * whole + _EIGHTHS[eighths].strip()


def _filled(prediction: Prediction, ends: tuple[int, int]) -> Text:
    """The text with its new word in bold where it is certain which one that is."""
    start = find_filled(prediction, ends)
    if start is None:
        return cells.cell(prediction.sequence)
    end = start + len(prediction.token_str)
    before, word, after = prediction.sequence[:start], prediction.sequence[start:end], prediction.sequence[end:]
    return cells.cell(before).append(visible(word), cells.STRONG).append(visible(after))


def common_ends(sequences: Sequence[str]) -> tuple[int, int]:
    """How many characters the texts have in common at their beginning and at their end."""
    return len(commonprefix(sequences)), len(commonprefix([sequence[::-1] for sequence in sequences]))


def find_filled(prediction: Prediction, ends: tuple[int, int]) -> int | None:
    """Where the filled word begins: the one place of its spelling that covers all in which the texts differ.

    ends: what common_ends says of all texts of the mask. None where there is no such place, or more than one.

    >>> this = Prediction(1, 0.9, 9.0, 2003, "is", "this is it")
    >>> find_filled(this, common_ends(["this is it", "this was it"]))
    5
    """
    sequence, word = prediction.sequence, prediction.token_str
    latest, end = ends[0], len(sequence) - ends[1]
    # The space before a word, or after it, is not common to all where others are punctuation.
    latest += sequence.startswith(" ", latest)
    end -= sequence.endswith(" ", 0, end)
    starts = [start for start in range(max(0, end - len(word)), latest + 1) if sequence.startswith(word, start)]
    return starts[0] if len(starts) == 1 else None
