"""Runs of bertcli in forked children of a process that has imported everything and computed nothing.

A start of bertcli takes one to three seconds, a fork some milliseconds. `ForkServer` starts the process to fork from,
sends it jobs, and returns the result of each. The server itself never computes: a fork of a process whose OpenMP or
BLAS threads have started would hang.
"""

import contextlib
import errno
import fcntl
import importlib
import json
import os
import pkgutil
import pty
import resource
import selectors
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from tests.forks import child
from tests.fuzz.watch import Watch

# A run that takes longer is a hang.
LONGEST_RUN_S = 20.0
# The same for a figure: matplotlib draws each number of a matrix on its own, which takes a second for each text.
LONGEST_FIGURE_S = 120.0
# Limits of a run, in bytes.
LARGEST_FILE = 1 << 30
_ADDRESS_SPACE = 8 << 30
_CHUNK = 1 << 16
_REPOSITORY = Path(__file__).parents[2]
# Ray starts processes of its own, and matplotlib builds a cache of fonts.
_NOT_PRELOADED = ("bertcli.__main__", "bertcli.cluster", "bertcli.commands.ray")


@dataclass(frozen=True, slots=True)
class Job:
    """A run of bertcli to make: its command line and its environment. Strings may hold surrogate escapes.

    Attributes:
        arguments: The command line without the name of the program.
        folder: The working directory. All other paths of the job are absolute.
        streams: Folder for stdout, stderr and the watcher's log.
        stdin: File with the standard input, or None for an empty one.
        stdin_is_pipe: Send the standard input through a pipe.
        stdout: "file", "pipe", "terminal", or "closed" for a pipe that is closed after the first bytes.
        readable: Folders and files that the run may read, beside those that Python itself reads.
        writable: Folders that the run may write to.
        may_connect: The run names a model on the hub, so it may use the network.
        signals: Signals to send: seconds after the start, and the number.
        file_size: Largest file that the run can write, in bytes.
        environment: Variables to add.
        planted: Python source to run instead of bertcli. Tests of the checks plant bugs with it.
        limit: Seconds after which the run is killed.
    """

    arguments: Sequence[str]
    folder: str
    streams: str
    stdin: str | None = None
    stdin_is_pipe: bool = False
    stdout: str = "pipe"
    readable: Sequence[str] = ()
    writable: Sequence[str] = ()
    may_connect: bool = False
    signals: Sequence[tuple[float, int]] = ()
    file_size: int = LARGEST_FILE
    environment: Mapping[str, str] = field(default_factory=dict)
    planted: str = ""
    limit: float = LONGEST_RUN_S


@dataclass(frozen=True, slots=True)
class Ended:
    """The result of a run.

    Attributes:
        code: The exit code, or the negative number of the signal that ended the process.
        seconds: Its duration.
        hung: True if it was killed after LONGEST_RUN_S.
        sent: Numbers of the signals that reached it, in order.
        after_signal: Seconds from the first signal to the end, None without a signal.
        stdout, stderr: Its output.
        seen: Events that the watcher reports: opened files, connections, started processes.
    """

    code: int
    seconds: float
    hung: bool
    sent: Sequence[int]
    after_signal: float | None
    stdout: bytes
    stderr: bytes
    seen: Sequence[str]


class ForkServer:
    """The client of the process that forks. Use it as a context manager."""

    def __init__(self, home: Path) -> None:
        """Start the server.

        Args:
            home: Folder for the caches of libraries, and the HOME of all runs.
        """
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("BERTCLI_", "HF_", "PYTEST"))}
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.fuzz.run"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=_REPOSITORY,
            env={**kept, **_environment(home), "PYTHONPATH": str(_REPOSITORY)},
        )
        assert process.stdin is not None and process.stdout is not None
        self._process, self._jobs, self._answers = process, process.stdin, process.stdout

    def __enter__(self) -> "ForkServer":
        return self

    def __exit__(self, *_: object) -> None:
        self._jobs.close()
        self._process.wait()
        self._answers.close()

    def run(self, job: Job) -> Ended:
        """Run a job and return its result."""
        self._jobs.write(json.dumps(asdict(job)).encode() + b"\n")
        self._jobs.flush()
        answer = self._answers.readline()
        if not answer:
            raise RuntimeError("the fork server has ended")
        streams = Path(job.streams)
        seen = (streams / "seen").read_text("utf-8", "surrogateescape").splitlines()
        return Ended(
            **json.loads(answer),
            stdout=(streams / "stdout").read_bytes(),
            stderr=(streams / "stderr").read_bytes(),
            seen=list(dict.fromkeys(seen)),
        )


