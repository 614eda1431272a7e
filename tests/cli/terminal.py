"""bertcli in a pseudo-terminal, as a person sees it."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.cli.process import COMMAND, LONGEST_RUN, environment

# Colours and styles, the only sequences that a table has.
_STYLE = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True, slots=True)
class Screen:
    """What came to the terminal. raw: with its colours."""

    exit_code: int
    raw: str
    stderr: str

    @property
    def is_coloured(self) -> bool:
        """Whether any style sets a colour; bold and dim are none."""
        codes = {int(code) for style in _STYLE.findall(self.raw) for code in re.findall(r"\d+", style)}
        return bool(codes & {*range(30, 39), *range(40, 49), *range(90, 98), *range(100, 108)})

    @property
    def text(self) -> str:
        """The same without colours."""
        return _STYLE.sub("", self.raw)

    @property
    def lines(self) -> list[str]:
        """Its lines without colours and without the spaces at their ends."""
        return [line.rstrip() for line in self.text.splitlines()]


def show(*arguments: str | Path, width: int = 120, env: Mapping[str, str] | None = None) -> Screen:
    """Run bertcli with a terminal of that width as its standard input and output."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
    process = subprocess.Popen(
        [*COMMAND, *arguments], stdin=theirs, stdout=theirs, stderr=subprocess.PIPE, env=environment(env)
    )
    os.close(theirs)
    with process, os.fdopen(ours, "rb", buffering=0) as terminal:
        shown = bytearray()
        while part := _read(terminal.fileno()):
            shown += part
        stderr = process.stderr.read().decode() if process.stderr else ""
        exit_code = process.wait(LONGEST_RUN)
    return Screen(exit_code, shown.decode().replace("\r\n", "\n"), stderr)


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 1 << 16)
    except OSError:  # Linux says so of a terminal that nobody has open any more
        return b""
