"""Programs that some tests need beside Python. Where one is missing its tests are skipped, but in CI they fail."""

import os
import shutil
from pathlib import Path

import pytest


def needed(program: str) -> str:
    """Where the program is."""
    found = shutil.which(program)
    if found is None:
        _miss(program)
    return str(found)


def needed_file(path: str) -> Path:
    """The path, if there is a file."""
    if not Path(path).is_file():
        _miss(path)
    return Path(path)


def _miss(name: str) -> None:
    if "CI" in os.environ:
        pytest.fail(f"{name} is not here, and .ci/run is to install it")
    pytest.skip(f"{name} is not installed")
