"""Closed pipes, full disks, Ctrl-C and SIGTERM: bertcli ends quietly and leaves no unfinished files."""

import os
import re
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.process import COMMAND, COMMANDS, LONGEST_RUN, TEXT, assert_failed, environment, run, start

# More lines than fit in a pipe.
MANY = f"{TEXT}\n" * 3000
needs_dev_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")


@pytest.mark.parametrize("options", [("--format", "jsonl"), ("--format", "tsv"), ("--json",), ("--format", "table")])
def test_a_closed_pipe_ends_the_process_by_sigpipe(
    tiny: tuple[str, str], folder: Path, options: tuple[str, ...]
) -> None:
    (folder / "texts.txt").write_text(MANY)
    with start("fill-mask", "-f", folder / "texts.txt", *tiny, *options) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        process.stdout.close()
        assert process.wait(LONGEST_RUN) == -signal.SIGPIPE
        assert process.stderr is not None
        assert process.stderr.read() == b""


def test_the_shell_sees_141_after_a_closed_pipe(tiny: tuple[str, str], folder: Path) -> None:
    (folder / "texts.txt").write_text(MANY)
    script = '"$@" | head -1; echo "${PIPESTATUS[*]}"'
    command = ["bash", "-c", script, "bash", *COMMAND, "fill-mask", "-f", str(folder / "texts.txt"), *tiny]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(), timeout=LONGEST_RUN)
    header, status = done.stdout.splitlines()
    assert header.startswith("index\tline\ttext\t")
    assert (status, done.stderr) == ("141 0", "")


def test_help_also_ends_by_sigpipe() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as closed:
        finished = run("--help", stdout=closed)
    assert (finished.exit_code, finished.stderr) == (-signal.SIGPIPE, "")


@needs_dev_full
@pytest.mark.parametrize(
    "arguments",
    [
        *((command, TEXT, *options) for command in COMMANDS for options in ((), ("--json",))),
        ("shapes", "--weights", "--format", "table"),
        ("--help",),
        ("--version",),
    ],
    ids=" ".join,
)
def test_a_full_disk_on_stdout_is_an_error(tiny: tuple[str, str], arguments: tuple[str, ...]) -> None:
    with Path("/dev/full").open("wb") as full:
        finished = run(*arguments, stdout=full, env={"BERTCLI_MODEL": tiny[1]})
    assert_failed(finished, 1, "no space left on device")


@needs_dev_full
@pytest.mark.parametrize("options", [(), ("--json",), ("--format", "csv")])
def test_a_full_device_as_output_is_an_error(tiny: tuple[str, str], options: tuple[str, ...]) -> None:
    assert_failed(run("encode", TEXT, *tiny, "-o", "/dev/full", *options), 1, "no space left on device")


@pytest.mark.parametrize("name", ["out.npy", "out.npz", "out.safetensors", "out.jsonl"])
def test_a_full_disk_leaves_no_unfinished_file(tiny: tuple[str, str], folder: Path, name: str) -> None:
    limited = {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))}
    finished = run("encode", "-", *tiny, "-o", name, stdin=MANY, cwd=folder, **limited)
    assert_failed(finished, 1, "file too large")
    assert list(folder.iterdir()) == []


def test_a_full_disk_leaves_the_old_file(tiny: tuple[str, str], folder: Path) -> None:
    (folder / "out.jsonl").write_text("old")
    limited = {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))}
    finished = run("encode", "-", *tiny, "-o", "out.jsonl", "--force", stdin=MANY, cwd=folder, **limited)
    assert_failed(finished, 1, "file too large")
    assert [(path.name, path.read_text()) for path in folder.iterdir()] == [("out.jsonl", "old")]


