"""What may stand in each mask."""

from collections.abc import Iterator, Sequence
from os.path import commonprefix

from rich.console import Group, RenderableType
from rich.text import Text

from bertcli.output.formatting import visible
from bertcli.output.tables import cells
from bertcli.output.tables.blocks import Blocks
from bertcli.results.masks import FillMaskRecord, MaskPredictions, Prediction
from bertcli.results.texts import RunInfo

_BAR_WIDTH, _EIGHTHS = 8, " ▏▎▍▌▋▊▉"
_SMALLEST_WITH_DECIMALS = 0.001
# A longer text is shown by what stands around its mask.
_WHOLE, _AROUND = 200, 60
_METHODS = {
    "l2r": "each piece of a word given those before it",
    "mean": "ln p is the mean over a word's pieces, all of them masked",
}


def fill_mask_table(record: FillMaskRecord, info: RunInfo, mass: float | None = None) -> RenderableType:
    """For each mask of the text a table of its candidates, one of the words asked about, and how sure the model is.

    mass: what the candidates were to reach.
    """
    parts: list[RenderableType] = []
    for ordinal, mask in enumerate(record.masks, 1):
        drawn = [_candidates(mask), *_certainty(mask, mass), *_targets(mask)]
        if len(record.masks) > 1:
            heading = cells.subtitle(f"mask {ordinal} of {len(record.masks)}", f"position {mask.position}")
            parts += [Group(heading, drawn[0]), *drawn[1:]]
        else:
            parts += drawn
    return cells.figure(cells.title(record.text), *parts, cells.caption(info))


def _candidates(mask: MaskPredictions) -> Blocks:
    drawn = cells.table()
    cells.add_numbers(drawn, "rank")
    cells.add_words(drawn, "token")
    cells.add_numbers(drawn, "id")
    drawn.add_column(cells.cell("probability"), no_wrap=True)
    cells.add_numbers(drawn, "logit")
    cells.add_words(drawn, "text")
    ends = common_ends([prediction.sequence for prediction in mask.predictions])
    for prediction in mask.predictions:
        drawn.add_row(
            Text(f"{prediction.rank:,}"),
            cells.cell(prediction.token_str),
            Text(str(prediction.token)),
            probability(prediction.score),
            cells.number(prediction.logit),
            _filled(prediction, ends),
        )
    return Blocks(drawn, keys=2)


def _targets(mask: MaskPredictions) -> Iterator[RenderableType]:
    """The words that were asked about, where any were: their pieces, and their shares among one another."""
    if not mask.targets:
        return
    drawn = cells.table()
    cells.add_numbers(drawn, "rank")
    cells.add_words(drawn, "target", "pieces")
    drawn.add_column(cells.cell("probability"), no_wrap=True)
    cells.add_numbers(drawn, "ln p")
    drawn.add_column(cells.cell("share"), no_wrap=True)
    for target in mask.targets:
        drawn.add_row(
            Text("–", cells.QUIET) if target.rank is None else Text(f"{target.rank:,}"),
            cells.cell(target.target),
            cells.cell(" ".join(target.pieces), cells.QUIET if target.pieces == (target.target,) else ""),
            Text(_digits(target.score)),
            cells.number(target.logprob),
            probability(target.share),
        )
    method = mask.targets[0].method
    yield Group(cells.subtitle("targets", f"{method}: {_METHODS[method]}"), Blocks(drawn, keys=2))


def _certainty(mask: MaskPredictions, mass: float | None) -> Iterator[Text]:
    lines = []
    if mask.entropy is not None:
        lines.append(f"entropy {mask.entropy:z.3f} bits, as of {2**mask.entropy:,.1f} equally likely tokens")
    if mask.mass is not None:
        count = len(mask.predictions)
        ended = "" if mass is None or mask.mass >= mass else f"; --top-k ends them before {mass:g}"
        held = "token holds" if count == 1 else "tokens hold"
        lines.append(f"{count:,} {held} {mask.mass:.4f} of the probability{ended}")
    if lines:
        yield Text("\n".join(lines))


def probability(score: float) -> Text:
    """A probability to four decimals, or to two digits where it is small, and a bar as long as it is large."""
    return Text.assemble(_digits(score), " ", (bar(score), cells.ACCENT))


def _digits(score: float) -> str:
    return f"{score:.1e}".replace("e-0", "e-") if 0 < score < _SMALLEST_WITH_DECIMALS else f"{score:.4f}"


def bar(score: float) -> str:
    """A part of 1 as a bar."""
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
    if len(prediction.sequence) > _WHOLE:
        before, after = _end_of(before), _beginning_of(after)
    return cells.cell(before).append(visible(word), cells.STRONG).append(visible(after))


def _end_of(text: str) -> str:
    return text if len(text) <= _AROUND else f"…{text[-_AROUND:].partition(' ')[2] or text[-_AROUND:]}"


def _beginning_of(text: str) -> str:
    return text if len(text) <= _AROUND else f"{text[:_AROUND].rpartition(' ')[0] or text[:_AROUND]}…"


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
