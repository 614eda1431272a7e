"""Bare names, a line each, for other programs."""

import sys
from collections.abc import Iterable


def print_names(names: Iterable[str]) -> None:
    """Write the names to standard output, without those that a line has no place for."""
    sys.stdout.writelines(f"{name}\n" for name in names if name.isprintable())
