"""Tables of fill-mask: the candidates and targets of each mask."""

from collections.abc import Iterator, Mapping, Sequence
from os.path import commonprefix

from rich.console import Group, RenderableType
from rich.text import Text

from bertcli.choices import TargetScore
from bertcli.output.formatting import visible
from bertcli.output.tables import cells
from bertcli.output.tables.blocks import Blocks
from bertcli.results.masks import FillMaskRecord, MaskPredictions
from bertcli.results.texts import RunInfo

_SMALLEST_WITH_DECIMALS = 0.001
# A longer text is shown by the characters around its mask.
_LONGEST_TEXT, _AROUND_MASK = 200, 60
_METHODS: Mapping[str, str] = {
    TargetScore.L2R: "ln p sums a word's pieces, each given those before it",
    TargetScore.MEAN: "ln p averages a word's pieces, all of them masked",
}


def fill_mask_table(record: FillMaskRecord, info: RunInfo, mass: float | None = None) -> RenderableType:
    """Draw the candidates of each mask, the model's certainty, and the targets.

    Args:
        record: Text and its masks.
        info: Run to name in the caption.
        mass: Probability that the candidates are meant to cover, or None.
    """
    parts: list[RenderableType] = []
    for ordinal, mask in enumerate(record.masks, 1):
        candidates, others = _candidates(mask), [*_certainty(mask, mass), *_targets(mask)]
        if len(record.masks) > 1:
            heading = cells.subtitle(f"mask {ordinal} of {len(record.masks)}", f"position {mask.position}")
            parts += [Group(heading, candidates), *others]
        else:
            parts += [candidates, *others]
    return cells.figure(cells.title(record.text), *parts, cells.caption(info))


def probability(score: float) -> Text:
    """Return a probability with four decimals, or two digits if it is small, and a bar of proportional length."""
    return Text.assemble(_digits(score), " ", (cells.bar(score), cells.ACCENT))


def common_ends(sequences: Sequence[str]) -> tuple[int, int]:
    """Return how many characters all texts share at their beginning, and how many at their end."""
    return len(commonprefix(sequences)), len(commonprefix([sequence[::-1] for sequence in sequences]))


def find_filled(sequence: str, word: str, ends: tuple[int, int]) -> int | None:
    """Return the position of the filled word in its text.

    The position is the only one at which the word covers all characters that differ between the texts.

    Args:
        sequence: The text.
        word: A candidate, with which the text is filled.
        ends: common_ends of the texts of all candidates for the mask.

    Returns:
        The index of the word's first character, or None if no position or more than one is possible.

    >>> find_filled("this is it", "is", common_ends(["this is it", "this was it"]))
    5
    """
    latest, end = ends[0], len(sequence) - ends[1]
    # Not all texts share the space before or after the word: punctuation has none.
    latest += sequence.startswith(" ", latest)
    end -= sequence.endswith(" ", 0, end)
    starts = [start for start in range(max(0, end - len(word)), latest + 1) if sequence.startswith(word, start)]
    return starts[0] if len(starts) == 1 else None


def filled_text(sequence: str, word: str, ends: tuple[int, int]) -> Text:
    """Return the filled text, with the new word in bold if its position is certain. Arguments as for find_filled."""
    start = find_filled(sequence, word, ends)
    if start is None:
        return cells.cell(sequence)
    before, after = sequence[:start], sequence[start + len(word) :]
    if len(sequence) > _LONGEST_TEXT:
        before, after = _end_of(before), _beginning_of(after)
    return cells.cell(before).append(visible(word), cells.STRONG).append(visible(after))


def _candidates(mask: MaskPredictions) -> Blocks:
    drawn = cells.table()
    cells.add_numbers(drawn, "rank")
    cells.add_words(drawn, "token")
    cells.add_numbers(drawn, "id")
    cells.add_bars(drawn, "probability")
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
            filled_text(prediction.sequence, prediction.token_str, ends),
        )
    return Blocks(drawn, keys=2)


def _targets(mask: MaskPredictions) -> Iterator[RenderableType]:
    """Yield a table of the targets, if any: their pieces and probabilities, and their shares if there are several."""
    if not mask.targets:
        return
    drawn = cells.table()
    cells.add_numbers(drawn, "rank")
    cells.add_words(drawn, "target", "pieces")
    cells.add_bars(drawn, "probability")
    cells.add_numbers(drawn, "ln p")
    has_shares = len(mask.targets) > 1
    if has_shares:
        cells.add_bars(drawn, "share")
    for target in mask.targets:
        drawn.add_row(
            Text("–", cells.QUIET) if target.rank is None else Text(f"{target.rank:,}"),
            cells.cell(target.target),
            cells.cell(" ".join(target.pieces), cells.QUIET if target.pieces == (target.target,) else ""),
            Text(_digits(target.score)),
            cells.number(target.logprob),
            *([probability(target.share)] if has_shares else []),
        )
    method = mask.targets[0].method
    yield Group(cells.subtitle("targets", f"{method}: {_METHODS[method]}"), Blocks(drawn, keys=2))


def _certainty(mask: MaskPredictions, mass: float | None) -> Iterator[Text]:
    """Yield the entropy of the distribution and the probability that the candidates cover, if computed."""
    lines = []
    if mask.entropy is not None:
        equal = 2**mask.entropy
        count = f"{equal:,.1f}" if equal < 10 else f"{equal:,.0f}"
        lines.append(f"entropy {mask.entropy:z.3f} bits (like {count} equally likely tokens)")
    if mask.mass is not None:
        covers = "1 token covers" if len(mask.predictions) == 1 else f"{len(mask.predictions):,} tokens cover"
        limit = "" if mass is None or mask.mass >= mass else f" (--top-k ends the list before {100 * mass:g} %)"
        lines.append(f"{covers} {100 * mask.mass:.2f} %{limit}")
    if lines:
        yield Text("\n".join(lines))


def _digits(score: float) -> str:
    return f"{score:.1e}".replace("e-0", "e-") if 0 < score < _SMALLEST_WITH_DECIMALS else f"{score:.4f}"


def _end_of(text: str) -> str:
    return text if len(text) <= _AROUND_MASK else f"…{text[-_AROUND_MASK:].partition(' ')[2] or text[-_AROUND_MASK:]}"


def _beginning_of(text: str) -> str:
    return text if len(text) <= _AROUND_MASK else f"{text[:_AROUND_MASK].rpartition(' ')[0] or text[:_AROUND_MASK]}…"
