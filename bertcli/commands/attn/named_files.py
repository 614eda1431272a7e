"""Options that name a file of one kind: --html FILE is -o FILE.html, --png FILE is -o FILE.png."""

from dataclasses import replace

from bertcli.cli.options import OutputOptions, PageOptions
from bertcli.errors import WrongUsage
from bertcli.output.sink import named_file


def with_named_file(output: OutputOptions, page: PageOptions) -> OutputOptions:
    """The output options with the file that --html or --png names as that of -o. Raises WrongUsage."""
    found = named_file({"-o": output.path, "--svg": output.svg, "--html": page.html, "--png": page.png})
    if found is None or found[0] not in ("--html", "--png"):
        return output
    option, path = found
    suffix = option.replace("--", ".")
    if path.suffix.lower() != suffix:
        raise WrongUsage(f"{option} {path}: the name does not end in {suffix}", hint=f"use {path}{suffix}")
    return replace(output, output=str(path))
