"""A text in its place among the others of a run, and a text that gets no answer."""

from dataclasses import dataclass

from bertcli.errors import BertcliError

_QUOTED_CHARACTERS = 60
# What a user may know a text by.
TextId = str | int


@dataclass(frozen=True, slots=True)
class FailedText:
    """A text that gets no answer, in its place among those that do. id, file: as TextRecord has them."""

    index: int
    line: int | None
    error: BertcliError
    id: TextId | None = None
    file: str | None = None

    @property
    def place(self) -> str:
        """Where it stands, as a message says it."""
        place = f"line {self.line:,}" if self.line is not None else f"text {self.index + 1:,}"
        return place if self.file is None else f"{self.file}, {place}"


@dataclass(frozen=True, slots=True)
class TextRecord:
    """One text. index: from 0 over the whole run. line: from 1, where it came from lines of a file or standard input.

    id: what the input knows it by, where it was asked for. file: where the run has several.
    """

    index: int
    text: str
    pair: str | None = None
    line: int | None = None
    id: TextId | None = None
    file: str | None = None

    def failed(self, error: BertcliError) -> FailedText:
        """The same text, as one that gets no answer."""
        return FailedText(self.index, self.line, error, self.id, self.file)


Window = list[TextRecord | FailedText]


def shortened(text: str) -> str:
    """A text as a message quotes it."""
    return repr(text if len(text) <= _QUOTED_CHARACTERS else text[:_QUOTED_CHARACTERS] + "...")


def is_utf8(text: str) -> bool:
    """Whether a text was UTF-8: else its bytes come as lone surrogates, which nothing can encode."""
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)
