"""Interface of the commands' requests, and the checks of all options before anything is opened."""

from typing import Protocol

from bertcli.choices import OnError
from bertcli.commands.options import TextOptions
from bertcli.output.destination import Destination, OutputFormats, OutputOptions, resolve_destination
from bertcli.output.messages import Reporter
from bertcli.output.sink import Sink
from bertcli.quoting import shell_quoted, shortened


class Request(Protocol):
    """The interface of every command's request. open_sink calls the checks in the same order for all commands."""

    @property
    def output(self) -> OutputOptions:
        """Options of the output."""

    @property
    def formats(self) -> OutputFormats:
        """Formats that the command can write, given its other options."""

    def check_options(self) -> None:
        """Check that the options go together. Raises WrongUsage."""

    def check_format(self, destination: Destination) -> None:
        """Check that the format can hold what was requested. Raises WrongUsage."""


def open_sink(request: Request, texts: TextOptions | None = None) -> Sink:
    """Check all options of a request before anything is opened, and return the sink for its results.

    Args:
        request: The request.
        texts: Its options of the input, if the command has them.

    Raises:
        WrongUsage: Options contradict each other, or the format cannot hold what was requested.
        MissingPackage: The format needs a package that is not installed.
        OutputError: The file exists or cannot be written.
    """
    request.check_options()
    destination = resolve_destination(request.output, request.formats)
    request.check_format(destination)
    destination.check_packages()
    destination.check_target(force=request.output.force)
    reporter = Reporter(quiet=request.output.quiet)
    if texts is None:
        return Sink(destination, request.output, OnError.STOP, reporter)
    if (name := texts.file_given_as_text) is not None:
        reporter.note(f"the text {shortened(name)} is the name of a file; to read it, use -f {shell_quoted(name)}")
    return Sink(destination, request.output, texts.on_error, reporter, is_pageable=not texts.is_stream)
