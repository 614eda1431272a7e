"""Packages that bertcli does without until something is asked for that takes them."""

from importlib import import_module
from typing import Any

from bertcli.errors import MissingPackage


def require(package: str, extra: str, purpose: str) -> Any:
    """The package. Raises MissingPackage, which says how to install it. extra: which of bertcli's it belongs to.

    purpose: what takes it.
    """
    try:
        return import_module(package)
    except ModuleNotFoundError as error:
        missing = (error.name or package).partition(".")[0]
        raise MissingPackage.of(purpose, missing, extra) from None
