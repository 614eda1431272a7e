"""Tables on a terminal."""

from typing import Any, Literal, TextIO

from rich.console import Console

from bertcli.input.records import FailedText
from bertcli.output.schema import Schema


def make_console(stream: TextIO, color: str, width: int | None, *, record: bool = False) -> Console:
    """A console over the stream. color: auto (rich looks at the terminal and at NO_COLOR), always or never.

    record: keep what is drawn, so that it can be exported.
    """
    # Where colours are forced there may be no terminal to ask how many it has; the tables use no more than these.
    systems: dict[str, Literal["standard"] | None] = {"always": "standard", "never": None}
    return Console(
        file=stream,
        width=width,
        record=record,
        force_terminal=True if color == "always" else None,
        no_color=False if color == "always" else None,
        color_system=systems.get(color, "auto"),
        highlight=False,
        emoji=False,
        markup=False,
    )


class TableWriter:
    """Draws each record as it comes; see bertcli.output.records.RecordWriter."""

    def __init__(self, console: Console, view: Schema[Any]) -> None:
        self._console, self._view = console, view
        self._has_drawn = False

    def write(self, record: Any) -> None:
        self._draw(self._view.to_table(record))

    def skip(self, missing: FailedText) -> None:
        pass

    def finish(self) -> None:
        closing = self._view.closing_table()
        if closing is not None:
            self._draw(closing)

    def _draw(self, renderable: Any) -> None:
        if self._has_drawn:
            self._console.print()
        self._has_drawn = True
        self._console.print(renderable)
        self._console.file.flush()
