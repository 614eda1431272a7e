"""Write what README.md's commands print beneath them: `python -m tools.readme`, from the root of the repository."""

import re
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tools.readme.console import CONSOLE, README, commands, run, write_files


def rewritten(readme: str, folder: Path) -> str:
    """The README with each command's output as it is today. Exits where one fails."""

    def block(match: re.Match[str]) -> str:
        parts = []
        for shown in commands(match[1]):
            found = run(shown.command, folder)
            if found.exit_code:
                sys.exit(f"{shown.command}\n{found.output}")
            parts.append(shown.written + "".join(f"{line.rstrip()}\n" for line in found.output.splitlines()))
        return f"```console\n{''.join(parts)}```"

    write_files(readme, folder)
    return CONSOLE.sub(block, readme)


if __name__ == "__main__":
    with TemporaryDirectory() as scratch:
        README.write_text(rewritten(README.read_text(encoding="utf-8"), Path(scratch)), encoding="utf-8")
