"""An error that no user should meet: exit code 3, how to report it, and its trace under --debug alone."""

import subprocess
import sys

import pytest

from bertcli import __version__
from tests.cli.process import TEXT, Finished, assert_failed, environment

MISTAKE, NO_MEMORY = 'RuntimeError("a mistake \\\\x1b[31min the code")', "MemoryError()"
SPOILT = """\
import sys
import bertcli.analysis.embeddings.encode
def spoilt(*arguments, **options):
    raise {error}
bertcli.analysis.embeddings.encode.encode = spoilt
import bertcli.commands.encode
from bertcli.__main__ import main
main()
"""


def run_spoilt(*arguments: str, error: str = MISTAKE) -> Finished:
    """bertcli with an error in the middle of encode."""
    done = subprocess.run(
        [sys.executable, "-c", SPOILT.format(error=error), *arguments], capture_output=True, env=environment()
    )
    return Finished(done.returncode, done.stdout, done.stderr.decode())


def test_a_bug_says_how_to_report_it_and_shows_no_trace(tiny: tuple[str, str]) -> None:
    finished = run_spoilt("encode", TEXT, *tiny)
    assert_failed(
        finished, 3, f"this is a bug in bertcli {__version__}", r"RuntimeError: a mistake \x1b[31min the code"
    )
    assert "report it with the command, its output with --debug" in finished.stderr
    assert finished.stdout == b""


def test_debug_shows_the_trace_of_a_bug(tiny: tuple[str, str]) -> None:
    finished = run_spoilt("encode", TEXT, *tiny, "--debug")
    assert finished.exit_code == 3
    assert finished.stderr.startswith("Traceback (most recent call last):\n")
    assert "in spoilt" in finished.stderr
    assert finished.stderr.splitlines()[-2].startswith("bertcli: error: this is a bug")


@pytest.mark.parametrize("command", ["fill-mask", "attn"])
def test_the_mistake_is_encodes_alone(tiny: tuple[str, str], command: str) -> None:
    assert (run_spoilt(command, TEXT, *tiny).exit_code, run_spoilt(command, TEXT, *tiny).stderr) == (0, "")


def test_an_expected_failure_shows_no_trace_under_debug(tiny: tuple[str, str]) -> None:
    assert_failed(run_spoilt("fill-mask", "no mask", *tiny, "--debug"), 1, "the text has no mask")


def test_too_little_memory_is_no_bug(tiny: tuple[str, str]) -> None:
    finished = run_spoilt("encode", TEXT, *tiny, error=NO_MEMORY)
    assert_failed(finished, 1, "there is not enough memory")
    assert "--batch-tokens" in finished.stderr
