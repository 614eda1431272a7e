"""Documents: the tokens of texts that are longer than the limit, and the windows in which the model reads them.

The tokens of a document are in three parts. The first part is [CLS], then a prompt or sentence A if there is one. The
last part is the final [SEP]. Both are in every window. The tokens between them are divided among the windows.
"""

from __future__ import annotations

from array import array
from functools import cache

from tokenizers import Encoding

from bertcli.input.records import TextRecord
from bertcli.lazy_dataclass import dataclass

# Number of a sentence and of a word in it, None for a special token.
Word = tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class Frame:
    """Tokens that are at the beginning or at the end of every window.

    Attributes:
        ids: Their ids.
        type_ids: Their token types.
        words: The word that each is part of.
        spans: First character of each token of sentence A and the one after its last. None for other tokens. Empty if
            there is no sentence A, or if the tokenizer does not report it.
    """

    ids: tuple[int, ...]
    type_ids: tuple[int, ...]
    words: tuple[Word, ...]
    spans: tuple[tuple[int, int] | None, ...] = ()

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class Document:
    """The tokens of a text that is longer than the limit. Numbers are in arrays, which take little memory.

    Attributes:
        record: The text.
        before: The tokens at the beginning of every window.
        after: The tokens at the end of every window.
        ids: The tokens that are divided among windows.
        words: Number of the word that each of them is part of.
        starts: First character of each of them, in the text as the user wrote it (in sentence B of a pair). Empty if
            the tokenizer does not report it.
        ends: The character after each of them.
        type_id: Their token type, None if the architecture has none.
        window_size: Largest number of them in a window.
        overlap: Number of them that a window shares with the next one, at most.
        unknown: Number of tokens of the whole text that are [UNK], those of a prompt or of sentence A included.
    """

    record: TextRecord
    before: Frame
    after: Frame
    ids: array[int]
    words: array[int]
    starts: array[int]
    ends: array[int]
    type_id: int | None
    window_size: int
    overlap: int
    unknown: int = 0

    def __len__(self) -> int:
        return len(self.before) + len(self.ids) + len(self.after)

    @property
    def input_ids(self) -> array[int]:
        """The ids of all tokens, as if the text had fitted."""
        return array("i", self.before.ids) + self.ids + array("i", self.after.ids)

    @property
    def token_type_ids(self) -> array[int]:
        """The token types of all tokens. Empty if the architecture has none."""
        if self.type_id is None:
            return array("b")
        inner = array("b", [self.type_id]) * len(self.ids)
        return array("b", self.before.type_ids) + inner + array("b", self.after.type_ids)

    def type_ids_of(self, count: int) -> tuple[int, ...]:
        """Return the token types of a window with that many tokens of the document."""
        if self.type_id is None:
            return ()
        return (*self.before.type_ids, *[self.type_id] * count, *self.after.type_ids)


@dataclass(frozen=True, slots=True)
class DocumentWindow:
    """A part of a document that the model reads as a text of its own.

    Attributes:
        document: The document.
        number: Number of the window, from 0.
        start: The first token of the document in the window. It counts neither special tokens nor those of a prompt or
            of sentence A.
        end: The token after the last one.
        owned: Positions in the window of the tokens that the window answers for: those that have more context in it
            than in any other window. The first window owns the tokens before the document's, the last those after.
        is_last: True if no window of the document follows.
    """

    document: Document
    number: int
    start: int
    end: int
    owned: range
    is_last: bool

    def __len__(self) -> int:
        return len(self.document.before) + self.end - self.start + len(self.document.after)

    @property
    def characters(self) -> tuple[int, int] | None:
        """The first character of the window and the one after its last, None if the tokenizer does not report them."""
        document = self.document
        return (document.starts[self.start], document.ends[self.end - 1]) if document.starts else None

    @property
    def spans(self) -> tuple[tuple[int, int] | None, ...]:
        """First character of each token and the one after its last, in the window's part of its sentence.

        None for special tokens and those of a prompt. Empty if the tokenizer does not report places.
        """
        document, characters = self.document, self.characters
        if characters is None:
            return ()
        first, part = characters[0], slice(self.start, self.end)
        ends = document.starts[part], document.ends[part]
        inner = [(start - first, end - first) for start, end in zip(*ends, strict=True)]
        before = document.before.spans or (None,) * len(document.before)
        return (*before, *inner, *(None,) * len(document.after))

    def in_document(self, position: int) -> int:
        """Return the position in the document of a token of the window that the window owns."""
        return position + self.start


def word_places(encoding: Encoding) -> tuple[Word, ...]:
    """Return the sentence and word that each token is part of, None for special tokens."""
    places = zip(encoding.sequence_ids, encoding.word_ids, strict=True)
    return tuple(None if sentence is None or word is None else _word(sentence, word) for sentence, word in places)


@cache
def _word(sentence: int, word: int) -> tuple[int, int]:
    # Share the tuples: the same few occur in every text, and many texts of a corpus are in memory at once.
    return sentence, word
