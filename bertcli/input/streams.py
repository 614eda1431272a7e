"""Streams of lines, read as they arrive: from a file, a pipe, or a compressed or remote file."""

import os
import selectors
import stat
import zlib
from collections.abc import Callable, Iterator
from io import BufferedReader
from typing import Protocol

from bertcli.errors import BadInput, require
from bertcli.input.records import MAX_TEXT_BYTES
from bertcli.lazy_dataclass import dataclass
from bertcli.quoting import printable_name
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
# Number of bytes of a long line to keep: the formats of files are recognized by less.
_START_BYTES = 512


@dataclass(slots=True)
class LongLine:
    """A line over MAX_TEXT_BYTES, which is read but not kept.

    Attributes:
        start: Its first bytes.
        quotes: Number of its quotation marks. It is complete when the next line arrives.
    """

    start: bytes
    quotes: int


Line = bytes | LongLine


class LineStream(Protocol):
    """A source of lines. position: the number of bytes read from the file."""

    position: int

    @property
    def is_terminal(self) -> bool:
        """True if a person types the lines."""

    def estimate_bytes(self) -> int:
        """Estimate the size of the text in bytes, without waiting for its end."""

    def lines(self) -> Iterator[list[Line]]:
        """Yield whole lines in lists of those available, without their line ends."""

    def close(self) -> None:
        """Close the file."""


class LineSplitter:
    """Splits blocks of bytes into lines. It looks at each byte once, and keeps no line over MAX_TEXT_BYTES."""

    def __init__(self) -> None:
        self._whole: list[Line] = []
        self._whole_bytes = 0
        self._rest = bytearray()  # the beginning of a line
        self._long: LongLine | None = None  # the line whose rest is being discarded

    @property
    def pending_bytes(self) -> int:
        """The number of bytes to return with the next lines."""
        return self._whole_bytes + len(self._rest)

    @property
    def pending_lines(self) -> int:
        """The number of whole lines to return next."""
        return len(self._whole)

    def add(self, content: bytes) -> None:
        """Add the next block."""
        if self._long is not None:
            dropped, newline, content = content.partition(b"\n")
            self._long.quotes += dropped.count(b'"')
            if not newline:
                return
            self._long = None
        whole, newline, rest = content.rpartition(b"\n")
        if newline:
            first, *others = whole.split(b"\n")
            self._rest += first
            self._whole += [_as_line(self._rest), *others]
            self._whole_bytes += len(self._rest) + len(whole) - len(first) + 1
            self._rest = bytearray()
        self._rest += rest
        if len(self._rest) > MAX_TEXT_BYTES:
            # Do not wait for the end of the line, which may be far away.
            self._long = _as_long_line(self._rest)
            self._whole.append(self._long)
            self._whole_bytes += len(self._rest)
            self._rest = bytearray()

    def take(self, *, has_ended: bool) -> list[Line]:
        """Return the lines since the last call. The last line of a file may have no line end."""
        if has_ended and self._rest:
            self._whole.append(bytes(self._rest))
        whole, self._whole, self._whole_bytes = self._whole, [], 0
        return whole


class ByteStream:
    """Lines of a file descriptor. Lines from a pipe are passed on as soon as they arrive.

    Args:
        descriptor: The open file.
        name: Its name, for errors.
        owns_descriptor: Close it at the end.
    """

    def __init__(self, descriptor: int, name: str, *, owns_descriptor: bool) -> None:
        self._descriptor, self._name, self._owns_descriptor = descriptor, name, owns_descriptor
        # select.select cannot take a descriptor above 1,023, and epoll cannot take a file.
        self._selector = getattr(selectors, "PollSelector", selectors.SelectSelector)()
        self._selector.register(descriptor, selectors.EVENT_READ)
        self._splitter = LineSplitter()
        self._ended = False
        self.position = 0

    @property
    def is_terminal(self) -> bool:
        """True if a person types the lines."""
        return os.isatty(self._descriptor)

    def estimate_bytes(self) -> int:
        """Return the size of a file. From a pipe, read up to its end, 64 KiB or a short pause, and return that size."""
        status = os.fstat(self._descriptor)
        if stat.S_ISREG(status.st_mode):
            return status.st_size
        self._read()
        self._read_available(_PAUSE_S)
        return self._splitter.pending_bytes

    def lines(self) -> Iterator[list[Line]]:
        """Yield whole lines in lists of those available, without their line ends."""
        while True:
            self._read_available(0)
            if whole := self._splitter.take(has_ended=self._ended):
                yield whole
            if self._ended:
                return
            self._read()

    def close(self) -> None:
        """Close the file, unless it is standard input."""
        self._selector.close()
        if self._owns_descriptor:
            os.close(self._descriptor)

    def _read_available(self, pause: float) -> None:
        """Read what arrives before a pause of that many seconds, up to about WINDOW_BYTES."""
        while not self._ended and self._splitter.pending_bytes < WINDOW_BYTES and self._has_data(pause):
            self._read()

    def _read(self) -> None:
        # Python handles a signal that arrives just before a wait only after the wait, so no wait may be long.
        while not self._has_data(_LONGEST_WAIT_S):
            pass
        try:
            content = os.read(self._descriptor, WINDOW_BYTES)
        except OSError as error:
            error.filename = self._name
            raise
        self.position += len(content)
        self._splitter.add(content)
        self._ended = not content

    def _has_data(self, seconds: float) -> bool:
        return bool(self._selector.select(seconds))


class FileStream:
    """Lines of a file that is compressed or remote, or both."""

    is_terminal = False

    def __init__(self, path: AnyPath) -> None:
        self._path = path
        self._open = _DECOMPRESSORS.get(path.suffix.lower(), _uncompressed)
        self.position = 0

    def estimate_bytes(self) -> int:
        """Estimate the size of the text from the size of the file."""
        return size_of(self._path) * (_COMPRESSION_RATIO if is_compressed(self._path) else 1)

    def lines(self) -> Iterator[list[Line]]:
        """Yield whole lines in lists, without their line ends.

        Raises:
            BadInput: The file is damaged or cut off.
        """
        splitter = LineSplitter()
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
                    raise self._damaged(count + splitter.pending_lines + 1, error) from None
                splitter.add(content)
                if content and splitter.pending_bytes < WINDOW_BYTES:
                    continue
                self.position = raw.tell() if raw.seekable() else 0
                if whole := splitter.take(has_ended=not content):
                    count += len(whole)
                    yield whole
                if not content:
                    return

    def close(self) -> None:
        """Do nothing: the file is open only while its lines are read."""

    def _damaged(self, line: int, error: Exception) -> BadInput:
        is_cut_off = isinstance(error, EOFError) or "truncated" in str(error).lower()
        reason = "the compressed data is cut off" if is_cut_off else f"the compressed data is damaged: {error}"
        return BadInput(
            f"{printable_name(self._path)}, line {line:,}: {reason}", hint="copy or compress the file again"
        )


def _as_line(content: bytearray) -> Line:
    return bytes(content) if len(content) <= MAX_TEXT_BYTES else _as_long_line(content)


def _as_long_line(content: bytearray) -> LongLine:
    return LongLine(bytes(content[:_START_BYTES]), content.count(b'"'))


def is_compressed(path: AnyPath) -> bool:
    """Return True if a file's suffix is that of a compressed file."""
    return path.suffix.lower() in _DECOMPRESSORS


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
