"""How far a run has come, drawn on stderr."""

import sys

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from bertcli.results.texts import RunSummary


class ProgressBar:
    """A bar that is there until it is ended, where stderr is a terminal that can take back what it shows."""

    def __init__(self, total: int | None) -> None:
        """total: the bytes of the input, None where nobody knows."""
        console = Console(file=sys.stderr, highlight=False, emoji=False)
        columns = [TextColumn("{task.description}")]
        known = [BarColumn(), TaskProgressColumn(), TextColumn("left"), TimeRemainingColumn()]
        # What is written to stderr in the meantime stands above the bar.
        self._progress = Progress(
            *(known if total else []), *columns, console=console, transient=True, disable=not console.is_interactive
        )
        self._task = self._progress.add_task("", total=total)
        self._progress.start()

    def update(self, summary: RunSummary, done: int) -> None:
        """done: bytes of the input."""
        self._progress.update(
            self._task,
            completed=done,
            description=f"{summary.texts:,} rows  {summary.tokens_per_second:,.0f} tokens/s",
        )

    def end(self) -> None:
        """Take it away."""
        self._progress.stop()
