"""What bertcli says on stderr: errors with their hints, notes, and how to report a bug."""

import errno
import os
import platform
import sys
import traceback
from collections.abc import Iterable

from bertcli import __version__
from bertcli.output.formatting import visible
from bertcli.results.texts import RunSummary

_OS_HINTS = {
    errno.ENOSPC: "free some space, or write somewhere else",
    errno.EACCES: "check its permissions",
    errno.EPERM: "check its permissions",
    errno.ENOENT: "check the spelling of the path",
    errno.EISDIR: "name a file, not a folder",
    errno.EROFS: "write somewhere else",
    errno.EFBIG: "raise the limit (ulimit -f), or write somewhere else",
}
_ANY_OS_HINT = "check the path, and the disk or device that it leads to"


def print_error(message: str, hint: str = "") -> None:
    """What is wrong, then what to do."""
    _say_with_hint("error", message, hint)


def print_skipped(message: str, hint: str = "") -> None:
    """What is wrong with a text that the run goes on without, and what would mend it."""
    _say_with_hint("skipped", message, hint)


def print_note(message: str) -> None:
    """Something that the user may want to know."""
    _say(f"bertcli: note: {message}")


def print_summary(summary: RunSummary) -> None:
    """What a run over many texts has come to."""
    counts = [f"{summary.texts:,} {'row' if summary.texts == 1 else 'rows'}", f"{summary.tokens:,} tokens"]
    counts += [f"{summary.truncated:,} truncated", f"{summary.skipped:,} skipped"]
    if summary.repeated:
        counts.append(f"{summary.repeated:,} repeated")
    speed = f"{summary.seconds:,.1f} s, {summary.tokens_per_second:,.0f} tokens/s"
    _say(f"bertcli: {', '.join(counts)}")  # in two lines, which fit a terminal
    _say(f"bertcli: {speed}, {summary.padded_share:.1%} padding")


def print_bug(bug: Exception, *, with_trace: bool) -> None:
    """An error that no user should meet, with what its report needs."""
    if with_trace:
        traceback.print_exception(bug)
    print_error(
        f"this is a bug in bertcli {__version__}: {type(bug).__name__}: {bug}",
        f"report it with the command, its output under --debug, Python {platform.python_version()} and {sys.platform}",
    )


def describe_os_error(error: OSError) -> tuple[str, str]:
    """What the operating system refused, and a hint."""
    reason = os.strerror(error.errno).lower() if error.errno else str(error)
    where = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, (str, bytes)) else ""
    return f"{where}{reason}", _OS_HINTS.get(error.errno or 0, _ANY_OS_HINT)


def _say_with_hint(kind: str, message: str, hint: str) -> None:
    _say(f"bertcli: {kind}: {message}")
    if hint:
        _say(f"hint: {hint}")


def _say(line: str) -> None:
    if sys.stderr is not None:  # where it is closed, print would turn to stdout
        print(visible(line), file=sys.stderr)


def print_names(names: Iterable[str]) -> None:
    """Write the names to standard output, without those that a line has no place for."""
    sys.stdout.writelines(f"{name}\n" for name in names if name.isprintable())
