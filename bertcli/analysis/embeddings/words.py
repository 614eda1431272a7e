"""Vectors of words: the words of a text, their places, and the vectors that are pooled from their pieces."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from bertcli.analysis.attention.words import word_positions
from bertcli.choices import WordPooling
from bertcli.errors import BadCheckpoint
from bertcli.lazy_dataclass import dataclass
from bertcli.model.ops.base import FloatArray
from bertcli.model.places import Span, TokenPlace, token_places, with_marks, without_spaces
from bertcli.model.tokenizer import TextTokenizer, TokenizedText
from bertcli.model.tokenizer_errors import TokenizerError
from bertcli.results.embeddings import WordVector

# Number of characters after the cut in which the rest of a word is looked for.
_LONGEST_REST = 200


@dataclass(frozen=True, slots=True)
class WordSelection:
    """The words to return of each text, and how their vectors are made.

    Attributes:
        pooling: How to make one vector from the vectors of a word's pieces.
        pretokenized: Take words as whitespace separates them, not as the tokenizer's pre-tokenizer does.
        word: Return only this word, as normalized_word spells it. None for all.
    """

    pooling: WordPooling = WordPooling.MEAN
    pretokenized: bool = False
    word: str | None = None


def word_vectors(
    text: TokenizedText, states: FloatArray, tokenizer: TextTokenizer, selection: WordSelection
) -> list[WordVector]:
    """Return the selected words of a text with their vectors.

    Args:
        text: The text.
        states: The vectors of its tokens, (seq, hidden).
        tokenizer: The tokenizer that made the text.
        selection: The words, and how to pool their pieces.
    """
    return [
        replace(word, embedding=pool_pieces(states[word.positions], selection.pooling) if word.positions else None)
        for word in find_words(text, tokenizer, pretokenized=selection.pretokenized)
        if selection.word is None or normalized_word(word.word, tokenizer) == selection.word
    ]


def normalized_word(word: str, tokenizer: TextTokenizer) -> str:
    """Return a word after the normalisation of the tokenizer, such as lower-casing, without spaces around it."""
    normalizer = tokenizer.normalizer
    return (word if normalizer is None else str(normalizer.normalize_str(word))).strip()


def pool_pieces(vectors: FloatArray, pooling: WordPooling) -> FloatArray:
    """Make one vector from those of a word's pieces, (pieces, hidden), of which there is at least one."""
    if pooling == WordPooling.MEAN:
        return np.asarray(vectors.mean(0))
    # A copy, since a view would keep the vectors of the other pieces in memory.
    return np.array(vectors[0 if pooling == WordPooling.FIRST else -1])


def find_words(text: TokenizedText, tokenizer: TextTokenizer, *, pretokenized: bool = False) -> list[WordVector]:
    """Return the words of a text without their vectors, those of sentence A first.

    Special tokens and the prompt are in none of them.

    Args:
        text: The text.
        tokenizer: The tokenizer that made the text. It must report places if pretokenized is set.
        pretokenized: As in WordSelection. Each token then belongs to the word in which it begins. A word that the
            tokenizer makes no token of is returned without positions, so that no word is missing, unless it is beyond
            the end of a truncated text.

    Returns:
        The words. The last one of a truncated text is spelled in full, with the positions of the pieces that are left.
    """
    places = token_places(text, tokenizer)
    words: list[WordVector] = []
    for sentence, written in enumerate([text.record.text, text.record.pair or ""]):
        found: list[tuple[Span | None, list[int]]]
        if pretokenized:
            found = list(_separated_words(written, places, sentence))
            while text.truncated and found and not found[-1][1]:
                found.pop()
        else:
            found = list(_pre_tokenizer_words(text, written, places, sentence))
            if text.truncated and found and (span := found[-1][0]) is not None:
                found[-1] = (_whole_span(written, span, tokenizer), found[-1][1])
        for index, (span, positions) in enumerate(found):
            if span is None:
                spelling = tokenizer.decode([text.input_ids[position] for position in positions]).strip()
                words.append(WordVector(spelling, sentence, index, None, None, positions))
            else:
                words.append(WordVector(written[slice(*span)], sentence, index, *span, positions))
    return words


def _separated_words(
    written: str, places: Sequence[TokenPlace | None], sentence: int
) -> Iterator[tuple[Span | None, list[int]]]:
    """Yield the words between whitespace, each with the positions of its tokens."""
    spans = [found.span() for found in re.finditer(r"\S+", written)]
    ends = [end for _, end in spans]
    positions: list[list[int]] = [[] for _ in spans]
    for position, place in enumerate(places):
        if spans and place is not None and place.sentence == sentence and place.span is not None:
            start, end = place.span
            spaces = end - start - len(written[start:end].lstrip())
            # A token of nothing but spaces belongs to the word after it.
            positions[min(bisect_right(ends, start + spaces), len(spans) - 1)].append(position)
    return zip(spans, positions, strict=True)


def _pre_tokenizer_words(
    text: TokenizedText, written: str, places: Sequence[TokenPlace | None], sentence: int
) -> Iterator[tuple[Span | None, list[int]]]:
    """Yield the words of the tokenizer's pre-tokenizer, each with the positions of its tokens.

    The place of a word is None if the tokenizer does not report places.
    """
    spans: list[Span | None] = []
    groups: list[list[int]] = []
    for group in word_positions(text):
        own = {at: place for at in group if (place := places[at]) is not None and place.sentence == sentence}
        if own:
            groups.append(list(own))
            spans.append(_span(written, [place.span for place in own.values() if place.span is not None]))
    return zip(with_marks(written, spans), groups, strict=True)


def _span(written: str, pieces: Sequence[Span]) -> Span | None:
    """Return where a word with these pieces begins and ends, without the spaces around it."""
    if not pieces:
        return None
    # Some pre-tokenizers have words of nothing but spaces.
    return without_spaces(written, (min(start for start, _ in pieces), max(end for _, end in pieces)))


def _whole_span(written: str, span: Span, tokenizer: TextTokenizer) -> Span:
    """Return the place of a word of which truncation may have left only the first pieces."""
    start, end = span
    try:
        encoding = tokenizer.encode_bare(written[start : end + _LONGEST_REST])
    except (TokenizerError, BadCheckpoint):  # what follows the text that was kept cannot be tokenized
        return span
    of_first = (stop for word, (_, stop) in zip(encoding.word_ids, encoding.offsets, strict=True) if word == 0)
    length = max(of_first, default=0)
    return start, max(end, start + len(written[start : start + length].rstrip()))
