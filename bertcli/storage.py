"""Paths of files and folders that may be remote, such as s3://bucket/folder.

pyarrow and fsspec provide the filesystems. Neither is loaded before a remote path is used.
"""

import errno
import fnmatch
import io
import os
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import cache, total_ordering
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from bertcli.errors import BertcliError, MissingPackage, Unreachable, WrongUsage, require
from bertcli.lazy_dataclass import dataclass
from bertcli.quoting import printable_name

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://(?=.)")
# pyarrow's own filesystems serve these schemes; fsspec serves all others.
_PYARROW_SCHEMES = ("s3", "gs", "gcs", "hdfs", "viewfs", "abfs", "abfss")
# A folder must be created on these filesystems. On all others it exists as soon as it contains a file.
_REAL_FOLDERS = frozenset({"hdfs", "viewfs", "webhdfs", "arrow_hdfs", "sftp", "ssh", "ftp", "smb", "dbfs"})
# A file on these filesystems becomes visible when it is closed. On all others it is visible while it grows.
_OBJECT_STORES = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "oss"})
# Object stores whose buckets are created deliberately, never by writing a file.
_BUCKET_SCHEMES = frozenset({"s3", "gs", "gcs"})
# A move on these filesystems does not replace an existing file.
_NO_REPLACING_MOVE = frozenset({"hdfs", "viewfs", "webhdfs", "arrow_hdfs", "smb", "dbfs", "jlab", "jupyter"})
WILDCARDS = frozenset("*?[")
# fsspec's extra for a scheme, if the two names differ.
_FSSPEC_EXTRAS = {"https": "http", "az": "abfs", "s3a": "s3", "s3n": "s3"}
_CHUNK_BYTES = 1 << 20
_PURPOSE = "reading and writing remote files"
_HINTS = {
    "s3": "check the name, the credentials (AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY), "
    "AWS_REGION and AWS_ENDPOINT_URL"
}
_HINT = "check the name, the credentials and the network"
# The code and the readable part of an error message from AWS.
_AWS_ERROR = r"AWS Error (\w+) during \w+ operation[^:]*: (.*)"


