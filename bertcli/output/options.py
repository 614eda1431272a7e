"""Options of the output, as every command takes them."""

import os
from dataclasses import dataclass
from pathlib import Path

from bertcli.choices import ColorName, FormatName
from bertcli.errors import WrongUsage
from bertcli.storage import AnyPath, RemotePath, parse_path


@dataclass(frozen=True, slots=True)
class OutputOptions:
    """The place and the look of the results.

    Attributes:
        format: The format, or auto.
        json: Short for format json.
        output: The file or folder of -o. It is a string, since a path would lose the slash that marks a folder.
        svg: A file to write the table to as a picture.
        force: Replace a file that exists.
        color: When to colour tables.
        width: Columns for tables; None for the terminal's.
        quiet: Print no notes.
        debug: Show the traceback of a bug. bertcli.__main__ looks for the option itself.
    """

    format: FormatName = FormatName.AUTO
    json: bool = False
    output: str | None = None
    svg: Path | None = None
    force: bool = False
    color: ColorName = ColorName.AUTO
    width: int | None = None
    quiet: bool = False
    debug: bool = False

    @property
    def path(self) -> AnyPath | None:
        """The path of -o, None if it is not given."""
        return None if self.output is None else parse_path(self.output)

    @property
    def names_folder(self) -> bool:
        """True if -o names a folder: one that exists, or a name that ends in a slash. A suffix names a file.

        A remote name without a suffix is a folder too, since only folders are written there.
        """
        path = self.path
        if self.output is None or path is None:
            return False
        if isinstance(path, RemotePath):
            return self.output.endswith("/") or not path.suffix
        return self.output.endswith(os.sep) or (not path.suffix and path.is_dir())

    @property
    def format_name(self) -> str:
        """The requested format by name, svg included.

        Raises:
            WrongUsage: Two options request different formats.
        """
        requested = {
            "json": "--json" if self.json else None,
            "svg": "--svg" if self.svg is not None else None,
            str(self.format): None if self.format == FormatName.AUTO else f"--format {self.format}",
        }
        named = {name: option for name, option in requested.items() if option is not None}
        if len(named) > 1:
            raise WrongUsage(f"{' and '.join(named.values())} contradict each other", hint="leave one out")
        return next(iter(named), FormatName.AUTO)

    @property
    def file(self) -> AnyPath | None:
        """The file to write to, None for standard output.

        Raises:
            WrongUsage: Two options name a file.
        """
        found = only_file({"-o": self.path, "--svg": self.svg})
        return None if found is None else found[1]


def only_file(named: dict[str, AnyPath | None]) -> tuple[str, AnyPath] | None:
    """Return the one option that names a file, and that file. None if no option does.

    Raises:
        WrongUsage: Two options name a file.
    """
    found = [(option, path) for option, path in named.items() if path is not None]
    if len(found) > 1:
        raise WrongUsage(f"{found[0][0]} and {found[1][0]} both name an output file", hint="leave one out")
    return found[0] if found else None
