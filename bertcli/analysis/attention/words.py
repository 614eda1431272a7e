"""From maps over word pieces to maps over words."""

from collections.abc import Sequence

import numpy as np

from bertcli.errors import BadText
from bertcli.input.records import FailedText
from bertcli.model.ops.base import FloatArray
from bertcli.model.tokenizer import TextTokenizer, TokenizedText

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


def check_positions(
    text: TokenizedText, rows: range | None, columns: range | None, *, are_words: bool
) -> FailedText | None:
    """What is wrong with a text of whose matrix a part is wanted: that it does not reach so far."""
    size = len(words_of(text)) if are_words else len(text)
    for option, asked in (("--rows", rows), ("--cols", columns)):
        if asked is not None and asked.start >= size:
            what = "words" if are_words else "tokens"
            problem = BadText(
                f"there is no position {asked.start} for {option}: the text has {size} {what}",
                hint=f"use positions from 0 to {size - 1}",
            )
            return text.record.failed(problem)
    return None


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
