"""What the tests of the process share."""

from pathlib import Path

import pytest


@pytest.fixture
def tiny(tiny_bert: Path) -> tuple[str, str]:
    """The options that choose the tiny checkpoint, which answers sooner than the bundled one."""
    return "-m", str(tiny_bert)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder to work in, apart from what other fixtures put into tmp_path."""
    folder = tmp_path / "work"
    folder.mkdir()
    return folder
