"""A text whose tokens are shaded by a value, with the value under each token."""

from collections.abc import Iterator, Sequence

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from bertcli.lazy_dataclass import dataclass
from bertcli.output.formatting import visible
from bertcli.output.heatmaps import signed
from bertcli.output.tables import cells
from bertcli.output.tables.matrix import shade


@dataclass(frozen=True, slots=True)
class _Column:
    """A token, folded into lines if it is wider than the terminal, and its value."""

    token: Sequence[Text]
    value: Text

    @property
    def width(self) -> int:
        return max(self.value.cell_len, *(line.cell_len for line in self.token))


@dataclass(frozen=True, slots=True)
class ShadedText:
    """Tokens side by side in as many lines as the width needs, each shaded by its value, with the value under it.

    Attributes:
        tokens: The tokens.
        values: Their values, negative ones in another colour. NaN for a token without a value.
        explained: Position of the token that the values explain.
    """

    tokens: Sequence[str]
    values: Sequence[float]
    explained: int

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield a line of tokens and a line of values for each row, with an empty line between rows."""
        columns = list(self._columns(console, options.max_width))
        for number, row in enumerate(_rows(columns, options.max_width)):
            if number:
                yield Text()
            for line in range(max(len(column.token) for column in row)):
                yield _line(row, [column.token[line] if line < len(column.token) else Text() for column in row])
            yield _line(row, [column.value for column in row])

    def _columns(self, console: Console, width: int) -> Iterator[_Column]:
        strongest = max((abs(value) for value in self.values if value == value), default=0.0)
        for position, (token, value) in enumerate(zip(self.tokens, self.values, strict=True)):
            has_value = value == value
            style = shade(value / strongest if strongest else 0.0) if has_value else cells.QUIET
            shown = Text(visible(token), cells.STRONG if position == self.explained else style, overflow="fold")
            yield _Column(list(shown.wrap(console, width, overflow="fold")) or [Text()], _value(value, style))


def _value(value: float, style: str) -> Text:
    return Text(signed(value), style.replace("reverse ", "")) if value == value else Text()


def _rows(columns: Sequence[_Column], width: int) -> Iterator[Sequence[_Column]]:
    """Yield the columns that fit side by side, at least one a row."""
    row: list[_Column] = []
    used = 0
    for column in columns:
        if row and used + 1 + column.width > width:
            yield row
            row, used = [], 0
        used += column.width + (1 if row else 0)
        row.append(column)
    if row:
        yield row


def _line(row: Sequence[_Column], texts: Sequence[Text]) -> Text:
    """Return texts under each other's columns, with a space between columns."""
    line = Text(no_wrap=True, overflow="ignore")
    for column, text in zip(row, texts, strict=True):
        line.append(" " if line.cell_len else "").append_text(text).append(" " * (column.width - text.cell_len))
    line.rstrip()
    return line
