"""What the tables have in common: text that stays text, numbers, and a quiet look.

Tokens and texts are never markup, which would swallow `[mask]`, fail on `[/b]` and make a picture of `:smile:`.
Colours are the terminal's own, so that they suit its theme.
"""

from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bertcli.output import formatting as numbers
from bertcli.output.formatting import visible
from bertcli.results.texts import RunInfo, TextInfo

ACCENT, QUIET, STRONG, ALARM = "magenta", "dim", "bold", "red"
FIRST_VALUES = 4
_NEGLIGIBLE, _MOST = 0.05, 0.5
_REVISION_DIGITS = 8
_LONGEST_TITLE, _END_OF_TITLE = 600, 100
_SHA1_DIGITS = 40


def cell(text: str, style: str = "") -> Text:
    """A user's text or a token: shown as it is, folded where it is too long, never cut."""
    return Text(visible(text), style, overflow="fold")


def number(value: float, decimals: int = 3, style: str = "") -> Text:
    """A number with a fixed count of decimals; what rounds to nothing is 0, never -0."""
    return Text(f"{value:z.{decimals}f}", style)


def share(value: float) -> Text:
    """A part of 1: faint where it is next to nothing, marked where it is more than half."""
    return number(value, 2, share_style(value))


def share_style(value: float) -> str:
    """How a part of 1 is shaded."""
    if value > _MOST:
        return f"{STRONG} {ACCENT}"
    return QUIET if value < _NEGLIGIBLE else ""


def size(nbytes: int) -> Text:
    """Bytes, as people read them."""
    return Text(numbers.size(nbytes))


def norm(vector: Any) -> float:
    """The Euclidean length of a vector."""
    return float((vector @ vector) ** 0.5)


def table() -> Table:
    """A table without columns yet, drawn with as few lines as will do."""
    return Table(
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        header_style=STRONG,
        border_style=QUIET,
    )


def add_words(drawn: Table, *headers: str) -> None:
    """Columns of text."""
    for header in headers:
        drawn.add_column(cell(header), overflow="fold")


def add_numbers(drawn: Table, *headers: str) -> None:
    """Columns of numbers, which are not folded where this can be avoided."""
    for header in headers:
        drawn.add_column(cell(header), overflow="fold", justify="right", no_wrap=True)


def title(text: TextInfo) -> Text:
    """The text that a record is about, with its line where it has one, its pair, and whether it was cut."""
    line = "" if text.line is None else f"line {text.line}  "
    shown = Text.assemble((line, QUIET), (_shortened(text.text), STRONG), overflow="fold")
    if text.pair is not None:
        shown.append("  +  ", QUIET).append(_shortened(text.pair), STRONG)
    if text.truncated:
        shown.append("  (truncated)", ALARM)
    return shown


def _shortened(text: str) -> str:
    """A text as a heading has room for it."""
    if len(text) <= _LONGEST_TITLE:
        return visible(text)
    # Between words where there are any.
    beginning, end = text[: _LONGEST_TITLE - _END_OF_TITLE], text[-_END_OF_TITLE:]
    return f"{visible(beginning.rpartition(' ')[0] or beginning)} … {visible(end.partition(' ')[2] or end)}"


def subtitle(part: str, note: str) -> Text:
    """Which part of the record comes next."""
    return cell(part).append(f"  {visible(note)}", QUIET)


def caption(info: RunInfo, *notes: str) -> Text:
    """What the reader has to know, and who answered."""
    return cell("", QUIET).append("\n".join(visible(line) for line in (*notes, run_line(info)) if line))


def run_line(info: RunInfo) -> str:
    """Who answered."""
    model = info.model if info.revision is None else f"{info.model}@{short(info.revision)}"
    parts = (model, info.engine, info.device, info.dtype)
    return " · ".join(part for part in parts if part is not None)


def figure(heading: RenderableType, *parts: RenderableType) -> Group:
    """A title and what belongs to it, an empty line between any two."""
    return Group(heading, *(each for part in parts for each in (Text(), part)))


def short(revision: str) -> str:
    """The beginning of a commit's hash, which is enough to tell it by; a name as it is."""
    is_commit = len(revision) == _SHA1_DIGITS and revision.isalnum()
    return revision[:_REVISION_DIGITS] if is_commit else revision
