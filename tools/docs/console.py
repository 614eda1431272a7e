"""Console blocks of README.md and docs/*.md: their commands, run in a terminal of 80 columns."""

import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from shutil import copyfile

import pexpect

REPOSITORY = Path(__file__).parent.parent.parent
CONSOLE = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
# Files that commands need, by the language of the block that shows them.
FILES = {"make": "Makefile", "vim": "fill.vim"}
_COLUMNS = 80
# A file of docs/ that commands read.
_PAIRS = "agreement.jsonl"
# Variables that would change what commands print.
_UNSET = ("COLUMNS", "LINES", "PAGER")
# The argument of commands that need the model of tools.docs.tagger.
_TAGGER = "-m names"


@dataclass(frozen=True)
class Example:
    """A command and the output that the page shows for it.

    source holds the lines of the command as the page writes them, with their prompts.
    """

    command: str
    output: str
    source: str


@dataclass(frozen=True)
class Result:
    """The exit code and the output of a command."""

    exit_code: int
    output: str


def page_paths() -> list[Path]:
    """Return README.md and the pages of docs/, README.md first."""
    return [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]


def blocks(page: str, language: str) -> list[str]:
    """Return the contents of the page's blocks in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", page, re.MULTILINE | re.DOTALL)


def commands(block: str) -> Iterator[Example]:
    """Yield the commands of a console block in order. Lines that begin with > continue a command."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        first, *rest = part.splitlines(keepends=True)
        more = list(takewhile(lambda line: line.startswith("> "), rest))
        command = first + "".join(line.removeprefix("> ") for line in more)
        yield Example(command.removesuffix("\n"), "".join(rest[len(more) :]), "$ " + first + "".join(more))


def examples(page: str) -> list[Example]:
    """Return all commands of a page in order."""
    return [example for block in blocks(page, "console") for example in commands(block)]


def write_files(page: str, folder: Path) -> None:
    """Write the files that the page shows, and the data and models that it names, into its working directory."""
    for language, name in FILES.items():
        for text in blocks(page, language):
            (folder / name).write_text(text, encoding="utf-8")
    if _PAIRS in page:
        copyfile(REPOSITORY / "docs" / _PAIRS, folder / _PAIRS)
    if _TAGGER in page:
        from tools.docs.tagger import save_tagger  # here, since only one page needs a model

        save_tagger(folder / "names")


def run(command: str, folder: Path, programs: Path | None = None) -> Result:
    """Run a command in bash, with a terminal of 80 columns as its stdout.

    Args:
        command: The command, and others before or after it.
        folder: Its working directory.
        programs: Folder with the bertcli to run instead of the installed one.
    """
    env = {name: value for name, value in os.environ.items() if not name.startswith("BERTCLI_") and name not in _UNSET}
    path = os.pathsep.join(map(str, filter(None, [programs, Path(sys.executable).parent, env["PATH"]])))
    env |= {"TERM": "dumb", "PATH": path}
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
    process.wait()  # close() would kill a process that has closed its output but not yet exited
    return Result(process.exitstatus, output)
