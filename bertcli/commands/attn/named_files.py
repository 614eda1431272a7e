"""Options that name a file of one kind: --html FILE is -o FILE.html, --png FILE is -o FILE.png."""

from dataclasses import replace
from pathlib import Path

from bertcli.errors import WrongUsage
from bertcli.options import OutputOptions, PageOptions


def with_named_file(output: OutputOptions, page: PageOptions) -> OutputOptions:
    """The output options with the file that --html or --png names as that of -o. Raises WrongUsage."""
    asked: dict[str, Path | None] = {
        "-o": output.path,
        "--svg": output.svg,
        "--html": page.html,
        "--png": page.png,
    }
    named = [option for option, path in asked.items() if path is not None]
    if len(named) > 1:
        raise WrongUsage(f"{named[0]} and {named[1]} name a file each, and a run writes one", hint="leave one out")
    for option, path in asked.items():
        suffix = option.replace("--", ".")
        if option in ("--html", "--png") and path is not None:
            if path.suffix.lower() != suffix:
                raise WrongUsage(f"{option} {path}: the name does not end in {suffix}", hint=f"use {path}{suffix}")
            return replace(output, output=str(path))
    return output
