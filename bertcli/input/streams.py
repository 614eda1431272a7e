"""Bytes in lines, as they come: of a file, of a pipe, of a compressed file."""

import os
import select
import stat
import zlib
from collections.abc import Callable, Iterable, Iterator
from io import BufferedReader
from typing import Protocol

from bertcli.errors import BadInput, require
from bertcli.storage import AnyPath, size_of

# How much is read at once: 64 KiB, the usual capacity of a pipe, is some thousand lines. It is also what counts as a
# large amount of work where the end of the input is not known.
WINDOW_BYTES = 1 << 16
# A writer that pauses this long (seconds) is taken to wait for an answer.
_SHORT_SILENCE = 0.05
# How long (seconds) Ctrl-C may go unheard.
_LONGEST_WAIT = 0.5
# How many bytes of text, roughly, come of a byte that is compressed.
_COMPRESSION = 4
GZIP, ZSTD = ".gz", ".zst"
# What a compressed file begins with (RFC 1952, RFC 8878), which no text does, by the program that decompresses it.
_MAGIC = {"gzip": b"\x1f\x8b", "zstd": b"\x28\xb5\x2f\xfd"}


class LineStream(Protocol):
    """Something that lines are read from. position: how many bytes of the file have been read."""

    position: int

    def estimate_bytes(self) -> int:
        """How much text there is, as far as that is known without waiting for it, or roughly."""

    def lines(self) -> Iterator[list[bytes]]:
        """Whole lines in lists of what is there, without their line ends."""


class ByteStream:
    """Lines of a file descriptor, as they come: of a pipe none is waited for longer than for the next."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._pending = bytearray()
        self._ended = False
        self.position = 0

    def estimate_bytes(self) -> int:
        """The size of a file; of a pipe what has come by its end, 64 KiB or a short silence."""
        status = os.fstat(self._descriptor)
        if stat.S_ISREG(status.st_mode):
            return status.st_size
        self._read()
        while not self._ended and len(self._pending) < WINDOW_BYTES and self._is_waiting(_SHORT_SILENCE):
            self._read()
        return len(self._pending)

    def lines(self) -> Iterator[list[bytes]]:
        """Whole lines in lists of what is there, without their line ends."""
        while True:
            while not self._ended and len(self._pending) < WINDOW_BYTES and self._is_waiting(0):
                self._read()
            if whole := _whole_lines(self._pending, self._ended):
                yield whole
            if self._ended:
                return
            self._read()

    def _read(self) -> None:
        # Python sees a signal that came just before a wait when the wait is over: none may last.
        while not self._is_waiting(_LONGEST_WAIT):
            pass
        content = os.read(self._descriptor, WINDOW_BYTES)
        self.position += len(content)
        self._pending += content
        self._ended = not content

    def _is_waiting(self, seconds: float) -> bool:
        return bool(select.select([self._descriptor], [], [], seconds)[0])


class FileStream:
    """Lines of a file that is compressed, or elsewhere, or both."""

    def __init__(self, path: AnyPath) -> None:
        self._path = path
        self._open = _DECOMPRESSORS.get(path.suffix.lower(), _as_it_is)
        self.position = 0

    def estimate_bytes(self) -> int:
        """What the file's size lets expect."""
        return size_of(self._path) * (_COMPRESSION if is_compressed(self._path) else 1)

    def lines(self) -> Iterator[list[bytes]]:
        """Whole lines in lists, without their line ends. Raises BadInput where the file is damaged or cut off."""
        pending = bytearray()
        count = 0
        with self._path.open("rb") as raw:
            stream = self._open(raw)
            while True:
                try:
                    # Not all that was asked for, but what there is before the end or a damage.
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
        what = (
            "it ends in the middle of its compressed data" if is_cut_off else f"its compressed data is damaged: {error}"
        )
        return BadInput(f"{self._path}, line {line:,}: {what}", hint="copy or compress the file again")


def is_compressed(path: AnyPath) -> bool:
    """Whether a file's name says so."""
    return path.suffix.lower() in _DECOMPRESSORS


def refuse_compressed(windows: Iterable[list[bytes]], name: str) -> Iterator[list[bytes]]:
    """The same lines. Raises BadInput where they are the bytes of a compressed file whose name does not say so."""
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
    """The whole lines of what is pending, which are taken from it."""
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


def _as_it_is(raw: BufferedReader) -> _Readable:
    return raw


_DECOMPRESSORS: dict[str, Callable[[BufferedReader], _Readable]] = {GZIP: _gunzip, ZSTD: _unzstd}
