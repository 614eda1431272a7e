"""Progress bar of a run, drawn on stderr."""

import sys

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from bertcli.results.corpus import RunSummary


class ProgressBar:
    """Bar that shows the progress of a run until its end.

    Nothing is drawn unless stderr is a terminal that can erase lines.
    """

    def __init__(self, total: int | None) -> None:
        """Start the bar.

        Args:
            total: Size of the input in bytes, or None if it is unknown.
        """
        console = Console(file=sys.stderr, highlight=False, emoji=False)
        columns = [TextColumn("{task.description}")]
        known = [BarColumn(), TaskProgressColumn(), TextColumn("left"), TimeRemainingColumn()]
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
