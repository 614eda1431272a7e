"""Where the user said that the texts are."""

from collections.abc import Sequence
from dataclasses import dataclass

from bertcli.choices import InputFormat
from bertcli.storage import AnyPath

STDIN = "-"
TEXT_FIELD = "text"


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