@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
@pytest.mark.parametrize("name", ["out.npy", "out.jsonl", "out.npz"])
def test_an_interrupted_run_leaves_no_unfinished_file(
    tiny: tuple[str, str], folder: Path, name: str, number: signal.Signals, exit_code: int
) -> None:
    with start("encode", "-", *tiny, "-o", name, "-q", "--on-error", "skip", cwd=folder) as process:
        assert process.stdin is not None and process.stderr is not None
        # The message about the second line shows that the file is being written.
        process.stdin.write(f"{TEXT}\n\n{TEXT}\n".encode())
        process.stdin.flush()
        assert process.stderr.readline() == b"bertcli: skipped: line 2: the text is empty\n"
        assert [path.name.endswith(".part") for path in folder.iterdir()] == [True]
        process.send_signal(number)
        assert process.wait(LONGEST_RUN) == exit_code
        assert process.stderr.read() == b""
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(("is_there", "state"), [(False, "not written"), (True, "unchanged")])
def test_an_interrupted_run_says_what_became_of_its_file(
    tiny: tuple[str, str], folder: Path, is_there: bool, state: str
) -> None:
    if is_there:
        (folder / "out.npy").write_text("old")
    options = ("-o", "out.npy", "--force", "--on-error", "skip")
    with start("encode", "-", *tiny, *options, cwd=folder) as process:
        assert process.stdin is not None and process.stderr is not None
        process.stdin.write(f"{TEXT}\n\n{TEXT}\n".encode())
        process.stdin.flush()
        assert process.stderr.readline() == b"bertcli: skipped: line 2: the text is empty\n"
        process.send_signal(signal.SIGINT)
        *others, last = process.stderr.read().decode().splitlines()
        assert (process.wait(LONGEST_RUN), last) == (130, f"bertcli: note: interrupted: out.npy is {state}")
        assert set(others) <= {"bertcli: stopping"}  # on a busy machine
    assert [path.read_text() for path in folder.iterdir()] == ["old"] * is_there


@pytest.mark.parametrize("signals", [1, 2])
def test_ctrl_c_does_not_wait_for_a_computation(tiny: tuple[str, str], folder: Path, signals: int) -> None:
    script = (
        "import hashlib, bertcli.analysis.embeddings.windows as module\n"
        "def encode(*arguments, **options):\n"
        "    print('computing', flush=True)\n"
        "    hashlib.pbkdf2_hmac('sha256', b'', b'', 2_000_000_000)\n"
        "module.encode_windows = encode\n"
        "from bertcli.__main__ import main\n"
        "main()\n"
    )
    command = [sys.executable, "-c", script, "encode", TEXT, *tiny, "-o", "out.npy", "-q"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=folder, env=environment(), **pipes) as process:  # type: ignore[call-overload]
        assert process.stdout is not None
        assert process.stdout.readline() == b"computing\n"
        for _ in range(signals):
            process.send_signal(signal.SIGINT)
        assert (process.communicate(timeout=LONGEST_RUN), process.returncode) == ((b"", b""), 130)
    assert list(folder.iterdir()) == []


def test_ctrl_c_says_how_many_lines_are_written(tiny: tuple[str, str]) -> None:
    with start("fill-mask", "-", *tiny, "--format", "jsonl", "--on-error", "skip") as process:
        assert process.stdin is not None and process.stdout is not None and process.stderr is not None
        process.stdin.write(f"{TEXT}\n\n{TEXT}\n".encode())
        process.stdin.flush()
        assert process.stdout.readline().startswith(b'{"index": 0, ')
        # The message about the second line comes after the first line has been counted.
        assert process.stderr.readline() == b"bertcli: skipped: line 2: the text is empty\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(LONGEST_RUN) == 130
        note = process.stderr.read().decode().splitlines()[-1]
    assert re.fullmatch(r"bertcli: note: interrupted: (1 text is|[23] texts are) written", note)


def test_with_closed_standard_output_only_a_file_can_be_written(tiny: tuple[str, str], folder: Path) -> None:
    closed = {"stdout": None, "preexec_fn": lambda: os.close(1)}
    assert_failed(run("encode", TEXT, *tiny, **closed), 1, "standard output is closed")
    run("encode", TEXT, *tiny, "-o", folder / "out.npy", **closed).answer()
    assert [path.name for path in folder.iterdir()] == ["out.npy"]
