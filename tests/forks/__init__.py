"""bertcli as a forked process, which starts in some milliseconds.

A start of bertcli imports numpy, Typer and sometimes torch, which takes 0.3 to 3 seconds of a core. So a server imports
them once for each pytest worker, and forks a child for each run. The child gets the arguments, the environment, the
folder and the streams of a small client, and the client ends as the child ends. So a test sees a real process, with its
exit code, its pipes or its terminal, and its signals.

The client starts bertcli as usual if a variable that Python or a library reads at its start has another value than in
the server, if a stream is closed, or if a signal is ignored.
"""

import atexit
import shlex
import socket
import subprocess
import sys
from functools import cache
from pathlib import Path

# The command of a new process.
FRESH_COMMAND = [sys.executable, "-m", "bertcli"]
_REPOSITORY = Path(__file__).parents[2]
_CLIENT = Path(__file__).with_name("client.py")


def forked_command() -> list[str]:
    """Return the command that runs bertcli on this process's server, and start the server if there is none yet."""
    if sys.platform != "linux":  # the server waits for its children in a way that only Linux has
        return FRESH_COMMAND
    return [sys.executable, "-I", "-S", str(_CLIENT), _start_server()]


def write_program(folder: Path) -> None:
    """Write the program bertcli into a folder. It runs on this process's server."""
    program = folder / "bertcli"
    program.write_text(f'#!/bin/sh\nexec {shlex.join(forked_command())} "$@"\n', encoding="utf-8")
    program.chmod(0o755)


@cache
def _start_server() -> str:
    """Start the server of this process, which ends with it. Return the name by which clients find it."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("")  # Linux chooses a name, and makes no file
        listener.listen(64)
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.forks.server", str(listener.fileno())],
            stdin=subprocess.PIPE,
            cwd=_REPOSITORY,
            pass_fds=[listener.fileno()],
            start_new_session=True,  # Ctrl-C is for pytest
        )
        name = bytes(listener.getsockname())[1:].decode()
    atexit.register(process.communicate)
    return name
