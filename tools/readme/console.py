"""The console blocks of README.md: their commands, and what these print in a terminal of 80 columns."""

import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import pexpect

README = Path(__file__).parent.parent.parent / "README.md"
CONSOLE = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
# Files that the commands work on, by the language of the block that shows them.
FILES = {"make": "Makefile", "vim": "fill.vim"}
_COLUMNS = 80


@dataclass(frozen=True)
class Shown:
    """A command with the output that stands beneath it. written: its lines as they stand in the README."""

    command: str
    output: str
    written: str


@dataclass(frozen=True)
class Found:
    """What the command came to."""

    exit_code: int
    output: str


def blocks(readme: str, language: str) -> list[str]:
    """What stands in the README's blocks of that language."""
    return re.findall(rf"^```{language}\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)


def commands(block: str) -> Iterator[Shown]:
    """The commands of a console block, in their order; lines after > go on with a command."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        first, *rest = part.splitlines(keepends=True)
        more = list(takewhile(lambda line: line.startswith("> "), rest))
        command = first + "".join(line.removeprefix("> ") for line in more)
        yield Shown(command.removesuffix("\n"), "".join(rest[len(more) :]), "$ " + first + "".join(more))


def write_files(readme: str, folder: Path) -> None:
    """Put the files that the commands work on into the folder that they are to run in."""
    for language, name in FILES.items():
        (text,) = blocks(readme, language)
        (folder / name).write_text(text, encoding="utf-8")


def run(command: str, folder: Path) -> Found:
    """The command in bash, its stdout a terminal."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("BERTCLI_") and name != "COLUMNS"}
    env |= {"TERM": "dumb", "PATH": f"{Path(sys.executable).parent}{os.pathsep}{env['PATH']}"}
    process = pexpect.spawn(
        "/bin/bash",
        ["-c", f"set -o pipefail; {command}"],
        cwd=str(folder),
        env=env,
        timeout=60,
        dimensions=(500, _COLUMNS),
        encoding="utf-8",
    )
    output = process.read().replace("\r\n", "\n")
    process.wait()  # close would end it where it has closed its output and not yet left
    return Found(process.exitstatus, output)
