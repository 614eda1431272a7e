"""Cells, columns, titles and captions that the tables share.

Tokens and texts are never markup: it would swallow `[mask]`, fail on `[/b]` and turn `:smile:` into a picture. Colours
are those of the terminal, so that they suit its theme.
"""

from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bertcli.output import formatting
from bertcli.output.display import recipe_line, run_line
from bertcli.output.formatting import visible
from bertcli.results.texts import RunInfo, TextInfo

ACCENT, OPPOSITE, QUIET, STRONG, ALARM = "magenta", "cyan", "dim", "bold", "red"
FIRST_VALUES = 4
# Spellings of the token for what a vocabulary cannot spell.
_UNKNOWN = ("[UNK]", "<unk>")
_NEGLIGIBLE, _MAJORITY = 0.05, 0.5
_LONGEST_TITLE, _END_OF_TITLE = 600, 100
_BAR_WIDTH, _EIGHTHS = 8, " ▏▎▍▌▋▊▉"


def cell(text: str, style: str = "") -> Text:
    """Return a user's text or a token as a cell. It is shown unchanged, and folded if it is too long, never cut."""
    return Text(visible(text), style, overflow="fold")


def token(spelling: str, style: str = "") -> Text:
    """Return a token as a cell, marked if it is [UNK]."""
    return cell(spelling, ALARM if spelling in _UNKNOWN else style)


def number(value: float, decimals: int = 3, style: str = "") -> Text:
    """Return a number with a fixed count of decimals. A value that rounds to zero is 0, never -0."""
    return Text(f"{value:z.{decimals}f}", style)


def share(value: float) -> Text:
    """Return a number between 0 and 1 with two decimals: faint if it is negligible, marked if over one half."""
    return number(value, 2, share_style(value))


def share_style(value: float) -> str:
    """Return the style of a number between 0 and 1."""
    if value > _MAJORITY:
        return f"{STRONG} {ACCENT}"
    return QUIET if value < _NEGLIGIBLE else ""


def size(nbytes: int) -> Text:
    """Return a number of bytes in the largest unit that fits."""
    return Text(formatting.size(nbytes))


def norm(vector: Any) -> float:
    """Return the Euclidean length of a vector."""
    return float((vector @ vector) ** 0.5)


def table() -> Table:
    """Return an empty table with a line under its header and no other lines."""
    return Table(
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        header_style=STRONG,
        border_style=QUIET,
    )


def add_words(drawn: Table, *headers: str) -> None:
    """Add columns of text."""
    for header in headers:
        drawn.add_column(cell(header), overflow="fold")


def add_numbers(drawn: Table, *headers: str) -> None:
    """Add columns of numbers, which are folded only if the terminal is too narrow for one of them."""
    for header in headers:
        drawn.add_column(cell(header), overflow="fold", justify="right", no_wrap=True)


def add_bars(drawn: Table, *headers: str) -> None:
    """Add columns of numbers with bars, aligned to the left."""
    for header in headers:
        drawn.add_column(cell(header), no_wrap=True)


def bar(score: float) -> str:
    """Return a bar for a number between 0 and 1.

    >>> bar(0.5)
    '████'
    """
    if not score > 0:  # NaN, which half precision can produce, has no bar
        return ""
    return eighths_bar(round(score * _BAR_WIDTH * 8))


def eighths_bar(eighths: int) -> str:
    """Return a bar of a width in eighths of a cell.

    >>> eighths_bar(20)
    '██▌'
    """
    whole, rest = divmod(eighths, 8)
    return "█" * whole + _EIGHTHS[rest].strip()


def title(text: TextInfo) -> Text:
    """Return the title of a record: its line number, its text and pair, and whether it was truncated or in windows."""
    line = "" if text.line is None else f"line {text.line}  "
    shown = Text.assemble((line, QUIET), (_shortened(text.text), STRONG), overflow="fold")
    if text.pair is not None:
        shown.append("  +  ", QUIET).append(_shortened(text.pair), STRONG)
    if text.truncated:
        shown.append("  (truncated)", ALARM)
    if text.window is not None:
        shown.append(f"  (window {text.window.number})", QUIET)
    elif text.windows:
        shown.append(f"  ({formatting.counted(len(text.windows), 'window')})", QUIET)
    if text.unknown:
        shown.append(f"  ({formatting.counted(text.unknown, 'unknown token')})", ALARM)
    return shown


def subtitle(part: str, note: str) -> Text:
    """Return the heading of a part of a record, with a note beside it."""
    return cell(part).append(f"  {visible(note)}", QUIET)


def caption(info: RunInfo, *notes: str) -> Text:
    """Return the notes that explain a table, and the recipe, model and engine that made it, a line each."""
    lines = [*notes, "" if info.recipe is None else recipe_line(info.recipe), run_line(info)]
    return cell("", QUIET).append("\n".join(visible(line) for line in lines if line))


def figure(heading: RenderableType, *parts: RenderableType) -> Group:
    """Return a heading and the parts under it, separated by empty lines."""
    return Group(heading, *(each for part in parts for each in (Text(), part)))


def _shortened(text: str) -> str:
    """Return the text, or the beginning and end of a long one, cut between words if it has any."""
    if len(text) <= _LONGEST_TITLE:
        return visible(text)
    beginning, end = text[: _LONGEST_TITLE - _END_OF_TITLE], text[-_END_OF_TITLE:]
    return f"{visible(beginning.rpartition(' ')[0] or beginning)} … {visible(end.partition(' ')[2] or end)}"
