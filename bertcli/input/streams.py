"""Streams of lines, read as they arrive: from a file, a pipe, or a compressed or remote file."""

import os
import select
import stat
import zlib
from collections.abc import Callable, Iterable, Iterator
from io import BufferedReader
from typing import Protocol

from bertcli.errors import BadInput, require
from bertcli.storage import AnyPath, size_of

# The size of one read. 64 KiB is the usual capacity of a pipe, and about a thousand lines. It also counts as a large
# amount of work if the end of the input is not known.
WINDOW_BYTES = 1 << 16
# A writer that pauses this long, in seconds, is assumed to wait for output.
_PAUSE_S = 0.05
# Seconds until Ctrl-C is noticed, at most.
_LONGEST_WAIT_S = 0.5
# Rough number of bytes of text per compressed byte.
_COMPRESSION_RATIO = 4
GZIP, ZSTD = ".gz", ".zst"
# First bytes of a compressed file (RFC 1952, RFC 8878), by the program that decompresses it. No text begins with them.
_MAGIC = {"gzip": b"\x1f\x8b", "zstd": b"\x28\xb5\x2f\xfd"}


class LineStream(Protocol):
    """A source of lines. position: the number of bytes read from the file."""

    position: int

    def estimate_bytes(self) -> int:
        """Estimate the size of the text in bytes, without waiting for its end."""

    def lines(self) -> Iterator[list[bytes]]:
        """Yield whole lines in lists of those available, without their line ends."""


class ByteStream:
    """Lines of a file descriptor. Lines from a pipe are passed on as soon as they arrive."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._pending = bytearray()
        self._ended = False
        self.position = 0

    def estimate_bytes(self) -> int:
        """Return the size of a file. From a pipe, read up to its end, 64 KiB or a short pause, and return that size."""
        status = os.fstat(self._descriptor)
        if stat.S_ISREG(status.st_mode):
            return status.st_size
        self._read()
        while not self._ended and len(self._pending) < WINDOW_BYTES and self._has_data(_PAUSE_S):
            self._read()
        return len(self._pending)

    def lines(self) -> Iterator[list[bytes]]:
        """Yield whole lines in lists of those available, without their line ends."""
        while True:
            while not self._ended and len(self._pending) < WINDOW_BYTES and self._has_data(0):
                self._read()
            if whole := _whole_lines(self._pending, self._ended):
                yield whole
            if self._ended:
                return
            self._read()

    def _read(self) -> None:
        # Python handles a signal that arrives just before a wait only after the wait, so no wait may be long.
        while not self._has_data(_LONGEST_WAIT_S):
            pass
        content = os.read(self._descriptor, WINDOW_BYTES)
        self.position += len(content)
        self._pending += content
        self._ended = not content

    def _has_data(self, seconds: float) -> bool:
        return bool(select.select([self._descriptor], [], [], seconds)[0])


class FileStream:
    """Lines of a file that is compressed or remote, or both."""

    def __init__(self, path: AnyPath) -> None:
        self._path = path
        self._open = _DECOMPRESSORS.get(path.suffix.lower(), _uncompressed)
        self.position = 0

    def estimate_bytes(self) -> int:
        """Estimate the size of the text from the size of the file."""
        return size_of(self._path) * (_COMPRESSION_RATIO if is_compressed(self._path) else 1)

    def lines(self) -> Iterator[list[bytes]]:
        """Yield whole lines in lists, without their line ends.

        Raises:
            BadInput: The file is damaged or cut off.
        """
        pending = bytearray()
        count = 0
        with self._path.open("rb") as raw:
            stream = self._open(raw)
            while True:
                try:
                    # read1 returns the bytes before a damaged place, where read would raise.
                    content = stream.read1(WINDOW_BYTES)
                except (EOFError, OSError, zlib.error) as error:
                    if isinstance(error, OSError) and error.errno:
                        raise
                    raise self._damaged(count + pending.count(b"\n") + 1, error) from None
                pending += content
                if content and len(pending) < WINDOW_BYTES:
                    continue
                self.position = raw.tell()
                if whole := _whole_lines(pending, not content):
                    count += len(whole)
                    yield whole
                if not content:
                    return

    def _damaged(self, line: int, error: Exception) -> BadInput:
        is_cut_off = isinstance(error, EOFError) or "truncated" in str(error).lower()
        reason = "the compressed data is cut off" if is_cut_off else f"the compressed data is damaged: {error}"
        return BadInput(f"{self._path}, line {line:,}: {reason}", hint="copy or compress the file again")


def is_compressed(path: AnyPath) -> bool:
    """Return True if a file's suffix is that of a compressed file."""
    return path.suffix.lower() in _DECOMPRESSORS


def refuse_compressed(windows: Iterable[list[bytes]], name: str) -> Iterator[list[bytes]]:
    """Yield the same lines, but reject compressed data in a file without a suffix for it.

    Args:
        windows: Lines in lists.
        name: The file's name, for the message.

    Raises:
        BadInput: The first line begins as a compressed file does.
    """
    windows = iter(windows)
    first = next(windows, None)
    if first is None:
        return
    program = next((program for program, magic in _MAGIC.items() if first[0].startswith(magic)), None)
    if program is not None:
        raise BadInput(f"{name} is compressed", hint=f"decompress it first: {program} -dc FILE | bertcli ...")
    yield first
    yield from windows


def _whole_lines(pending: bytearray, has_ended: bool) -> list[bytes]:
    """Remove the whole lines from the pending bytes and return them."""
    end = len(pending) if has_ended else pending.rfind(b"\n") + 1
    if not end:
        return []
    whole = bytes(pending[:end]).removesuffix(b"\n")
    del pending[:end]
    return whole.split(b"\n")


class _Readable(Protocol):
    def read1(self, size: int, /) -> bytes: ...


def _gunzip(raw: BufferedReader) -> _Readable:
    import gzip

    return gzip.GzipFile(fileobj=raw)


def _unzstd(raw: BufferedReader) -> _Readable:
    pyarrow = require("pyarrow", "reading zstd files")
    stream: _Readable = pyarrow.CompressedInputStream(pyarrow.PythonFile(raw, mode="r"), "zstd")
    return stream


def _uncompressed(raw: BufferedReader) -> _Readable:
    return raw


_DECOMPRESSORS: dict[str, Callable[[BufferedReader], _Readable]] = {GZIP: _gunzip, ZSTD: _unzstd}
