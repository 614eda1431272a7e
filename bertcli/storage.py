"""Files and folders that are elsewhere: s3:// and whatever else pyarrow or fsspec has a filesystem for."""

import errno
import fnmatch
import io
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from bertcli.errors import BertcliError, MissingPackage, Unreachable, WrongUsage, require

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://(?=.)")
# The filesystems that pyarrow has itself; every other scheme is fsspec's.
_OF_PYARROW = ("s3", "gs", "gcs", "hdfs", "viewfs", "abfs", "abfss")
# Where a folder is there as soon as anything is in it. Of others it has to be made.
_MAKES_FOLDERS = frozenset({"hdfs", "viewfs", "webhdfs", "arrow_hdfs", "sftp", "ssh", "ftp", "smb", "dbfs"})
# Where nothing is seen of a file before it is closed. Elsewhere it grows in its place.
_OBJECT_STORES = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "oss"})
# Of them those whose buckets nobody makes in passing.
_BUCKETS = frozenset({"s3", "gs", "gcs"})
# Where no file can be moved to a name that another has.
_KEEPS_NAMES = frozenset({"hdfs", "viewfs", "webhdfs", "arrow_hdfs", "smb", "dbfs", "jlab", "jupyter"})
_PATTERN = frozenset("*?[")
# Which of fsspec's extras a scheme takes, where it is not called so itself.
_EXTRAS = {"https": "http", "az": "abfs", "s3a": "s3", "s3n": "s3"}
_READ_AT_ONCE = 1 << 20
_PURPOSE = "reading and writing files that are elsewhere"
_HINTS = {
    "s3": "check the name, the credentials (AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY), "
    "AWS_REGION and AWS_ENDPOINT_URL"
}
_HINT = "check the name, the credentials and the network"
# Of an error of AWS what people have said it in.
_AWS = re.compile(r"AWS Error (\w+) during \w+ operation[^:]*: (.*)")


@dataclass(frozen=True, slots=True, order=True)
class RemotePath:
    """A file or a folder by its URL. What pathlib.Path has too is named and behaves as it does there.

    Every method raises Unreachable where the filesystem refuses, and MissingPackage, WrongUsage where there is none.
    """

    url: str

    def __str__(self) -> str:
        return self.url

    def __truediv__(self, name: str) -> "RemotePath":
        return RemotePath(f"{self.url}/{name}")

    @property
    def name(self) -> str:
        """The last part."""
        return PurePosixPath(self.url).name

    @property
    def suffix(self) -> str:
        """What the name ends in, from its last dot on."""
        return PurePosixPath(self.url).suffix

    @property
    def root(self) -> "RemotePath":
        """What it is in first of all: of an object store the bucket."""
        scheme, _, rest = self.url.partition("://")
        return RemotePath(f"{scheme}://{rest.partition('/')[0]}")

    @property
    def lacks_bucket(self) -> bool:
        """Whether it is in a bucket that would have to be made first."""
        return self.scheme in _BUCKETS and not self.root.exists()

    @property
    def scheme(self) -> str:
        """What stands before ://."""
        return self.url.partition("://")[0].lower()

    def exists(self) -> bool:
        """Whether there is a file or a folder."""
        return self._kind() != "NotFound"

    def is_file(self) -> bool:
        """Whether there is a file."""
        return self._kind() == "File"

    def is_dir(self) -> bool:
        """Whether there is a folder: of an object store, anything whose name begins so."""
        return self._kind() == "Directory"

    def size(self) -> int:
        """How many bytes a file has. Raises FileNotFoundError."""
        info = self._info()
        if info.type.name != "File":
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), self.url)
        return int(info.size)

    def open(self, mode: str = "rb") -> io.BufferedReader:
        """The file, to be read at any place. Raises FileNotFoundError."""
        assert mode == "rb"
        return io.BufferedReader(_Reading(self.open_arrow(), self), _READ_AT_ONCE)

    def open_arrow(self) -> Any:
        """The file as pyarrow reads it. Raises FileNotFoundError."""
        filesystem, path = _resolve(self.url)
        with self._told():
            try:
                return filesystem.open_input_file(path)
            except FileNotFoundError:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), self.url) from None

    def read_bytes(self) -> bytes:
        """All that is in the file. Raises FileNotFoundError."""
        with self.open() as file:
            return file.read()

    def put(self, content: BinaryIO) -> None:
        """Write the file. It takes the place of one that is there when it is whole; what fails leaves the old one."""
        filesystem, path = _resolve(self.url)
        # What an object store moves it copies, and that has its limits: only what would take another's place is moved.
        is_moved = self.scheme not in _OBJECT_STORES or self.exists()
        written = self._part() if is_moved else self
        _, written_path = _resolve(written.url)
        is_last = False
        try:
            with self._told():
                # Whatever ends this early closes the stream too, and with that publishes what came so far.
                with filesystem.open_output_stream(written_path) as stream:
                    while chunk := content.read(_READ_AT_ONCE):
                        stream.write(chunk)
                if is_moved and self.scheme in _KEEPS_NAMES and self.exists():
                    is_last = True
                    filesystem.delete_file(path)
                if is_moved:
                    _move(filesystem, written_path, path)
        except BaseException:
            with suppress(BertcliError, OSError):
                if not is_last:  # else it may be all that there is
                    written.unlink(missing_ok=True)
            raise

    def unlink(self, missing_ok: bool = False) -> None:
        """Remove the file."""
        filesystem, path = _resolve(self.url)
        with self._told():
            try:
                filesystem.delete_file(path)
            except FileNotFoundError:
                if not missing_ok:
                    raise

    def mkdir(self, exist_ok: bool = False) -> None:
        """Make the folder, where the filesystem has such."""
        filesystem, path = _resolve(self.url)
        if self.scheme in _MAKES_FOLDERS:
            with self._told():
                filesystem.create_dir(path, recursive=exist_ok)

    def rmdir(self) -> None:
        """Remove the empty folder, where the filesystem has such."""
        filesystem, path = _resolve(self.url)
        if self.scheme in _MAKES_FOLDERS:
            with self._told():
                filesystem.delete_dir(path)

    def iterdir(self) -> Iterator["RemotePath"]:
        """What is in the folder."""
        for path in _listed(self, is_deep=False):
            yield self / path.rpartition("/")[2]

    def glob(self, pattern: str) -> Iterator["RemotePath"]:
        """What is in the folder, by its name."""
        return (path for path in self.iterdir() if fnmatch.fnmatchcase(path.name, pattern))

    @property
    def is_pattern(self) -> bool:
        """Whether it has a sign in it that stands for others."""
        return bool(_PATTERN & set(self.url))

    def matching(self) -> list["RemotePath"]:
        """The files that a pattern stands for, ** for folders in folders, sorted. It has no sign in its first part."""
        from fsspec.utils import glob_translate  # with torch, and with huggingface_hub

        parts = self.url.split("/")
        first = next(place for place, part in enumerate(parts) if _PATTERN & set(part))
        folder = RemotePath("/".join(parts[:first]))
        _, root = _resolve(folder.url)
        wanted = re.compile(glob_translate("/".join([root.rstrip("/"), *parts[first:]])))
        found = [path for path in _listed(folder, is_deep=first < len(parts) - 1) if wanted.match(path)]
        return sorted(folder / path[len(root) :].lstrip("/") for path in found)

    def _part(self) -> "RemotePath":
        """A name beside it for a file half written, such as bertcli.output.files.shards clears away."""
        return RemotePath(self.url.rpartition("/")[0]) / f".{self.name}.{secrets.token_hex(4)}.part"

    def _info(self) -> Any:
        filesystem, path = _resolve(self.url)
        with self._told():
            return filesystem.get_file_info(path)

    def _kind(self) -> str:
        return str(self._info().type.name)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What the filesystem raises, as an error that tells people."""
        try:
            yield
        except (FileNotFoundError, BertcliError, MemoryError):
            raise
        except Exception as error:
            # pyarrow's own errors are of these kinds, and those of fsspec's filesystems are of any.
            if self.scheme in _OF_PYARROW and not isinstance(error, OSError | ValueError):
                raise
            raise Unreachable(f"{self.url}: {_reason(error)}", hint=_HINTS.get(self.scheme, _HINT)) from None


AnyPath = Path | RemotePath


def located(name: str) -> AnyPath:
    """A file or folder as people name it: a URL, or a path of this machine."""
    found = _SCHEME.match(name)
    if found is None:
        return Path(name)
    return Path(name[found.end() :]) if found[1].lower() == "file" else RemotePath(name.rstrip("/"))


def size_of(path: AnyPath) -> int:
    """How many bytes a file has. Raises OSError, Unreachable."""
    return path.size() if isinstance(path, RemotePath) else path.stat().st_size


def arrow_source(path: AnyPath) -> Any:
    """What pyarrow reads a file of Parquet from. Raises FileNotFoundError, Unreachable."""
    return path if isinstance(path, Path) else path.open_arrow()


def told(path: AnyPath) -> AbstractContextManager[None]:
    """What a filesystem that is elsewhere raises in it, as Unreachable."""
    return path._told() if isinstance(path, RemotePath) else nullcontext()


class _Reading(io.RawIOBase):
    """A file that is being read, whose errors tell people."""

    def __init__(self, file: Any, path: RemotePath) -> None:
        super().__init__()
        self._file, self._path = file, path

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with self._path._told():
            return int(self._file.readinto(buffer))

    def seek(self, place: int, whence: int = 0) -> int:
        return int(self._file.seek(place, whence))

    def tell(self) -> int:
        return int(self._file.tell())

    def close(self) -> None:
        self._file.close()
        super().close()


def _resolve(url: str) -> tuple[Any, str]:
    """The filesystem, and the path as it names it."""
    scheme, _, rest = url.partition("://")
    if scheme.lower() not in _OF_PYARROW:
        return _of_fsspec(url)
    root, _, inside = rest.partition("/")
    filesystem, base = _of_pyarrow(f"{scheme.lower()}://{root}")
    return filesystem, f"{base.rstrip('/')}/{inside}" if inside else base


@cache
def _of_pyarrow(url: str) -> tuple[Any, str]:
    arrow = require("pyarrow.fs", _PURPOSE)
    with RemotePath(url)._told():
        found: tuple[Any, str] = arrow.FileSystem.from_uri(url)
        return found


def _of_fsspec(url: str) -> tuple[Any, str]:
    arrow = require("pyarrow.fs", _PURPOSE)
    from fsspec.core import url_to_fs  # with torch, and with huggingface_hub
    from fsspec.registry import known_implementations

    scheme = url.partition("://")[0]
    if scheme not in known_implementations:
        raise WrongUsage(
            f"{url}: {scheme}:// is no filesystem that pyarrow or fsspec knows",
            hint="use s3://, gs://, hdfs://, hf://, or a path of this machine",
        )
    with RemotePath(url)._told():
        try:
            filesystem, path = url_to_fs(url)
        except ImportError as error:
            hint = f"pip install 'fsspec[{_EXTRAS.get(scheme, scheme)}]'"
            raise MissingPackage(f"{url}: {error}", hint=hint) from None
    return arrow.PyFileSystem(arrow.FSSpecHandler(filesystem)), path


def _move(filesystem: Any, old: str, new: str) -> None:
    handler = getattr(filesystem, "handler", None)
    if handler is None:
        filesystem.move(old, new)
    else:
        handler.fs.mv(old, new)  # pyarrow would have it recursive, which fsspec's sftp does not take


def _listed(folder: RemotePath, *, is_deep: bool) -> list[str]:
    """The files and folders in a folder; is_deep: the files in those too. As the filesystem names them."""
    filesystem, path = _resolve(folder.url)
    arrow = require("pyarrow.fs", _PURPOSE)
    with folder._told():
        found = filesystem.get_file_info(arrow.FileSelector(path, recursive=is_deep, allow_not_found=True))
    return [info.path for info in found if not is_deep or info.is_file]


def _reason(error: Exception) -> str:
    first = str(error).partition("\n")[0]
    if found := _AWS.search(first):
        return f"{found[2].partition(' (Request ID')[0].rstrip('.')} ({found[1]})"
    return first.rstrip(".") or type(error).__name__
