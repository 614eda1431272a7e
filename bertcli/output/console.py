"""Output on a terminal through rich: tables on standard output, and the progress bar on stderr."""

import sys
from typing import Any, Literal, TextIO

from rich.console import Console

from bertcli.choices import ColorName
from bertcli.input.records import FailedText
from bertcli.output.formatting import counted
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
        from rich.progress import BarColumn, Progress, TextColumn

        console = Console(file=sys.stderr, highlight=False, emoji=False)
        console.width -= _ECHO_WIDTH
        columns = [*([BarColumn()] if total else []), TextColumn("{task.description}")]
        # Other messages to stderr appear above the bar.
        self._progress = Progress(*columns, console=console, transient=True, disable=not console.is_interactive)
        self._task = self._progress.add_task("", total=total)
        self._progress.start()

    def update(self, summary: RunSummary, done: int) -> None:
        """Draw the progress.

        Args:
            summary: Counts of the run so far.
            done: Bytes of the input that are done.
        """
        self._progress.update(self._task, completed=done)
        (task,) = self._progress.tasks
        known = [] if task.total is None else [share_and_time(task.percentage, task.time_remaining)]
        speed = f"{summary.tokens_per_second:,.0f} tokens/s"
        self._progress.update(self._task, description="  ".join([*known, counted(summary.texts, "text"), speed]))

    def update_step(self, about: str, done: int) -> None:
        """Draw the progress of a step that is about no texts in particular.

        Args:
            about: The step.
            done: Amount of its work that is done.
        """
        self._progress.update(self._task, completed=done)
        (task,) = self._progress.tasks
        share = share_and_time(task.percentage, task.time_remaining)
        self._progress.update(self._task, description=f"{share}  {about}")

    def end(self) -> None:
        """Erase the bar."""
        self._progress.stop()


def share_and_time(percentage: float, seconds: float | None) -> str:
    """Return the share of the work that is done, and the time that the rest takes if it is known.

    >>> share_and_time(21.2, 80.0), share_and_time(99.5, 3723.0), share_and_time(0.0, None)
    ('21 % · 1:20 left', '99 % · 1:02:03 left', '0 %')
    """
    share = f"{int(percentage)} %"
    if seconds is None:
        return share
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    time = f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
    return f"{share} · {time} left"
