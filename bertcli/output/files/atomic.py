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
    """Check, before any work is done, that the path can be written.

    Raises:
        OutputError: It exists and force is not set, it is a folder, or its folder does not exist.
    """
    if path.is_dir():
        raise OutputError(f"{str(path)!r} is a folder", hint="name a file in it")
    destination = _destination(path)
    if destination.is_symlink():
        raise OutputError(f"{path} is a symbolic link that leads back to itself", hint="name another file")
    check_parent(path)
    if path.exists() and not force and not is_device(path):
        raise OutputError(f"{path} already exists", hint="use --force to replace it, or name another file")


def check_parent(path: AnyPath) -> None:
    """Check that the folder that is to hold a file or folder exists.

    Remote folders are created when they are needed, so only the bucket's name is checked there. A remote store reports
    missing permissions when it is written to.

    Raises:
        OutputError: The folder does not exist, or the URL names no bucket.
    """
    if isinstance(path, RemotePath):
        if path.lacks_bucket:
            raise OutputError(f"there is no bucket {path.root}", hint="create it, or check the name")
        return
    parent = _destination(path).parent
    if not parent.is_dir():
        raise OutputError(
            f"there is no folder {str(path.parent)!r} to write {path.name!r} to",
            hint=f"mkdir -p {parent}, or name another file",
        )


@contextmanager
def open_target(path: Path, *, force: bool) -> Iterator[BinaryIO]:
    """Yield a file to write to. A regular file is written to a temporary file beside it, which replaces it at the end.

    Devices and FIFOs are written directly. Symbolic links are followed.

    Raises:
        OutputError: See check_target.
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
    """Yield a temporary file that replaces the destination if the block succeeds. It is on the disk by then."""
    import tempfile  # it loads many modules, which a command without -o does not need

    if isinstance(destination, RemotePath):
        # Send the file when it is complete: a store would keep a partial upload if this process failed.
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
    """Flush the names in a folder to the disk, if its filesystem can."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_device(path: Path) -> bool:
    """Return True for a device, a FIFO, or an open stream such as /dev/stdout, which keep no file."""
    return path.exists() and (not path.is_file() or _is_open_stream(path))


def _is_open_stream(path: Path) -> bool:
    while path.is_symlink():
        if _PROCESSES in path.parent.resolve().parents:
            return True
        path = path.parent / path.readlink()
    return False


def _destination(path: Path) -> Path:
    """Return the target of symbolic links. Unlike Path.resolve, this does not fail if they form a circle."""
    return Path(os.path.realpath(path))


def _mode_of(path: Path) -> int:
    """Return the permissions of the file, or those that a new file would get. Temporary files start out private."""
    if path.exists():
        return stat.S_IMODE(path.stat().st_mode)
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask
