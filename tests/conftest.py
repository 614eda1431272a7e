"""Shared set-up: the --update-goldens option, hypothesis profiles, small checkpoints, and a hub that is unreachable."""

import gc
import os
import shutil
import signal
from collections.abc import Generator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, settings

from tests.published import hide_user_hub

# Generated examples save and load checkpoints. A slow disk must not make them fail.
settings.register_profile("local", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("local"), derandomize=True)
settings.load_profile("ci" if "CI" in os.environ else "local")

# The workers of pytest share the cores, so a waiting thread of OpenBLAS or OpenMP must sleep. By default it keeps its
# core busy, and computations take several times as long. Both libraries read these when they are loaded.
os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "4")  # 2 ** 4 cycles
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# Tests start hundreds of new processes. Without bytecode on disk, each compiles all modules of bertcli that it imports.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# A shell makes its background jobs ignore Ctrl-C, and nohup makes its command ignore SIGHUP. Every process that a test
# starts would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
_HUB_HOME = TemporaryDirectory(prefix="bertcli-hub-")
hide_user_hub(Path(_HUB_HOME.name))  # before anything reads the environment


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the project's own options to pytest."""
    parser.addoption(
        "--update-goldens",
        action="store_true",
        help="write the golden files from the current output; read the changes with git diff before you commit them",
    )


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect the tests without garbage collection, which takes a third of that time and finds nothing to free."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()  # later collections need not search the libraries and the tests either
        gc.enable()


@pytest.fixture(scope="session")
def update_goldens(pytestconfig: pytest.Config) -> bool:
    """Return True if golden files are to be written instead of only compared."""
    return bool(pytestconfig.getoption("--update-goldens"))


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a tiny random BERT with a pooler and an MLM head. Tests must not write to it."""
    from tests.tiny import save_bert

    return save_bert(tmp_path_factory.mktemp("tiny-bert"))


@pytest.fixture
def own_tiny_bert(tmp_path: Path, tiny_bert: Path) -> Path:
    """Return a copy of tiny_bert that the test may change."""
    return Path(shutil.copytree(tiny_bert, tmp_path / "tiny-bert"))
