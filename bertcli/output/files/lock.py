"""Lock of an output folder, so that only one run at a time writes into it.

A local folder is locked with flock, which ends with the process. A remote folder holds a lease: a file that its run
refreshes, and that another run may take over when it is stale.
"""

import errno
import fcntl
import json
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, TypeVar

from bertcli.errors import BertcliError, OutputError
from bertcli.interrupts import INTERRUPTS
from bertcli.lazy_dataclass import dataclass
from bertcli.storage import AnyPath, RemotePath

LOCK = ".lock"
# A run refreshes its lease this often, in seconds. Another run may take the lease over after the longer time.
REFRESH_SECONDS, STALE_SECONDS = 60.0, 300.0
# Storage has no exclusive create, so a new lease is read again after this time: of two runs that start at once, only
# the later one still finds its own.
_SETTLE_SECONDS = 1.0
_LONGEST_JOIN = 1.0
# Errors of a filesystem that does not support flock.
_UNSUPPORTED = {errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Holder:
    """The run that holds a lock.

    Attributes:
        host: Name of its machine.
        pid: Its process.
        started: Time of its start, in seconds since 1970.
        refreshed: Time at which it was last seen, in seconds since 1970.
        token: Random characters that tell it from any other run.
    """

    host: str
    pid: int
    started: float
    refreshed: float
    token: str

    def __str__(self) -> str:
        started = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self.started))
        return f"process {self.pid} on {self.host}, which started at {started}"

    def is_stale(self) -> bool:
        """Return True if the run has ended without removing its lease."""
        if time.time() - self.refreshed > STALE_SECONDS:
            return True
        # A process of that number on this machine is another one if it is this one.
        return self.host == socket.gethostname() and (self.pid == os.getpid() or not _is_running(self.pid))


class FolderLock:
    """The lock of a folder, held by this run."""

    def __init__(self) -> None:
        self._new_holder: Holder | None = None

    def lose(self, holder: Holder) -> None:
        """Note that another run has taken the folder over."""
        self._new_holder = holder

    def watch(self, items: Iterable[Item]) -> Iterator[Item]:
        """Yield the items unchanged while this run holds the lock.

        Raises:
            OutputError: Another run has taken the folder over, because this one has not refreshed its lease in time.
        """
        for item in items:
            self._check_is_held()
            yield item
        self._check_is_held()

    def _check_is_held(self) -> None:
        if self._new_holder is not None:
            raise OutputError(
                f"the output folder was taken over by {self._new_holder}",
                hint="this run was stopped or cut off from the storage for minutes; wait for the other run to end",
            )


@contextmanager
def lock_folder(folder: AnyPath, on_note: Callable[[str], None]) -> Iterator[FolderLock]:
    """Create a folder if needed, and hold its lock while the context is open.

    Args:
        folder: The folder.
        on_note: Called when a stale lease is taken over, or the filesystem has no locks.

    Raises:
        OutputError: Another run holds the lock.
        OSError, Unreachable: The folder or the file cannot be written.
    """
    with _lease(folder, on_note) if isinstance(folder, RemotePath) else _flock(folder, on_note) as lock:
        yield lock


@contextmanager
def _flock(folder: Path, on_note: Callable[[str], None]) -> Iterator[FolderLock]:
    """Lock a local folder."""
    path = folder / LOCK
    file = _open_locked(folder, on_note)
    INTERRUPTS.unfinished.add(str(path))
    try:
        file.truncate()
        file.write(_to_json(_this_run()))
        file.flush()
        yield FolderLock()
    finally:
        # An interrupt must not remove the file that the next run creates here.
        INTERRUPTS.unfinished.discard(str(path))
        with suppress(OSError):
            path.unlink(missing_ok=True)  # before the lock ends, after which another run may hold it
        file.close()


