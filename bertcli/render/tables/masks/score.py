"""How probable each token of a text is to the model, and the text."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from bertcli.render.tables import cells
from bertcli.render.tables.blocks import Blocks
from bertcli.render.tables.fill_mask import bar
from bertcli.results.masks import FillMaskRecord, TextScore, TokenScore
from bertcli.results.texts import RunInfo

_READABLE = 1e6
_UNKNOWN = {"[UNK]", "<unk>"}
_METHODS = {
    "PLL-original": "each token masked on its own",
    "PLL-word-l2r": "each token masked together with the later pieces of its word",
}


def score_table(record: FillMaskRecord, info: RunInfo) -> RenderableType:
    """The sum, mean and perplexity of the text, and a row for each of its tokens."""
    assert record.score is not None
    caption = cells.caption(
        info,
        f"{record.score.method}: {_METHODS[record.score.method]}",
        "best: what the model would have said; perplexity: e to the power of -mean ln p",
        *_left_out(record),
    )
    return cells.figure(cells.title(record.text), _summary(record.score), _tokens(record.score), caption)


def _left_out(record: FillMaskRecord) -> Iterator[str]:
    """What a reader of the sum would not expect: tokens that do not count, and such as stand for another."""
    assert record.score is not None
    tokens, scored = record.text.tokens, {token.position for token in record.score.tokens}
    ends = {tokens[0], tokens[-1]}
    special = {token for at, token in enumerate(tokens) if at not in scored and token not in ends}
    if special:
        yield f"special tokens do not count: {', '.join(sorted(special))}"
    if unknown := {token.token for token in record.score.tokens} & _UNKNOWN:
        yield f"{unknown.pop()} is scored as itself, not as the word that it stands for"


def _summary(score: TextScore) -> Text:
    shown = Text(overflow="fold")
    numbers = {"sum": f"{score.sum:z.4f}", "mean": f"{score.mean:z.4f}", "perplexity": _perplexity(score.perplexity)}
    for name, value in numbers.items():
        shown.append(f"{name} ", cells.QUIET).append(value, cells.STRONG).append("   ")
    return shown


def _perplexity(value: float) -> str:
    return f"{value:,.3f}" if value < _READABLE else f"{value:.3e}"


def _tokens(score: TextScore) -> Blocks:
    drawn = cells.table()
    cells.add_numbers(drawn, "#")
    cells.add_words(drawn, "token")
    cells.add_numbers(drawn, "ln p")
    drawn.add_column(cells.cell("surprisal in bits"), no_wrap=True)
    cells.add_numbers(drawn, "rank")
    cells.add_words(drawn, "best")
    most = max(token.surprisal for token in score.tokens)
    width = max(len(f"{token.surprisal:z.2f}") for token in score.tokens)
    for token in score.tokens:
        drawn.add_row(
            Text(str(token.position), cells.QUIET),
            cells.cell(token.token),
            cells.number(token.logprob),
            Text.assemble(
                f"{token.surprisal:>z{width}.2f} ", (bar(token.surprisal / most if most else 0), cells.ACCENT)
            ),
            Text(f"{token.rank:,}"),
            _best(token),
        )
    return Blocks(drawn, keys=2)


def _best(token: TokenScore) -> Text:
    return cells.cell(token.best, cells.QUIET if token.best == token.token else "")
