"""The fork server: `python -m tests.forks.server DESCRIPTOR [heavy]`, started by tests.forks.

It only imports, and never computes: a fork of a process whose OpenMP or BLAS threads have started would hang.
"""

import ast
import importlib
import os
import pkgutil
import selectors
import signal
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import NoReturn

from tests.forks import child

# The server's standard input. It ends with the process that has started the server.
_LIFELINE = 0
# Libraries that bertcli imports inside functions.
_LIBRARIES = ("numpy", "tokenizers", "pyarrow.parquet", "rich.table", "rich.text", "jinja2")
# Large libraries, which make each fork slower, and the modules that import them. pyarrow imports pandas when it writes.
_HEAVY_LIBRARIES = ("torch", "pandas", "matplotlib.backends.backend_agg", "matplotlib.backends.backend_svg")
_IMPORT_HEAVY = (
    "bertcli.analysis.masks.attribution", "bertcli.checkpoints.pickled", "bertcli.model.ops.torch_ops",
    "bertcli.output.figure",
)  # fmt: skip
# Libraries that read the environment when they are imported, or start processes, and the modules that import them.
_IMPORTED_BY_RUNS = {"huggingface_hub", "ray", "transformers"}
_NOT_PRELOADED = (
    "bertcli.__main__", "bertcli.cluster", "bertcli.commands.ray", "bertcli.model.slow_tokenizer",
    "bertcli.model.transformers_engine",
)  # fmt: skip
# Beginnings of variables that Python or a preloaded library reads at its start.
_READ_AT_START = (
    "ATEN_", "GOMP_", "KMP_", "LANG", "LC_", "LD_", "MALLOC_", "MKL_", "MPL", "OMP_", "OPENBLAS_", "PYTHON",
    "TORCH",
)  # fmt: skip
# Arguments of runs on Ray, whose processes are not forks.
_RAY = (b"--ray", b"--ray-address")


@dataclass(frozen=True, slots=True)
class _Request:
    """A run to make, as the client sends it."""

    arguments: list[bytes]
    environment: dict[bytes, bytes]
    folder: bytes
    umask: int


@dataclass(frozen=True, slots=True, eq=False)
class _Run:
    """A child, the descriptor of its process, and the connection to its client."""

    pid: int
    process: int
    client: socket.socket


class Server:
    """The server of one pytest worker."""

    def __init__(self, listener: socket.socket, *, is_heavy: bool) -> None:
        self._listener = listener
        self._at_start = dict(os.environ)
        self._runs: set[_Run] = set()
        _preload(is_heavy=is_heavy)
        self._set_by_imports = {name: value for name, value in os.environ.items() if name not in self._at_start}
        self._selector = selectors.DefaultSelector()
        self._selector.register(listener, selectors.EVENT_READ)
        self._selector.register(_LIFELINE, selectors.EVENT_READ)

    def serve(self) -> None:
        """Start the runs of all clients, until the process that has started the server ends."""
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._listener:
                    self._accept()
                elif key.fd == _LIFELINE:
                    return
                elif key.data in self._runs and key.fd == key.data.process:
                    self._report(key.data)
                elif key.data in self._runs:
                    self._pass_signals(key.data)

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        received = _receive(client)
        if received is None:
            client.close()
            return
        request, streams = received
        if not self._can_fork(request):
            client.close()
        else:
            pid = os.fork()
            if pid == 0:
                client.close()
                self._become_bertcli(request, streams)
            run = _Run(pid, os.pidfd_open(pid), client)
            self._runs.add(run)
            self._selector.register(run.process, selectors.EVENT_READ, run)
            self._selector.register(client, selectors.EVENT_READ, run)
            client.send(b"y")
        for descriptor in streams:
            os.close(descriptor)

    def _can_fork(self, request: _Request) -> bool:
        """Return True if a fork does the same as a new process."""
        asked = {os.fsdecode(name): os.fsdecode(value) for name, value in request.environment.items()}
        return _read_at_start(asked) == _read_at_start(self._at_start) and not set(_RAY) & set(request.arguments)

    def _become_bertcli(self, request: _Request, streams: list[int]) -> NoReturn:
        """Turn this child into a bertcli process."""
        self._selector.close()
        self._listener.close()
        for run in self._runs:
            os.close(run.process)
            run.client.close()
        child.take_streams(streams)
        os.chdir(request.folder)
        os.umask(request.umask)
        os.environ.clear()
        os.environ.update(self._set_by_imports)
        os.environb.update(request.environment)
        sys.path[0] = os.getcwd()  # noqa: PTH109 - as `python -m` does
        from bertcli.__main__ import main

        child.run(main, [os.fsdecode(argument) for argument in request.arguments])

    def _pass_signals(self, run: _Run) -> None:
        """Send the signals that have reached the client. If the client has gone, kill the run."""
        numbers = run.client.recv(16)
        for number in numbers or [signal.SIGKILL]:
            os.kill(run.pid, number)
        if not numbers:
            self._selector.unregister(run.client)

    def _report(self, run: _Run) -> None:
        """Send the status of a finished run to its client."""
        _, status = os.waitpid(run.pid, 0)
        self._runs.remove(run)
        self._selector.unregister(run.process)
        os.close(run.process)
        with suppress(KeyError):  # if the client has gone
            self._selector.unregister(run.client)
        with suppress(OSError):
            run.client.send(status.to_bytes(4, sys.byteorder))
        run.client.close()


def _read_at_start(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith(_READ_AT_START)}


def _receive(client: socket.socket) -> tuple[_Request, list[int]] | None:
    """Return a client's request and its streams, or None if the client has gone."""
    content, streams, _, _ = socket.recv_fds(client, 1 << 16, 3)
    size = int.from_bytes(content[:4], sys.byteorder)
    parts = [content[4:]]
    while content and sum(map(len, parts)) < size:
        content = client.recv(1 << 16)
        parts.append(content)
    if not content:
        for descriptor in streams:
            os.close(descriptor)
        return None
    return _Request(*ast.literal_eval(b"".join(parts).decode())), streams


def _preload(*, is_heavy: bool) -> None:
    """Import what runs may need. Nothing is computed."""
    import gc

    from bertcli.model.resources import limit_blas_to_one_thread, unset_blas_limit

    limit_blas_to_one_thread()
    for name in (*_LIBRARIES, *_HEAVY_LIBRARIES) if is_heavy else _LIBRARIES:
        importlib.import_module(name)
    unset_blas_limit()
    import bertcli

    others = _NOT_PRELOADED if is_heavy else (*_NOT_PRELOADED, *_IMPORT_HEAVY)
    for module in pkgutil.walk_packages(bertcli.__path__, "bertcli."):
        if not module.name.startswith(others):
            importlib.import_module(module.name)
    assert not _IMPORTED_BY_RUNS & set(sys.modules)
    assert is_heavy or not {"matplotlib", "pandas", "torch"} & set(sys.modules)
    gc.freeze()  # a collection in a child would copy the pages of all objects


if __name__ == "__main__":
    Server(socket.socket(fileno=int(sys.argv[1])), is_heavy="heavy" in sys.argv[2:]).serve()