def _environment(home: Path) -> dict[str, str]:
    return {
        "HOME": str(home),
        "HF_HOME": str(home / "hub"),
        "HF_ENDPOINT": "http://127.0.0.1:9",  # nothing listens there
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "MPLCONFIGDIR": str(home / "matplotlib"),
        "TERM": "xterm-256color",
        "PAGER": "cat",
        "PYTHONUTF8": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        # The runs are small, and two cores run several of them.
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }


def serve() -> None:
    """Answer jobs from standard input until its end. In a forked child, run bertcli instead and do not return."""
    _preload()
    for line in _lines(0):
        job = Job(**json.loads(line))
        os.write(1, json.dumps(_Run(job).to_end()).encode() + b"\n")


def _lines(descriptor: int) -> Iterator[bytes]:
    """Yield lines without a buffer that a child would inherit."""
    pending = b""
    while content := os.read(descriptor, _CHUNK):
        *whole, pending = (pending + content).split(b"\n")
        yield from whole


def _preload() -> None:
    """Import everything that a run may need, without computing anything."""
    import gc

    # pyarrow imports pandas when it writes.
    for name in ("numpy", "torch", "pyarrow.parquet", "pandas", "matplotlib.figure", "rich.table", "jinja2"):
        importlib.import_module(name)
    import bertcli

    for module in pkgutil.walk_packages(bertcli.__path__, "bertcli."):
        if not module.name.startswith(_NOT_PRELOADED):
            importlib.import_module(module.name)
    importlib.import_module("transformers.models.bert.modeling_bert")
    gc.freeze()


