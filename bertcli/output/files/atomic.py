"""Output files that appear whole or not at all."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from bertcli.errors import OutputError
from bertcli.quoting import shell_quoted
from bertcli.storage import AnyPath, RemotePath

_PROCESSES = Path("/proc")


def check_target(path: Path, *, force: bool) -> None:
    """Check that a path can be written to, before any work is done.

    Args:
        path: The path of the output file.
        force: True to allow replacing an existing file.

    Raises:
        OutputError: The path cannot be written to.
    """
    if path.is_dir():
        raise OutputError(f"'{path}' is a folder", hint="name a file in it")
    if _follow_links(path).is_symlink():
        raise OutputError(f"{path} is a circular symbolic link", hint="name another file")
    check_parent(path)
    if path.exists() and not force and not is_device(path):
        raise OutputError(f"{path} already exists", hint="use --force to replace it, or name another file")


def check_parent(path: AnyPath) -> None:
    """Check that the folder in which a file or folder is to be created exists.

    On remote storage folders are created as needed, so only the bucket is checked. Other refusals of the remote storage
    are reported when they occur.

    Raises:
        OutputError: There is no such folder or bucket.
    """
    if isinstance(path, RemotePath):
        if path.lacks_bucket:
            raise OutputError(f"there is no bucket {path.root}", hint="create it, or check the name")
        return
    parent = _follow_links(path).parent
    if not parent.is_dir():
        raise OutputError(
            f"there is no folder '{path.parent}' to write '{path.name}' to",
            hint=f"mkdir -p {shell_quoted(parent)}, or name another file",
        )


@contextmanager
def open_target(path: Path, *, force: bool) -> Iterator[BinaryIO]:
    """Open an output file for writing.

    A regular file is written under a temporary name in the same folder, and renamed at the end if there was no error.
    Devices and FIFOs are written directly. Symbolic links are followed.

    Args:
        path: The path of the output file.
        force: True to allow replacing an existing file.

    Raises:
        OutputError: The path cannot be written to.
    """
    check_target(path, force=force)
    if is_device(path):
        with path.open("wb") as device:
            yield device
        return
    with atomic_file(_follow_links(path)) as file:
        yield file


@contextmanager
def atomic_file(destination: AnyPath) -> Iterator[BinaryIO]:
    """Open a temporary file that replaces the destination at the end, if there was no error.

    A local file is synced to the disk before it replaces the destination.
    """
    import tempfile  # slow to import, and not needed without an output file

    if isinstance(destination, RemotePath):
        # The file is complete before it is sent: if this process failed during an upload, the remote storage would keep
        # the part sent so far as if it were complete.
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
        Path(name).chmod(_permissions(destination))
        Path(name).replace(destination)
        sync_folder(destination.parent)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink(missing_ok=True)
        raise


def sync_folder(folder: Path) -> None:
    """Sync the names in a folder to the disk, if its filesystem supports that."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_device(path: Path) -> bool:
    """Return True if the path is not a regular file: a device, a FIFO, or an open stream such as /dev/stdout."""
    return path.exists() and (not path.is_file() or _is_open_stream(path))


def _is_open_stream(path: Path) -> bool:
    """Return True if the path is a link to an open file in /proc, as /dev/stdout is."""
    while path.is_symlink():
        if _PROCESSES in path.parent.resolve().parents:
            return True
        path = path.parent / path.readlink()
    return False


def _follow_links(path: Path) -> Path:
    """Return the target of symbolic links. Unlike Path.resolve, this does not fail if they are circular."""
    return Path(os.path.realpath(path))


def _permissions(path: Path) -> int:
    """Return the permissions of the file, or those of a new file. Temporary files start out private."""
    if path.exists():
        return stat.S_IMODE(path.stat().st_mode)
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask
