"""Pager: tables that are longer than the terminal are shown by less, or by the program that PAGER names."""

import os
import shlex
import shutil
import subprocess
from contextlib import suppress
from typing import TextIO

from bertcli.output.messages import hold_messages, release_messages

# Quit if all fits on the screen, keep colours, leave the screen as it is, and quit at Ctrl-C as bertcli does.
_LESS_OPTIONS = "FRXK"


class PagerLeft(Exception):
    """The user has left the pager before the end."""


def pager_command() -> list[str] | None:
    """Return the command of the user's pager, None if there is none, PAGER is empty or cat, or TERM is dumb or unset.

    less stops with a warning in a terminal that cannot move its cursor.
    """
    if os.environ.get("TERM", "dumb") == "dumb":
        return None
    try:
        command = shlex.split(os.environ.get("PAGER", "less"))
    except ValueError:  # a quote that is never closed
        return None
    if not command or command == ["cat"] or shutil.which(command[0]) is None:
        return None
    return command


class PagedTerminal:
    """A stream to the terminal. It holds what is written until there is more than a screen, then starts the pager.

    Args:
        terminal: The terminal.
        command: The command of the pager.
    """

    encoding = "utf-8"

    def __init__(self, terminal: TextIO, command: list[str]) -> None:
        self._terminal, self._command = terminal, command
        # LINES may describe another terminal, so ask this one.
        self._height = os.get_terminal_size(terminal.fileno()).lines
        self._held: list[str] = []
        self._lines = 0
        self._pager: subprocess.Popen[str] | None = None

    def isatty(self) -> bool:
        """Return True, since colours are shown."""
        return True

    def write(self, text: str) -> int:
        """Write text. Raises PagerLeft."""
        if self._pager is not None:
            self._pass_on(text)
            return len(text)
        self._held.append(text)
        self._lines += text.count("\n")
        if self._lines >= self._height:
            self._start()
        return len(text)

    def flush(self) -> None:
        """Pass everything to the pager, if it has been started. Raises PagerLeft."""
        if self._pager is not None:
            self._pass_on("")

    def finish(self) -> None:
        """Write what is held, or wait until the user leaves the pager."""
        if self._pager is None:
            self._terminal.write("".join(self._held))
            self._terminal.flush()
            return
        with suppress(BrokenPipeError):
            self._pager.communicate()
        self._pager.wait()
        release_messages()

    def _start(self) -> None:
        hold_messages()
        environment = {"LESS": _LESS_OPTIONS, "LESSCHARSET": "utf-8", **os.environ}
        self._pager = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, env=environment, encoding="utf-8", errors="backslashreplace"
        )
        held, self._held = "".join(self._held), []
        self._pass_on(held)

    def _pass_on(self, text: str) -> None:
        assert self._pager is not None and self._pager.stdin is not None
        try:
            self._pager.stdin.write(text)
            self._pager.stdin.flush()
        except BrokenPipeError:
            raise PagerLeft from None
