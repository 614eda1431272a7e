"""Output on a terminal through rich: tables on standard output, and the progress bar on stderr."""

import sys
from typing import Any, Literal, TextIO

from rich.console import Console

from bertcli.choices import ColorName
from bertcli.input.records import FailedText
from bertcli.output.schema import Schema
from bertcli.results.corpus import RunSummary


def make_console(stream: TextIO, color: str, width: int | None, *, record: bool = False) -> Console:
    """Return a console that writes to the stream.

    Args:
        stream: Text stream.
        color: always, never, or auto, which follows the terminal and NO_COLOR.
        width: Number of columns, or None for the width of the terminal.
        record: True to keep the output for an export.
    """
    # Forced colours may go to a file, which cannot be asked for its colours. The tables need only the standard ones.
    systems: dict[str, Literal["standard"] | None] = {ColorName.ALWAYS: "standard", ColorName.NEVER: None}
    return Console(
        file=stream,
        width=width,
        record=record,
        force_terminal=True if color == ColorName.ALWAYS else None,
        no_color=False if color == ColorName.ALWAYS else None,
        color_system=systems.get(color, "auto"),
        highlight=False,
        emoji=False,
        markup=False,
    )


class TableWriter:
    """Writer of a table for each record, as soon as it is computed; a bertcli.output.records.RecordWriter."""

    def __init__(self, console: Console, schema: Schema[Any]) -> None:
        self._console, self._schema = console, schema
        self._has_drawn = False

    def write(self, record: Any) -> None:
        self._draw(self._schema.to_table(record))

    def skip(self, failed: FailedText) -> None:
        pass

    def finish(self) -> None:
        closing = self._schema.closing_table()
        if closing is not None:
            self._draw(closing)

    def _draw(self, renderable: Any) -> None:
        if self._has_drawn:
            self._console.print()
        self._has_drawn = True
        self._console.print(renderable)
        self._console.file.flush()


# Columns to leave free after the bar, so that the echo of Ctrl-C does not wrap it onto a second line.
_ECHO_WIDTH = 3


class ProgressBar:
    """Bar that shows the progress of a run until its end.

    Nothing is drawn unless stderr is a terminal that can erase lines.
    """

    def __init__(self, total: int | None) -> None:
        """Start the bar.

        Args:
            total: Size of the input in bytes, or None if it is unknown.
        """
        # Imported here, since tables do without it and it takes long to load.
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

        console = Console(file=sys.stderr, highlight=False, emoji=False)
        console.width -= _ECHO_WIDTH
        columns = [TextColumn("{task.description}")]
        share = TaskProgressColumn("{task.percentage:>3.0f} %")
        known = [BarColumn(), share, TextColumn("left"), TimeRemainingColumn()]
        # Other messages to stderr appear above the bar.
        self._progress = Progress(
            *(known if total else []), *columns, console=console, transient=True, disable=not console.is_interactive
        )
        self._task = self._progress.add_task("", total=total)
        self._progress.start()

    def update(self, summary: RunSummary, done: int) -> None:
        """Draw the progress.

        Args:
            summary: Counts of the run so far.
            done: Bytes of the input read so far.
        """
        self._progress.update(
            self._task,
            completed=done,
            description=f"{summary.texts:,} rows  {summary.tokens_per_second:,.0f} tokens/s",
        )

    def end(self) -> None:
        """Erase the bar."""
        self._progress.stop()
