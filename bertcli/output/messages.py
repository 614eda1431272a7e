"""Messages for the user: errors with their hints, notes, summaries, progress and bugs.

All of them go to stderr, since stdout is for data. Only print_names, which is for shell completion, writes to stdout.
"""

import errno
import os
import platform
import sys
import threading
import time
import traceback
from collections.abc import Iterable
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING

from bertcli import __version__
from bertcli.checkpoints.hub_cache import Download
from bertcli.errors import BertcliError
from bertcli.input.records import FailedText
from bertcli.interrupts import INTERRUPTS
from bertcli.output.formatting import counted, size, visible
from bertcli.results.corpus import RunSummary

if TYPE_CHECKING:
    from bertcli.output.console import ProgressBar

_OS_HINTS = {
    errno.ENOSPC: "free some space, or write somewhere else",
    errno.EACCES: "check its permissions",
    errno.EPERM: "check its permissions",
    errno.ENOENT: "check the spelling of the path",
    errno.EISDIR: "name a file, not a folder",
    errno.EROFS: "write somewhere else",
    errno.ENAMETOOLONG: "use a shorter name",
    errno.ENOTDIR: "check the spelling of the path",
    errno.EFBIG: "raise the limit (ulimit -f), or write somewhere else",
}
_OTHER_OS_HINT = "check the path and the disk or device"
# A hint that is pointless once texts are being skipped.
_SKIP_OPTION = "--on-error skip"
# A step that takes fewer seconds shows no bar.
_SHORT_STEP = 1.0
# Messages that are held while a pager has the screen, None if there is no pager.
_held: list[str] | None = None


def print_error(message: str, hint: str = "") -> None:
    """Print what is wrong, then what to do."""
    _print_with_hint("error", message, hint)


def print_failure(error: BertcliError | OSError | MemoryError) -> None:
    """Print an expected failure: what is wrong, then what to do."""
    if isinstance(error, BertcliError):
        print_error(error.message, error.hint)
    elif isinstance(error, OSError):
        print_error(*describe_os_error(error))
    else:
        print_error("there is not enough memory", "use a smaller --batch-tokens, or fewer or shorter texts")


def print_skipped(message: str, hint: str = "") -> None:
    """Print what is wrong with a text that the run skips, and how to fix it."""
    _print_with_hint("skipped", message, hint)


def print_note(message: str) -> None:
    """Print a note."""
    _print_line(f"bertcli: note: {message}")


def hold_messages() -> None:
    """Hold all messages from now on, so that they do not appear in the middle of a pager's screen."""
    global _held
    _held = []


def release_messages() -> None:
    """Print the messages that are held, and those that follow at once."""
    global _held
    lines, _held = _held or [], None
    for line in lines:
        _print_line(line)


def print_plain(*lines: str) -> None:
    """Print lines as they are, for a user at a prompt."""
    for line in lines:
        _print_line(line)


def print_summary(summary: RunSummary) -> None:
    """Print the counts and the speed of a run over many texts, in two lines that fit a terminal."""
    counts = [counted(summary.texts, "row"), f"{summary.tokens:,} tokens"]
    counts += [f"{summary.truncated:,} truncated", f"{summary.skipped:,} skipped"]
    if summary.repeated:
        counts.append(f"{summary.repeated:,} repeated")
    if summary.unknown:
        counts.append(counted(summary.unknown, "unknown token"))
    speed = f"{summary.seconds:,.1f} s, {summary.tokens_per_second:,.0f} tokens/s"
    _print_line(f"bertcli: {', '.join(counts)}")
    _print_line(f"bertcli: {speed}, {100 * summary.padded_share:.1f} % padding")


def print_bug(bug: Exception, *, with_trace: bool) -> None:
    """Print an error that no user should meet, and what a report of it needs."""
    if with_trace:
        for line in "".join(traceback.format_exception(bug)).splitlines():
            _print_line(line)
    print_error(
        f"this is a bug in bertcli {__version__}: {type(bug).__name__}: {bug}",
        f"report it with the command, its output with --debug, Python {platform.python_version()} and {sys.platform}",
    )


