"""An output file that appears whole or not at all."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from bertcli.errors import OutputError

_DEVICE_FOLDERS = (Path("/dev"), Path("/proc"))


def check_target(path: Path, *, force: bool) -> None:
    """Raise OutputError where the path cannot be written to, before any work is done for it."""
    if path.is_dir():
        raise OutputError(f"{path} is a folder", hint="name a file in it")
    if not path.parent.is_dir():
        raise OutputError(f"there is no folder {path.parent} to write {path.name} to", hint=f"mkdir -p {path.parent}")
    if path.exists() and not force and not _is_device(path):
        raise OutputError(f"{path} is there already", hint="use --force to replace it, or name another file")


@contextmanager
def open_target(path: Path, *, force: bool) -> Iterator[BinaryIO]:
    """The file to write to. A regular file is written beside its place and moved there when all is well.

    Devices and FIFOs are written as they are, and symbolic links lead to what they point at. Raises OutputError.
    """
    check_target(path, force=force)
    if _is_device(path):
        with path.open("wb") as device:
            yield device
        return
    import tempfile  # here, as it loads a good deal that a command without -o can do without

    destination = path.resolve()
    handle, name = tempfile.mkstemp(prefix=f".{destination.name}.", suffix=".part", dir=destination.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(_mode_of(destination))
        Path(name).replace(destination)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink(missing_ok=True)
        raise


def _is_device(path: Path) -> bool:
    if not path.exists():
        return False
    return not stat.S_ISREG(path.stat().st_mode) or any(folder in path.absolute().parents for folder in _DEVICE_FOLDERS)


def _mode_of(path: Path) -> int:
    """The permissions that the file has, or that a new one would get; temporary files are born private."""
    if path.exists():
        return stat.S_IMODE(path.stat().st_mode)
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask
