"""The reports of a run on stderr: notes, skipped texts, the summary and the progress bar."""

import sys
import threading
from typing import TYPE_CHECKING

from bertcli.checkpoints.hub_cache import Download
from bertcli.input.records import FailedText
from bertcli.output.formatting import size
from bertcli.output.messages import print_note, print_skipped, print_summary
from bertcli.results.corpus import RunSummary

if TYPE_CHECKING:
    from bertcli.output.progress import ProgressBar

# A hint that is pointless once texts are being skipped.
_SKIP_OPTION = "--on-error skip"


class Reporter:
    """Reports to the user while a command runs. quiet leaves out notes, summaries and progress, but no errors."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._given_hints: set[str] = set()
        self._bar: ProgressBar | None = None
        self._drawing, self._is_over = threading.Lock(), False

    def note(self, message: str) -> None:
        """Print something that the user may want to know."""
        if not self._quiet:
            print_note(message)

    def summarize(self, summary: RunSummary) -> None:
        """Print the summary of a run over many texts."""
        if not self._quiet:
            print_summary(summary)

    def announce(self, download: Download) -> bool:
        """Print what is about to be downloaded. Return True if the progress of the download is to be drawn."""
        files = "1 file" if len(download.files) == 1 else f"{len(download.files)} files"
        self.note(f"downloading {download.repository} ({size(download.nbytes)} in {files}) to {download.folder}")
        return self.is_shown

    def report_skipped(self, text: FailedText) -> None:
        """Print why a text is skipped, with its hint if that has not been printed before."""
        error = text.error.with_prefix(text.place)
        is_pointless = _SKIP_OPTION in error.hint or error.hint in self._given_hints
        print_skipped(error.message, "" if is_pointless else error.hint)
        self._given_hints.add(error.hint)

    @property
    def is_shown(self) -> bool:
        """True if stderr is a terminal and --quiet is not set, so that progress is drawn."""
        return not self._quiet and sys.stderr is not None and sys.stderr.isatty()

    def show(self, summary: RunSummary, done: int, total: int | None) -> None:
        """Draw the progress bar. Any thread may call it.

        Args:
            summary: The counts so far.
            done: Bytes of the input that are done.
            total: Bytes of the input, None if unknown.
        """
        from bertcli.output.progress import ProgressBar

        with self._drawing:
            if self._is_over:
                return
            if self._bar is None:
                self._bar = ProgressBar(total)
            self._bar.update(summary, done)

    def end(self) -> None:
        """Remove the progress bar."""
        with self._drawing:
            self._is_over = True
            if self._bar is not None:
                self._bar.end()