def show_debug_notes() -> None:
    """Print what bertcli's modules log for its developers, such as why a faster operator is not used."""
    import logging  # slow to import, so the class is made here

    class DebugNotes(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            _print_line(f"bertcli: debug: {record.getMessage()}")

    logger = logging.getLogger("bertcli")
    logger.setLevel(logging.DEBUG)
    logger.addHandler(DebugNotes())


def print_names(names: Iterable[str]) -> None:
    """Print each name on a line of standard output. Names with unprintable characters are left out."""
    sys.stdout.writelines(f"{name}\n" for name in names if name.isprintable())


def describe_os_error(error: OSError) -> tuple[str, str]:
    """Return the message and the hint for an error of the operating system."""
    reason = os.strerror(error.errno).lower() if error.errno else str(error)
    where = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, (str, bytes)) else ""
    return f"{where}{reason}", _OS_HINTS.get(error.errno or 0, _OTHER_OS_HINT)


class Reporter:
    """Reports to the user while a command runs.

    Args:
        quiet: Leave out notes, summaries and progress. Errors are printed all the same.
    """

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        INTERRUPTS.is_quiet = quiet
        self._printed_hints: set[str] = set()
        self._bar: ProgressBar | None = None
        self._drawing, self._is_over = threading.Lock(), False
        self._step_started: float | None = None

    def note(self, message: str) -> None:
        """Print a note, unless --quiet is set."""
        if not self._quiet:
            print_note(message)

    @property
    def is_quiet(self) -> bool:
        """True if --quiet is set."""
        return self._quiet

    def report(self, message: str) -> None:
        """Print a result about the whole run, unless --quiet is set."""
        if not self._quiet:
            _print_line(f"bertcli: {message}")

    def note_if_interrupted(self, message: str | None) -> None:
        """Set the note to print if the process is interrupted from now on. None for no note."""
        INTERRUPTS.note = None if message is None else visible(f"bertcli: note: interrupted: {message}")

    def summarize(self, summary: RunSummary) -> None:
        """Print the summary of a run over many texts, unless --quiet is set."""
        if not self._quiet:
            print_summary(summary)

    def report_written(self, path: Path, count: int) -> None:
        """Print the name, the number of records and the size of a file that has been written, unless --quiet is set."""
        self.report(f"wrote {path}: {counted(count, 'record')}, {size(path.stat().st_size)}")

    def announce(self, download: Download) -> bool:
        """Print what is about to be downloaded. Return True if the progress of the download is to be drawn."""
        files = counted(len(download.files), "file")
        self.note(f"downloading {download.repository} ({size(download.nbytes)} in {files}) to {download.folder}")
        return self.is_shown

    def report_skipped(self, text: FailedText) -> None:
        """Print why a text is skipped, with its hint if that has not been printed before."""
        error = text.error.with_prefix(text.place)
        is_pointless = _SKIP_OPTION in error.hint or error.hint in self._printed_hints
        print_skipped(error.message, "" if is_pointless else error.hint)
        self._printed_hints.add(error.hint)

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
        from bertcli.output.console import ProgressBar

        with self._drawing:
            if self._is_over or self._step_started is not None:
                return
            if self._bar is None:
                self._bar = ProgressBar(total)
            self._bar.update(summary, done)

    def show_step(self, about: str, done: int, total: int) -> None:
        """Draw the progress of a step after the last text, instead of the bar of the texts.

        Args:
            about: The step, such as "comparing texts".
            done: Amount of the work that is done.
            total: All of the work.
        """
        if not self.is_shown:
            return
        from bertcli.output.console import ProgressBar

        with self._drawing:
            if self._step_started is None:
                self._step_started = time.monotonic()
                if self._bar is not None:
                    self._bar.end()
                    self._bar = None
            if self._is_over or time.monotonic() - self._step_started < _SHORT_STEP:
                return
            if self._bar is None:
                self._bar = ProgressBar(total)
            self._bar.update_step(about, done)

    def end(self) -> None:
        """Remove the progress bar."""
        with self._drawing:
            self._is_over = True
            if self._bar is not None:
                self._bar.end()


def _print_with_hint(kind: str, message: str, hint: str) -> None:
    _print_line(f"bertcli: {kind}: {message}")
    if hint:
        _print_line(f"hint: {hint}")


def _print_line(line: str) -> None:
    if _held is not None:
        _held.append(line)
    elif sys.stderr is not None:  # if it is closed, print would write to stdout
        print(*_wrapped(visible(line)), sep="\n", file=sys.stderr)


def _wrapped(line: str) -> Iterable[str]:
    """Return the lines of a message, wrapped between words if stderr is a terminal. Paths and options stay whole."""
    if not sys.stderr.isatty():
        return (line,)
    width = os.get_terminal_size(sys.stderr.fileno()).columns
    # A terminal may say that it has no columns.
    return wrap(line, width, break_long_words=False, break_on_hyphens=False) if 0 < width < len(line) else (line,)
