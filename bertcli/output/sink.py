"""Where results go: the one place that knows what the user's format, file and terminal come to."""

import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TextIO

from bertcli.checkpoints.hub_cache import Download
from bertcli.cli.options import OutputOptions
from bertcli.errors import ExitCode, MissingPackage, OutputError, WrongUsage
from bertcli.input.records import FailedText
from bertcli.input.source import STDIN
from bertcli.output.files.atomic import check_target, is_device, open_target
from bertcli.output.formatting import size
from bertcli.output.messages import print_error, print_note, print_skipped, print_summary
from bertcli.output.records import CsvWriter, JsonDocumentWriter, JsonLinesWriter, JsonWriter, RecordWriter, TsvWriter
from bertcli.output.schema import Schema
from bertcli.results.texts import RunInfo, RunSummary
from bertcli.storage import AnyPath, RemotePath

if TYPE_CHECKING:
    from bertcli.output.progress import ProgressBar

_TEXT_SUFFIXES = {".json": "json", ".jsonl": "jsonl", ".csv": "csv", ".tsv": "tsv", ".svg": "svg"}
# What other commands write to files of these suffixes; --format does not make such a file of anything else.
_RESERVED_SUFFIXES = (".npy", ".npz", ".safetensors", ".parquet", ".html", ".png")
_PNG = ".png"
# What hints offer that have nothing to say to who has taken it.
_SKIPPING = "--on-error skip"
# The format of a folder of files.
FOLDER = "folder"
# What writes a file of arrays, by its suffix.
ArrayWriters = Mapping[str, Callable[[BinaryIO], RecordWriter]]


@dataclass(frozen=True, slots=True)
class Passed:
    """How many texts went by, and how many of them had no answer."""

    count: int
    skipped: int


