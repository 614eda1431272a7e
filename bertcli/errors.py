"""What can go wrong for a reason the user can mend: one class for each thing a caller may want to tell apart.

Every message says what is wrong, every hint what to do. `bertcli.__main__` is the one place that prints them.
"""

from enum import IntEnum
from importlib import import_module
from typing import Any, Self


class ExitCode(IntEnum):
    """What the process tells the shell."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    BUG = 3
    INTERRUPTED = 130


class BertcliError(Exception):
    """An expected failure, with a hint that says what to do next."""

    exit_code = ExitCode.FAILED

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def at(self, place: str) -> Self:
        """The same error, with the place that it was met at before its message."""
        return type(self)(f"{place}: {self.message}", hint=self.hint)


class WrongUsage(BertcliError):
    """An option whose value does not fit the model, the text or the other options."""

    exit_code = ExitCode.USAGE


class BadText(BertcliError):
    """A text that cannot be answered: empty, not UTF-8, too long, without a mask."""


class BadInput(BertcliError):
    """A file of texts that cannot be read on: damaged, cut off, or without the column that was asked for."""


class CheckpointNotFound(BertcliError):
    """No checkpoint under that name or folder."""


class HubFailed(BertcliError):
    """The hub cannot be asked, or broke off: the network, the server, or the disk that its cache is on."""


class BadCheckpoint(BertcliError):
    """A checkpoint whose files are missing, damaged, or do not fit one another."""


class UnsupportedModel(BertcliError):
    """A checkpoint of an architecture, or with a setting, that the engine does not compute."""


class MissingMlmHead(BertcliError):
    """A checkpoint without the masked-language head that was asked for."""


class MissingPooler(BertcliError):
    """A checkpoint without the pooler that was asked for."""


class DeviceUnavailable(BertcliError):
    """A device that this machine does not have."""


class NotFinite(BertcliError):
    """A model whose outputs are no numbers: weights that are none, or a half precision that does not suffice."""


class ShapesDiffer(BertcliError):
    """A model whose outputs have other shapes than its config says."""


class MissingPackage(BertcliError):
    """A package that is not installed by default and is needed for what was asked for."""

    @classmethod
    def of(cls, what: str, package: str, extra: str) -> Self:
        """The error about something that needs it. extra: what brings it along."""
        return cls(f"{what} needs {package}, which is not installed", hint=f"pip install 'bertcli[{extra}]'")


class OutputError(BertcliError):
    """The output cannot be written where it was asked for."""


class Unreachable(BertcliError):
    """A file, a folder or a cluster that is elsewhere: not there, no access, no network."""


def require(package: str, extra: str, purpose: str) -> Any:
    """The package. Raises MissingPackage, which says how to install it. extra: which of bertcli's it belongs to.

    purpose: what takes it.
    """
    try:
        return import_module(package)
    except ModuleNotFoundError as error:
        missing = (error.name or package).partition(".")[0]
        raise MissingPackage.of(purpose, missing, extra) from None
