"""A hub and its cache for tests that run in one process."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hub import Hub, serve


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The folder that holds the cache."""
    return tmp_path / "home"


@pytest.fixture
def own_cache(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache that bertcli uses."""
    monkeypatch.setenv("HF_HOME", str(home))
    return home


@pytest.fixture
def hub(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub without models, and an empty cache."""
    with serve() as hub:
        for name, value in hub.env(home).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)  # read when it was imported
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_TELEMETRY", True)
        yield hub
