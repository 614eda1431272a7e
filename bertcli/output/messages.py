"""Messages on stderr: errors with their hints, notes, summaries and bugs. Also the names for shell completion."""

import errno
import os
import platform
import sys
import traceback
from collections.abc import Iterable

from bertcli import __version__
from bertcli.output.formatting import visible
from bertcli.results.corpus import RunSummary

_OS_HINTS = {
    errno.ENOSPC: "free some space, or write somewhere else",
    errno.EACCES: "check its permissions",
    errno.EPERM: "check its permissions",
    errno.ENOENT: "check the spelling of the path",
    errno.EISDIR: "name a file, not a folder",
    errno.EROFS: "write somewhere else",
    errno.EFBIG: "raise the limit (ulimit -f), or write somewhere else",
}
_OTHER_OS_HINT = "check the path and the disk or device"


def print_error(message: str, hint: str = "") -> None:
    """Print what is wrong, then what to do."""
    _print_with_hint("error", message, hint)


def print_skipped(message: str, hint: str = "") -> None:
    """Print what is wrong with a text that the run skips, and how to fix it."""
    _print_with_hint("skipped", message, hint)


def print_note(message: str) -> None:
    """Print something that the user may want to know."""
    _print_line(f"bertcli: note: {message}")


def print_summary(summary: RunSummary) -> None:
    """Print the counts and the speed of a run over many texts, in two lines that fit a terminal."""
    counts = [f"{summary.texts:,} {'row' if summary.texts == 1 else 'rows'}", f"{summary.tokens:,} tokens"]
    counts += [f"{summary.truncated:,} truncated", f"{summary.skipped:,} skipped"]
    if summary.repeated:
        counts.append(f"{summary.repeated:,} repeated")
    speed = f"{summary.seconds:,.1f} s, {summary.tokens_per_second:,.0f} tokens/s"
    _print_line(f"bertcli: {', '.join(counts)}")
    _print_line(f"bertcli: {speed}, {summary.padded_share:.1%} padding")


def print_bug(bug: Exception, *, with_trace: bool) -> None:
    """Print an error that no user should meet, and what a report of it needs."""
    if with_trace:
        traceback.print_exception(bug)
    print_error(
        f"this is a bug in bertcli {__version__}: {type(bug).__name__}: {bug}",
        f"report it with the command, its output with --debug, Python {platform.python_version()} and {sys.platform}",
    )


def print_names(names: Iterable[str]) -> None:
    """Print each name on a line of standard output. Names with unprintable characters are left out."""
    sys.stdout.writelines(f"{name}\n" for name in names if name.isprintable())


def describe_os_error(error: OSError) -> tuple[str, str]:
    """Return the message and the hint for an error of the operating system."""
    reason = os.strerror(error.errno).lower() if error.errno else str(error)
    where = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, (str, bytes)) else ""
    return f"{where}{reason}", _OS_HINTS.get(error.errno or 0, _OTHER_OS_HINT)


def _print_with_hint(kind: str, message: str, hint: str) -> None:
    _print_line(f"bertcli: {kind}: {message}")
    if hint:
        _print_line(f"hint: {hint}")


def _print_line(line: str) -> None:
    if sys.stderr is not None:  # if it is closed, print would write to stdout
        print(visible(line), file=sys.stderr)