@total_ordering
@dataclass(frozen=True, slots=True)
class RemotePath:
    """A remote file or folder, identified by its URL.

    Members that pathlib.Path also has behave as they do there. Every method that accesses the filesystem raises
    Unreachable if the filesystem reports an error, MissingPackage if its package is not installed, and WrongUsage if
    neither pyarrow nor fsspec supports the scheme.
    """

    url: str

    def __str__(self) -> str:
        return self.url

    def __lt__(self, other: "RemotePath") -> bool:
        return self.url < other.url

    def __truediv__(self, name: str) -> "RemotePath":
        return RemotePath(f"{self.url}/{name}")

    @property
    def name(self) -> str:
        """The last part of the path."""
        return PurePosixPath(self.url).name

    @property
    def suffix(self) -> str:
        """The file extension, from the last dot of the name."""
        return PurePosixPath(self.url).suffix

    @property
    def scheme(self) -> str:
        """The part of the URL before ://, in lower case."""
        return self.url.partition("://")[0].lower()

    @property
    def root(self) -> "RemotePath":
        """The first part of the path: the bucket of an object store, or a host."""
        scheme, _, rest = self.url.partition("://")
        return RemotePath(f"{scheme}://{rest.partition('/')[0]}")

    @property
    def lacks_bucket(self) -> bool:
        """True if the path is in a bucket that does not exist."""
        return self.scheme in _BUCKET_SCHEMES and not self.root.exists()

    @property
    def is_pattern(self) -> bool:
        """True if the path contains a wildcard: *, ? or [."""
        return bool(WILDCARDS & set(self.url))

    def exists(self) -> bool:
        """Return True if this is a file or a folder."""
        return self._type() != "NotFound"

    def is_file(self) -> bool:
        """Return True if this is a file."""
        return self._type() == "File"

    def is_dir(self) -> bool:
        """Return True if this is a folder. In an object store any common prefix of names is one."""
        return self._type() == "Directory"

    def size(self) -> int:
        """Return the size of the file in bytes.

        Raises:
            FileNotFoundError: This is not a file.
        """
        info = self._info()
        if info.type.name != "File":
            raise self._not_found()
        return int(info.size)

    def open(self, mode: str = "rb") -> io.BufferedReader:
        """Open the file for reading; the result can seek.

        Raises:
            FileNotFoundError: The file does not exist.
        """
        assert mode == "rb"
        return io.BufferedReader(_RemoteFile(self.open_arrow(), self), _CHUNK_BYTES)

    def open_arrow(self) -> Any:
        """Open the file for reading and return pyarrow's file object.

        Raises:
            FileNotFoundError: The file does not exist.
        """
        with self._access() as (filesystem, path):
            try:
                return filesystem.open_input_file(path)
            except FileNotFoundError:
                raise self._not_found() from None

    def read_bytes(self) -> bytes:
        """Return the content of the file.

        Raises:
            FileNotFoundError: The file does not exist.
        """
        with self.open() as file:
            return file.read()

    def put(self, content: BinaryIO) -> None:
        """Write the file whole or not at all. A failure leaves an existing file as it was."""
        # A new object appears only when it is complete, so it needs no temporary name. A move within an object store
        # is a copy, which has a size limit there, so move only what replaces an existing object.
        needs_move = self.scheme not in _OBJECT_STORES or self.exists()
        written = self._temporary_path() if needs_move else self
        is_only_copy = False
        with self._access() as (filesystem, path):
            _, written_path = _resolve(written.url)
            try:
                # An error here closes the stream too, which publishes the part written so far: it is removed below.
                with filesystem.open_output_stream(written_path) as stream:
                    while chunk := content.read(_CHUNK_BYTES):
                        stream.write(chunk)
                if needs_move and self.scheme in _NO_REPLACING_MOVE and self.exists():
                    is_only_copy = True
                    filesystem.delete_file(path)
                if needs_move:
                    _move(filesystem, written_path, path)
            except BaseException:
                with suppress(BertcliError, OSError):
                    if not is_only_copy:
                        written.unlink(missing_ok=True)
                raise

    def unlink(self, missing_ok: bool = False) -> None:
        """Remove the file."""
        with self._access() as (filesystem, path):
            try:
                filesystem.delete_file(path)
            except FileNotFoundError:
                if not missing_ok:
                    raise

    def mkdir(self, exist_ok: bool = False) -> None:
        """Create the folder, if the filesystem has real folders."""
        with self._access() as (filesystem, path):
            if self.scheme in _REAL_FOLDERS:
                filesystem.create_dir(path, recursive=exist_ok)

    def rmdir(self) -> None:
        """Remove the empty folder, if the filesystem has real folders.

        Raises:
            OSError: The folder is not empty.
        """
        if self.scheme not in _REAL_FOLDERS:
            return
        # delete_dir also removes what a folder contains.
        if any(self.iterdir()):
            raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY), self.url)
        with self._access() as (filesystem, path):
            filesystem.delete_dir(path)

    def iterdir(self) -> Iterator["RemotePath"]:
        """Yield the files and folders in this folder."""
        for path in _list(self, recursive=False):
            yield self / path.rpartition("/")[2]

    def glob(self, pattern: str) -> Iterator["RemotePath"]:
        """Yield the files and folders in this folder whose names match the pattern."""
        return (path for path in self.iterdir() if fnmatch.fnmatchcase(path.name, pattern))

    def matching(self) -> list["RemotePath"]:
        """Return the files that match this path as a pattern, sorted. ** matches any depth of folders.

        The first part, such as a bucket, must not contain a wildcard.
        """
        from fsspec.utils import glob_translate

        parts = self.url.split("/")
        first = next(index for index, part in enumerate(parts) if WILDCARDS & set(part))
        folder = RemotePath("/".join(parts[:first]))
        _, root = _resolve(folder.url)
        pattern = re.compile(glob_translate("/".join([root.rstrip("/"), *parts[first:]])))
        found = [path for path in _list(folder, recursive=first < len(parts) - 1) if pattern.match(path)]
        return sorted(folder / path[len(root) :].lstrip("/") for path in found)

    def _temporary_path(self) -> "RemotePath":
        """Return a new name beside this one. The shard writer removes leftover files with such names."""
        import secrets  # here, since it loads OpenSSL, and a run without remote files does without

        return RemotePath(self.url.rpartition("/")[0]) / f".{self.name}.{secrets.token_hex(4)}.part"

    def _info(self) -> Any:
        with self._access() as (filesystem, path):
            return filesystem.get_file_info(path)

    def _type(self) -> str:
        return str(self._info().type.name)

    def _not_found(self) -> FileNotFoundError:
        return FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), self.url)

    @contextmanager
    def _access(self) -> Iterator[tuple[Any, str]]:
        """Yield the pyarrow filesystem and the path within it; translate its errors."""
        resolved = _resolve(self.url)
        with self._translate_errors():
            yield resolved

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        """Translate the errors of the filesystem to Unreachable; let FileNotFoundError pass."""
        try:
            yield
        except (FileNotFoundError, BertcliError, MemoryError):
            raise
        except Exception as error:
            # pyarrow raises only these two types, so any other is a bug. fsspec's filesystems raise any type.
            if self.scheme in _PYARROW_SCHEMES and not isinstance(error, OSError | ValueError):
                raise
            raise Unreachable(f"{self.url}: {_reason(error)}", hint=_HINTS.get(self.scheme, _HINT)) from None