class _Run:
    """One job: a forked child, and the server's ends of its streams."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._streams = Path(job.streams)
        self._selector = selectors.DefaultSelector()
        self._input = Path(job.stdin).read_bytes() if job.stdin is not None and job.stdin_is_pipe else b""

    def to_end(self) -> dict[str, Any]:
        """Fork, feed and read the child, send its signals, and return the fields of its result."""
        job = self._job
        stdin, feed = self._open_stdin()
        stdout, drain = self._open_stdout()
        # Pipes, since a limit on the size of files must not hold for messages and for the watcher.
        messages, stderr = os.pipe()
        seen, log = os.pipe()
        ready, started = os.pipe()
        child = os.fork()
        if child == 0:
            for descriptor in (feed, drain, messages, seen, ready):
                if descriptor is not None:
                    os.close(descriptor)
            _become_bertcli(job, (stdin, stdout, stderr), log, started)
        for descriptor in (stdin, stdout, stderr, log, started):
            os.close(descriptor)
        os.read(ready, 1)
        os.close(ready)
        begin = time.monotonic()
        self._selector.register(os.pidfd_open(child), selectors.EVENT_READ, "child")
        if feed is not None:
            os.set_blocking(feed, False)
            self._selector.register(feed, selectors.EVENT_WRITE, "feed")
        with contextlib.ExitStack() as files:
            for descriptor, name in ((drain, "stdout"), (messages, "stderr"), (seen, "seen")):
                if descriptor is not None:
                    copy = files.enter_context((self._streams / name).open("wb"))
                    self._selector.register(descriptor, selectors.EVENT_READ, copy)
            sent, hung = self._wait(child, begin)
            _, status = os.waitpid(child, 0)
            end = time.monotonic()
            for key in list(self._selector.get_map().values()):
                if not isinstance(key.data, str):
                    os.set_blocking(key.fd, False)
                    while self._read_some(key.fd, key.data):
                        pass
                os.close(key.fd)
        self._selector.close()
        return {
            "code": os.waitstatus_to_exitcode(status),
            "seconds": end - begin,
            "hung": hung,
            "sent": [number for _, number in sent],
            "after_signal": end - sent[0][0] if sent else None,
        }

    def _open_stdin(self) -> tuple[int, int | None]:
        if self._job.stdin is None:
            return os.open(os.devnull, os.O_RDONLY), None
        if self._job.stdin_is_pipe:
            return os.pipe()
        return os.open(self._job.stdin, os.O_RDONLY), None

    def _open_stdout(self) -> tuple[int, int | None]:
        if self._job.stdout == "terminal":
            ours, theirs = pty.openpty()
            fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 100, 0, 0))
            return theirs, ours
        if self._job.stdout == "file":
            return os.open(self._streams / "stdout", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), None
        drain, stdout = os.pipe()
        return stdout, drain

    def _wait(self, child: int, begin: float) -> tuple[list[tuple[float, int]], bool]:
        """Serve the streams until the child ends. Return the signals with their times, and True if it hung."""
        left = sorted(self._job.signals)
        sent: list[tuple[float, int]] = []
        while True:
            now = time.monotonic() - begin
            if now > self._job.limit:
                os.killpg(child, signal.SIGKILL)
                return sent, True
            while left and left[0][0] <= now:
                os.kill(child, left[0][1])
                sent.append((time.monotonic(), left.pop(0)[1]))
            until = min([self._job.limit, *(seconds for seconds, _ in left[:1])]) - now
            for key, _ in self._selector.select(max(until, 0)):
                if key.data == "child":
                    return sent, False
                if key.data == "feed":
                    self._feed(key.fd)
                elif not self._read_some(key.fd, key.data):
                    self._forget(key.fd)

    def _feed(self, descriptor: int) -> None:
        try:
            count = os.write(descriptor, self._input[:_CHUNK]) if self._input else 0
        except BrokenPipeError:
            count = len(self._input)
        except BlockingIOError:
            return
        self._input = self._input[count:]
        if not self._input:
            self._forget(descriptor)

    def _read_some(self, descriptor: int, copy: Any) -> bool:
        """Copy the bytes that have arrived. Return False at the end, or if the job now closes its pipe."""
        try:
            content = os.read(descriptor, _CHUNK)
        except BlockingIOError:  # a process that the run has started still has the stream open
            return False
        except OSError as error:
            if error.errno != errno.EIO:  # Linux reports it once no process has the terminal open
                raise
            return False
        copy.write(content)
        is_to_close = self._job.stdout == "closed" and copy.name == str(self._streams / "stdout")
        return bool(content) and not is_to_close

    def _forget(self, descriptor: int) -> None:
        self._selector.unregister(descriptor)
        os.close(descriptor)


def _become_bertcli(job: Job, streams: Sequence[int], log: int, started: int) -> NoReturn:
    """Turn this child into a new bertcli process, run it, and exit.

    Args:
        job: The job.
        streams: Descriptors of its standard input, output and error.
        log: Descriptor for the watcher.
        started: Descriptor to write a byte to when bertcli starts.
    """
    child.take_streams(streams)
    os.chdir(job.folder)
    for name in [name for name in os.environ if name in ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE")]:
        del os.environ[name]
    os.environ.update({**job.environment, "PWD": job.folder})
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_SPACE, _ADDRESS_SPACE))
    resource.setrlimit(resource.RLIMIT_FSIZE, (job.file_size, job.file_size))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.path[:] = [path for path in sys.path if path]
    from bertcli.__main__ import main

    sys.addaudithook(Watch(log, job.readable, job.writable, may_connect=job.may_connect))
    os.write(started, b".")
    os.close(started)
    if job.planted:
        child.run(partial(exec, compile(job.planted, "planted", "exec"), {"main": main}), job.arguments)
    child.run(main, job.arguments)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        serve()
