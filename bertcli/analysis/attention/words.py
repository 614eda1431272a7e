"""Attention maps over words instead of word pieces."""

from collections.abc import Sequence

import numpy as np

from bertcli.errors import BadText
from bertcli.input.records import FailedText
from bertcli.model.ops.base import FloatArray
from bertcli.model.tokenizer import TextTokenizer, TokenizedText

# The positions of the pieces of each word.
WordPositions = Sequence[Sequence[int]]


def word_positions(text: TokenizedText) -> WordPositions:
    """Return the positions of each word's pieces, in the order of the text. A special token is a word of its own."""
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
    """Return the text as failed if it is too short for the requested part of its matrix, else None.

    Args:
        text: The text.
        rows: Positions of --rows, or None for all.
        columns: Positions of --cols, or None for all.
        are_words: Positions count words, not tokens.
    """
    size = len(word_positions(text)) if are_words else len(text)
    for option, positions in (("--rows", rows), ("--cols", columns)):
        if positions is not None and positions.start >= size:
            noun = "words" if are_words else "tokens"
            problem = BadText(
                f"there is no position {positions.start} for {option}: the text has {size} {noun}",
                hint=f"use positions from 0 to {size - 1}",
            )
            return text.record.failed(problem)
    return None


def word_texts(text: TokenizedText, words: WordPositions, tokenizer: TextTokenizer) -> list[str]:
    """Return the spelling of each word."""
    return [tokenizer.decode([text.input_ids[position] for position in word]).strip() for word in words]


def word_map(weights: FloatArray, words: WordPositions) -> FloatArray:
    """Merge the rows and columns of each word's pieces (Clark et al. 2019, section 4.1).

    Attention to a word is the sum over its pieces, attention from a word is the mean over its pieces. Rows that sum to
    1 still do.

    Args:
        weights: (..., tokens, tokens).
        words: The positions of the pieces of each word.

    Returns:
        (..., words, words).
    """
    pieces = np.zeros((weights.shape[-1], len(words)), np.float32)
    for column, word in enumerate(words):
        pieces[word, column] = 1
    return np.asarray((pieces / pieces.sum(0)).T @ (weights @ pieces))
