"""Destination of a run: its format and its file, folder or stream, resolved and checked before any work."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from bertcli.choices import ColorName, FormatName
from bertcli.errors import MissingPackage, OutputError, WrongUsage
from bertcli.input.records import STDIN
from bertcli.lazy_dataclass import dataclass
from bertcli.output.files.atomic import check_target, is_device
from bertcli.quoting import shell_quoted
from bertcli.storage import AnyPath, RemotePath, parse_path

# The format of a folder of Parquet shards.
FOLDER = "folder"
PARQUET_SUFFIX = ".parquet"
PNG_SUFFIX = ".png"
HTML_SUFFIX = ".html"
TENSOR_SUFFIXES = (".npz", ".safetensors")
TABLE_FORMATS = ("table", "svg", PNG_SUFFIX)
_TEXT_SUFFIXES = {".json": "json", ".jsonl": "jsonl", ".csv": "csv", ".tsv": "tsv", ".svg": "svg"}
# Formats whose fields can be chosen.
_WITH_FIELDS = ("json", "jsonl", "csv", "tsv", PARQUET_SUFFIX)
# Suffixes of binary files. A command that does not write such a file refuses the suffix even with --format.
_BINARY_SUFFIXES = (".npy", *TENSOR_SUFFIXES, PARQUET_SUFFIX, HTML_SUFFIX, PNG_SUFFIX)


@dataclass(frozen=True, slots=True)
class OutputOptions:
    """Options of the output: where the results go, and how they look.

    Attributes:
        format: The format, or auto.
        json: Short for format json.
        fields: Names of the fields to show, separated by commas; help lists them.
        output: The file or folder of -o. It is a string, since a path would lose the slash that marks a folder.
        svg: A file to write the table to as a picture.
        force: Replace a file that exists.
        color: When to colour tables.
        width: Columns for tables; None for the terminal's.
        pager: Show tables that are longer than the terminal in a pager.
        quiet: Print no notes.
        debug: Show notes for developers, and the traceback of a bug. Only bertcli.__main__ uses it, from the command
            line.
    """

    format: FormatName = FormatName.AUTO
    json: bool = False
    fields: str | None = None
    output: str | None = None
    svg: Path | None = None
    force: bool = False
    color: ColorName = ColorName.AUTO
    width: int | None = None
    pager: bool = True
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
    def format_options(self) -> str:
        """The options that choose the format, as on a command line; "" for the default."""
        given = [] if self.output is None else [f"-o {shell_quoted(self.output)}"]
        given += [] if self.svg is None else [f"--svg {shell_quoted(self.svg)}"]
        given += ["--json"] if self.json else []
        given += [] if self.format == FormatName.AUTO else [f"--format {self.format}"]
        return " ".join(given)

    @property
    def file(self) -> AnyPath | None:
        """The file to write to, None for standard output.

        Raises:
            WrongUsage: Two options name a file.
        """
        found = only_file({"-o": self.path, "--svg": self.svg})
        return None if found is None else found[1]


def with_named_file(options: OutputOptions, named: Mapping[str, Path | None], stem: str) -> OutputOptions:
    """Return the options with the file of --png, or of a similar option, as that of -o.

    Args:
        options: The options as given.
        named: The path of each option that is called after a suffix, by its name. None if it is not given.
        stem: A name for the file without a suffix. The hint suggests it if the path is a folder.

    Raises:
        WrongUsage: Two options name a file, or the file does not have the suffix of its option.
    """
    found = only_file({"-o": options.path, "--svg": options.svg, **named})
    if found is None or found[0] not in named:
        return options
    option, path = found
    suffix = option.replace("--", ".")
    if path.suffix.lower() != suffix:
        name = path / stem if path.is_dir() else str(path).removesuffix(path.suffix)
        raise WrongUsage(f"{option} {path}: the name does not end in {suffix}", hint=f"use {name}{suffix}")
    return replace(options, output=str(path))


def only_file(named: dict[str, AnyPath | None]) -> tuple[str, AnyPath] | None:
    """Return the one option that names a file, with its path. Return None if no option does.

    Args:
        named: The path of each option, None if it is not given.

    Raises:
        WrongUsage: Two options name a file.
    """
    found = [(option, path) for option, path in named.items() if path is not None]
    if len(found) > 1:
        raise WrongUsage(f"{found[0][0]} and {found[1][0]} both name an output file", hint="leave one out")
    return found[0] if found else None


@dataclass(frozen=True, slots=True)
class OutputFormats:
    """Formats that a command can write beside text and tables.

    Attributes:
        command: Name of the command, for messages.
        suffixes: Suffixes of its binary files.
        has_figures: Its results are matrices that matplotlib can draw.
        takes_folder: It can write a folder of shards.
        has_plain: Its results have a bare answer.
        folder_takes_fields: The columns of its shards can be chosen.
    """

    command: str
    suffixes: Sequence[str] = ()
    has_figures: bool = False
    takes_folder: bool = False
    has_plain: bool = False
    folder_takes_fields: bool = False

    @property
    def all_suffixes(self) -> tuple[str, ...]:
        """Suffixes of its binary files, pictures included."""
        return (*self.suffixes, PNG_SUFFIX) if self.has_figures else tuple(self.suffixes)


def check_has_figure(options: OutputOptions, formats: OutputFormats, hint: str) -> None:
    """Check that the results have a figure if -o names a .png file.

    Args:
        options: The options, with the file of --png as that of -o.
        formats: The formats of the command for these options.
        hint: The options that have figures.

    Raises:
        WrongUsage: They have none.
    """
    path = options.path
    if path is not None and path.suffix.lower() == PNG_SUFFIX and not formats.has_figures:
        raise WrongUsage("there is no matrix to draw", hint=hint)


@dataclass(frozen=True, slots=True)
class Destination:
    """A resolved output.

    Attributes:
        format: table, json, jsonl, csv, tsv, plain, svg, folder, or the suffix of a binary file.
        path: The file; None for standard output and for a folder.
        folder: The folder; None unless format is folder.
        is_figure: The output is a picture of matrices.
        chosen_by: The options that have chosen the format, as the user may write them; "" for the default.
    """

    format: str
    path: Path | None = None
    folder: AnyPath | None = None
    is_figure: bool = False
    chosen_by: str = ""

    @property
    def is_stdout(self) -> bool:
        """True if the output goes to standard output."""
        return self.path is None and self.folder is None

    @property
    def is_file(self) -> bool:
        """True if the output is a file or folder that appears when it is complete, not a stream."""
        return self.folder is not None or (self.path is not None and not is_device(self.path))

    @property
    def wants_table(self) -> bool:
        """True if the output is a table or a picture, for people to look at."""
        return self.format in TABLE_FORMATS

    @property
    def noun(self) -> str:
        """Name of the format in a message."""
        if self.format == FOLDER:
            return "a folder"
        if self.format.startswith("."):
            return self.format
        return {"table": "a table", "svg": "a picture", "plain": "--format plain"}.get(self.format, self.format.upper())

    @property
    def scratch_folder(self) -> Path:
        """Folder for temporary files: beside the output if that is local, so that there is room."""
        if isinstance(self.folder, RemotePath):
            from tempfile import gettempdir

            return Path(gettempdir())
        return self.folder or (Path() if self.path is None else Path(os.path.realpath(self.path)).parent)

    def instead(self, format_: str) -> str:
        """Return the option that requests another format, for a hint, with the options to leave out for it.

        Args:
            format_: A value of --format, the suffix of a binary file, or folder. Text goes where the output goes now.
        """
        folder = self.folder if isinstance(self.folder, Path) else None
        base = self.path or folder or Path("out")
        stem = str(base / "out" if base.name in ("", "..") else base.with_suffix(""))
        if format_ == FOLDER:
            option = f"-o {shell_quoted(stem)}/"
        elif format_.startswith("."):
            option = f"-o {shell_quoted(stem + format_)}"
        elif self.is_file:
            option = f"-o {shell_quoted(f'{stem}.{format_}')}"
        else:
            option = "--json" if format_ == "json" else f"--format {format_}"
        return f"{option} instead of {self.chosen_by}" if self.chosen_by else option

    def check_packages(self) -> None:
        """Check that the packages that the format needs are installed.

        Raises:
            MissingPackage: pyarrow or matplotlib is missing.
        """
        if self.format in (PARQUET_SUFFIX, FOLDER):
            from bertcli.output.files.arrow_file import check_installed

            check_installed()
        if self.is_figure and find_spec("matplotlib") is None:
            raise MissingPackage.of("a picture of a matrix", "matplotlib")

    def check_target(self, *, force: bool) -> None:
        """Check that the file or folder can be written.

        Raises:
            OutputError: The file exists and force is not set, its folder does not exist, or the name of the folder is
                that of a device, a FIFO or a link to nothing.
        """
        if self.path is not None:
            check_target(self.path, force=force)
        folder = self.folder
        if isinstance(folder, Path) and os.path.lexists(folder) and not folder.is_dir() and not folder.is_file():
            raise OutputError(f"{folder} is not a folder", hint="name another folder")


def resolve_destination(options: OutputOptions, formats: OutputFormats) -> Destination:
    """Return the destination that the options name for a command.

    Raises:
        WrongUsage: The options contradict each other, or the command cannot write such a file.
        OutputError: Standard output is closed.
    """
    if options.output == "":
        raise WrongUsage("-o needs a name, not an empty one", hint="name a file, or leave out -o")
    file = options.file
    if formats.takes_folder and options.names_folder and options.svg is None:
        if (requested := options.format_name) != "auto":
            raise WrongUsage(
                f"--format {requested} and the folder {options.output} contradict each other: "
                "a folder holds Parquet files",
                hint="leave one out",
            )
        shards = Destination(FOLDER, folder=file, chosen_by=options.format_options)
        if options.fields is not None and not formats.folder_takes_fields:
            raise WrongUsage(
                f"--fields and the folder {options.output} cannot be combined: its files keep all columns",
                hint=f"use {shards.instead(PARQUET_SUFFIX)}, or leave --fields out",
            )
        return shards
    if not formats.takes_folder and options.output is not None and options.output.endswith(os.sep):
        raise WrongUsage(
            f"{options.path}: {formats.command} cannot write a folder", hint="name a file, without a slash at the end"
        )
    if isinstance(file, RemotePath):
        folder = f", or write to a folder: -o {file.url.rpartition('/')[0]}/" if formats.takes_folder else ""
        raise WrongUsage(
            f"{file}: single files are written on this machine only", hint=f"write it here and copy it{folder}"
        )
    if file is None:
        check_stdout()
    format_ = _format_of(options, file, formats)
    is_figure = formats.has_figures and format_ in ("svg", PNG_SUFFIX)
    destination = Destination(format_, file, is_figure=is_figure, chosen_by=options.format_options)
    if format_ == FormatName.PLAIN and not formats.has_plain:
        raise WrongUsage(
            f"{formats.command} has no bare answer for --format plain with these options",
            hint=f"use {destination.instead('tsv')}; --fields chooses its columns",
        )
    if options.fields is not None and format_ not in _WITH_FIELDS:
        raise WrongUsage(
            f"--fields is not available in {destination.noun}",
            hint=f"use {destination.instead('tsv')}, or leave --fields out",
        )
    return destination


def check_stdout() -> None:
    """Raise OutputError if standard output is closed."""
    if sys.stdout is None:
        raise OutputError("standard output is closed", hint="leave it open, or write to a file with -o FILE")


def _format_of(options: OutputOptions, path: Path | None, formats: OutputFormats) -> str:
    requested = options.format_name
    if path is None:
        return _format_of_stdout(options) if requested == "auto" else requested
    if str(path) == STDIN:
        raise WrongUsage("-o needs a file, not -", hint="leave it out: results go to standard output by default")
    suffix = path.suffix.lower()
    by_suffix = _TEXT_SUFFIXES.get(suffix) or (suffix if suffix in formats.all_suffixes else None)
    if by_suffix is None and suffix not in _BINARY_SUFFIXES and (requested != "auto" or is_device(path)):
        return "tsv" if requested == "auto" else requested
    if by_suffix is None:
        known = ", ".join((*_TEXT_SUFFIXES, *formats.all_suffixes))
        can_be_folder = formats.takes_folder and not suffix and path.parent.is_dir() and not os.path.lexists(path)
        folder_hint = f", or {path}/ for a folder" if can_be_folder else ""
        if formats.takes_folder and suffix == PARQUET_SUFFIX:
            folder_hint = f", or {path.with_suffix('')}/ for a folder of Parquet files"
        what = f"{suffix} files" if suffix else "a file without a suffix"
        if options.names_folder:
            what = "a folder"
        holds_text = suffix == ".txt" and formats.has_plain
        plain_hint = ", or add --format plain to write the bare answers" if holds_text else ""
        raise WrongUsage(f"{path}: {formats.command} cannot write {what}", hint=f"use {known}{folder_hint}{plain_hint}")
    if requested not in ("auto", by_suffix):
        option = "--svg" if requested == "svg" else f"--format {requested}"
        raise WrongUsage(f"{option} and the suffix of {path} contradict each other", hint="leave one out")
    return by_suffix


def _format_of_stdout(options: OutputOptions) -> str:
    """Return the format of standard output if none is requested. Colours imply a table, and fields imply rows."""
    if options.fields is not None:
        return "tsv"
    return "table" if sys.stdout.isatty() or options.color == ColorName.ALWAYS else "tsv"
