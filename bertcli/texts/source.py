"""Where the user said that the texts are."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from bertcli.remote import AnyPath

STDIN = "-"
TEXT_FIELD = "text"


class InputFormat(StrEnum):
    """How a file holds texts. auto: as its suffix says."""

    AUTO = "auto"
    TEXT = "text"
    JSONL = "jsonl"
    CSV = "csv"
    TSV = "tsv"
    PARQUET = "parquet"


@dataclass(frozen=True, slots=True)
class TextSource:
    """Where the user said the texts are. pair: sentence B for each of them. pairs: a tab parts A from B in a text.

    file: one or several, or patterns of their names. format: of every file, and of standard input. field, id_field: in
    which field of a JSON object, or column of a table, the text stands, and what it is known by.
    """

    texts: Sequence[str] = ()
    file: AnyPath | Sequence[AnyPath] | None = None
    pair: str | None = None
    pairs: bool = False
    format: InputFormat = InputFormat.AUTO
    field: str | None = None
    id_field: str | None = None

    @property
    def files(self) -> Sequence[AnyPath]:
        """The files, or patterns of their names."""
        if self.file is None:
            return ()
        return self.file if isinstance(self.file, Sequence) else (self.file,)
