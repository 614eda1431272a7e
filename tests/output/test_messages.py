"""Messages fit the terminal."""

import fcntl
import os
import pty
import struct
import sys
import termios

import pytest

from bertcli.output.messages import Reporter, print_error
from tests.cli.terminal import read_screen

MESSAGE = "the folder /a/very/long/path/that-is-wider-than-the-terminal holds no checkpoint, and there is no such model"


@pytest.mark.parametrize("width", [0, 20, 40, 200])
def test_messages_on_a_terminal_wrap_between_words(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
    with os.fdopen(theirs, "w") as terminal, monkeypatch.context() as patched:
        patched.setattr(sys, "stderr", terminal)
        print_error(MESSAGE)
    lines = read_screen(ours).splitlines()
    assert " ".join(lines) == f"bertcli: error: {MESSAGE}"
    assert all(len(line) <= width or " " not in line for line in lines) or (width, len(lines)) == (0, 1)


def test_messages_elsewhere_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    print_error(MESSAGE)
    assert capsys.readouterr().err == f"bertcli: error: {MESSAGE}\n"


def test_a_step_that_nobody_sees_loads_no_progress_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bertcli.output.console", None)  # an import fails
    Reporter(quiet=False).show_step("comparing texts", 1, 2)