def _open_locked(folder: Path, on_note: Callable[[str], None]) -> BinaryIO:
    """Open the file of a lock and lock it. Raise OutputError if that is impossible, or another process has it."""
    path = folder / LOCK
    while True:
        folder.mkdir(exist_ok=True)
        if path.is_symlink() or (path.exists() and not path.is_file()):
            raise OutputError(f"{path} is not a regular file", hint="remove it, or name another folder")
        try:
            file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666), "r+b")
        except FileNotFoundError:
            continue  # another run has just removed the folder
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in _UNSUPPORTED:
                on_note(f"the filesystem of {folder}/ has no locks, so start no second run that writes into it")
                return file
            with file:
                holder = _parse_holder(file.read())
            if isinstance(error, BlockingIOError):
                raise _refusal(folder, holder) from None
            raise
        if _is_same_file(file, path):
            return file
        file.close()  # the earlier holder has removed the file between our open and our lock


def _is_same_file(file: BinaryIO, path: Path) -> bool:
    """Return True if the open file is still the one at the path."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


@contextmanager
def _lease(folder: RemotePath, on_note: Callable[[str], None]) -> Iterator[FolderLock]:
    """Hold the lease of a remote folder, and refresh it in a thread."""
    folder.mkdir(exist_ok=True)
    path = folder / LOCK
    earlier = _read_holder(path)
    if earlier is not None:
        if not earlier.is_stale():
            raise _refusal(folder, earlier)
        on_note(f"{folder}/ was being written by {earlier}; that run is gone, and this one takes over")
    holder = _this_run()
    lock, refresher = FolderLock(), _Refresher(path, holder)
    path.put(BytesIO(_to_json(holder)))
    try:
        time.sleep(_SETTLE_SECONDS)
        found = _read_holder(path)
        if found is None or found.token != holder.token:
            raise _refusal(folder, found)
        refresher.start(lock)
        yield lock
    finally:
        refresher.stop()
        with suppress(BertcliError, OSError):
            found = _read_holder(path)
            if found is not None and found.token == holder.token:
                path.unlink(missing_ok=True)


class _Refresher:
    """Thread that refreshes a lease.

    Args:
        path: The file of the lease.
        holder: This run.
    """

    def __init__(self, path: RemotePath, holder: Holder) -> None:
        self._path, self._holder = path, holder
        self._is_over = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, lock: FolderLock) -> None:
        """Start the thread. It ends, and tells the lock, if another run has taken the lease over."""
        self._thread = threading.Thread(target=self._run, args=(lock,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread. It may be in the middle of a request, so wait a moment for it."""
        self._is_over.set()
        if self._thread is not None:
            self._thread.join(_LONGEST_JOIN)

    def _run(self, lock: FolderLock) -> None:
        while not self._is_over.wait(REFRESH_SECONDS):
            with suppress(BertcliError, OSError):  # the next attempt may succeed
                found = _read_holder(self._path)
                if found is not None and found.token != self._holder.token:
                    lock.lose(found)
                    return
                seen = Holder(**{**asdict(self._holder), "refreshed": time.time()})
                self._path.put(BytesIO(_to_json(seen)))


def _this_run() -> Holder:
    now = time.time()
    return Holder(socket.gethostname(), os.getpid(), now, now, secrets.token_hex(8))


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # of another user
    return True


def _to_json(holder: Holder) -> bytes:
    return json.dumps(asdict(holder)).encode() + b"\n"


def _read_holder(path: RemotePath) -> Holder | None:
    """Return the holder of a lease, None if there is no lease."""
    try:
        return _parse_holder(path.read_bytes())
    except FileNotFoundError:
        return None


def _parse_holder(content: bytes) -> Holder | None:
    """Return the holder that a file names, None if it names none."""
    try:
        holder = Holder(**json.loads(content))
    except (ValueError, TypeError, RecursionError):
        return None
    times = (holder.started, holder.refreshed)
    is_valid = (
        isinstance(holder.host, str)
        and isinstance(holder.token, str)
        and type(holder.pid) is int
        and 0 < holder.pid < 1 << 31
        and all(type(each) in (int, float) and 0 <= each < 1 << 40 for each in times)
    )
    return holder if is_valid else None


def _refusal(folder: AnyPath, holder: Holder | None) -> OutputError:
    who = "another run" if holder is None else f"another run: {holder}"
    wait = "wait for that run to end"
    if isinstance(folder, RemotePath):
        wait += f" (or {STALE_SECONDS / 60:.0f} minutes, if it was killed)"
    return OutputError(f"{folder}/ is being written by {who}", hint=f"{wait}, or name another folder")
