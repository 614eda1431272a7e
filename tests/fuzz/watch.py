"""Audit hook that records what a run touches outside the files that it was asked to use.

It sees what Python does, but not the files that a library opens in C++ or Rust.
"""

import os
import sys
import sysconfig
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import bertcli

# Files that Python, its packages and the system's libraries read by themselves.
_READABLE = (
    *(os.path.realpath(path) for path in {sys.prefix, sys.base_prefix, *sysconfig.get_paths().values()}),
    str(Path(bertcli.__file__).parent),
    "/proc", "/sys/", "/dev/null", "/dev/tty", "/dev/urandom", "/dev/fd/", "/dev/pts/",
    "/etc/localtime", "/etc/mime.types", "/etc/os-release", "/usr/lib/os-release", "/usr/share/zoneinfo",
    "/usr/share/fonts", "/lib", "/usr/lib",
)  # fmt: skip
_WRITABLE = ("/dev/null", "/dev/tty", "/dev/pts/", "/proc/self/")
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
# Events that change files, with the positions of the paths among their arguments.
_CHANGES: Mapping[str, Sequence[int]] = {
    "os.chmod": (0,), "os.chown": (0,), "os.link": (0, 1), "os.mkdir": (0,), "os.remove": (0,), "os.rename": (0, 1),
    "os.rmdir": (0,), "os.symlink": (1,), "os.truncate": (0,), "os.utime": (0,), "shutil.rmtree": (0,),
}  # fmt: skip
_NETWORK = ("socket.bind", "socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto")
# Names of events, or of a group of events before its dot, that no run may cause.
_NEVER = (
    "subprocess.Popen", "os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "pty.spawn",
    "webbrowser.open", "pickle.find_class", "ftplib.connect", "smtplib.connect",
)  # fmt: skip


class Watch:
    """The hook. It writes a line to a log for each event that the case does not allow."""

    def __init__(self, log: int, readable: Sequence[str], writable: Sequence[str], *, may_connect: bool) -> None:
        """Watch the process from now on.

        Args:
            log: Descriptor to write lines to.
            readable: Folders and files that may be read, beside those of Python itself.
            writable: Folders and files that may be written to, and read.
            may_connect: The network may be used.
        """
        self._log = log
        self._writable = (*_WRITABLE, *writable)
        self._readable = (*_READABLE, *self._writable, *readable)
        self._handlers: dict[str, Callable[[str, Sequence[Any]], None]] = {"open": self._check_open}
        self._handlers |= dict.fromkeys(_CHANGES, self._check_change)
        self._handlers |= dict.fromkeys(_NEVER, self._report)
        if not may_connect:
            self._handlers |= dict.fromkeys(_NETWORK, self._report)

    def __call__(self, event: str, arguments: Sequence[Any]) -> None:
        handler = self._handlers.get(event)
        if handler is not None:
            handler(event, arguments)

    def _check_open(self, event: str, arguments: Sequence[Any]) -> None:
        path, _, flags = arguments
        writes = isinstance(flags, int) and flags & _WRITING
        if not isinstance(path, int) and not _is_in(path, self._writable if writes else self._readable):
            self._report("write" if writes else "read", [path])

    def _check_change(self, event: str, arguments: Sequence[Any]) -> None:
        for place in _CHANGES[event]:
            path = arguments[place]
            if not isinstance(path, int) and not _is_in(path, self._writable):
                self._report(event, [path])

    def _report(self, event: str, arguments: Sequence[Any]) -> None:
        os.write(self._log, f"{event} {arguments!r}\n".encode("utf-8", "surrogateescape"))


def _is_in(path: Any, places: Sequence[str]) -> bool:
    """Return True if a path, with its links followed, is one of the places or in one of them."""
    try:
        real = os.path.realpath(os.fsdecode(path))
    except (OSError, TypeError, ValueError):  # a null character, or a name that is too long
        return True
    return any(real == place or real.startswith(place.rstrip("/") + "/") for place in places)
