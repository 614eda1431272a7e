"""Random sample of a stream of unknown length."""

import random
from collections.abc import Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
SAMPLE_TEXTS = 64


class Sample(Generic[Item]):
    """Random sample of the items so far: each is in it with the same probability (reservoir sampling, Vitter 1985).

    The same items always give the same sample.
    """

    def __init__(self, size: int = SAMPLE_TEXTS) -> None:
        self._size, self._seen = size, 0
        self._items: list[Item] = []
        self._random = random.Random(0)

    def add(self, item: Item) -> None:
        """Add an item to the stream."""
        self._seen += 1
        if len(self._items) < self._size:
            self._items.append(item)
            return
        place = self._random.randrange(self._seen)
        if place < self._size:
            self._items[place] = item

    def items(self) -> Sequence[Item]:
        """Return the sample in random order."""
        return random.Random(0).sample(self._items, len(self._items))
