"""Entities: consecutive words with labels of one kind, as transformers' token-classification pipeline merges them.

This is its strategy "first": the label of a word is that of its first piece, since most models are trained with labels
of first pieces only. The pipeline knows the prefixes B- and I-. Here the schemes BIOES and BILOU are also known; the
pipeline would end an entity before its last word.
"""

import re
from collections.abc import Iterator, Sequence

import numpy as np

from bertcli.lazy_dataclass import dataclass
from bertcli.model.ops.base import FloatArray
from bertcli.model.places import TokenPlace, token_places
from bertcli.model.tokenizer import TextTokenizer, TokenizedText
from bertcli.results.labels import Entity

_OUTSIDE = "O"
_PREFIXED = re.compile(r"[BIESLU]-.+", re.DOTALL)
# The place of each token.
_Places = Sequence[TokenPlace | None]
_BEGINS, _ENDS = ("B-", "S-", "U-"), ("E-", "L-", "S-", "U-")


@dataclass(frozen=True, slots=True)
class _Word:
    """A word: the positions of its pieces, and the label and score of the first one."""

    positions: list[int]
    label: str
    score: float


def find_entities(
    labels: Sequence[str], scores: FloatArray, text: TokenizedText, tokenizer: TextTokenizer
) -> list[Entity]:
    """Return the entities of a text, in order.

    Args:
        labels: Names of the labels.
        scores: Probabilities, (seq, labels).
        text: The text.
        tokenizer: Its tokenizer.
    """
    scheme, places = _Scheme(labels), token_places(text, tokenizer)
    found: list[Entity] = []
    for sentence in (0, 1):
        pieces = _pieces_of_words(text, places, sentence, tokenizer)
        words = [_word(positions, labels, scores) for positions in pieces]
        kinds = ((scheme.kind(group[0].label), group) for group in scheme.group(words))
        found += [_entity(kind, group, text, places, tokenizer) for kind, group in kinds if kind != _OUTSIDE]
    return found


class _Scheme:
    """The scheme of labels: BIOES or BILOU if all labels have such prefixes, otherwise IOB as in the pipeline."""

    def __init__(self, labels: Sequence[str]) -> None:
        named = [label for label in labels if label != _OUTSIDE]
        self._has_ends = all(map(_PREFIXED.fullmatch, named)) and any(label.startswith(_ENDS) for label in named)

    def kind(self, label: str) -> str:
        """Return a label without its prefix."""
        return label.partition("-")[2] if "-" in label else label

    def group(self, words: Sequence[_Word]) -> Iterator[list[_Word]]:
        """Yield each run of words whose labels continue one another."""
        group: list[_Word] = []
        for word in words:
            if group and not self._continues(group[-1].label, word.label):
                yield group
                group = []
            group.append(word)
        if group:
            yield group

    def _continues(self, before: str, label: str) -> bool:
        if not self._has_ends:
            return _tag(before) == _tag(label) and not label.startswith("B-")
        return self.kind(before) == self.kind(label) and not label.startswith(_BEGINS) and not before.startswith(_ENDS)


def _tag(label: str) -> str:
    return label[2:] if label.startswith(("B-", "I-")) else label


def _word(positions: list[int], labels: Sequence[str], scores: FloatArray) -> _Word:
    of_first = scores[positions[0]]
    best = int(of_first.argmax())
    return _Word(positions, labels[best], float(of_first[best]))


def _pieces_of_words(
    text: TokenizedText, places: _Places, sentence: int, tokenizer: TextTokenizer
) -> Iterator[list[int]]:
    """Yield the positions of the pieces of each word of a sentence."""
    positions: list[int] = []
    for position, place in enumerate(places):
        if place is None or place.sentence != sentence:
            continue
        if positions and not _continues_word(text, position, place, tokenizer):
            yield positions
            positions = []
        positions.append(position)
    if positions:
        yield positions


def _continues_word(text: TokenizedText, position: int, place: TokenPlace, tokenizer: TextTokenizer) -> bool:
    """Return True if a token continues the word before it, by the pipeline's rule.

    In a vocabulary that marks such pieces, they are longer than the characters that they are made of. In any other, a
    word ends at a space.
    """
    # The tokenizer may not report places.
    if place.span is None or text.tokens[position] == tokenizer.special_tokens.unk:
        return False
    start, end = place.span
    if tokenizer.continuing_prefix:
        return len(text.tokens[position]) != end - start
    return start > 0 and " " not in text.record.sentences[place.sentence][start - 1 : start + 1]


def _entity(
    label: str, words: Sequence[_Word], text: TokenizedText, places: _Places, tokenizer: TextTokenizer
) -> Entity:
    positions = [position for word in words for position in word.positions]
    score = float(np.mean([word.score for word in words]))
    first, last = places[positions[0]], places[positions[-1]]
    assert first is not None  # words have tokens of a sentence alone
    assert last is not None
    of = ("text", "pair")[first.sentence] if len(text.record.sentences) > 1 else None
    if first.span is None or last.span is None:
        decoded = tokenizer.decode([text.input_ids[position] for position in positions]).strip()
        return Entity(label, score, None, None, decoded, positions, of)
    start, end = first.span[0], last.span[1]
    return Entity(label, score, start, end, text.record.sentences[first.sentence][start:end], positions, of)
