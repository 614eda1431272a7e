"""A forked process does what a new process does."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.cli.process import COMMAND, LONGEST_RUN, TEXT, Finished, environment, run, start
from tests.forks import forked_command, write_program


def run_fresh(*arguments: str, env: dict[str, str] | None = None, **process: Any) -> Finished:
    """Run bertcli as a new process."""
    done = subprocess.run(
        [*COMMAND, *arguments], capture_output=True, env=environment(env), timeout=LONGEST_RUN, **process
    )
    return Finished(done.returncode, done.stdout, done.stderr.decode())


@contextmanager
def answering(tiny: tuple[str, str], command: str = "encode") -> Iterator[subprocess.Popen[bytes]]:
    """Start bertcli as a forked process that reads standard input. Yield it once it has answered a text."""
    with start(command, "-", *tiny, "--format", "jsonl", command=forked_command()) as process:
        ask(process)
        assert process.stdout is not None and process.stdout.readline()
        yield process


def ask(process: subprocess.Popen[bytes]) -> None:
    """Write a text to the standard input of a process."""
    assert process.stdin is not None
    process.stdin.write(f"{TEXT}\n".encode())
    process.stdin.flush()


@pytest.mark.parametrize(
    ("arguments", "exit_code"),
    [
        (("encode", TEXT, "--json"), 0),
        (("encode", TEXT, "--engine", "torch"), 0),
        (("encode", TEXT, "--dtype", "bfloat16"), 0),
        (("fill-mask", TEXT), 0),
        (("shapes", TEXT), 0),
        (("attn", TEXT, "--layer", "0", "--head", "0"), 0),
        (("models",), 0),
        (("fill-mask", "--help"), 0),
        (("--version",), 0),
        (("encode", "Ä 中 \udcff", "--json"), 1),
        (("encode", ""), 1),
        (("nonsense",), 2),
        ((), 2),
    ],
    ids=lambda value: " ".join(value).encode(errors="replace").decode() if isinstance(value, tuple) else str(value),
)
def test_a_fork_ends_and_prints_as_a_new_process(
    tiny: tuple[str, str], arguments: tuple[str, ...], exit_code: int
) -> None:
    env = {"BERTCLI_MODEL": tiny[1]}
    forked = run(*arguments, env=env)
    assert forked == run_fresh(*arguments, env=env)
    assert forked.exit_code == exit_code


def test_a_usual_run_is_a_fork(tiny: tuple[str, str]) -> None:
    with answering(tiny) as process:
        assert b"client.py" in Path(f"/proc/{process.pid}/cmdline").read_bytes()
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(LONGEST_RUN) == 0


def test_a_fork_has_the_folder_the_mask_of_new_files_and_the_input_of_its_client(
    tiny: tuple[str, str], folder: Path
) -> None:
    mask = os.umask(0o027)
    try:
        run("encode", "-", *tiny, "-o", "out.jsonl", stdin=f"{TEXT}\n", cwd=folder).answer()
    finally:
        os.umask(mask)
    assert (folder / "out.jsonl").stat().st_mode & 0o777 == 0o640
    assert (folder / "out.jsonl").read_bytes() == run_fresh(
        "encode", "-", *tiny, "--format", "jsonl", input=TEXT.encode()
    ).stdout


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_to_the_client_reaches_the_run(tiny: tuple[str, str], number: int, code: int) -> None:
    with answering(tiny) as process:
        process.send_signal(number)
        assert process.wait(LONGEST_RUN) == code


def test_a_run_ends_if_its_client_is_killed(tiny: tuple[str, str]) -> None:
    with answering(tiny) as process:
        process.kill()
        assert process.stdout is not None and process.stdout.read() == b""


def test_a_closed_pipe_ends_a_fork_by_sigpipe(tiny: tuple[str, str]) -> None:
    with answering(tiny, "fill-mask") as process:
        assert process.stdout is not None
        process.stdout.close()
        ask(process)
        assert process.wait(LONGEST_RUN) == -signal.SIGPIPE


def test_a_variable_of_the_interpreter_starts_a_new_process(tiny: tuple[str, str]) -> None:
    shown = run("shapes", TEXT, *tiny, env={"PYTHONVERBOSE": "1"})
    assert "import _frozen_importlib" in shown.stderr
    assert "import _frozen_importlib" not in run("shapes", TEXT, *tiny).stderr


def test_the_program_runs_on_the_server(tiny: tuple[str, str], folder: Path) -> None:
    write_program(folder)
    done = subprocess.run(
        ["sh", "-c", 'bertcli shapes "$1" -m "$2" | wc -l; exec bertcli nonsense', "sh", TEXT, tiny[1]],
        env=environment({"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}),
        capture_output=True,
        text=True,
    )
    assert (done.returncode, int(done.stdout)) == (2, run("shapes", TEXT, *tiny).text.count("\n"))
    assert done.stderr.startswith("bertcli: error: ")
