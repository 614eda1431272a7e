"""Table of a minimal pair: the scores of both texts, and their tokens side by side."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from itertools import zip_longest

from rich.console import RenderableType
from rich.text import Text

from bertcli.output.tables import cells
from bertcli.output.tables.blocks import Blocks
from bertcli.output.tables.masks import perplexity, score_method
from bertcli.results.masks import TokenScore
from bertcli.results.pairs import PairRecord
from bertcli.results.texts import RunInfo

_DIFFERENCE = "difference: ln p of A minus that of B"


def pair_table(pair: PairRecord, info: RunInfo) -> RenderableType:
    """Draw the scores of both texts, and the scores of their tokens side by side."""
    first, _ = pair.scores
    verdict = "neither text is more probable" if pair.is_tie else f"{'A' if pair.preferred else 'B'} is more probable"
    shown = Text.assemble(
        ("difference ", cells.QUIET), (f"{pair.difference:z.4f}", cells.STRONG), "   ", (verdict, cells.ACCENT)
    )
    caption = cells.caption(info, score_method(first), _DIFFERENCE)
    return cells.figure(_pair_title(pair), _both_scores(pair), shown, _both_tokens(pair), caption)


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
