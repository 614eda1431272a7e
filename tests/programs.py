"""Programs that some tests need beside Python. Tests of a missing one are skipped, but in CI they fail."""

import os
import shutil
from pathlib import Path

import pytest


def needed(program: str) -> str:
    """Return the path of a program."""
    found = shutil.which(program)
    if found is None:
        _miss(program)
    return str(found)


def needed_file(path: str) -> Path:
    """Return the path of a file."""
    if not Path(path).is_file():
        _miss(path)
    return Path(path)


def _miss(name: str) -> None:
    if "CI" in os.environ:
        pytest.fail(f"{name} is missing, and .ci/run should have installed it")
    pytest.skip(f"{name} is not installed")
