"""Where texts come from: arguments, a file, standard input; their decoding, and the number by which each is known."""

import errno
import os
import select
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bertcli.errors import BadText, BertcliError, WrongUsage

STDIN = "-"
# How much is read at once: 64 KiB, the usual capacity of a pipe, is some thousand lines. It is also what counts as a
# large amount of work where the end of the input is not known.
WINDOW_BYTES = 1 << 16
# A writer that pauses this long (seconds) is taken to wait for an answer.
_SHORT_SILENCE = 0.05
_QUOTED_CHARACTERS = 60
_SENTENCE_BYTES = 80
# How long (seconds) Ctrl-C may go unheard.
_LONGEST_WAIT = 0.5


@dataclass(frozen=True, slots=True)
class TextSource:
    """Where the user said the texts are. pair: sentence B for each of them. pairs: a tab parts A from B in a text."""

    texts: Sequence[str] = ()
    file: Path | None = None
    pair: str | None = None
    pairs: bool = False


@dataclass(frozen=True, slots=True)
class TextRecord:
    """One text. index: from 0 over the whole run. line: from 1, where it came from a file or standard input."""

    index: int
    text: str
    pair: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A text that gets no answer, in its place among those that do."""

    index: int
    line: int | None
    error: BertcliError


Window = list[TextRecord | Unanswered]


class TextReader:
    """The texts of one run, in order, in windows of what is there: it waits for a first line, never for a second."""

    def __init__(self, source: TextSource) -> None:
        self._source = source
        self._stream = _open_stream(source)
        self._index = 0

    def known_bytes(self) -> int:
        """How much text there is: all of it, or of a pipe what has come by its end, 64 KiB or a short silence."""
        if self._stream is None:
            return sum(len(text) for text in self._source.texts)
        return self._stream.known_bytes()

    def known_work(self, runs: Callable[[int], float]) -> int:
        """The same, each byte as often as a text of its size is run; a stream's lines are taken to be sentences."""
        if self._stream is None:
            return int(sum(len(text) * runs(len(text)) for text in self._source.texts))
        return int(self._stream.known_bytes() * runs(_SENTENCE_BYTES))

    def windows(self) -> Iterator[Window]:
        """Texts that are there together. Raises OSError where the file cannot be read."""
        if self._stream is None:
            yield [self._record(text, None) for text in self._source.texts]
            return
        line = 0
        for lines in self._stream.lines():
            window = []
            for content in lines:
                line += 1
                window.append(self._decoded(content, line))
            yield window

    def _decoded(self, content: bytes, line: int) -> TextRecord | Unanswered:
        if line == 1:
            content = content.removeprefix(b"\xef\xbb\xbf")  # the byte order mark that some editors write
        try:
            return self._record(content.removesuffix(b"\r").decode(), line)
        except UnicodeDecodeError as error:
            problem = BadText(
                f"the text is not UTF-8: byte {content[error.start]:#04x} at column {error.start + 1}",
                hint="convert the file first, such as with: iconv -f latin1 -t utf-8",
            )
            return self._unanswered(line, problem)

    def _record(self, text: str, line: int | None) -> TextRecord | Unanswered:
        pair = self._source.pair
        if self._source.pairs:
            text, tab, pair = text.partition("\t")
            if not tab:
                return self._unanswered(
                    line, BadText("the text has no tab to part A from B", hint="leave --pairs out, or write A<TAB>B")
                )
        if any(part is not None and not part.strip() for part in (text, pair)):
            return self._unanswered(
                line, BadText("the text is empty", hint="leave it out, or skip such texts with --on-error skip")
            )
        if not is_utf8(text + (pair or "")):
            return self._unanswered(line, BadText("the text is not UTF-8", hint="check the terminal's encoding"))
        return TextRecord(self._next_index(), text, pair, line)

    def _unanswered(self, line: int | None, error: BertcliError) -> Unanswered:
        return Unanswered(self._next_index(), line, error)

    def _next_index(self) -> int:
        self._index += 1
        return self._index - 1


def _open_stream(source: TextSource) -> "_ByteStream | None":
    if source.pair is not None and source.pairs:
        raise WrongUsage("--pair and --pairs both say what sentence B is", hint="give one of them")
    if source.file is not None and source.texts:
        raise WrongUsage("texts come from arguments or from a file, not from both", hint="leave one of them out")
    if source.file is not None and str(source.file) != STDIN:
        if source.file.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(source.file))
        return _ByteStream(os.open(source.file, os.O_RDONLY))
    if STDIN in source.texts and len(source.texts) > 1:
        raise WrongUsage("- stands for standard input, and cannot stand beside other texts", hint="give one of them")
    if source.texts and list(source.texts) != [STDIN]:
        return None
    if sys.stdin is None:
        raise WrongUsage("there is no text to read: standard input is closed", hint="give the text as an argument")
    if not source.texts and source.file is None and sys.stdin.isatty():
        raise WrongUsage(
            "there is no text to read",
            hint='give it as an argument ("..."), as a file (-f FILE), or on standard input (-)',
        )
    return _ByteStream(sys.stdin.fileno())


def shortened(text: str) -> str:
    """A text as a message quotes it."""
    return repr(text if len(text) <= _QUOTED_CHARACTERS else text[:_QUOTED_CHARACTERS] + "...")


def is_utf8(text: str) -> bool:
    """Whether an argument was UTF-8: else its bytes come as lone surrogates, which nothing can encode."""
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


class _ByteStream:
    """Lines of a file descriptor, as they come."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._pending = bytearray()
        self._ended = False

    def known_bytes(self) -> int:
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
            end = len(self._pending) if self._ended else self._pending.rfind(b"\n") + 1
            if end:
                whole = bytes(self._pending[:end]).removesuffix(b"\n")
                del self._pending[:end]
                yield whole.split(b"\n")
            if self._ended:
                return
            self._read()

    def _read(self) -> None:
        # Python sees a signal that came just before a wait when the wait is over: none may last.
        while not self._is_waiting(_LONGEST_WAIT):
            pass
        content = os.read(self._descriptor, WINDOW_BYTES)
        self._pending += content
        self._ended = not content

    def _is_waiting(self, seconds: float) -> bool:
        return bool(select.select([self._descriptor], [], [], seconds)[0])
