"""Output files that appear whole or not at all."""

import errno
import fcntl
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import BinaryIO

from bertcli.errors import OutputError
from bertcli.interrupts import INTERRUPTS
from bertcli.quoting import shell_quoted
from bertcli.storage import AnyPath, RemotePath

_PROCESSES = Path("/proc")
_BOOT_ID = _PROCESSES / "sys/kernel/random/boot_id"
# A temporary name has 24 bytes more than the name of the output. File systems allow 255 in all.
_MAX_NAME_BYTES = 255 - 24


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
    if parent.is_dir():
        return
    obstacle = next(each for each in (parent, *parent.parents) if os.path.lexists(each))
    if not obstacle.is_dir():
        raise OutputError(
            f"'{obstacle}' is not a folder, so '{path.name}' cannot be written below it", hint="name another file"
        )
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
        OutputError: The path cannot be written to, or another run is writing to it.
    """
    check_target(path, force=force)
    if is_device(path):
        with path.open("wb") as device:
            yield device
        return
    destination = _follow_links(path)
    _remove_stale_files(destination)
    with atomic_file(destination) as file:
        yield file


@contextmanager
def atomic_file(destination: AnyPath) -> Iterator[BinaryIO]:
    """Open a temporary file that replaces the destination at the end, if there was no error.

    A local file is synced to the disk before it replaces the destination. It gets the permissions of the file that it
    replaces, or those of a new file.
    """
    if isinstance(destination, RemotePath):
        import tempfile  # slow to import, and not needed without a remote file

        # The file is complete before it is sent: if this process failed during an upload, the remote storage would keep
        # the part sent so far as if it were complete.
        with tempfile.TemporaryFile() as file:
            yield file
            file.seek(0)
            destination.put(file)
        return
    temporary, descriptor = _create_temporary(destination)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            if destination.exists():
                os.fchmod(descriptor, stat.S_IMODE(destination.stat().st_mode))
            os.fsync(descriptor)
            # Renamed before it is closed, since closing releases the lock that says that it is in use.
            temporary.replace(destination)
        sync_folder(destination.parent)
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    finally:
        INTERRUPTS.unfinished.discard(str(temporary))


def _create_temporary(destination: Path) -> tuple[Path, int]:
    """Create a locked temporary file beside the destination. Return its path and its descriptor.

    The name contains the id of the machine since its last start. The lock shows that the process is alive: the kernel
    releases it when the process ends, however it ends.
    """
    # The kernel applies the umask. Nobody can read the new file who cannot read the one that it replaces.
    permissions = stat.S_IMODE(destination.stat().st_mode) & 0o666 | 0o600 if destination.exists() else 0o666
    while True:
        path = destination.with_name(f"{_temporary_prefix(destination)}{os.urandom(4).hex()}.part")
        INTERRUPTS.unfinished.add(str(path))
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, permissions)
        if _lock(descriptor) and path.exists():
            return path, descriptor
        os.close(descriptor)  # another process took the file for a stale one before it was locked


def _remove_stale_files(destination: Path) -> None:
    """Remove the temporary files of killed runs that had the same destination.

    Files of other machines, and from before a restart of this one, stay: a lock may be invisible across a network.

    Raises:
        OutputError: Another run is writing to the destination.
    """
    pattern = re.compile(re.escape(_temporary_prefix(destination)) + r"[0-9a-f]{8}\.part")
    is_in_use = False
    with suppress(OSError):  # a folder that cannot be listed can still be written to
        for path in destination.parent.iterdir():
            if pattern.fullmatch(path.name):
                is_in_use |= not _remove_unless_locked(path)
    if is_in_use:
        raise OutputError(
            f"{destination} is being written by another run", hint="wait for that run to end, or name another file"
        )


def _remove_unless_locked(path: Path) -> bool:
    """Remove a temporary file that no process has locked. Return False if one has."""
    with suppress(OSError):  # the file is gone, or belongs to another user
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()
        except BlockingIOError:
            return False
        finally:
            os.close(descriptor)
    return True


def _temporary_prefix(destination: Path) -> str:
    """Return how the names of this machine's temporary files for the destination begin."""
    name = os.fsdecode(os.fsencode(destination.name)[:_MAX_NAME_BYTES])
    return f".{name}.{_machine_id()}-"


@cache
def _machine_id() -> str:
    """Return eight hexadecimal digits that identify the running kernel, or the machine if the kernel has no id."""
    try:
        return _BOOT_ID.read_text()[:8]
    except OSError:
        import platform
        import zlib

        return f"{zlib.crc32(platform.node().encode()):08x}"


def _lock(descriptor: int) -> bool:
    """Lock a file. Return False if another process has locked it.

    Without support for locks the file is not locked, and no process can take it for a stale one.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno != errno.EWOULDBLOCK
    return True


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
