"""Tables of minimal pairs: both texts of a pair with their tokens side by side, and the summary of many pairs."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from itertools import zip_longest

from rich.console import RenderableType
from rich.text import Text

from bertcli.output.formatting import counted
from bertcli.output.tables import cells
from bertcli.output.tables.blocks import Blocks
from bertcli.output.tables.fill_mask import probability
from bertcli.output.tables.masks import perplexity, score_method
from bertcli.results.masks import TokenScore
from bertcli.results.pairs import Interval, PairCounts, PairRecord, PairSummary
from bertcli.results.texts import RunInfo

_DIFFERENCE = "difference: ln p of A minus that of B"
_ACCURACY = "accuracy: share of pairs whose first text is more probable; 95 %: Wilson"
_MEAN_DIFFERENCE = "difference: ln p of the first text minus that of the other; ±: 95 %, normal"


def pair_table(pair: PairRecord, info: RunInfo) -> RenderableType:
    """Draw the scores of both texts, and the scores of their tokens side by side."""
    first, _ = pair.scores
    verdict = "neither text is more probable" if pair.is_tie else f"{'A' if pair.preferred else 'B'} is more probable"
    shown = Text.assemble(
        ("difference ", cells.QUIET), (f"{pair.difference:z.4f}", cells.STRONG), "   ", (verdict, cells.ACCENT)
    )
    caption = cells.caption(info, score_method(first), _DIFFERENCE)
    return cells.figure(_pair_title(pair), _both_scores(pair), shown, _both_tokens(pair), caption)


def pair_summary_table(summary: PairSummary, info: RunInfo, group_fields: Sequence[str]) -> RenderableType:
    """Draw a row for each group, for the mean over the groups, and for all pairs.

    Args:
        summary: The summary.
        info: Run to name in the caption.
        group_fields: Fields that name the group of a pair.
    """
    drawn = cells.table()
    cells.add_words(drawn, ", ".join(group_fields) or "pairs")
    cells.add_numbers(drawn, "count")
    cells.add_bars(drawn, "accuracy", "95 %")
    cells.add_numbers(drawn, "ties", "difference")
    for group in summary.groups or ():
        drawn.add_row(cells.cell(", ".join(group.group.values())), *_count_cells(group.counts))
    drawn.add_section()
    if summary.groups is not None:
        mean = probability(summary.mean_accuracy), Text(), Text(), cells.number(summary.mean_difference)
        drawn.add_row(Text(f"mean over {counted(len(summary.groups), 'group')}"), Text(), *mean)
    drawn.add_row(Text("all"), *_count_cells(summary.counts))
    caption = cells.caption(info, _ACCURACY, _MEAN_DIFFERENCE)
    return cells.figure(Text(counted(summary.counts.count, "pair"), cells.STRONG), Blocks(drawn, keys=1), caption)


def _pair_title(pair: PairRecord) -> Text:
    heading = cells.title(pair.text)
    return heading.append("  /  ", cells.QUIET).append(cells.title(replace(pair.versus.text, line=None)))


def _both_scores(pair: PairRecord) -> Blocks:
    drawn = cells.table()
    cells.add_words(drawn, "", "text")
    cells.add_numbers(drawn, "tokens", "ln p", "mean", "perplexity")
    for name, text, score in zip("AB", (pair.text, pair.versus.text), pair.scores, strict=True):
        numbers = cells.number(score.sum, 4), cells.number(score.mean, 4), Text(perplexity(score.perplexity))
        drawn.add_row(Text(name, cells.QUIET), cells.cell(text.text), Text(str(len(score.tokens))), *numbers)
    return Blocks(drawn, keys=1)


def _both_tokens(pair: PairRecord) -> Blocks:
    drawn = cells.table()
    cells.add_words(drawn, "A")
    cells.add_numbers(drawn, "ln p A")
    cells.add_words(drawn, "B")
    cells.add_numbers(drawn, "ln p B", "A - B")
    first, versus = pair.scores
    for own, other in _aligned(first.tokens, versus.tokens):
        is_shared = own is not None and other is not None and own.id == other.id
        style = cells.QUIET if is_shared else ""
        difference = cells.number(own.logprob - other.logprob) if own is not None and other is not None else Text()
        drawn.add_row(*_token_cells(own, style), *_token_cells(other, style), difference)
    return Blocks(drawn, keys=2)


def _aligned(
    tokens: Sequence[TokenScore], others: Sequence[TokenScore]
) -> Iterator[tuple[TokenScore | None, TokenScore | None]]:
    """Yield the tokens of both texts side by side: shared ones together, the others in their order, or beside None."""
    ids, other_ids = [token.id for token in tokens], [token.id for token in others]
    for _, start, end, other_start, other_end in SequenceMatcher(None, ids, other_ids).get_opcodes():
        yield from zip_longest(tokens[start:end], others[other_start:other_end])


def _token_cells(token: TokenScore | None, style: str) -> tuple[Text, Text]:
    if token is None:
        return Text(), Text()
    return cells.token(token.token, style), cells.number(token.logprob)


def _count_cells(counts: PairCounts) -> Iterator[Text]:
    yield Text(f"{counts.count:,}")
    yield probability(counts.accuracy)
    yield Text(f"{counts.accuracy_interval.low:.3f}–{counts.accuracy_interval.high:.3f}")
    yield Text(f"{counts.ties:,}")
    yield _with_margin(counts.mean_difference, counts.mean_difference_interval)


def _with_margin(mean: float, interval: Interval | None) -> Text:
    """Return a mean and half the width of its interval."""
    shown = cells.number(mean)
    return shown if interval is None else shown.append(f" ± {(interval.high - interval.low) / 2:.3f}", cells.QUIET)
