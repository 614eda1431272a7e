"""Interrupts: after Ctrl-C, SIGTERM or SIGHUP the process ends within half a second, whatever it is doing.

The first signal raises KeyboardInterrupt in the main thread, so that what is open is closed and the user reads what is
saved. Python raises it only between two of its own instructions, and a call of C code may take long. So a second thread
watches the signals: it ends the process if the main thread takes too long. A second signal ends the process at once.
"""

import os
import select
import signal
import sys
from _thread import start_new_thread
from contextlib import suppress
from types import FrameType
from typing import NoReturn

# Seconds after the first signal: when the user is told that it has arrived, and when the process ends at the latest.
_LONGEST_SILENCE, _LONGEST_END = 0.2, 0.4
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_STDERR = 2


class Interrupts:
    """The state of the process's interrupts. There is one, INTERRUPTS.

    Attributes:
        note: The line to print if the process is interrupted: what is saved, and how to continue. None for no line.
        is_quiet: True to print nothing at all.
        unfinished: Temporary files that exist. They are removed if the process is interrupted.
    """

    def __init__(self) -> None:
        self.note: str | None = None
        self.is_quiet = False
        self.unfinished: set[str] = set()
        self._received: int | None = None
        self._is_over = False
        self._stderr: int | None = None
        self._has_printed = False

    def watch(self) -> None:
        """Start the watch, and handle the signals from now on."""
        # A descriptor of its own, since other code may redirect standard error for a moment.
        with suppress(OSError):
            self._stderr = os.dup(_STDERR)
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        self.handle_signals()
        start_new_thread(self._watch, (reading,))

    def handle_signals(self) -> None:
        """Handle the signals, also if a library has replaced the handlers.

        A signal that the parent process ignores stays ignored, as under nohup.
        """
        for number in _SIGNALS:
            if signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._raise_interrupt)

    @property
    def exit_code(self) -> int | None:
        """The exit code of the interrupted process, as shells expect it. None if no signal has arrived."""
        return None if self._received is None else 128 + self._received

    def finish(self) -> None:
        """Ignore further signals, since the work is done. End the process if one has arrived."""
        self._is_over = True
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        if self._received is not None:
            self._end()

    def _end(self) -> NoReturn:
        """Remove temporary files, print the note and end the process, without waiting for any thread."""
        for name in tuple(self.unfinished):
            with suppress(OSError):
                os.unlink(name)  # noqa: PTH108 - pathlib is slow to import
        note, self.note = self.note, None
        if note is not None:
            self._print(note)
        elif not self._has_printed and self._stderr is not None and os.isatty(self._stderr):
            self._print("")  # so that the shell's prompt does not follow ^C
        os._exit(self.exit_code or 0)

    def _raise_interrupt(self, number: int, frame: FrameType | None) -> None:
        if self._received is not None or self._is_over:
            return
        self._received = number
        # Python would print a traceback if the interrupt falls into the finalizer of an object.
        sys.unraisablehook = _ignore
        if _is_importing(frame):
            # Modules in C++, such as torch's, abort the process if an exception is raised while they are loaded.
            self._end()
        raise KeyboardInterrupt

    def _watch(self, reading: int) -> None:
        number = self._next_signal(reading, None)
        if self._is_over:
            return
        is_second = self._next_signal(reading, _LONGEST_SILENCE) is not None
        if not is_second:
            self._print("bertcli: stopping")
            self._next_signal(reading, _LONGEST_END - _LONGEST_SILENCE)
        self._received = number
        self._end()

    def _print(self, line: str) -> None:
        """Print a line on standard error, past Python's stream: another thread may hold that one's lock."""
        if self.is_quiet or self._stderr is None:
            return
        self._has_printed = True
        # On a terminal, a progress bar or ^C may be in the line.
        start = "\r\033[K" if os.isatty(self._stderr) else ""
        with suppress(OSError):
            os.write(self._stderr, f"{start}{line}\n".encode(errors="backslashreplace"))

    def _next_signal(self, reading: int, seconds: float | None) -> int | None:
        """Wait for a signal of _SIGNALS and return its number, or None if none arrives in time."""
        while select.select([reading], [], [], seconds)[0]:
            if (number := os.read(reading, 1)[0]) in _SIGNALS:
                return number
        return None


def _ignore(error: object) -> None:
    """Print nothing about an exception that nothing can catch."""


def _is_importing(frame: FrameType | None) -> bool:
    """Return True if the frame belongs to the import of a module."""
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


INTERRUPTS = Interrupts()
