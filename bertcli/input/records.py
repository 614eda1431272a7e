"""Records of the input: the source that the user names, each text with its place in it, and each failed text.

Reading the source is in `bertcli.input.reader`; this module stays cheap to import for the command line.
"""

from collections.abc import Mapping, Sequence

from bertcli.choices import InputFormat
from bertcli.errors import BadText, BertcliError
from bertcli.lazy_dataclass import dataclass
from bertcli.storage import AnyPath

STDIN = "-"
TEXT_FIELD = "text"
# Longest line and longest text. Memory and the tokenizer set a limit, and a text for BERT is far shorter.
MAX_TEXT_BYTES = 16 << 20
# The id that the user's data gives a text.
TextId = str | int


@dataclass(frozen=True, slots=True)
class TextSource:
    """The source of a run's texts, as the user gives it.

    texts: texts given as arguments. file: one path or several, or patterns of file names. pair: sentence B for every
    text. pairs: each text is A<TAB>B. format: the format of every file and of standard input. field: the JSON field or
    table column that holds the text. id_field: the one that holds its id. versus: the one that holds the text to
    compare with; with pairs it is B, and for arguments the text itself. group_by: those that name a text's group.
    target_field: the one that holds the word that a text expects in its mask.
    """

    texts: Sequence[str] = ()
    file: AnyPath | Sequence[AnyPath] | None = None
    pair: str | None = None
    pairs: bool = False
    format: InputFormat = InputFormat.AUTO
    field: str | None = None
    id_field: str | None = None
    versus: str | None = None
    group_by: Sequence[str] = ()
    target_field: str | None = None

    @property
    def files(self) -> Sequence[AnyPath]:
        """The paths or patterns, as a sequence."""
        if self.file is None:
            return ()
        return self.file if isinstance(self.file, Sequence) else (self.file,)

    @property
    def option_of_files(self) -> str:
        """The first option that only files and standard input can have, "" if there is none."""
        given = {
            "--input-format": self.format != InputFormat.AUTO,
            "--field": self.field is not None,
            "--id-field": self.id_field is not None,
            "--target-field": self.target_field is not None,
            "--group-by": bool(self.group_by),
        }
        return next((option for option, is_given in given.items() if is_given), "")


@dataclass(frozen=True, slots=True)
class FailedText:
    """A text that could not be processed, in input order with the others. id, file: as in TextRecord."""

    index: int
    line: int | None
    error: BertcliError
    id: TextId | None = None
    file: str | None = None

    @property
    def place(self) -> str:
        """The text's place in the input, for messages."""
        place = f"line {self.line:,}" if self.line is not None else f"text {self.index + 1:,}"
        return place if self.file is None else f"{self.file}, {place}"


@dataclass(frozen=True, slots=True)
class TextRecord:
    """A text with its place in the input.

    index: counts from 0 over the whole run. line: counts from 1 in a file or on standard input; None for an argument.
    id: the value of the id field, if one is requested. file: the file's name, if the run reads several. versus: the
    text to compare with, if any. group: the values of the fields that name its group, if any are requested. target: the
    word that the text expects in its mask, if any. is_versus: the text is the one that `versus` is compared with.
    """

    index: int
    text: str
    pair: str | None = None
    line: int | None = None
    id: TextId | None = None
    file: str | None = None
    versus: str | None = None
    group: Mapping[str, str] | None = None
    target: str | None = None
    is_versus: bool = False

    @property
    def sentences(self) -> tuple[str, ...]:
        """The text, and sentence B if there is one."""
        return (self.text,) if self.pair is None else (self.text, self.pair)

    def failed(self, error: BertcliError) -> FailedText:
        """Return the record of this text's failure."""
        return FailedText(self.index, self.line, error, self.id, self.file)


# Texts that are available together.
Window = list[TextRecord | FailedText]


def too_long(noun: str) -> BadText:
    """Return the error for a line, row or text over MAX_TEXT_BYTES.

    Args:
        noun: Its name in the message, with the article.
    """
    limit = f"{MAX_TEXT_BYTES >> 20} MiB"
    return BadText(
        f"{noun} is longer than {limit}", hint="split it into shorter texts, or skip it with --on-error skip"
    )


def is_too_long(text: str) -> bool:
    """Return True if a text is over MAX_TEXT_BYTES in UTF-8."""
    # A character has up to four bytes, so most texts need no encoding.
    return 4 * len(text) > MAX_TEXT_BYTES and len(text.encode(errors="surrogatepass")) > MAX_TEXT_BYTES
