"""Selection of layers, heads and statistics, as the options of `bertcli attn` name them."""

from collections.abc import Sequence
from itertools import groupby
from math import fsum
from typing import TypeVar

from bertcli.choices import HeadLabel, Statistic
from bertcli.errors import WrongUsage
from bertcli.lazy_dataclass import dataclass
from bertcli.model.layer_numbers import parse_layers
from bertcli.results.attention import HeadStatistics

Named = TypeVar("Named", Statistic, HeadLabel)


@dataclass(frozen=True, slots=True)
class HeadOrder:
    """Order of heads: by a statistic, the largest first unless smallest_first is set."""

    statistic: Statistic
    smallest_first: bool = False


@dataclass(frozen=True, slots=True)
class Selection:
    """Selection of the heads to return, and their order.

    Attributes:
        label: Return only heads with this label.
        by_layer: Return the mean of each layer's heads instead of the heads.
        top: Return only the first heads, up to this number.
        order: Order of the heads. By default, by layer and head.
    """

    label: HeadLabel | None = None
    by_layer: bool = False
    top: int | None = None
    order: HeadOrder | None = None

    def apply(self, heads: Sequence[HeadStatistics]) -> list[HeadStatistics]:
        """Return the selected heads in their order. The heads are given layer by layer."""
        selected = [head for head in heads if self.label in (None, head.label)]
        if self.by_layer:
            selected = [_mean(list(layer_heads)) for _, layer_heads in groupby(selected, lambda head: head.layer)]
        if self.order is not None:
            name, sign = self.order.statistic, 1 if self.order.smallest_first else -1
            selected.sort(key=lambda head: sign * getattr(head, name))
        return selected[: self.top]


def _mean(heads: Sequence[HeadStatistics]) -> HeadStatistics:
    means = {str(name): fsum(getattr(head, name) for head in heads) / len(heads) for name in Statistic}
    return HeadStatistics(layer=heads[0].layer, head=None, **means, label=None)


def select_layers(value: str | None, count: int, option: str = "--layer") -> list[int]:
    """Return the layers that an option names, each once and in the order given; all layers if value is None.

    Args:
        value: As parse_layers.
        count: Number of attention layers of the model.
        option: Name of the option, for error messages.

    Raises:
        WrongUsage: As parse_layers.
    """
    return list(range(count)) if value is None else list(dict.fromkeys(parse_layers(option, value, count)))


def select_heads(head: int | None, count: int) -> list[int]:
    """Return the head that --head names, or all heads if it is None.

    Args:
        head: Number of a head, from 0.
        count: Number of heads of each layer.

    Raises:
        WrongUsage: The number is out of range.
    """
    if head is None:
        return list(range(count))
    if not 0 <= head < count:
        raise WrongUsage(
            f"there is no head {head}: this model has {count} in each layer", hint=f"use --head 0 to {count - 1}"
        )
    return [head]


def parse_statistic(option: str, name: str) -> Statistic:
    """Return the statistic of a name, either the full name or the heading that tables show (prev, dist).

    Args:
        option: Name of the option, for the error message.
        name: The name that the user gave.

    Raises:
        WrongUsage: There is no such statistic.
    """
    return _parse_name(option, name, "statistic", list(Statistic))


def parse_label(option: str, name: str) -> HeadLabel:
    """Return the label of a name, either the full name or the short one that legends show (prev).

    Args:
        option: Name of the option, for the error message.
        name: The name that the user gave.

    Raises:
        WrongUsage: There is no such label.
    """
    return _parse_name(option, name, "label", list(HeadLabel))


def parse_statistics(option: str, names: str) -> list[Statistic]:
    """Return the statistics of names separated by commas, each once and in the order given.

    Raises:
        WrongUsage: There is no statistic of one of the names.
    """
    return list(dict.fromkeys(parse_statistic(option, name.strip()) for name in names.split(",")))


def parse_order(order: str) -> HeadOrder:
    """Return the order that --by names: a statistic, with a minus sign before it to put the smallest first.

    Raises:
        WrongUsage: There is no such statistic, or several are named.
    """
    statistics = parse_statistics("--by", order.removeprefix("-"))
    if len(statistics) > 1:
        raise WrongUsage(f"--by {order!r} names {len(statistics)} statistics", hint="use one of them")
    return HeadOrder(statistics[0], smallest_first=order.startswith("-"))


def _parse_name(option: str, name: str, noun: str, members: Sequence[Named]) -> Named:
    for member in members:
        if name in (member, member.heading):
            return member
    raise WrongUsage(f"{option} {name!r}: there is no such {noun}", hint=f"use one of {', '.join(members)}")
