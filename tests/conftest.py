"""What all tests share: how hypothesis draws, and checkpoints that are made once."""

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Drawn examples save and load checkpoints, which a slow disk must not turn into a failure.
settings.register_profile("local", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("local"), derandomize=True)
settings.load_profile("ci" if "CI" in os.environ else "local")


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny random BERT with a pooler and an MLM head. Not to be written to."""
    from tests.tiny import save_bert

    return save_bert(tmp_path_factory.mktemp("tiny-bert"))


@pytest.fixture
def own_tiny_bert(tmp_path: Path, tiny_bert: Path) -> Path:
    """A copy of tiny_bert that the test may change."""
    return Path(shutil.copytree(tiny_bert, tmp_path / "tiny-bert"))