class Sink:
    """Takes the answers of one run.

    array_suffixes: those that the command can write beside the text formats. has_figures: its records are matrices,
    which pictures show as such, not as a terminal would. takes_folder: whether it can write a folder of files. check:
    what raises where the command's options do not go with this sink, before it is looked at what is there already.
    """

    def __init__(
        self,
        options: OutputOptions,
        on_error: str = "stop",
        array_suffixes: Iterable[str] = (),
        *,
        has_figures: bool = False,
        takes_folder: bool = False,
        check: "Callable[[Sink], None]" = lambda sink: None,
    ) -> None:
        self._options, self._on_error = options, on_error
        self._hints: set[str] = set()  # each is given once
        asked_path = asked_file(options)
        self.folder = asked_path if takes_folder and options.names_folder and options.svg is None else None
        self._path = asked_path if isinstance(asked_path, Path) else None
        if isinstance(asked_path, RemotePath) and self.folder is None:
            folder = f", or to a folder: -o {asked_path.url.rpartition('/')[0]}/" if takes_folder else ""
            raise WrongUsage(
                f"{asked_path}: a file is written on this machine alone", hint=f"write it here and copy it{folder}"
            )
        if self.folder is not None and (asked := asked_format(options)) != "auto":
            raise WrongUsage(
                f"--format {asked} and {options.output} contradict each other: a folder has Parquet in it",
                hint="leave one out",
            )
        if asked_path is None and sys.stdout is None:
            raise OutputError("standard output is closed", hint="leave it open, or write to a file with -o FILE")
        self._bar: ProgressBar | None = None
        self._drawing, self._is_over = threading.Lock(), False
        self._is_terminal = asked_path is None and sys.stdout.isatty()
        folder_hint = f", or {self._path}/ for a folder" if takes_folder else ""
        suffixes = (*array_suffixes, _PNG) if has_figures else tuple(array_suffixes)
        self.format = FOLDER if self.folder is not None else self._format(suffixes, folder_hint)
        self._is_figure = has_figures and self.format in ("svg", _PNG)
        if self._is_figure and find_spec("matplotlib") is None:
            raise MissingPackage.of("a picture of a matrix", "matplotlib", "plot")
        check(self)
        if self._path is not None and self.folder is None:
            check_target(self._path, force=options.force)

    @property
    def is_file(self) -> bool:
        """Whether results go to a file that appears when all of them are there, or to a folder of such."""
        return self.folder is not None or (self._path is not None and not is_device(self._path))

    @property
    def scratch_folder(self) -> Path:
        """Where there is room for what is needed while results are written: beside them, if that is here."""
        if isinstance(self.folder, RemotePath):
            from tempfile import gettempdir

            return Path(gettempdir())
        return self.folder or (Path() if self._path is None else Path(os.path.realpath(self._path)).parent)

    @property
    def force(self) -> bool:
        """Whether what is there may be replaced."""
        return self._options.force

    @property
    def wants_table(self) -> bool:
        """Whether people will look at it."""
        return self.format in ("table", "svg", _PNG)

    def write(
        self,
        info: RunInfo,
        view: Schema[Any],
        answers: Iterable[Any],
        array_writers: ArrayWriters | None = None,
    ) -> ExitCode:
        """Write each answer as it comes. Raises the error of a text without one, unless such are to be skipped."""
        writers = {self.format: self._figure_writer(view, info)} if self._is_figure else array_writers or {}
        make_binary_writer = writers.get(self.format)
        with self._stream() as stream:
            if make_binary_writer is not None:
                if stream.isatty():
                    raise OutputError(
                        f"{self._path} is a terminal, and {self.format} is binary",
                        hint="write to a file, or leave -o out for a table",
                    )
                passed = self.pass_on(answers, make_binary_writer(stream))
            else:
                with _text(stream) as text:
                    passed = self.pass_on(answers, self._text_writer(text, view, info))
        return self.end(passed)

    def end(self, passed: "Passed") -> ExitCode:
        """Say what came of the run as a whole."""
        self.end_progress()
        if passed.skipped:
            texts = "text" if passed.skipped == 1 else "texts"
            print_error(f"skipped {passed.skipped:,} {texts} without an answer")
        elif not passed.count:
            self.note("there was no text to answer")
        return ExitCode.FAILED if passed.skipped else ExitCode.DONE

    def note(self, message: str) -> None:
        """Something that the user may want to know, unless they asked for quiet."""
        if not self._options.quiet:
            print_note(message)

    def sum_up(self, summary: RunSummary) -> None:
        """Say what a run over many texts has come to."""
        if not self._options.quiet:
            print_summary(summary)

    @property
    def draws_progress(self) -> bool:
        """Whether somebody looks how far a run has come."""
        return not self._options.quiet and sys.stderr is not None and sys.stderr.isatty()

    def show_progress(self, summary: RunSummary, done: int, total: int | None) -> None:
        """Draw how far the run has come, from whichever thread. done, total: bytes of the input."""
        from bertcli.output.progress import ProgressBar

        with self._drawing:
            if self._is_over:
                return
            if self._bar is None:
                self._bar = ProgressBar(total)
            self._bar.update(summary, done)

    def end_progress(self) -> None:
        """Take away what was drawn."""
        with self._drawing:
            self._is_over = True
            if self._bar is not None:
                self._bar.end()

    def announce(self, download: Download) -> bool:
        """Say what is about to be downloaded; whether its progress is to be drawn."""
        files = "1 file" if len(download.files) == 1 else f"{len(download.files)} files"
        self.note(f"downloading {download.repository} ({size(download.nbytes)} in {files}) to {download.folder}")
        return self.draws_progress

    @property
    def skips(self) -> bool:
        """Whether a run goes on without the texts that have no answer."""
        return self._on_error == "skip"

    def tell_skipped(self, missing: FailedText) -> None:
        """Say what was wrong with a text that is skipped, and what else could be done about it."""
        error = missing.error.at(missing.place)
        print_skipped(error.message, "" if _SKIPPING in error.hint or error.hint in self._hints else error.hint)
        self._hints.add(error.hint)

    def pass_on(self, answers: Iterable[Any], writer: RecordWriter) -> "Passed":
        """Write the answers. Raises the error of a text without one, unless such are to be skipped."""
        count = skipped = 0
        for answer in answers:
            if not isinstance(answer, FailedText):
                writer.write(answer)
            elif self.skips:
                self.tell_skipped(answer)
                writer.skip(answer)
                skipped += 1
            else:
                if count and self._path is None and self.folder is None:
                    writer.finish()  # what has come so far stays readable
                raise answer.error.at(answer.place)
            count += 1
        writer.finish()
        return Passed(count, skipped)

    def _format(self, array_suffixes: tuple[str, ...], folder_hint: str) -> str:
        asked, path = asked_format(self._options), self._path
        if path is None:
            return ("table" if self._is_terminal else "tsv") if asked == "auto" else asked
        if str(path) == STDIN:
            raise WrongUsage("-o takes a file, not -", hint="leave it out: results go to standard output by themselves")
        suffix = path.suffix.lower()
        by_suffix = _TEXT_SUFFIXES.get(suffix) or (suffix if suffix in array_suffixes else None)
        if by_suffix is None and suffix not in _RESERVED_SUFFIXES and (asked != "auto" or is_device(path)):
            return "tsv" if asked == "auto" else asked
        if by_suffix is None:
            known = ", ".join((*_TEXT_SUFFIXES, *array_suffixes))
            raise WrongUsage(
                f"{path}: this command writes no {suffix or 'file without a suffix'}",
                hint=f"use {known}{'' if suffix else folder_hint}",
            )
        if asked not in ("auto", by_suffix):
            option = "--svg" if asked == "svg" else f"--format {asked}"
            raise WrongUsage(f"{option} and the suffix of {path} contradict each other", hint="leave one out")
        return by_suffix

    @contextmanager
    def _stream(self) -> Iterator[BinaryIO]:
        if self._path is None:
            # Apart from sys.stdout, whose buffer would be closed with the text around it where a disk is full.
            with open(sys.stdout.fileno(), "wb", closefd=False) as stdout:
                yield stdout
        else:
            with open_target(self._path, force=self._options.force) as file:
                yield file

    def _figure_writer(self, view: Schema[Any], info: RunInfo) -> Callable[[BinaryIO], RecordWriter]:
        from bertcli.output.figure import FigureWriter

        return partial(
            FigureWriter, view=view, file_format=self.format.removeprefix("."), info=info, color=self._options.color
        )

    def _text_writer(self, stream: TextIO, view: Schema[Any], info: RunInfo) -> RecordWriter:
        if self.format == "json":
            return (JsonDocumentWriter if view.is_document else JsonWriter)(stream, view, info)
        if self.format == "jsonl":
            return JsonLinesWriter(stream, view)
        if self.format == "csv":
            return CsvWriter(stream, view)
        if self.format == "tsv":
            return TsvWriter(stream, view)
        if self.format == "svg":
            from bertcli.output.svg import SvgWriter

            return SvgWriter(stream, view, f"bertcli {info.command}", self._options.color, self._options.width)
        from bertcli.output.console import TableWriter, make_console

        return TableWriter(make_console(stream, self._options.color, self._options.width), view)


