"""An output file appears whole or not at all, with the permissions and in the place that it should have."""

import os
import stat
import threading
from pathlib import Path
from tempfile import NamedTemporaryFile

import pytest

from bertcli.errors import OutputError
from bertcli.output.files.atomic import check_target, is_device, open_target


def write(path: Path, content: bytes = b"new", *, force: bool = False) -> None:
    """Write the content through open_target."""
    with open_target(path, force=force) as file:
        file.write(content)


def mode(path: Path) -> int:
    """The permissions of a file."""
    return stat.S_IMODE(path.stat().st_mode)


def test_a_file_appears_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "out.npy"
    with open_target(path, force=False) as file:
        file.write(b"ne")
        file.flush()
        assert not path.exists()
        # The temporary file is hidden, beside its place (a rename across disks would copy), and nobody else's to read.
        (temporary,) = tmp_path.iterdir()
        assert temporary.name.startswith(".out.npy.") and temporary.name.endswith(".part")
        assert mode(temporary) == 0o600
        file.write(b"w")
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == {"out.npy": b"new"}


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("old", [None, b"old"])
def test_a_failed_write_keeps_the_old_file(tmp_path: Path, error: type, old: bytes | None) -> None:
    path = tmp_path / "out.npy"
    if old is not None:
        path.write_bytes(old)
    with pytest.raises(error), open_target(path, force=True) as file:
        file.write(b"new")
        raise error
    assert [each.read_bytes() for each in tmp_path.iterdir()] == ([] if old is None else [old])


def test_only_force_replaces_an_existing_file(tmp_path: Path) -> None:
    path = tmp_path / "out.npy"
    path.write_bytes(b"old")
    with pytest.raises(OutputError, match="already exists") as refused:
        write(path)
    assert "--force" in refused.value.hint
    assert path.read_bytes() == b"old"
    write(path, force=True)
    assert path.read_bytes() == b"new"


def test_a_file_created_meanwhile_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "out.npy"
    check_target(path, force=False)
    path.write_bytes(b"precious")
    with pytest.raises(OutputError, match="already exists"):
        write(path)


@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_a_new_file_has_the_permissions_of_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        write(tmp_path / "out.npy")
        assert os.umask(umask) == umask
    finally:
        os.umask(before)
    assert mode(tmp_path / "out.npy") == 0o666 & ~umask


@pytest.mark.parametrize("permissions", [0o600, 0o644, 0o664])
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


def test_a_missing_folder_is_refused_with_the_command_that_makes_it(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="there is no folder") as refused:
        check_target(tmp_path / "a" / "b" / "out.npy", force=True)
    assert refused.value.hint.startswith(f"mkdir -p {tmp_path / 'a' / 'b'},")


def test_a_fifo_is_written_as_it_is(tmp_path: Path) -> None:
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
    with pytest.raises(OutputError, match="leads back to itself"):
        check_target(tmp_path / "a.npy", force=True)


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="there is no folder of files below /dev")
def test_a_regular_file_in_dev_is_not_a_device() -> None:
    with NamedTemporaryFile(dir="/dev/shm", suffix=".json") as file:
        assert not is_device(Path(file.name))
        with pytest.raises(OutputError, match="already exists"):
            check_target(Path(file.name), force=False)


def test_devices_fifos_and_open_streams_are_devices(tmp_path: Path) -> None:
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
