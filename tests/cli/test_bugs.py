"""Bugs: exit code 3, how to report them, and a trace only with --debug."""

import subprocess
import sys
from dataclasses import replace

import pytest

from bertcli import __version__
from tests.cli.process import TEXT, Finished, assert_failed, environment

BUG, NO_MEMORY = 'RuntimeError("a mistake \\\\x1b[31min the code")', "MemoryError()"
BROKEN = """\
import sys
import bertcli.analysis.embeddings.windows
def broken(*arguments, **options):
    raise {error}
bertcli.analysis.embeddings.windows.encode_windows = broken
import bertcli.commands.encode
from bertcli.__main__ import main
main()
"""


def run_broken(*arguments: str, error: str = BUG) -> Finished:
    """Run bertcli with an error in the middle of encode."""
    done = subprocess.run(
        [sys.executable, "-c", BROKEN.format(error=error), *arguments], capture_output=True, env=environment()
    )
    return Finished(done.returncode, done.stdout, done.stderr.decode())


def test_a_bug_shows_how_to_report_it_and_no_trace(tiny: tuple[str, str]) -> None:
    finished = run_broken("encode", TEXT, *tiny)
    assert_failed(
        finished, 3, f"this is a bug in bertcli {__version__}", r"RuntimeError: a mistake \x1b[31min the code"
    )
    assert "report it with the command, its output with --debug" in finished.stderr
    assert finished.stdout == b""


def test_debug_shows_the_trace_of_a_bug(tiny: tuple[str, str]) -> None:
    finished = run_broken("encode", TEXT, *tiny, "--debug")
    assert finished.exit_code == 3
    engine, trace, *_ = finished.stderr.splitlines()
    assert engine.startswith("bertcli: debug: engine numpy on cpu in float32: about ")
    assert trace == "Traceback (most recent call last):"
    assert "in broken" in finished.stderr
    assert "\x1b" not in finished.stderr
    assert finished.stderr.splitlines()[-2].startswith("bertcli: error: this is a bug")


@pytest.mark.parametrize("command", ["fill-mask", "attn"])
def test_other_commands_do_not_run_the_broken_code(tiny: tuple[str, str], command: str) -> None:
    assert (run_broken(command, TEXT, *tiny).exit_code, run_broken(command, TEXT, *tiny).stderr) == (0, "")


def test_an_expected_failure_shows_no_trace_under_debug(tiny: tuple[str, str]) -> None:
    finished = run_broken("fill-mask", "no mask", *tiny, "--debug")
    lines = finished.stderr.splitlines(keepends=True)
    without_notes = "".join(line for line in lines if not line.startswith("bertcli: debug: "))
    assert_failed(replace(finished, stderr=without_notes), 1, "the text has no mask")


def test_too_little_memory_is_not_a_bug(tiny: tuple[str, str]) -> None:
    finished = run_broken("encode", TEXT, *tiny, error=NO_MEMORY)
    assert_failed(finished, 1, "there is not enough memory")
    assert "--batch-tokens" in finished.stderr


def test_notes_for_developers_are_shown_only_under_debug(tiny: tuple[str, str]) -> None:
    note = (
        '__import__("logging").getLogger("bertcli.model.ops.torch_ops").debug("a slow\\x1b[31m way") or MemoryError()'
    )
    assert "bertcli: debug" not in run_broken("encode", TEXT, *tiny, error=note).stderr
    finished = run_broken("encode", TEXT, *tiny, "--debug", error=note)
    assert r"bertcli: debug: a slow\x1b[31m way" in finished.stderr.splitlines()
