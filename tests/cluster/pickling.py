"""The pickling of what travels between Ray's driver and its actors."""

import pickle
from typing import TypeVar

Item = TypeVar("Item")


def unpickled(item: Item) -> Item:
    """Return an item as Ray's other side gets it."""
    found: Item = pickle.loads(pickle.dumps(item))  # noqa: S301 - Ray pickles in this way
    return found
