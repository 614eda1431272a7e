"""Attention heads that are switched off (Michel et al. 2019): their names, and the masks that remove their output.

The output of a head is its slice of the context, before the output projection. If it is zero, the result is the same as
with zeros in the head's columns of the projection's weight.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from bertcli.errors import WrongUsage
from bertcli.model.layer_numbers import parse_layers
from bertcli.model.ops.base import FloatArray

_HEADS = r"\s*(-?\d{1,9})\.(\d{1,9}|\*)\s*"


class Head(NamedTuple):
    """An attention head. Layers and heads count from 0."""

    layer: int
    head: int

    def __str__(self) -> str:
        return f"{self.layer}.{self.head}"


def parse_heads(option: str, value: str, layer_count: int, head_count: int) -> tuple[Head, ...]:
    """Return the heads that an option names, each once, by layer and head.

    Args:
        option: Name of the option, for error messages.
        value: Heads separated by commas, each as LAYER.HEAD, or LAYER.* for all heads of a layer. A negative layer
            counts from the end.
        layer_count: Number of layers.
        head_count: Number of heads of each layer.

    Raises:
        WrongUsage: The value is not a list of heads, or the model does not have one of them.

    >>> [str(head) for head in parse_heads("--ablate", "1.2,0.*,1.2", 2, 3)]
    ['0.0', '0.1', '0.2', '1.2']
    """
    found: set[Head] = set()
    for part in value.split(","):
        named = re.fullmatch(_HEADS, part, re.ASCII)
        if named is None:
            raise WrongUsage(
                f"{option} {value!r} is not a list of heads",
                hint=f"use {option} 1.0 for head 0 of layer 1, {option} '1.*' for all heads of it, or a list of both",
            )
        [layer] = parse_layers(option, named[1], layer_count)
        if named[2] == "*":
            found.update(Head(layer, head) for head in range(head_count))
        elif int(named[2]) >= head_count:
            raise WrongUsage(
                f"there is no head {named[2]} in layer {layer}: this model has {head_count} in each layer",
                hint=f"use {option} {layer}.0 to {layer}.{head_count - 1}",
            )
        else:
            found.add(Head(layer, int(named[2])))
    return tuple(sorted(found))


def context_masks(heads: Iterable[Head], head_count: int, hidden_size: int) -> Mapping[int, FloatArray]:
    """Return a mask of the context for each layer that has heads among the given ones.

    Args:
        heads: The heads to switch off.
        head_count: Number of heads of each layer.
        hidden_size: Number of features of the context.

    Returns:
        By layer, (hidden,): 0 at the features of the given heads, 1 at those of the others.
    """
    by_layer: dict[int, list[int]] = {}
    for layer, head in heads:
        by_layer.setdefault(layer, []).append(head)
    return {layer: features_of([of_layer], head_count, hidden_size)[0] for layer, of_layer in by_layer.items()}


def features_of(rows: Sequence[Sequence[int]], head_count: int, hidden_size: int) -> FloatArray:
    """Return a mask of the context for each row of heads: (rows, hidden), 0 at the features of the row's heads."""
    masks = np.ones((len(rows), head_count, hidden_size // head_count), np.float32)
    for row, heads in enumerate(rows):
        masks[row, list(heads)] = 0
    return masks.reshape(len(rows), hidden_size)
