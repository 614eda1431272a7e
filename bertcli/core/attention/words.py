"""From maps over word pieces to maps over words."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from bertcli.core.tokens import TextTokenizer, TokenizedText

FloatArray = np.ndarray[Any, np.dtype[np.float32]]
Words = Sequence[Sequence[int]]


def words_of(text: TokenizedText) -> Words:
    """The positions of each word's pieces, in their order; a special token is a word of its own."""
    found: list[list[int]] = []
    for position, word in enumerate(text.words):
        if word is not None and position and text.words[position - 1] == word:
            found[-1].append(position)
        else:
            found.append([position])
    return found


def spelt(text: TokenizedText, words: Words, tokenizer: TextTokenizer) -> list[str]:
    """Each word as a text has it."""
    return [tokenizer.decode([text.input_ids[position] for position in word]).strip() for word in words]


def word_map(weights: FloatArray, words: Words) -> FloatArray:
    """(..., tokens, tokens) to (..., words, words): attention to a word is the sum to its pieces, that from a word the
    mean from them (Clark et al. 2019, section 4.1). Rows that sum to 1 still do.
    """
    pieces = np.zeros((weights.shape[-1], len(words)), np.float32)
    for column, word in enumerate(words):
        pieces[word, column] = 1
    return np.asarray((pieces / pieces.sum(0)).T @ (weights @ pieces))
