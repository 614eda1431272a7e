"""Fixtures of the tests that run bertcli as a process."""

from pathlib import Path

import pytest


@pytest.fixture
def tiny(tiny_bert: Path) -> tuple[str, str]:
    """Return the options for the tiny checkpoint, which is faster than the bundled one."""
    return "-m", str(tiny_bert)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return an empty working folder, without the files that other fixtures put into tmp_path."""
    folder = tmp_path / "work"
    folder.mkdir()
    return folder