AnyPath = Path | RemotePath


def parse_path(name: str) -> AnyPath:
    """Return the path that the user named: remote if it is a URL (except file://), otherwise local."""
    found = _SCHEME.match(name)
    if found is None:
        return Path(name)
    return Path(name[found.end() :]) if found[1].lower() == "file" else RemotePath(name.rstrip("/"))


def size_of(path: AnyPath) -> int:
    """Return the size of a file in bytes.

    Raises:
        OSError: A local file cannot be accessed, or a remote file does not exist.
        Unreachable: A remote file cannot be accessed.
    """
    return path.size() if isinstance(path, RemotePath) else path.stat().st_size


def arrow_source(path: AnyPath) -> Any:
    """Return the source from which pyarrow reads a Parquet file: the local path or file, or the open remote file.

    Raises:
        FileNotFoundError: A remote file does not exist.
        Unreachable: A remote file cannot be accessed.
    """
    if isinstance(path, RemotePath):
        return path.open_arrow()
    return path if printable_name(path) == str(path) else path.open("rb")  # pyarrow takes no name that is not UTF-8


def translate_errors(path: AnyPath) -> AbstractContextManager[None]:
    """Return a context that translates errors of a remote filesystem to Unreachable."""
    return path._translate_errors() if isinstance(path, RemotePath) else nullcontext()


class _RemoteFile(io.RawIOBase):
    """A remote file open for reading, with translated errors."""

    def __init__(self, file: Any, path: RemotePath) -> None:
        super().__init__()
        self._file, self._path = file, path

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with self._path._translate_errors():
            return int(self._file.readinto(buffer))

    def seek(self, offset: int, whence: int = 0) -> int:
        return int(self._file.seek(offset, whence))

    def tell(self) -> int:
        return int(self._file.tell())

    def close(self) -> None:
        self._file.close()
        super().close()


def _resolve(url: str) -> tuple[Any, str]:
    """Return the pyarrow filesystem of a URL, and the path within it."""
    scheme, _, rest = url.partition("://")
    if scheme.lower() not in _PYARROW_SCHEMES:
        return _open_fsspec(url)
    root, _, inside = rest.partition("/")
    filesystem, base = _open_pyarrow(f"{scheme.lower()}://{root}")
    return filesystem, f"{base.rstrip('/')}/{inside}" if inside else base


@cache
def _open_pyarrow(url: str) -> tuple[Any, str]:
    arrow = require("pyarrow.fs", _PURPOSE)
    with RemotePath(url)._translate_errors():
        found: tuple[Any, str] = arrow.FileSystem.from_uri(url)
        return found


def _open_fsspec(url: str) -> tuple[Any, str]:
    arrow = require("pyarrow.fs", _PURPOSE)
    from fsspec.core import url_to_fs
    from fsspec.registry import known_implementations

    scheme = RemotePath(url).scheme
    if scheme not in known_implementations:
        raise WrongUsage(
            f"{url}: neither pyarrow nor fsspec supports {scheme}://",
            hint="use s3://, gs://, hdfs://, hf:// or a local path",
        )
    with RemotePath(url)._translate_errors():
        try:
            filesystem, path = url_to_fs(f"{scheme}{url[len(scheme) :]}")  # fsspec knows lower case only
        except ImportError as error:
            hint = f"pip install 'fsspec[{_FSSPEC_EXTRAS.get(scheme, scheme)}]'"
            raise MissingPackage(f"{url}: {error}", hint=hint) from None
    return arrow.PyFileSystem(arrow.FSSpecHandler(filesystem)), path


def _move(filesystem: Any, old: str, new: str) -> None:
    handler = getattr(filesystem, "handler", None)
    if handler is None:
        filesystem.move(old, new)
    else:
        # pyarrow's handler passes recursive=True, which fsspec's sftp does not accept.
        handler.fs.mv(old, new)


def _list(folder: RemotePath, *, recursive: bool) -> list[str]:
    """Return the paths, as the filesystem names them, of what is in a folder.

    Args:
        recursive: List only files, those of all subfolders included. Otherwise list the folder's files and subfolders.
    """
    with folder._access() as (filesystem, path):
        arrow = require("pyarrow.fs", _PURPOSE)
        found = filesystem.get_file_info(arrow.FileSelector(path, recursive=recursive, allow_not_found=True))
    return [info.path for info in found if not recursive or info.is_file]


def _reason(error: Exception) -> str:
    """Return the first line of an error message, reduced to what a user can read if it is from AWS."""
    first = str(error).partition("\n")[0]
    if found := re.search(_AWS_ERROR, first):
        return f"{found[2].partition(' (Request ID')[0].rstrip('.')} ({found[1]})"
    return first.rstrip(".") or type(error).__name__
