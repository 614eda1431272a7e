"""bertcli in a pseudo-terminal, as the user sees it. All runs are forked processes."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pexpect

from tests.cli.process import LONGEST_RUN, environment
from tests.forks import forked_command

# Colours and styles, the only escape sequences in a table.
_STYLE = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True, slots=True)
class Screen:
    """The output of bertcli on a terminal.

    Attributes:
        exit_code: The exit code.
        raw: The output with its escape sequences.
        stderr: The messages.
    """

    exit_code: int
    raw: str
    stderr: str

    @property
    def is_coloured(self) -> bool:
        """True if any style sets a colour. Bold and dim are not colours."""
        codes = {int(code) for style in _STYLE.findall(self.raw) for code in re.findall(r"\d+", style)}
        return bool(codes & {*range(30, 39), *range(40, 49), *range(90, 98), *range(100, 108)})

    @property
    def text(self) -> str:
        """The output without escape sequences."""
        return _STYLE.sub("", self.raw)

    @property
    def lines(self) -> list[str]:
        """The lines of the output, without escape sequences and trailing spaces."""
        return [line.rstrip() for line in self.text.splitlines()]


def show(*arguments: str | Path, width: int = 120, env: Mapping[str, str] | None = None) -> Screen:
    """Run bertcli with a terminal of this width as its standard input and output."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
    process = subprocess.Popen(
        [*forked_command(), *arguments], stdin=theirs, stdout=theirs, stderr=subprocess.PIPE, env=environment(env)
    )
    os.close(theirs)
    with process:
        shown = read_screen(ours)
        stderr = process.stderr.read().decode() if process.stderr else ""
        exit_code = process.wait(LONGEST_RUN)
    return Screen(exit_code, shown, stderr)


def read_screen(descriptor: int) -> str:
    """Return what is written to a terminal until no process has its other end open, and close this end."""
    with os.fdopen(descriptor, "rb", buffering=0) as terminal:
        shown = bytearray()
        while part := _read(terminal.fileno()):
            shown += part
    return shown.decode().replace("\r\n", "\n")


def spawn(
    arguments: Sequence[str | Path],
    folder: Path | None = None,
    env: Mapping[str, str] | None = None,
    dimensions: tuple[int, int] = (24, 80),
) -> pexpect.spawn:
    """Start bertcli with a terminal of these lines and columns as its three streams, to type at and to read."""
    program, *before = forked_command()
    return pexpect.spawn(
        program,
        [*before, *map(str, arguments)],
        cwd=folder,
        env=environment(env),
        dimensions=dimensions,
        encoding="utf-8",
        timeout=LONGEST_RUN,
    )


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 1 << 16)
    except OSError:  # Linux raises this once no process has the terminal open
        return b""
