"""Tables on a terminal."""

from typing import Any, Literal, TextIO

from rich.console import Console

from bertcli.render.view import View


def make_console(stream: TextIO, color: str, width: int | None) -> Console:
    """A console over the stream. color: auto (rich looks at the terminal and at NO_COLOR), always or never."""
    color_system: Literal["auto", "256"] = "auto"
    if color == "always" and not stream.isatty():
        # Without a terminal there is nothing to ask how many colours it has.
        color_system = "256"
    return Console(
        file=stream,
        width=width,
        force_terminal=True if color == "always" else None,
        no_color={"always": False, "never": True}.get(color),
        color_system=color_system,
        highlight=False,
        emoji=False,
        markup=False,
    )


class TableWriter:
    """Draws each record as it comes; see bertcli.render.records.RecordWriter."""

    def __init__(self, console: Console, view: View[Any]) -> None:
        self._console, self._view = console, view

    def write(self, record: Any) -> None:
        self._draw(self._view.to_table(record))

    def skip(self) -> None:
        pass

    def finish(self) -> None:
        closing = self._view.closing_table()
        if closing is not None:
            self._draw(closing)

    def _draw(self, renderable: Any) -> None:
        self._console.print(renderable)
        self._console.file.flush()
