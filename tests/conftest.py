"""What all tests share: how hypothesis draws, checkpoints that are made once, and a hub that is out of reach."""

import os
import shutil
import signal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, settings

from tests.published import leave_the_users_hub

# Drawn examples save and load checkpoints, which a slow disk must not turn into a failure.
settings.register_profile("local", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("local"), derandomize=True)
settings.load_profile("ci" if "CI" in os.environ else "local")

# A shell has what it starts in the background ignore Ctrl-C, and so would every process that a test starts from there.
signal.signal(signal.SIGINT, signal.default_int_handler)
_HUB_HOME = TemporaryDirectory(prefix="bertcli-hub-")
leave_the_users_hub(Path(_HUB_HOME.name))  # before anything reads them


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny random BERT with a pooler and an MLM head. Not to be written to."""
    from tests.tiny import save_bert

    return save_bert(tmp_path_factory.mktemp("tiny-bert"))


@pytest.fixture
def own_tiny_bert(tmp_path: Path, tiny_bert: Path) -> Path:
    """A copy of tiny_bert that the test may change."""
    return Path(shutil.copytree(tiny_bert, tmp_path / "tiny-bert"))
