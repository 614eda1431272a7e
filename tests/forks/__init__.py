"""bertcli as a forked process, which starts in some milliseconds.

A start of bertcli imports numpy, Typer and sometimes torch, which takes 0.3 to 3 seconds of a core. So a server imports
them once for each pytest worker, and forks a child for each run. The child gets the arguments, the environment, the
folder and the streams of a small client, and the client ends as the child ends. So a test sees a real process, with its
exit code, its pipes or its terminal, and its signals. If the streams are pipes, the test can be the client itself.

A fork of a process that has imported torch, pandas and matplotlib takes four times as long, so another server has
imported them. It makes the runs whose arguments show that they use one of these libraries.

The client starts bertcli as usual if a variable that Python or a library reads at its start has another value than in
the server, if a stream is closed, or if a signal is ignored.
"""

import atexit
import os
import selectors
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from tests.forks import client

# The command of a new process.
FRESH_COMMAND = [sys.executable, "-m", "bertcli"]
_REPOSITORY = Path(__file__).parents[2]
# Arguments, and ends of arguments, of the runs that import torch or matplotlib, or pandas, which pyarrow imports for
# writing. Any other run can import them too, but that takes a second.
_HEAVY_ARGUMENTS = {"torch", "transformers", "--dtype", "--device", "--attribute"}
_HEAVY_ENDS = ("/", ".parquet", ".png", ".svg")
# Number of bytes that fit into every pipe before anything reads it. Linux gives less to a user with many pipes.
_PIPE_CAPACITY = 4096
# The server waits for its children in a way that only Linux has.
_CAN_FORK = sys.platform == "linux"


def forked_command(*, is_heavy: bool = False) -> list[str]:
    """Return the command that runs bertcli on a server of this process, and start the server if there is none yet.

    Args:
        is_heavy: The server imports the large libraries too.
    """
    command = [sys.executable, "-I", "-S", client.__file__]
    return [*command, _start_server(is_heavy=is_heavy)] if _CAN_FORK else FRESH_COMMAND


def run(
    arguments: Sequence[str | Path], stdin: bytes, env: Mapping[str, str], folder: Path | None, timeout: float
) -> subprocess.CompletedProcess[bytes]:
    """Run bertcli to its end with pipes as its streams, like subprocess.run, but without a client process.

    Args:
        arguments: The command line without the name of the program.
        stdin: The standard input.
        env: The environment.
        folder: The working folder, or None for that of this process.
        timeout: Seconds until the run is killed.

    Raises:
        subprocess.TimeoutExpired: The run has not ended in time.
    """
    done = _run_without_client(arguments, stdin, env, folder, timeout) if _CAN_FORK else None
    if done is None:
        command = [*FRESH_COMMAND, *arguments]
        return subprocess.run(command, input=stdin, capture_output=True, env=env, cwd=folder, timeout=timeout)
    return done


def _run_without_client(
    arguments: Sequence[str | Path], stdin: bytes, env: Mapping[str, str], folder: Path | None, timeout: float
) -> subprocess.CompletedProcess[bytes] | None:
    """Do the same as run, or return None if the server refuses, or if the input is larger than a pipe."""
    if len(stdin) > _PIPE_CAPACITY:
        return None
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(f"\0{_start_server(is_heavy=any(map(_is_heavy, map(str, arguments))))}")
        pipes = [os.pipe() for _ in range(3)]
        (read_stdin, write_stdin), *outputs = pipes
        os.write(write_stdin, stdin)
        os.close(write_stdin)
        theirs = (read_stdin, *(write for _, write in outputs))
        environment = {os.fsencode(name): os.fsencode(value) for name, value in env.items()}
        directory = os.fsencode((folder or Path()).absolute())
        client.send(connection, client.request_of([*map(os.fsencode, arguments)], environment, directory), theirs)
        for descriptor in theirs:
            os.close(descriptor)
        streams = [os.fdopen(read, "rb", buffering=0) for read, _ in outputs]
        with streams[0], streams[1]:
            if connection.recv(1) != b"y":
                return None
            stdout, stderr, status = _read_all([*streams, connection], [*arguments], timeout)
    assert status, "the server has ended"
    code = os.waitstatus_to_exitcode(int.from_bytes(status, sys.byteorder))
    return subprocess.CompletedProcess(arguments, code, stdout, stderr)


def _is_heavy(argument: str) -> bool:
    return argument in _HEAVY_ARGUMENTS or argument.endswith(_HEAVY_ENDS)


def _read_all(sources: Sequence[Any], arguments: Sequence[str | Path], timeout: float) -> list[bytes]:
    """Return what each file or socket has until its end. Raise TimeoutExpired if the last of them does not end."""
    end = time.monotonic() + timeout
    found = {source: bytearray() for source in sources}
    with selectors.DefaultSelector() as selector:
        for source in sources:
            selector.register(source, selectors.EVENT_READ)
        while selector.get_map():
            ready = selector.select(end - time.monotonic())
            if not ready:
                raise subprocess.TimeoutExpired(arguments, timeout)
            for key, _ in ready:
                part = os.read(key.fd, 1 << 16)
                found[key.fileobj] += part
                if not part:
                    selector.unregister(key.fileobj)
    return [bytes(content) for content in found.values()]


def write_program(folder: Path) -> None:
    """Write the program bertcli into a folder. It runs on a server of this process with all libraries."""
    program = folder / "bertcli"
    command = shlex.join(forked_command(is_heavy=True))
    program.write_text(f'#!/bin/sh\nexec {command} "$@"\n', encoding="utf-8")
    program.chmod(0o755)


@cache
def _start_server(*, is_heavy: bool = False) -> str:
    """Start a server of this process, which ends with it. Return the name by which clients find it.

    Args:
        is_heavy: The server imports the large libraries too.
    """
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("")  # Linux chooses a name, and makes no file
        listener.listen(64)
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.forks.server", str(listener.fileno()), *(["heavy"] if is_heavy else [])],
            stdin=subprocess.PIPE,
            cwd=_REPOSITORY,
            pass_fds=[listener.fileno()],
            start_new_session=True,  # Ctrl-C is for pytest
        )
        name = bytes(listener.getsockname())[1:].decode()
    atexit.register(process.communicate)
    return name
