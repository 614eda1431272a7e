"""The pickling of what travels between Ray's driver and its actors."""

from typing import TypeVar

from ray import cloudpickle

Item = TypeVar("Item")


def unpickled(item: Item) -> Item:
    """Return an item as Ray's other side gets it."""
    found: Item = cloudpickle.loads(cloudpickle.dumps(item))
    return found
