"""Draw the pictures that README.md and docs/ link to: `python -m tools.pictures`, from the root of the repository."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tools.docs.console import page_paths

FOLDER = Path(__file__).parent
COLUMNS = 80  # as in the console blocks
_LINK = r"\[[^]]*\]\((?:\.\.?/)?tools/pictures/([\w-]+\.svg)\)"
_PICTURED = re.compile(rf"^```console\n\$ (bertcli .*)\n(?:(?!```).*\n)*```\n\n.*{_LINK}", re.MULTILINE)


@dataclass(frozen=True)
class Pictured:
    """The first command of a console block, and the file name of the picture that is linked below it."""

    command: str
    name: str


def pictured(page: str) -> Iterator[Pictured]:
    """Yield the pictures that a page links to, in order."""
    return (Pictured(*match.groups()) for match in _PICTURED.finditer(page))


def draw(command: str, path: Path) -> None:
    """Run a command and write its table or figure to a file, independently of this machine's settings.

    Args:
        command: The command line, beginning with bertcli.
        path: The file to write; its suffix is the format.
    """
    _, *arguments = shlex.split(command)
    width = ["--width", str(COLUMNS)]
    settings = {name: value for name, value in os.environ.items() if not name.startswith(("BERTCLI_", "HF_"))}
    with TemporaryDirectory() as cache:
        subprocess.run(
            [sys.executable, "-m", "bertcli", *arguments, *width, "--force", "-o", path],
            env={**settings, "HF_HUB_CACHE": cache, "HF_HUB_OFFLINE": "1"},
            check=True,
        )


def main() -> None:
    """Draw every picture."""
    for path in page_paths():
        for each in pictured(path.read_text(encoding="utf-8")):
            draw(each.command, FOLDER / each.name)
            print(each.name)


if __name__ == "__main__":
    main()
