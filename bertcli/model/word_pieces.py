"""Pieces of a vocabulary: which can begin a word, which continue one, and which of them make a word together.

Vocabularies mark either the pieces that continue a word (BERT's ##) or those that begin one after a space (the G with a
dot of byte-level vocabularies, the low bar of SentencePiece). The model has seen a word only in the pieces that the
tokenizer makes of it, so other pieces with the same letters are no word.
"""

from collections.abc import Sequence
from dataclasses import astuple
from functools import lru_cache
from unicodedata import category

import numpy as np

from bertcli.errors import BadCheckpoint, WrongUsage
from bertcli.model.ops.base import IntArray
from bertcli.model.places import token_places
from bertcli.model.tokenizer import TextTokenizer, TokenizedText
from bertcli.model.tokenizer_errors import TokenizerError

_BYTE_LEVEL, _SENTENCEPIECE = "Ġ", "▁"
# Tokenizers that are written in Python do not report their mark.
_DEFAULT_PREFIX = "##"
# Bytes that are no whole character.
_INCOMPLETE = "\ufffd"
# Sequences of pieces that are remembered.
_REMEMBERED = 1 << 16


class WordPieces:
    """The pieces of a vocabulary.

    Args:
        tokenizer: The tokenizer.
        space_mark: Mark of pieces after a space, "" if the vocabulary marks the pieces that continue a word.
        prefix: Mark of pieces that continue a word, if there is no space_mark.
    """

    def __init__(self, tokenizer: TextTokenizer, space_mark: str, prefix: str) -> None:
        self._tokenizer, self._space_mark = tokenizer, space_mark
        special = set(astuple(tokenizer.special_tokens))
        marked: list[int] = []
        unmarked: list[int] = []
        for token, id_ in sorted(tokenizer.vocabulary().items(), key=lambda each: each[1]):
            if token not in special and token != prefix:
                (marked if token.startswith(space_mark or prefix) else unmarked).append(id_)
        starts, others = np.array(marked, np.int64), np.array(unmarked, np.int64)
        if not space_mark:
            starts, others = others, starts
        # Without a space before them, words of a byte-level vocabulary begin with pieces that have no mark.
        self._has_unmarked_words = bool(space_mark) and not _first_token(tokenizer, "a").startswith(space_mark)
        self._starts, self._unmarked_starts = starts, others
        self._continuing = others
        if space_mark == _SENTENCEPIECE:
            # SentencePiece joins punctuation to the word before it.
            self._continuing = np.array([id_ for id_ in others.tolist() if _is_of_word(tokenizer.token(id_))], np.int64)
        self._check = lru_cache(_REMEMBERED)(self._are_pieces_of_one_word)

    def follows_space(self, text: TokenizedText, position: int) -> bool:
        """Return True if a word at a position begins with the pieces that follow a space, as in most vocabularies."""
        if not self._has_unmarked_words or not text.offsets:
            return True
        place = token_places(text, self._tokenizer)[position]
        if place is None or place.span is None:
            return True
        start, _ = place.span
        before = text.record.sentences[place.sentence][max(start - 1, 0) : start + 1]
        return start > 0 and any(map(str.isspace, before))

    def starting(self, *, after_space: bool) -> IntArray:
        """Return the ids of the pieces that can begin a word."""
        return self._starts if after_space else self._unmarked_starts

    @property
    def continuing(self) -> IntArray:
        """Ids of the pieces that can continue a word."""
        return self._continuing

    def word(self, ids: Sequence[int]) -> str:
        """Return the text of pieces."""
        return self._tokenizer.decode(ids).strip()

    def is_word(self, ids: tuple[int, ...], *, after_space: bool) -> bool:
        """Return True if the tokenizer divides the word that the pieces make into these pieces.

        A single piece is accepted if it is visible.

        Args:
            ids: The pieces.
            after_space: True if the word follows a space.
        """
        return bool(self.word(ids)) if len(ids) == 1 else self._check(ids, after_space)

    def begin_word(self, ids: tuple[int, ...], *, after_space: bool) -> bool:
        """Return True if pieces can be the first ones of a longer word. Arguments as for is_word.

        The first pieces of a word are those that the tokenizer makes of them alone.
        """
        word = self.word(ids)
        # The last piece may end within a character. SentencePiece has a piece that is a space alone.
        if not word or word.endswith(_INCOMPLETE):
            return True
        return not all(map(_is_punctuation, word)) and self._check(ids, after_space)

    def _are_pieces_of_one_word(self, ids: tuple[int, ...], after_space: bool) -> bool:
        word = self.word(ids)
        if self._space_mark == _SENTENCEPIECE and not word[:1].isalnum():
            return False
        try:
            encoding = self._tokenizer.encode_bare(f" {word}" if after_space else word)
        except (TokenizerError, BadCheckpoint):  # a letter without a token, or a token without an embedding
            return False
        return tuple(encoding.ids) == ids and len(set(encoding.word_ids)) == 1


def open_word_pieces(tokenizer: TextTokenizer, name: str) -> WordPieces:
    """Return the pieces of a tokenizer's vocabulary.

    Args:
        tokenizer: The tokenizer.
        name: Name of the checkpoint, for messages.

    Raises:
        WrongUsage: The vocabulary marks neither pieces that begin a word nor pieces that continue one.
    """
    first = _first_token(tokenizer, " a")
    for mark in (_BYTE_LEVEL, _SENTENCEPIECE):
        if first.startswith(mark):
            return WordPieces(tokenizer, mark, "")
    prefix = tokenizer.continuing_prefix or _DEFAULT_PREFIX
    if any(token.startswith(prefix) and token != prefix for token in tokenizer.vocabulary()):
        return WordPieces(tokenizer, "", prefix)
    raise WrongUsage(
        f"--pieces needs a vocabulary that marks the pieces of words, and that of {name} has no mark",
        hint="leave --pieces out",
    )


def _first_token(tokenizer: TextTokenizer, text: str) -> str:
    """Return the first token of a text, "" if it has none."""
    try:
        ids = tokenizer.encode_bare(text).ids
    except (TokenizerError, BadCheckpoint):
        return ""
    return tokenizer.token(ids[0]) if ids else ""


def _is_of_word(token: str) -> bool:
    return any(map(str.isalnum, token))


def _is_punctuation(character: str) -> bool:
    """Return True for what BERT's tokenizer separates from words: ASCII signs, and punctuation."""
    return not character.isalnum() and (character.isascii() or category(character).startswith("P"))
