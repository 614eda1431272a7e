"""Draw the pictures that README.md links to: `python -m tools.pictures`, from the root of the repository."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

REPOSITORY = Path(__file__).parent.parent.parent
FOLDER = Path(__file__).parent
COLUMNS = 80  # of the terminal that README.md shows
_LINK = r"\[[^]]*\]\((?:\./)?tools/pictures/([\w-]+\.svg)\)"
_PICTURED = re.compile(rf"^```console\n\$ (bertcli .*)\n(?:(?!```).*\n)*```\n\n.*{_LINK}", re.MULTILINE)


@dataclass(frozen=True)
class Pictured:
    """The first command of a console block of README.md, and the name of the picture that is linked beneath it."""

    command: str
    name: str


def pictured(readme: str) -> Iterator[Pictured]:
    """What is to be drawn, in README's order."""
    return (Pictured(*found.groups()) for found in _PICTURED.finditer(readme))


def draw(command: str, path: Path) -> None:
    """Run the command so that its table is a picture in that file, whatever this machine has in its settings."""
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
    for each in pictured((REPOSITORY / "README.md").read_text(encoding="utf-8")):
        draw(each.command, FOLDER / each.name)
        print(each.name)


if __name__ == "__main__":
    main()
