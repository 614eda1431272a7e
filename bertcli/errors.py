"""Expected failures: one exception class for each kind that a caller may want to tell apart.

Every message says what is wrong and every hint says what to do. Only `bertcli.__main__` prints them.
"""

from enum import IntEnum
from importlib import import_module
from typing import Any, Self

# What pip installs for a module that is missing, where it is not a package of the same name.
_REQUIREMENTS = {"ray": "'ray[data]'", "grpc": "'ray[client]'"}


class ExitCode(IntEnum):
    """Exit statuses of the process."""

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

    def with_prefix(self, prefix: str) -> Self:
        """Return the same error with `prefix: ` before its message, such as the place where it occurred."""
        return type(self)(f"{prefix}: {self.message}", hint=self.hint)

    def about_option(self, usual: str, used: str) -> Self:
        """Return the same error for a value that another option has given: its hint then names that option."""
        return type(self)(self.message, hint=self.hint.replace(f"{usual} ", f"{used} "))


class WrongUsage(BertcliError):
    """An option whose value does not fit the model, the text or the other options."""

    exit_code = ExitCode.USAGE


class BadText(BertcliError):
    """A text that cannot be processed: empty, not UTF-8, too long, or without a mask."""


class BadInput(BertcliError):
    """A file of texts that cannot be read: damaged, cut off, or without the requested column."""


class CheckpointNotFound(BertcliError):
    """A model name or folder without a checkpoint."""


class HubFailed(BertcliError):
    """A failed request or download: the network, the server, or the disk of the hub's cache."""


class BadCheckpoint(BertcliError):
    """A checkpoint whose files are missing, damaged or inconsistent."""


class UnsupportedModel(BertcliError):
    """A checkpoint whose architecture or settings the engine does not support."""


class MissingMlmHead(BertcliError):
    """A checkpoint without the masked-language-model head that the command needs."""


class MissingPooler(BertcliError):
    """A checkpoint without the pooler that the command needs."""


class DeviceUnavailable(BertcliError):
    """A device that this machine does not have."""

    @classmethod
    def cuda(cls) -> Self:
        """Return the error for a machine without a CUDA device."""
        return cls(
            "there is no CUDA device: torch finds no usable GPU",
            hint="use --device cpu; if this machine has a GPU, check nvidia-smi, and that torch is a CUDA build",
        )


class NotFinite(BertcliError):
    """Outputs that are infinite or not numbers: from bad weights, or from too little range in reduced precision."""


class ShapesDiffer(BertcliError):
    """A model whose outputs have other shapes than its config predicts."""


class MissingPackage(BertcliError):
    """A package that bertcli does not install by default and that the command needs."""

    @classmethod
    def of(cls, purpose: str, package: str) -> Self:
        """Return the error for a missing package.

        Args:
            purpose: The feature that needs the package; the subject of the message.
            package: The top-level module that is missing.
        """
        requirement = _REQUIREMENTS.get(package, package)
        return cls(f"{purpose} needs {package}, which is not installed", hint=f"pip install {requirement}")


class OutputError(BertcliError):
    """Output that cannot be written to the requested place."""


class Unreachable(BertcliError):
    """A remote file, folder or cluster that is missing, refuses access, or cannot be reached over the network."""


def message_of(error: Exception) -> str:
    """Return the message of another package's error on one line, or the error's class if it has none."""
    return " ".join(str(error).split()) or type(error).__name__


def require(package: str, purpose: str) -> Any:
    """Import a package that bertcli does not install by default.

    Args:
        package: The module to import, such as pyarrow.parquet.
        purpose: The feature that needs it; the subject of the message.

    Returns:
        The module.

    Raises:
        MissingPackage: The package, or a package that it imports, is not installed.
    """
    try:
        return import_module(package)
    except ModuleNotFoundError as error:
        missing = (error.name or package).partition(".")[0]
        raise MissingPackage.of(purpose, missing) from None
