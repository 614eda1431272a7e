"""bertcli as a process: its exit code, its standard output and its messages on stderr."""

import csv
import json
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, Any

from tests import forks
from tests.forks import FRESH_COMMAND, forked_command

COMMAND = FRESH_COMMAND
COMMANDS = ("encode", "fill-mask", "shapes", "attn")
# A text that every command accepts. Its words are in the vocabulary of the tiny and of the bundled checkpoint.
TEXT = "how [MASK] you"
# The report of a written file.
WRITTEN = re.compile(r"^bertcli: wrote .*\n")
# Timeout of a process in seconds.
LONGEST_RUN = 60.0
# Variables that would change the output of bertcli.
_UNSET = ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "COLUMNS", "LINES", "COLORTERM")


@dataclass(frozen=True, slots=True)
class Finished:
    """A process that has ended.

    Attributes:
        exit_code: The exit code, or the negative number of the signal that ended the process.
        stdout: Its standard output.
        stderr: Its messages.
    """

    exit_code: int
    stdout: bytes
    stderr: str

    @property
    def text(self) -> str:
        """The standard output, decoded from UTF-8."""
        return self.stdout.decode()

    def answer(self) -> "Finished":
        """Check that the process succeeded without a message on stderr but that of a written file, and return it."""
        assert (self.exit_code, WRITTEN.sub("", self.stderr)) == (0, "")
        return self

    def json(self) -> Any:
        """Return the standard output as JSON."""
        return json.loads(self.answer().stdout)

    def records(self) -> Any:
        """Return the records of the JSON on standard output."""
        return self.json()["records"]

    def lines(self) -> list[Any]:
        """Return the standard output as JSON lines."""
        return [json.loads(line) for line in self.answer().text.splitlines()]

    def rows(self, delimiter: str = "\t") -> list[list[str]]:
        """Return the standard output as rows of CSV or TSV. The escapes of TSV stay as they are."""
        text = self.answer().text
        if delimiter == "\t":
            return [line.split("\t") for line in text.split("\n")[:-1]]
        return list(csv.reader(text.splitlines(keepends=True)))


def environment(changes: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment for a bertcli process: this environment without the variables that bertcli reads.

    tests/conftest.py sets an empty hub cache and turns off the network of the hub for all tests.

    Args:
        changes: Variables to add or replace.
    """
    kept = {name: value for name, value in os.environ.items() if name not in _UNSET and not name.startswith("BERTCLI_")}
    return {**kept, "TERM": "xterm-256color", "PAGER": "cat", **(changes or {})}


def run(
    *arguments: str | Path,
    stdin: str | bytes | IO[bytes] | int = b"",
    stdout: IO[bytes] | int = subprocess.PIPE,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    timeout: float = LONGEST_RUN,
    **process: Any,
) -> Finished:
    """Run bertcli to its end, as a forked process. With further arguments for the process, it is a new one.

    stdin is the input itself, or a file or descriptor to read from.
    """
    content = stdin.encode() if isinstance(stdin, str) else stdin
    if isinstance(content, bytes) and stdout == subprocess.PIPE and not process:
        forked = forks.run(arguments, content, environment(env), cwd, timeout)
        return Finished(forked.returncode, forked.stdout, forked.stderr.decode())
    given = {"input": content} if isinstance(content, bytes) else {"stdin": content}
    done = subprocess.run(
        [*(COMMAND if process else forked_command()), *arguments],
        **given,
        stdout=stdout,
        stderr=subprocess.PIPE,
        env=environment(env),
        cwd=cwd,
        timeout=timeout,
        **process,
    )
    return Finished(done.returncode, done.stdout or b"", done.stderr.decode())


@cache
def printed(*arguments: str) -> Finished:
    """Run bertcli successfully, and keep the result for other tests with the same arguments."""
    return run(*arguments).answer()


def start(
    *arguments: str | Path, cwd: Path | None = None, command: Sequence[str] = COMMAND, **process: Any
) -> subprocess.Popen[bytes]:
    """Start bertcli, as a new process. Its three streams are pipes to the test unless the arguments replace them."""
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **process}
    return subprocess.Popen([*command, *arguments], env=environment(), cwd=cwd, **streams)


def assert_failed(finished: Finished, exit_code: int, *words: str) -> None:
    """Check the exit code, and that stderr is one error line with all these words and one hint line."""
    assert finished.exit_code == exit_code, finished
    lines = finished.stderr.splitlines()
    assert len(lines) == 2, finished.stderr
    error, hint = lines
    assert error.startswith("bertcli: error: ")
    assert hint.startswith("hint: ") and hint != "hint: "
    assert [word for word in words if word not in error] == [], error
