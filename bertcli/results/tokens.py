"""Results of shapes --tokens."""

from collections.abc import Sequence

from bertcli.lazy_dataclass import dataclass
from bertcli.results.texts import TextInfo


@dataclass(frozen=True, slots=True)
class Token:
    """A token of a text.

    Attributes:
        position: Its position, from 0.
        token: Its spelling in the vocabulary.
        id: Its id.
        segment: Its token type, None if the architecture has none.
        start, end: Where it starts and ends in its sentence, in characters as the user wrote it. None for a special
            token, and if the tokenizer does not report places.
        word: Number of the word in its sentence that it is part of, as the pre-tokenizer counts, None for a special
            token.
        is_special: True if the tokenizer has added it.
        is_unknown: True if it is [UNK].
    """

    position: int
    token: str
    id: int
    segment: int | None
    start: int | None
    end: int | None
    word: int | None
    is_special: bool
    is_unknown: bool


@dataclass(frozen=True, slots=True)
class TokensRecord:
    """A text and its tokens."""

    text: TextInfo
    tokens: Sequence[Token]
