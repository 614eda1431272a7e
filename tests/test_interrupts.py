"""The watch over signals: the process ends soon after the first one, and at once after the second."""

import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.process import LONGEST_RUN, environment

# Calls of C code that take minutes, and in which Python cannot raise KeyboardInterrupt. The second is for a signal that
# arrives before the first.
LONG_CALL = """
try:
    print("ready", flush=True)
    hashlib.pbkdf2_hmac('sha256', b'', b'', 2_000_000_000)
except KeyboardInterrupt:
    hashlib.pbkdf2_hmac('sha256', b'', b'', 2_000_000_000)
"""
WATCHED = """
import hashlib, os, signal, sys, time
from bertcli.interrupts import INTERRUPTS
INTERRUPTS.watch()
INTERRUPTS.note = "what is saved"
INTERRUPTS.unfinished.add("x.part")
open("x.part", "w").close()
"""
SIGNALS = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]


@contextmanager
def watched(script: str, folder: Path, prefix: Sequence[str] = ()) -> Iterator[subprocess.Popen[str]]:
    """Start a process that watches its signals, and wait until it does."""
    command = [*prefix, sys.executable, "-c", WATCHED + script]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=folder, text=True, env=environment(), **pipes) as process:  # type: ignore[call-overload]
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        try:
            yield process
        finally:
            process.kill()  # the long call would go on for minutes if the test has failed


@pytest.mark.parametrize(("number", "exit_code"), SIGNALS)
def test_a_signal_ends_a_long_call_of_c_code(tmp_path: Path, number: signal.Signals, exit_code: int) -> None:
    with watched(LONG_CALL, tmp_path) as process:
        process.send_signal(number)
        _, messages = process.communicate(timeout=LONGEST_RUN)
    assert (process.returncode, messages) == (exit_code, "bertcli: stopping\nwhat is saved\n")
    assert list(tmp_path.iterdir()) == []


def test_a_signal_ends_a_process_that_ignores_keyboard_interrupt(tmp_path: Path) -> None:
    script = """
while True:
    try:
        print("ready", flush=True)
        time.sleep(60)
    except KeyboardInterrupt:
        pass
"""
    with watched(script, tmp_path) as process:
        process.send_signal(signal.SIGINT)
        _, messages = process.communicate(timeout=LONGEST_RUN)
    assert (process.returncode, messages) == (130, "bertcli: stopping\nwhat is saved\n")


def test_an_interrupt_in_a_finalizer_prints_no_traceback(tmp_path: Path) -> None:
    script = """
class Slow:
    def __del__(self):
        print("ready", flush=True)
        time.sleep(60)
Slow()
time.sleep(60)
"""
    with watched(script, tmp_path) as process:
        process.send_signal(signal.SIGINT)
        _, messages = process.communicate(timeout=LONGEST_RUN)
    assert (process.returncode, messages) == (130, "bertcli: stopping\nwhat is saved\n")


def test_a_second_signal_ends_the_process_at_once(tmp_path: Path) -> None:
    # Without the second signal the watch would wait for a minute.
    slow = "import bertcli.interrupts as module; module._LONGEST_SILENCE = 60\n"
    with watched(slow + LONG_CALL, tmp_path) as process:
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGINT)
        _, messages = process.communicate(timeout=LONGEST_RUN / 2)
    assert process.returncode in (130, 143)  # the kernel may deliver them in either order
    assert messages == "what is saved\n"
    assert list(tmp_path.iterdir()) == []


def test_quiet_ends_without_a_word(tmp_path: Path) -> None:
    with watched("INTERRUPTS.is_quiet = True\n" + LONG_CALL, tmp_path) as process:
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=LONGEST_RUN)[1] == ""
    assert process.returncode == 130


def test_a_signal_that_the_parent_ignores_stays_ignored(tmp_path: Path) -> None:
    with watched("print('ready', flush=True); time.sleep(0.5); print('done')", tmp_path, prefix=["nohup"]) as process:
        process.send_signal(signal.SIGHUP)
        output, _ = process.communicate(timeout=LONGEST_RUN)
    assert (process.returncode, output) == (0, "done\n")


def test_an_import_is_not_interrupted_by_an_exception(tmp_path: Path) -> None:
    # Modules in C++ abort the process if KeyboardInterrupt is raised while they are loaded.
    module = 'import time\ntry:\n    print("ready", flush=True)\n    time.sleep(60)\nfinally:\n    print("raised")\n'
    (tmp_path / "slow.py").write_text(module)
    with watched("sys.path.insert(0, '')\nimport slow", tmp_path) as process:
        process.send_signal(signal.SIGINT)
        output, messages = process.communicate(timeout=LONGEST_RUN)
    assert (process.returncode, output, messages) == (130, "", "what is saved\n")
