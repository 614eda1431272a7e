"""An output file that appears whole or not at all."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from bertcli.errors import OutputError
from bertcli.storage import AnyPath, RemotePath

_PROCESSES = Path("/proc")


def check_target(path: Path, *, force: bool) -> None:
    """Raise OutputError where the path cannot be written to, before any work is done for it."""
    if path.is_dir():
        raise OutputError(f"{str(path)!r} is a folder", hint="name a file in it")
    destination = _destination(path)
    if destination.is_symlink():
        raise OutputError(f"{path} is a symbolic link that leads back to itself", hint="name another file")
    check_parent(path)
    if path.exists() and not force and not is_device(path):
        raise OutputError(f"{path} is there already", hint="use --force to replace it, or name another file")


def check_parent(path: AnyPath) -> None:
    """Raise OutputError where there is no folder for a file, or another folder, to be made in.

    Elsewhere folders are made as they are needed, and what is refused there is told when it is.
    """
    if isinstance(path, RemotePath):
        if path.lacks_bucket:
            raise OutputError(f"there is no bucket {path.root}", hint="make it, or check the name")
        return
    parent = _destination(path).parent
    if not parent.is_dir():
        raise OutputError(
            f"there is no folder {str(path.parent)!r} to write {path.name!r} to",
            hint=f"mkdir -p {parent}, or name another file",
        )


@contextmanager
def open_target(path: Path, *, force: bool) -> Iterator[BinaryIO]:
    """The file to write to. A regular file is written beside its place and moved there when all is well.

    Devices and FIFOs are written as they are, and symbolic links lead to what they point at. Raises OutputError.
    """
    check_target(path, force=force)
    if is_device(path):
        with path.open("wb") as device:
            yield device
        return
    destination = _destination(path)
    with replacing(destination) as file:
        yield file


@contextmanager
def replacing(destination: AnyPath) -> Iterator[BinaryIO]:
    """A file that takes its place there when all is well, and has reached the disk by then."""
    import tempfile  # here, as it loads a good deal that a command without -o can do without

    if isinstance(destination, RemotePath):
        # Whole before it is sent: what is begun elsewhere would be ended, not taken back, where this process fails.
        with tempfile.TemporaryFile() as file:
            yield file
            file.seek(0)
            destination.put(file)
        return
    handle, name = tempfile.mkstemp(prefix=f".{destination.name}.", suffix=".part", dir=destination.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(_mode_of(destination))
        Path(name).replace(destination)
        sync_folder(destination.parent)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink(missing_ok=True)
        raise


def sync_folder(folder: Path) -> None:
    """Have the names in a folder reach the disk, where its filesystem can."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_device(path: Path) -> bool:
    """Whether what is written there is not kept as a file: a device, a FIFO, or an open stream such as /dev/stdout."""
    return path.exists() and (not path.is_file() or _is_open_stream(path))


def _is_open_stream(path: Path) -> bool:
    while path.is_symlink():
        if _PROCESSES in path.parent.resolve().parents:
            return True
        path = path.parent / path.readlink()
    return False


def _destination(path: Path) -> Path:
    """What symbolic links lead to. Unlike Path.resolve it does not fail where they lead in a circle."""
    return Path(os.path.realpath(path))


def _mode_of(path: Path) -> int:
    """The permissions that the file has, or that a new one would get; temporary files are born private."""
    if path.exists():
        return stat.S_IMODE(path.stat().st_mode)
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask
