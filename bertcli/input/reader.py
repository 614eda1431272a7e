"""Reader of a run's texts, from arguments, files or standard input."""

import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property

from bertcli.errors import BadText, BertcliError, WrongUsage
from bertcli.input.files import Input, find_inputs
from bertcli.input.records import STDIN, FailedText, TextRecord, TextSource, Window, is_too_long, too_long
from bertcli.input.rows import Row
from bertcli.quoting import is_utf8

# Assumed size of a line of a file or stream.
SENTENCE_BYTES = 80
_EMPTY = BadText("the text is empty", hint="leave it out, or skip such texts with --on-error skip")


class TextReader:
    """Reader of a run's texts, in input order.

    It yields windows of the texts that are available, so that a line from a pipe is processed before the next arrives.
    """

    def __init__(self, source: TextSource) -> None:
        self._source = source
        self._inputs = _find_inputs(source)
        # Open the first input now, so that its errors appear before a model is loaded.
        self._open = self._inputs[0].open() if self._inputs else None
        self._read_before = 0
        self._index = 0
        # Of the last window: the bytes before it, those up to its end, and its number of texts.
        self._window_start, self._window_end, self._window_texts = 0, 0, 1

    def estimate_bytes(self) -> int:
        """Estimate the size of all texts in bytes. From a pipe, count up to 64 KiB that arrive before a short pause."""
        if self._open is None:
            return sum(len(text) for text in self._source.texts)
        return self._open.estimate_bytes() + sum(each.size or 0 for each in self._inputs[1:])

    def estimate_work(self, passes: Callable[[int], float]) -> int:
        """Estimate the bytes of text to run through the model, if a text goes through it several times.

        Args:
            passes: Returns how many times a text of the given size in bytes goes through the model. Lines of files and
                streams are assumed to be sentences of 80 bytes.
        """
        if self._open is None:
            return int(sum(len(text) * passes(len(text)) for text in self._source.texts))
        return int(self.estimate_bytes() * passes(SENTENCE_BYTES))

    @cached_property  # the size of a remote file takes a request
    def total_bytes(self) -> int | None:
        """The total size of the files in bytes; None if one is a stream, whose end is not known."""
        sizes = [each.size for each in self._inputs]
        known = [size for size in sizes if size is not None]
        return sum(known) if known and len(known) == len(sizes) else None

    @property
    def has_several_files(self) -> bool:
        """True if each text names its file."""
        return len(self._inputs) > 1

    @property
    def read_bytes(self) -> int:
        """The number of bytes read from the files."""
        return self._read_before + (self._open.position if self._open is not None else 0)

    def bytes_before(self, left: int) -> int:
        """Return about how many bytes precede the last texts of the last window.

        Args:
            left: Number of these texts, from 0 to all of the window.
        """
        return self._window_end - (self._window_end - self._window_start) * left // self._window_texts

    def windows(self) -> Iterator[Window]:
        """Yield windows of texts that are available together.

        Raises:
            OSError, BadInput, Unreachable: A file cannot be read.
        """
        if self._open is None:
            yield [self._record(Row(text, None)) for text in self._source.texts]
            return
        for number, input_ in enumerate(self._inputs):
            if number:
                self._read_before += self._open.position
                self._open = input_.open()
            name = input_.name if self.has_several_files else None
            # Messages about standard input alone need only the line.
            place = name if input_.path is None else input_.name
            for rows in self._open.rows():
                if rows:
                    self._window_start, self._window_end = self._window_end, self.read_bytes
                    self._window_texts = len(rows)
                    yield [self._record(row, name, place) for row in rows]
            self._open.close()

    def _record(self, row: Row, file: str | None = None, place: str | None = None) -> TextRecord | FailedText:
        """Return the next record. file: the file that the record names. place: the file that messages name."""
        self._index += 1
        parts = self._parts(row)
        if isinstance(parts, BertcliError):
            return FailedText(self._index - 1, row.line, parts, row.id, place)
        text, pair, versus = parts
        return TextRecord(self._index - 1, text, pair, row.line, row.id, file, versus, row.group, row.target)

    def _parts(self, row: Row) -> tuple[str, str | None, str | None] | BertcliError:
        """Return sentences A and B of a row and the text to compare with, or the row's error."""
        if isinstance(row.text, BertcliError):
            return row.text
        text, pair, versus = row.text, self._source.pair, row.versus
        if not text.strip():
            return _EMPTY
        if self._source.pairs:
            text, tab, pair = text.partition("\t")
            if not tab:
                return BadText("the text has no tab between A and B", hint="leave --pairs out, or write A<TAB>B")
            if self._source.versus is not None:
                pair, versus = None, pair
        elif self._open is None:
            versus = self._source.versus
        if any(part is not None and not part.strip() for part in (text, pair)):
            return _EMPTY
        if versus is not None and not versus.strip():
            return BadText("the text to compare with is empty", hint=_EMPTY.hint)
        parts = (text, pair or "", versus or "")
        if any(map(is_too_long, parts)):
            return too_long("the text")
        if not is_utf8("".join(parts)):
            return BadText("the text is not UTF-8", hint="check the encoding of the terminal, or of the file")
        return text, pair, versus


def _find_inputs(source: TextSource) -> Sequence[Input]:
    """Return the inputs to read; none if the texts are arguments. Raise OSError, WrongUsage."""
    if source.pair is not None and source.pairs:
        raise WrongUsage("--pair and --pairs cannot be combined", hint="give one of them")
    if source.files and source.texts:
        raise WrongUsage(
            "texts come from arguments or from files, not from both",
            hint="leave one of them out; give each file its own -f, or quote a pattern: -f '*.txt'",
        )
    if STDIN in source.texts and len(source.texts) > 1:
        raise WrongUsage("- (standard input) cannot be combined with other texts", hint="give one of them")
    if source.texts and list(source.texts) != [STDIN]:
        if given := source.option_of_files:
            raise WrongUsage(f"{given} is for texts in files, not in arguments", hint=f"leave {given} out")
        return ()
    if not source.files or any(str(path) == STDIN for path in source.files):
        _check_standard_input(is_named=bool(source.texts or source.files))
    return find_inputs(source)


def _check_standard_input(*, is_named: bool) -> None:
    if sys.stdin is None:
        raise WrongUsage("there is no text to read: standard input is closed", hint="give the text as an argument")
    if not is_named and sys.stdin.isatty():
        raise WrongUsage(
            "there is no text to read",
            hint='give it as an argument ("..."), as a file (-f FILE), or on standard input (-)',
        )
