"""Output files: they appear whole or not at all, with the right permissions."""

import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile

import pytest

from bertcli.errors import OutputError
from bertcli.output.files.atomic import check_target, is_device, open_target


def write(path: Path, content: bytes = b"new", *, force: bool = False) -> None:
    """Write the content to a file opened by open_target."""
    with open_target(path, force=force) as file:
        file.write(content)


@contextmanager
def another_process_writing(path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Yield a process that has begun to write the file. It is killed at the end."""
    code = (
        "import sys, time; from pathlib import Path; from bertcli.output.files.atomic import open_target\n"
        "with open_target(Path(sys.argv[1]), force=True) as file:\n"
        "    print(file.write(b'half'), flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None and process.stdout.readline() == b"4\n"
            yield process
        finally:
            process.kill()


def mode(path: Path) -> int:
    """Return the permissions of a file."""
    return stat.S_IMODE(path.stat().st_mode)


def test_a_file_appears_only_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "out.npy"
    with open_target(path, force=False) as file:
        file.write(b"ne")
        file.flush()
        assert not path.exists()
        # The temporary file is hidden, and in the same folder, since a rename across disks would be a copy.
        (temporary,) = tmp_path.iterdir()
        assert temporary.name.startswith(".out.npy.") and temporary.name.endswith(".part")
        file.write(b"w")
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == {"out.npy": b"new"}


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("old", [None, b"old"])
def test_an_error_leaves_the_folder_unchanged(tmp_path: Path, error: type, old: bytes | None) -> None:
    path = tmp_path / "out.npy"
    if old is not None:
        path.write_bytes(old)
    with pytest.raises(error), open_target(path, force=True) as file:
        file.write(b"new")
        raise error
    assert [each.read_bytes() for each in tmp_path.iterdir()] == ([] if old is None else [old])


def test_an_existing_file_is_replaced_only_with_force(tmp_path: Path) -> None:
    path = tmp_path / "out.npy"
    path.write_bytes(b"old")
    with pytest.raises(OutputError, match="already exists") as refused:
        write(path)
    assert "--force" in refused.value.hint
    assert path.read_bytes() == b"old"
    write(path, force=True)
    assert path.read_bytes() == b"new"


def test_a_file_created_after_the_check_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "out.npy"
    check_target(path, force=False)
    path.write_bytes(b"precious")
    with pytest.raises(OutputError, match="already exists"):
        write(path)


@pytest.mark.parametrize("name", ["out.npy", "a (copy) [1].npy", "x" * 251 + ".npy", "p\udcff.npy"])
def test_the_next_run_removes_what_a_killed_one_left(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with another_process_writing(path):
        (left,) = tmp_path.iterdir()
    assert list(tmp_path.iterdir()) == [left]
    write(tmp_path / "other.npy")
    assert left.exists()
    write(path)
    assert {each.name for each in tmp_path.iterdir()} == {name, "other.npy"}


@pytest.mark.parametrize("force", [False, True])
def test_a_second_run_to_the_same_file_is_refused(tmp_path: Path, force: bool) -> None:
    path = tmp_path / "out.npy"
    with another_process_writing(path):
        (live,) = tmp_path.iterdir()
        with pytest.raises(OutputError, match="being written by another run"):
            write(path, force=force)
        write(tmp_path / "out.npz")
        assert {each.name for each in tmp_path.iterdir()} == {"out.npz", live.name}
        (tmp_path / "out.npz").unlink()
    write(path, force=force)
    assert [each.name for each in tmp_path.iterdir()] == ["out.npy"]


def test_a_run_keeps_temporary_files_that_may_be_in_use_on_another_machine(tmp_path: Path) -> None:
    path, other = tmp_path / "out.npy", tmp_path / ".out.npy.ffffffff-0123abcd.part"
    other.write_bytes(b"half")
    write(path)
    assert {each.name for each in tmp_path.iterdir()} == {"out.npy", other.name}


def test_a_folder_that_cannot_be_listed_can_be_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(folder: Path) -> Iterator[Path]:
        raise PermissionError(folder)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "iterdir", refuse)
        write(tmp_path / "out.npy")
    assert (tmp_path / "out.npy").read_bytes() == b"new"


def test_a_temporary_file_removed_before_it_was_locked_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, real_open, opened = tmp_path / "out.npy", os.open, []

    def open_and_lose_the_first(name: Path, *arguments: int) -> int:
        descriptor = real_open(name, *arguments)
        opened.append(name)
        if len(opened) == 1:
            name.unlink()
        return descriptor

    monkeypatch.setattr(os, "open", open_and_lose_the_first)
    write(path)
    assert [each.name for each in tmp_path.iterdir()] == ["out.npy"]
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_a_new_file_gets_its_permissions_from_the_umask(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, umask: int
) -> None:
    before = os.umask(umask)
    try:
        # A process has one umask: to read it is to change it, also for files that other threads create meanwhile.
        with monkeypatch.context() as patch:
            patch.delattr(os, "umask")
            write(tmp_path / "out.npy")
    finally:
        os.umask(before)
    assert mode(tmp_path / "out.npy") == 0o666 & ~umask


def test_nobody_reads_a_private_file_while_it_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "out.npy"
    path.touch(0o600)
    with open_target(path, force=True):
        assert [mode(each) for each in tmp_path.iterdir()] == [0o600, 0o600]


@pytest.mark.parametrize("permissions", [0o400, 0o600, 0o644, 0o666])
def test_a_replaced_file_keeps_its_permissions(tmp_path: Path, permissions: int) -> None:
    path = tmp_path / "out.npy"
    path.write_bytes(b"old")
    path.chmod(permissions)
    write(path, force=True)
    assert mode(path) == permissions


def test_symbolic_links_are_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    target, link, link_to_link = tmp_path / "real" / "out.npy", tmp_path / "link.npy", tmp_path / "second.npy"
    link.symlink_to("real/out.npy")
    link_to_link.symlink_to("link.npy")
    write(link_to_link)
    assert target.read_bytes() == b"new"
    assert link.is_symlink() and link_to_link.is_symlink()
    assert [each.name for each in (tmp_path / "real").iterdir()] == ["out.npy"]
    with pytest.raises(OutputError, match="already exists"):
        write(link)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="is a folder"):
        check_target(tmp_path, force=True)


def test_a_missing_folder_is_refused_with_a_mkdir_hint(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="there is no folder") as refused:
        check_target(tmp_path / "a" / "b" / "out.npy", force=True)
    assert refused.value.hint.startswith(f"mkdir -p {tmp_path / 'a' / 'b'},")


def test_the_mkdir_hint_works_for_a_name_with_spaces(tmp_path: Path) -> None:
    path = tmp_path / "my runs" / "it's" / "out.npy"
    with pytest.raises(OutputError, match="there is no folder") as refused:
        check_target(path, force=True)
    subprocess.run(refused.value.hint.partition(",")[0], shell=True, check=True)
    write(path)


@pytest.mark.parametrize("obstacle", ["/dev/null", "{}/file", "{}/link", "{}/loop"])
@pytest.mark.parametrize("below", ["out.npy", "a/out.npy"])
def test_a_parent_that_is_no_folder_gets_no_mkdir_hint(tmp_path: Path, obstacle: str, below: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "link").symlink_to("file")
    parent = Path(obstacle.format(tmp_path))
    with pytest.raises(OutputError, match="is not a folder, so") as refused:
        check_target(parent / below, force=True)
    assert refused.value.hint == "name another file"


def test_a_fifo_is_written_directly(tmp_path: Path) -> None:
    path = tmp_path / "fifo.npy"
    os.mkfifo(path)
    received: list[bytes] = []
    reader = threading.Thread(target=lambda: received.append(path.read_bytes()), daemon=True)
    reader.start()
    write(path)
    reader.join(10)
    assert received == [b"new"]
    assert path.is_fifo()


def test_a_device_needs_no_force() -> None:
    check_target(Path(os.devnull), force=False)
    write(Path(os.devnull))
    assert Path(os.devnull).is_char_device()


def test_a_circular_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.npy").symlink_to("b.npy")
    (tmp_path / "b.npy").symlink_to("a.npy")
    with pytest.raises(OutputError, match="is a circular symbolic link"):
        check_target(tmp_path / "a.npy", force=True)


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="there is no folder of files below /dev")
def test_a_regular_file_in_dev_is_not_a_device() -> None:
    with NamedTemporaryFile(dir="/dev/shm", suffix=".json") as file:
        assert not is_device(Path(file.name))
        with pytest.raises(OutputError, match="already exists"):
            check_target(Path(file.name), force=False)


def test_devices_fifos_and_open_streams_count_as_devices(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("file")
    with (tmp_path / "file").open() as opened:
        assert is_device(Path(f"/dev/fd/{opened.fileno()}"))
    assert is_device(Path("/dev/null"))
    assert is_device(tmp_path / "fifo")
    assert not is_device(tmp_path / "file")
    assert not is_device(tmp_path / "link")
    assert not is_device(tmp_path / "nothing")
