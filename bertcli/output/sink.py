"""Sink that sends the answers of a run to the writer of their format."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from io import TextIOWrapper
from typing import Any, BinaryIO, TextIO, cast

from bertcli.choices import OnError
from bertcli.errors import BertcliError, ExitCode, OutputError
from bertcli.input.records import FailedText
from bertcli.lazy_dataclass import dataclass
from bertcli.output.destination import Destination, OutputOptions
from bertcli.output.fields import TEXT_FORMATS, FieldSelection
from bertcli.output.files.atomic import is_device, open_target
from bertcli.output.formatting import counted, visible_lines
from bertcli.output.messages import Reporter, print_error
from bertcli.output.records import (
    BinaryWriters,
    CsvWriter,
    JsonDocumentWriter,
    JsonLinesWriter,
    JsonWriter,
    PlainWriter,
    RecordWriter,
    TsvWriter,
)
from bertcli.output.schema import Schema
from bertcli.results.texts import RunInfo


@dataclass(frozen=True, slots=True)
class Written:
    """Counts of what a run has written: all texts, and those among them that failed."""

    count: int
    skipped: int


class Sink:
    """Writes the answers of one run to its destination."""

    def __init__(
        self,
        destination: Destination,
        options: OutputOptions,
        on_error: OnError,
        reporter: Reporter,
        selection: FieldSelection | None = None,
        *,
        is_pageable: bool = True,
    ) -> None:
        """Store the arguments.

        Args:
            destination: Where the records go.
            options: The options of the output.
            on_error: Stop at a failed text, or skip it.
            reporter: Prints notes and progress.
            selection: The fields to show.
            is_pageable: False if each record is to appear at once, since the texts come from a stream.
        """
        self.destination, self.reporter = destination, reporter
        self._options, self._on_error, self._is_pageable = options, on_error, is_pageable
        self._selection = selection or FieldSelection()
        path = destination.path
        if path is not None and not is_device(path):
            reporter.note_if_interrupted(f"{path} is {'unchanged' if path.exists() else 'not written'}")

    def write(
        self, info: RunInfo, schema: Schema[Any], answers: Iterable[Any], binary_writers: BinaryWriters | None = None
    ) -> ExitCode:
        """Write each answer as it comes, and return the exit code of the run.

        Args:
            info: The command, model and engine, for captions and headers.
            schema: How a record becomes a table, a JSON object or rows.
            answers: Records, and a FailedText for each text that has none.
            binary_writers: Writers of the binary files that the command can write.

        Raises:
            BertcliError: A text failed, and failed texts are not to be skipped.
            WrongUsage: The model does not have a chosen field.
            OutputError: The output cannot be written.
        """
        if self.destination.format in TEXT_FORMATS:
            schema = self._selection.apply(schema, self.destination.format)
        with self._open_stream() as stream:
            make_writer = self._binary_writer(info, schema, binary_writers or {})
            if make_writer is not None:
                if stream.isatty():
                    raise OutputError(
                        f"{self.destination.path} is a terminal, and {self.destination.format} is binary",
                        hint="write to a file, or leave out -o to get a table",
                    )
                written: Written | None = self.write_all(answers, make_writer(stream))
            else:
                # A table is drawn with escape sequences of its own, and escapes what its texts contain.
                is_raw = stream.isatty() and not self.destination.wants_table
                written = None
                with _utf8(stream, _TerminalText if is_raw else TextIOWrapper) as text, self._paged(text) as shown:
                    written = self.write_all(answers, self._text_writer(shown, schema, info))
        if written is None:  # the user has left the pager
            return ExitCode.DONE
        self.reporter.note_if_interrupted(None)
        return self.end(written)

    def write_all(self, answers: Iterable[Any], writer: RecordWriter) -> Written:
        """Pass all answers to a writer.

        Raises:
            BertcliError: A text failed, and failed texts are not to be skipped.
        """
        count = skipped = 0
        is_on_terminal = self.destination.is_stdout and sys.stdout.isatty()
        try:
            for answer in answers:
                if is_on_terminal and not count:
                    self.reporter.end()  # the answers themselves show the progress from here on
                if not isinstance(answer, FailedText):
                    writer.write(answer)
                elif self._on_error == OnError.SKIP:
                    self.reporter.report_skipped(answer)
                    writer.skip(answer)
                    skipped += 1
                else:
                    raise answer.error.with_prefix(answer.place)
                count += 1
        except BertcliError:
            if count and self.destination.is_stdout:
                writer.finish()  # what is already on standard output stays readable
            raise
        except KeyboardInterrupt:
            if self.destination.is_stdout and not is_on_terminal:
                written = f"{counted(count, 'text')} {'is' if count == 1 else 'are'} written"
                self.reporter.note_if_interrupted(written if count else "nothing is written yet")
            raise
        writer.finish()
        return Written(count, skipped)

    def end(self, written: Written) -> ExitCode:
        """Report skipped texts or an empty input, and the file that is complete now, and return the exit code."""
        self.reporter.end()
        if self.destination.path is not None and self.destination.is_file:
            self.reporter.report_written(self.destination.path, written.count)
        if written.skipped:
            print_error(f"skipped {counted(written.skipped, 'failed text')}")
        elif not written.count:
            self.reporter.note("no input text")
        return ExitCode.FAILED if written.skipped else ExitCode.DONE

    @contextmanager
    def _open_stream(self) -> Iterator[BinaryIO]:
        path = self.destination.path
        if path is not None:
            with open_target(path, force=self._options.force) as file:
                yield file
                self.reporter.note_if_interrupted(
                    None
                )  # the file may be complete when an interrupt arrives from now on
            return
        # A stream of its own: the buffer of sys.stdout would be closed with the text wrapper if the disk is full.
        with open(sys.stdout.fileno(), "wb", closefd=False) as stdout:
            yield stdout

    @contextmanager
    def _paged(self, text: TextIO) -> Iterator[TextIO]:
        """Yield the stream, or one that shows long tables in the pager. Leave the context if the user leaves it."""
        is_paged = self._options.pager and self._is_pageable and self.destination.format == "table" and text.isatty()
        if not is_paged:
            yield text
            return
        from bertcli.output.pager import PagedTerminal, PagerLeft, pager_command

        command = pager_command()
        if command is None:
            yield text
            return
        pager = PagedTerminal(text, command)
        try:
            with suppress(PagerLeft):
                yield cast(TextIO, pager)
        finally:
            pager.finish()

    def _binary_writer(
        self, info: RunInfo, schema: Schema[Any], binary_writers: BinaryWriters
    ) -> Callable[[BinaryIO], RecordWriter] | None:
        if not self.destination.is_figure:
            return binary_writers.get(self.destination.format)
        from bertcli.output.figure import FigureWriter

        file_format = self.destination.format.removeprefix(".")
        return partial(FigureWriter, schema=schema, file_format=file_format, info=info, color=self._options.color)

    def _text_writer(self, stream: TextIO, schema: Schema[Any], info: RunInfo) -> RecordWriter:
        color, width = self._options.color, self._options.width
        match self.destination.format:
            case "json":
                return (JsonDocumentWriter if schema.is_document else JsonWriter)(stream, schema, info)
            case "jsonl":
                return JsonLinesWriter(stream, schema)
            case "csv":
                return CsvWriter(stream, schema)
            case "tsv":
                return TsvWriter(stream, schema)
            case "plain":
                return PlainWriter(stream, schema)
            case "svg":
                from bertcli.output.svg import SvgWriter

                return SvgWriter(stream, schema, f"bertcli {info.command}", color, width)
            case _:
                from bertcli.output.console import TableWriter, make_console

                return TableWriter(make_console(stream, color, width), schema)


class _TerminalText(TextIOWrapper):
    """Text on a terminal. Control characters are written as escapes, so that no text can control the terminal."""

    def write(self, text: str, /) -> int:
        return super().write(visible_lines(text))


@contextmanager
def _utf8(stream: BinaryIO, wrapper: type[TextIOWrapper] = TextIOWrapper) -> Iterator[TextIO]:
    """Yield the stream as UTF-8 text, whatever the locale is. The stream stays open.

    A lone surrogate, for example of a file name that is not UTF-8, is written as an escape. In JSON that is exact.
    """
    text = wrapper(stream, "utf-8", "backslashreplace", newline="")
    try:
        yield text
    finally:
        text.detach()
