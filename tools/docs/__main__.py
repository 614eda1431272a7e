"""Refresh the outputs of the console examples: `python -m tools.docs [PAGE]...`, from the root of the repository.

Without a PAGE, README.md and all pages in docs/ are refreshed.
"""

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from tools.docs.console import CONSOLE, REPOSITORY, commands, page_paths, run, write_files


def refresh(page: str, folder: Path) -> str:
    """Return the page with the current output of each command. Exit if a command fails.

    Args:
        page: Text of the page, in Markdown.
        folder: Working directory of the commands.
    """

    def refresh_block(match: re.Match[str]) -> str:
        parts = []
        for example in commands(match[1]):
            result = run(example.command, folder)
            if result.exit_code:
                sys.exit(f"{example.command}\n{result.output}")
            lines = [line.rstrip() for line in result.output.splitlines()]
            parts.append(example.source + "".join(f"{line}\n" for line in lines))
        return f"```console\n{''.join(parts)}```"

    write_files(page, folder)
    return CONSOLE.sub(refresh_block, page)


def main(names: Sequence[str]) -> None:
    """Refresh the named pages, or all of them."""
    for path in [REPOSITORY / name for name in names] or page_paths():
        with TemporaryDirectory() as scratch:
            page = path.read_text(encoding="utf-8")
            refreshed = refresh(page, Path(scratch))
        if refreshed != page:
            path.write_text(refreshed, encoding="utf-8")
            print(path.relative_to(REPOSITORY))


if __name__ == "__main__":
    main(sys.argv[1:])
