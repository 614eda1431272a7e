"""Random sample of the texts of a run, of which nobody knows in advance how many there are."""

import random
from collections.abc import Sequence

from bertcli.model.tokenizer import TokenizedText

SAMPLE_TEXTS = 64


class TextSample:
    """Sample in which every text so far has the same chance to be (reservoir sampling, Vitter 1985).

    It is the same in each run over the same texts.
    """

    def __init__(self, size: int = SAMPLE_TEXTS) -> None:
        self._size, self._seen = size, 0
        self._texts: list[TokenizedText] = []
        self._random = random.Random(0)

    def add(self, text: TokenizedText) -> None:
        """Give one more text its chance."""
        self._seen += 1
        if len(self._texts) < self._size:
            self._texts.append(text)
            return
        place = self._random.randrange(self._seen)
        if place < self._size:
            self._texts[place] = text

    def texts(self) -> Sequence[TokenizedText]:
        """Return the sample in random order."""
        return random.Random(0).sample(self._texts, len(self._texts))
