"""Training examples cut from documents: single segments, and pairs whose B follows A or comes from another document."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tools.bundled_model.documents import Document, Documents, Ids
from tools.bundled_model.settings import Examples

# [CLS] A [SEP] and [CLS] A [SEP] B [SEP]
SINGLE_SPECIAL = 2
PAIR_SPECIAL = 3


@dataclass(frozen=True, slots=True)
class Example:
    """The token ids of an example.

    first is segment A. second is segment B, None for a single segment. follows is True if B came after A in its text,
    None for a single segment.
    """

    source: str
    first: Ids
    second: Ids | None = None
    follows: bool | None = None

    def __len__(self) -> int:
        """Return the number of tokens, special ones included."""
        if self.second is None:
            return len(self.first) + SINGLE_SPECIAL
        return len(self.first) + len(self.second) + PAIR_SPECIAL


def single_examples(source: str, document: Document, length: int) -> Iterator[Example]:
    """Yield a document in pieces of whole sentences, each as long as fits into `length`. A longer sentence is cut."""
    start = 0
    while start < len(document):
        end = _reach(document, start, length - SINGLE_SPECIAL)
        # A sentence that does not fit begins the next piece, unless it is the only one in this piece.
        if end - start > 1 and sum(map(len, document[start:end])) > length - SINGLE_SPECIAL:
            end -= 1
        ids = _join(document[start:end])[: length - SINGLE_SPECIAL]
        if len(ids):
            yield Example(source, ids)
        start = end


class PairMaker:
    """Maker of pairs from the documents of one source. Half of them have a B from another document of that source."""

    def __init__(self, source: str, documents: Documents, settings: Examples) -> None:
        self._source = source
        self._documents = documents
        self._settings = settings

    def examples(self, index: int, rng: np.random.Generator) -> Iterator[Example]:
        """Yield the examples of one document. Each begins where the text of the one before it ended."""
        document = self._documents[index]
        start = 0
        while start < len(document):
            length = self._draw_length(rng)
            end = _reach(document, start, length - PAIR_SPECIAL)
            # With a single document there is no other one to draw B from, and pairs that are all true teach nothing.
            if end - start == 1 or len(self._documents) == 1 or rng.random() < self._settings.single:
                example = next(single_examples(self._source, document[start:end], length), None)
            elif rng.random() < 0.5:
                split = int(rng.integers(start + 1, end))
                example = self._pair(document[start:split], document[split:end], True, length)
            else:
                split = int(rng.integers(start + 1, end))
                first = document[start:split]
                other = self._unrelated(index, first, document[split:end], length, rng)
                example = self._pair(first, other, False, length)
                # The true continuation was not shown, so the next example begins with it.
                end = split
            if example is not None:
                yield example
            start = end

    def _draw_length(self, rng: np.random.Generator) -> int:
        drawn = rng.random()
        if drawn < self._settings.long:
            return self._settings.long_length
        if drawn < self._settings.long + self._settings.short:
            return int(rng.integers(self._settings.short_from, self._settings.length + 1))
        return self._settings.length

    def _unrelated(
        self, index: int, first: Document, second: Document, length: int, rng: np.random.Generator
    ) -> Document:
        """Return sentences of another document, as long as the true continuation that they replace.

        Lengths must not distinguish true pairs from false ones. So if A and the true B fill the example, this B fills
        it too. If the true B ends with its document, this B has whole sentences too and is as close to its length as
        possible.

        Args:
            index: Index of the document of A, which is not drawn.
            first: The sentences of A.
            second: The true continuation.
            length: Largest length of the example, special tokens included.
            rng: Draws the document and the place in it.
        """
        other = (index + int(rng.integers(1, len(self._documents)))) % len(self._documents)
        document = self._documents[other]
        start = int(rng.integers(len(document)))
        room = length - PAIR_SPECIAL - sum(map(len, first))
        wanted = sum(map(len, second))
        end = _reach(document, start, min(wanted, room))
        while start > 0 and sum(map(len, document[start:end])) < min(wanted, room):
            start -= 1
        over = sum(map(len, document[start:end])) - wanted
        if wanted < room and end - start > 1 and over > len(document[end - 1]) / 2:
            end -= 1
        return document[start:end]

    def _pair(self, first: Document, second: Document, follows: bool, length: int) -> Example:
        a, b = _join(first), _join(second)
        over = len(a) + len(b) + PAIR_SPECIAL - length
        if over > 0:
            # Shorten the longer segment first, then both equally. The ends where A meets B are kept.
            from_a = min(over, max(0, len(a) - len(b)))
            from_b = min(over, max(0, len(b) - len(a)))
            rest = over - max(from_a, from_b)
            a = a[from_a + rest // 2 :]
            b = b[: len(b) - from_b - (rest - rest // 2)]
        return Example(self._source, a, b, follows)


def _reach(document: Document, start: int, tokens: int) -> int:
    """Return the end of the shortest run of sentences from `start` with `tokens` tokens, or the document's end."""
    held = 0
    for end in range(start, len(document)):
        held += len(document[end])
        if held >= tokens:
            return end + 1
    return len(document)


def _join(sentences: Document) -> Ids:
    return np.concatenate(sentences)
