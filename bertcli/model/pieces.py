"""Tokenization of long texts piece by piece, with the tokens of the whole text.

A piece ends between two words, where the tokens on both sides do not depend on text that is further away.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from dataclasses import field
from types import NoneType
from typing import Any

from tokenizers import Encoding, models, normalizers, pre_tokenizers

from bertcli.errors import BadText
from bertcli.lazy_dataclass import dataclass

# Tokenize only the beginning of a long text first. Ten million characters take ten seconds to tokenize, usually only to
# find that there are too many.
PIECE_CHARACTERS = 50_000
# Close to the end of a piece, a word may be cut in two and get other tokens than in the whole text. A word of more
# than 100 characters becomes one [UNK] in any case; twice that allows for accents stored as separate characters.
UNCERTAIN_CHARACTERS = 200
# Most characters of a piece. A million characters take one to six seconds, which cannot be interrupted, and up to
# 200 MB. Only a single word, or many spaces, makes so long a piece.
MAX_CHARACTERS = 1_000_000
# Places between words to try before a piece is made longer.
_MAX_TRIED = 8

Encode = Callable[[str], Encoding]


@dataclass(frozen=True, slots=True)
class TextTokens:
    """The tokens of a text, without special tokens.

    Attributes:
        ids: Their ids.
        words: Number of the word that each is part of.
        starts: First character of each.
        ends: The character after each.
    """

    ids: array[int] = field(default_factory=lambda: array("i"))
    words: array[int] = field(default_factory=lambda: array("i"))
    starts: array[int] = field(default_factory=lambda: array("i"))
    ends: array[int] = field(default_factory=lambda: array("i"))

    def add(self, piece: _Piece, first: int, last: int) -> None:
        """Add the tokens of a piece from `first` to the one before `last`. The first one begins a word."""
        word = self.words[-1] if self.words else -1
        for at in range(first, last):
            word += at == first or piece.begins_word(at)
            self.words.append(word)
        self.ids.extend(piece.ids[first:last])
        self.starts.extend(start for start, _ in piece.offsets[first:last])
        self.ends.extend(end for _, end in piece.offsets[first:last])

    def drop(self, count: int) -> None:
        """Remove the first tokens."""
        for numbers in (self.ids, self.words, self.starts, self.ends):
            del numbers[:count]


class _Piece:
    """The tokens of the characters of a text from `start` to `end`, with their places in the whole text."""

    def __init__(self, encode: Encode, text: str, start: int, end: int) -> None:
        encoding = encode(text[start:end])
        self.start, self.end = start, end
        self.ids: list[int] = encoding.ids
        self.offsets = [(first + start, last + start) for first, last in encoding.offsets]
        self._words: list[int | None] = encoding.word_ids

    def begins_word(self, at: int) -> bool:
        """Return True if a token is the first of its word."""
        return at == 0 or self._words[at] is None or self._words[at] != self._words[at - 1]

    def first_at(self, character: int) -> int:
        """Return the number of the first token that begins at a character or after it."""
        found = (at for at, (start, _) in enumerate(self.offsets) if start >= character)
        return next(found, len(self.ids))

    def tokens_between(self, start: int, end: int) -> list[tuple[int, tuple[int, int]]]:
        """Return the tokens that are between two characters, with their places."""
        tokens = zip(self.ids, self.offsets, strict=True)
        return [(id_, place) for id_, place in tokens if place[0] >= start and place[1] <= end]


def encode_in_pieces(encode: Encode, text: str) -> TextTokens | None:
    """Return the tokens of a text, encoded in pieces.

    Args:
        encode: Encodes a text without special tokens.
        text: The text.

    Returns:
        The tokens; None if there is no place to end a piece within a million characters.
    """
    tokens = TextTokens()
    done, size = 0, PIECE_CHARACTERS  # characters whose tokens have been added, and characters of the next piece
    while True:
        end = min(len(text), done + size)
        # Tokens before the first one are only there for its context.
        piece = _Piece(encode, text, max(0, done - UNCERTAIN_CHARACTERS), end)
        first = piece.first_at(done)
        if end == len(text):
            tokens.add(piece, first, len(piece.ids))
            return tokens
        cut = _find_cut(encode, text, piece, first)
        if cut is not None:
            last, done = cut
            tokens.add(piece, first, last)
            size = PIECE_CHARACTERS
        elif size >= MAX_CHARACTERS:
            return None
        else:
            size = min(2 * size, MAX_CHARACTERS)


def no_place_to_divide() -> BadText:
    """Return the error of a text for which encode_in_pieces returns None."""
    return BadText(
        f"the text has {MAX_CHARACTERS:,} characters without a place between words where it could be divided",
        hint="split it into shorter texts",
    )


def _find_cut(encode: Encode, text: str, piece: _Piece, first: int) -> tuple[int, int] | None:
    """Return where a piece may end: the number of the token after its last, and the character. None if nowhere.

    Args:
        encode: Encodes a text without special tokens.
        text: The text.
        piece: A piece that ends before the text does.
        first: Number of the first token that is new in it.
    """
    certain_end = piece.end - UNCERTAIN_CHARACTERS
    last_end = max((end for _, end in piece.offsets[-1:]), default=piece.start)
    if last_end <= certain_end and text[last_end : piece.end].isspace():
        return len(piece.ids), certain_end
    tried = 0
    for at in range(piece.first_at(certain_end + 1) - 1, first, -1):
        if piece.begins_word(at) and piece.offsets[at - 1][0] < piece.offsets[at][0]:
            if _is_certain(encode, text, piece, piece.offsets[at][0]):
                return at, piece.offsets[at][0]
            tried += 1
            if tried == _MAX_TRIED:
                return None
    return None


def _is_certain(encode: Encode, text: str, piece: _Piece, character: int) -> bool:
    """Return True if the tokens around a character are the same in a piece and in the text close to it."""
    near = _Piece(encode, text, max(0, character - UNCERTAIN_CHARACTERS), character + UNCERTAIN_CHARACTERS)
    margin = UNCERTAIN_CHARACTERS // 2
    start, end = max(0, character - margin), character + margin
    at = near.first_at(character)
    begins_word = at < len(near.ids) and near.offsets[at][0] == character and near.begins_word(at)
    return begins_word and near.tokens_between(start, end) == piece.tokens_between(start, end)


def splits_at_spaces(tokenizer: Any) -> bool:
    """Return True if the tokens of a text are those of its parts between spaces, one part after another.

    So it is with BERT's normalizer, pre-tokenizer and word pieces. Others may keep the space, or join words.
    """
    is_bert = (
        isinstance(getattr(tokenizer, "normalizer", ""), (normalizers.BertNormalizer, NoneType))
        and isinstance(getattr(tokenizer, "pre_tokenizer", None), pre_tokenizers.BertPreTokenizer)
        and isinstance(getattr(tokenizer, "model", None), models.WordPiece)
    )
    return is_bert and not any(" " in token.content for token in tokenizer.get_added_tokens_decoder().values())


def min_tokens(prefix: Sequence[str], whole: Sequence[str], encoding: Encoding) -> list[int]:
    """Count the tokens of a prefix that the whole text begins with in any case.

    Args:
        prefix: The beginning of the text, or of each of its sentences.
        whole: The text, or each of its sentences.
        encoding: The encoding of the prefix.

    Returns:
        A minimum number of tokens for each part (A, B) that the prefix cuts. Empty if it cuts none.
    """
    if prefix == whole:
        return []
    places = list(zip(encoding.sequence_ids, encoding.offsets, strict=True))
    return [
        sum(sequence == at and end <= len(beginning) - UNCERTAIN_CHARACTERS for at, (_, end) in places)
        for sequence, (beginning, part) in enumerate(zip(prefix, whole, strict=True))
        if beginning != part
    ]
