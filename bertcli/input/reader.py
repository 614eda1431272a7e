"""The texts of one run, one after another, whatever they are read from."""

import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property

from bertcli.choices import InputFormat
from bertcli.errors import BadText, BertcliError, WrongUsage
from bertcli.input.files import Input, find_inputs
from bertcli.input.records import STDIN, FailedText, TextRecord, TextSource, Window, is_utf8
from bertcli.input.rows import Row

_SENTENCE_BYTES = 80


class TextReader:
    """The texts of one run, in order, in windows of what is there: it waits for a first line, never for a second."""

    def __init__(self, source: TextSource) -> None:
        self._source = source
        self._inputs = _find_inputs(source)
        # The first is opened at once: what is wrong with it is found before any model is loaded.
        self._open = self._inputs[0].open() if self._inputs else None
        self._read_before = 0
        self._index = 0

    def estimate_bytes(self) -> int:
        """How much text there is: all of it, or of a pipe what has come by its end, 64 KiB or a short silence."""
        if self._open is None:
            return sum(len(text) for text in self._source.texts)
        return self._open.estimate_bytes() + sum(each.size or 0 for each in self._inputs[1:])

    def estimate_work(self, runs: Callable[[int], float]) -> int:
        """The same, each byte as often as a text of its size is run; a stream's lines are taken to be sentences."""
        if self._open is None:
            return int(sum(len(text) * runs(len(text)) for text in self._source.texts))
        return int(self.estimate_bytes() * runs(_SENTENCE_BYTES))

    @property
    def reads_files(self) -> bool:
        """Whether texts come from files or standard input, and are not arguments."""
        return self._open is not None

    @cached_property  # elsewhere each size is a question over the network
    def total_bytes(self) -> int | None:
        """How many bytes there are to read in the files, None where that is not known before the end."""
        sizes = [each.size for each in self._inputs]
        known = [size for size in sizes if size is not None]
        return sum(known) if known and len(known) == len(sizes) else None

    @property
    def read_bytes(self) -> int:
        """How many of them have been read."""
        return self._read_before + (self._open.position if self._open is not None else 0)

    def windows(self) -> Iterator[Window]:
        """Texts that are there together. Raises OSError and BadInput where a file cannot be read."""
        if self._open is None:
            yield [self._record(Row(text, None)) for text in self._source.texts]
            return
        has_several = len(self._inputs) > 1
        for number, about in enumerate(self._inputs):
            if number:
                self._read_before += self._open.position
                self._open = about.open()
            name = about.name if has_several else None
            place = name if about.path is None else about.name  # of standard input alone the line is enough
            for rows in self._open.rows():
                if rows:
                    yield [self._record(row, name, place) for row in rows]

    def _record(self, row: Row, file: str | None = None, place: str | None = None) -> TextRecord | FailedText:
        """file: what a record says that it is from. place: what a message says."""
        self._index += 1
        text = self._paired(row)
        if isinstance(text, BertcliError):
            return FailedText(self._index - 1, row.line, text, row.id, place)
        return TextRecord(self._index - 1, *text, row.line, row.id, file)

    def _paired(self, row: Row) -> tuple[str, str | None] | BertcliError:
        """Sentences A and B, or what is wrong with them."""
        if isinstance(row.text, BertcliError):
            return row.text
        text, pair = row.text, self._source.pair
        if self._source.pairs:
            text, tab, pair = text.partition("\t")
            if not tab:
                return BadText("the text has no tab to part A from B", hint="leave --pairs out, or write A<TAB>B")
        if any(part is not None and not part.strip() for part in (text, pair)):
            return BadText("the text is empty", hint="leave it out, or skip such texts with --on-error skip")
        if not is_utf8(text + (pair or "")):
            return BadText("the text is not UTF-8", hint="check the encoding of the terminal, or of the file")
        return text, pair


def _find_inputs(source: TextSource) -> Sequence[Input]:
    """What is to be read; nothing where the texts are arguments. Raises OSError, WrongUsage."""
    if source.pair is not None and source.pairs:
        raise WrongUsage("--pair and --pairs both say what sentence B is", hint="give one of them")
    if source.files and source.texts:
        raise WrongUsage(
            "texts come from arguments or from a file, not from both",
            hint="leave one of them out; of several files each has its own -f, or quote a pattern: -f '*.txt'",
        )
    if STDIN in source.texts and len(source.texts) > 1:
        raise WrongUsage("- stands for standard input, and cannot stand beside other texts", hint="give one of them")
    if source.texts and list(source.texts) != [STDIN]:
        if given := _options_of_files(source):
            raise WrongUsage(f"{given} is about texts in files, and these are arguments", hint="leave it out")
        return ()
    if not source.files or any(str(path) == STDIN for path in source.files):
        _check_standard_input(is_named=bool(source.texts or source.files))
    return find_inputs(source)


def _options_of_files(source: TextSource) -> str:
    given = {
        "--input-format": source.format != InputFormat.AUTO,
        "--field": source.field is not None,
        "--id-field": source.id_field is not None,
    }
    return next((option for option, is_given in given.items() if is_given), "")


def _check_standard_input(*, is_named: bool) -> None:
    if sys.stdin is None:
        raise WrongUsage("there is no text to read: standard input is closed", hint="give the text as an argument")
    if not is_named and sys.stdin.isatty():
        raise WrongUsage(
            "there is no text to read",
            hint='give it as an argument ("..."), as a file (-f FILE), or on standard input (-)',
        )
