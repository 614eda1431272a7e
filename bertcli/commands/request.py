"""Interface of the commands' requests, and the checks of all options before anything is opened."""

from collections.abc import Mapping
from typing import Protocol

from bertcli.choices import OnError, OnLong
from bertcli.commands.options import TextOptions
from bertcli.model.request import SessionRequest
from bertcli.output.catalogs.texts import FILES, ID_FIELD, PAIR, SEVERAL_FILES, TRUNCATE, WINDOWS
from bertcli.output.destination import Destination, OutputFormats, OutputOptions, check_stdout, resolve_destination
from bertcli.output.fields import HELP, FieldCatalog, FieldSelection
from bertcli.output.messages import Reporter, print_names
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

    @property
    def catalog(self) -> FieldCatalog:
        """Fields of the records, given the other options."""

    def check_options(self) -> None:
        """Check that the options go together. Raises WrongUsage."""

    def check_format(self, destination: Destination) -> None:
        """Check that the format can hold what was requested. Raises WrongUsage."""


def lists_fields(request: Request) -> bool:
    """Print the fields of a request and return True if it asks for them."""
    if request.output.fields != HELP:
        return False
    check_stdout()
    request.check_options()
    print_names(request.catalog.describe())
    return True


def options_of_fields(texts: TextOptions, model: SessionRequest, given: Mapping[str, bool]) -> set[str]:
    """Return the given options among those that fields need or are shown with.

    Args:
        texts: The options of the input.
        model: The options of the model.
        given: True for each option of the command that is given.
    """
    shared = {
        FILES: texts.is_stream or bool(texts.file),
        SEVERAL_FILES: texts.may_be_several_files,
        PAIR: texts.has_pairs,
        ID_FIELD: texts.id_field is not None,
        TRUNCATE: model.on_long == OnLong.TRUNCATE,
        WINDOWS: model.reads_windows,
    }
    return {option for option, is_given in {**shared, **given}.items() if is_given}


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
    selection = _select_fields(request, destination)
    destination.check_packages()
    destination.check_target(force=request.output.force)
    reporter = Reporter(quiet=request.output.quiet)
    if texts is None:
        return Sink(destination, request.output, OnError.STOP, reporter, selection)
    if (name := texts.file_given_as_text) is not None:
        reporter.note(f"the text {shortened(name)} is the name of a file; to read it, use -f {shell_quoted(name)}")
    return Sink(destination, request.output, texts.on_error, reporter, selection, is_pageable=not texts.is_stream)


def _select_fields(request: Request, destination: Destination) -> FieldSelection:
    """Return the fields that the request shows. Raises WrongUsage."""
    catalog, value = request.catalog, request.output.fields
    selection = FieldSelection(catalog, None if value is None else catalog.parse(value))
    selection.check(destination.format)
    return selection