def asked_format(options: OutputOptions) -> str:
    """The format by name, --json and --svg among them. Raises WrongUsage where two contradict each other."""
    asked = {
        "json": "--json" if options.json else None,
        "svg": "--svg" if options.svg is not None else None,
        str(options.format): None if options.format == "auto" else f"--format {options.format}",
    }
    named = {name: option for name, option in asked.items() if option is not None}
    if len(named) > 1:
        raise WrongUsage(f"{' and '.join(named.values())} contradict each other", hint="leave one out")
    return next(iter(named), "auto")


def asked_file(options: OutputOptions) -> AnyPath | None:
    """The file to write to, None for standard output. Raises WrongUsage where two are named."""
    found = named_file({"-o": options.path, "--svg": options.svg})
    return None if found is None else found[1]


def named_file(asked: Mapping[str, AnyPath | None]) -> tuple[str, AnyPath] | None:
    """The one option that names a file, and that file. Raises WrongUsage where two do."""
    named = [(option, path) for option, path in asked.items() if path is not None]
    if len(named) > 1:
        raise WrongUsage(
            f"{named[0][0]} and {named[1][0]} name a file each, and a run writes one", hint="leave one out"
        )
    return named[0] if named else None


@contextmanager
def _text(stream: BinaryIO) -> Iterator[TextIO]:
    """The stream as UTF-8 text, whatever the locale says; it stays open."""
    text = TextIOWrapper(stream, "utf-8", newline="")
    try:
        yield text
    finally:
        text.detach()
