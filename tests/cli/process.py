"""bertcli as the shell runs it: a process with its exit code, its standard output and what it says on stderr."""

import csv
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, Any

COMMAND = [sys.executable, "-m", "bertcli"]
COMMANDS = ("encode", "fill-mask", "shapes", "attn")
# A text that every command answers; its words are in the vocabulary of the tiny checkpoint and of the bundled one.
TEXT = "how [MASK] you"
LONGEST_RUN = 60.0
# What would change how bertcli answers, were it set where the tests are run.
_UNSET = ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "COLUMNS", "LINES", "COLORTERM")


@dataclass(frozen=True, slots=True)
class Finished:
    """A process that has ended. exit_code: negative where a signal ended it."""

    exit_code: int
    stdout: bytes
    stderr: str

    @property
    def text(self) -> str:
        """What it wrote, as UTF-8."""
        return self.stdout.decode()

    def answer(self) -> "Finished":
        """The same, after a look that it went well and without a word."""
        assert (self.exit_code, self.stderr) == (0, "")
        return self

    def json(self) -> Any:
        """What it wrote, as JSON."""
        return json.loads(self.answer().stdout)

    def records(self) -> Any:
        """The records in the JSON that it wrote."""
        return self.json()["records"]

    def lines(self) -> list[Any]:
        """What it wrote, as JSON lines."""
        return [json.loads(line) for line in self.answer().text.splitlines()]

    def rows(self, delimiter: str = "\t") -> list[list[str]]:
        """What it wrote, as rows of CSV or TSV, the escapes of TSV left standing."""
        text = self.answer().text
        if delimiter == "\t":
            return [line.split("\t") for line in text.split("\n")[:-1]]
        return list(csv.reader(text.splitlines(keepends=True)))


def environment(changes: Mapping[str, str] | None = None) -> dict[str, str]:
    """The variables of this process without those that bertcli heeds, and with the changes.

    The hub's cache is an empty one and its network is shut, as tests/conftest.py sets both for all tests.
    """
    kept = {name: value for name, value in os.environ.items() if name not in _UNSET and not name.startswith("BERTCLI_")}
    return {**kept, "TERM": "xterm-256color", **(changes or {})}


def run(
    *arguments: str | Path,
    stdin: str | bytes | IO[bytes] | int = b"",
    stdout: IO[bytes] | int = subprocess.PIPE,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    timeout: float = LONGEST_RUN,
    **process: Any,
) -> Finished:
    """Run bertcli to its end. stdin: what it is to read, or the file or descriptor to read from."""
    content = stdin.encode() if isinstance(stdin, str) else stdin
    given = {"input": content} if isinstance(content, bytes) else {"stdin": content}
    done = subprocess.run(
        [*COMMAND, *arguments],
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
    """What bertcli prints to a pipe when all goes well, found out once for all the tests that compare with it."""
    return run(*arguments).answer()


def start(*arguments: str | Path, cwd: Path | None = None, **process: Any) -> subprocess.Popen[bytes]:
    """A bertcli that runs, its three streams pipes to the test unless they are said to be something else."""
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **process}
    return subprocess.Popen([*COMMAND, *arguments], env=environment(), cwd=cwd, **streams)


def assert_failed(finished: Finished, exit_code: int, *words: str) -> None:
    """It ended with that code, said what is wrong in one line with these words, gave one hint, and nothing else."""
    assert finished.exit_code == exit_code, finished
    said = finished.stderr.splitlines()
    assert len(said) == 2, finished.stderr
    error, hint = said
    assert error.startswith("bertcli: error: ")
    assert hint.startswith("hint: ") and hint != "hint: "
    assert [word for word in words if word not in error] == [], error


def assert_refused_by_typer(finished: Finished, *words: str) -> None:
    """Wrong usage that Typer finds, in its own wording: how the command is used, then what is wrong."""
    assert (finished.exit_code, finished.stdout) == (2, b"")
    *usage, error = finished.stderr.splitlines()
    assert not usage or usage[0].startswith("Usage: bertcli ")
    assert error.startswith("Error: ")
    assert "Traceback" not in finished.stderr
    assert [word for word in words if word not in error] == [], error
