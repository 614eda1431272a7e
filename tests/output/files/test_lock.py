"""The lock of an output folder: one run at a time, whatever became of the run before."""

import fcntl
import json
import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict, replace
from io import BytesIO
from pathlib import Path

import pytest

from bertcli.errors import OutputError
from bertcli.output.files import lock
from bertcli.output.files.lock import LOCK, STALE_SECONDS, Holder, lock_folder
from bertcli.storage import RemotePath

HERE = Holder(socket.gethostname(), os.getppid(), time.time() - 9, time.time(), "abc")


@pytest.fixture
def remote(monkeypatch: pytest.MonkeyPatch) -> RemotePath:
    """Return a folder on a filesystem in memory, where a new lease is not waited for."""
    monkeypatch.setattr(lock, "_SETTLE_SECONDS", 0)
    return RemotePath(f"memory://bucket/{uuid.uuid4().hex}")


def put(folder: RemotePath, holder: Holder) -> None:
    """Write the lease of a run."""
    (folder / LOCK).put(BytesIO(json.dumps(asdict(holder)).encode()))


def test_a_locked_folder_is_refused_and_an_unlocked_one_is_clean(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    with lock_folder(folder, print):
        with (
            pytest.raises(
                OutputError, match=rf"out/ is being written by another run: process {os.getpid()} on"
            ) as found,
            lock_folder(folder, print),
        ):
            pass
        assert found.value.hint == "wait for that run to end, or name another folder"
        assert [path.name for path in folder.iterdir()] == [LOCK]
    assert list(folder.iterdir()) == []
    with lock_folder(folder, print):
        pass


@pytest.mark.parametrize("content", [b"", b"\xff", b"[1]", b'{"host": 1}', b"[" * 100_000])
def test_a_leftover_file_is_harmless(tmp_path: Path, content: bytes) -> None:
    (tmp_path / LOCK).write_bytes(content)
    with lock_folder(tmp_path, print):
        assert json.loads((tmp_path / LOCK).read_bytes())["pid"] == os.getpid()
    assert not (tmp_path / LOCK).exists()
    (tmp_path / LOCK).write_bytes(content)
    with (
        (tmp_path / LOCK).open("rb") as file,
        pytest.raises(OutputError, match=r"is being written by another run$"),
    ):
        fcntl.flock(file, fcntl.LOCK_EX)
        with lock_folder(tmp_path, print):
            pass


def test_a_killed_process_leaves_no_lock(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from bertcli.output.files.lock import lock_folder\n"
        "with lock_folder(Path(sys.argv[1]), print): os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", code, tmp_path], check=False).returncode == -9
    assert (tmp_path / LOCK).exists()
    with lock_folder(tmp_path, print):
        pass


def test_a_file_that_the_earlier_holder_removes_is_not_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flock, calls = fcntl.flock, []

    def remove_before_the_first(file: object, operation: int) -> None:
        if not calls:
            (tmp_path / LOCK).unlink()
        calls.append(operation)
        flock(file, operation)  # type: ignore[arg-type]

    monkeypatch.setattr(fcntl, "flock", remove_before_the_first)
    with lock_folder(tmp_path, print):
        assert len(calls) == 2 and (tmp_path / LOCK).exists()


def test_a_filesystem_without_locks_is_written_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", fail)
    with lock_folder(tmp_path, print):
        assert (tmp_path / LOCK).exists()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "create",
    [Path.mkdir, os.mkfifo, lambda path: path.symlink_to(path.with_name("elsewhere"))],
    ids=["folder", "fifo", "link"],
)
def test_a_lock_that_is_no_regular_file_is_refused(tmp_path: Path, create: Callable[[Path], None]) -> None:
    create(tmp_path / LOCK)
    with pytest.raises(OutputError, match=r"\.lock is not a regular file"), lock_folder(tmp_path, print):
        pass
    assert [path.name for path in tmp_path.iterdir()] == [LOCK]


@pytest.mark.parametrize("holder", [HERE, replace(HERE, host="other"), replace(HERE, host="other", pid=1 << 22)])
def test_a_remote_folder_with_a_fresh_lease_is_refused(remote: RemotePath, holder: Holder) -> None:
    put(remote, replace(holder, refreshed=time.time()))
    words = f"another run: process {holder.pid} on {holder.host}, which started at"
    with pytest.raises(OutputError, match=words), lock_folder(remote, print):
        pass
    assert json.loads((remote / LOCK).read_bytes())["token"] == "abc"


@pytest.mark.parametrize(
    "holder",
    [
        replace(HERE, pid=os.getpid()),
        replace(HERE, pid=(1 << 22) + 1),  # no process has this number
        replace(HERE, host="other", refreshed=time.time() - STALE_SECONDS - 1),
    ],
)
def test_a_stale_lease_is_taken_over_with_a_note(remote: RemotePath, holder: Holder) -> None:
    put(remote, holder)
    notes: list[str] = []
    with lock_folder(remote, notes.append):
        found = json.loads((remote / LOCK).read_bytes())
        assert (found["pid"], found["host"]) == (os.getpid(), socket.gethostname())
    assert [note.split(";")[1] for note in notes] == [" that run is gone, and this one takes over"]
    assert [path.name for path in remote.iterdir()] == []


def test_of_two_runs_that_start_at_once_the_earlier_one_gives_way(
    remote: RemotePath, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: put(remote, HERE))
    with pytest.raises(OutputError, match="is being written by another run: process"), lock_folder(remote, print):
        pass
    assert json.loads((remote / LOCK).read_bytes())["token"] == "abc"


def test_an_interrupt_of_the_start_leaves_no_lease(remote: RemotePath, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", interrupt)
    with pytest.raises(KeyboardInterrupt), lock_folder(remote, print):
        pass
    assert list(remote.iterdir()) == []


def test_a_lease_is_refreshed_and_a_lost_one_ends_the_run(remote: RemotePath, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "REFRESH_SECONDS", 0.001)
    path = remote / LOCK
    with lock_folder(remote, print) as held:
        first = json.loads(path.read_bytes())["refreshed"]
        while json.loads(path.read_bytes())["refreshed"] == first:
            time.sleep(0.001)
        with pytest.raises(OutputError, match="was taken over by process"):
            for _ in held.watch(iter(int, 1)):
                put(remote, HERE)
                time.sleep(0.001)
    assert json.loads(path.read_bytes())["token"] == "abc"
