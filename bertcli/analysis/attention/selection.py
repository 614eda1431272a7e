"""Which heads are told of, and in what order."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from math import fsum

from bertcli.analysis.attention.statistics import STATISTICS
from bertcli.errors import WrongUsage
from bertcli.results.attention import HeadStatistics

# As tables head their columns.
_SHORT = {"prev": "previous", "punct": "punctuation", "dist": "distance", "conf": "confidence"}


@dataclass(frozen=True, slots=True)
class Selection:
    """label: of the heads wanted. by_layer: a layer's heads as their mean. top: so many, the largest `by` first.

    by: a statistic, with a minus before it where the smallest are to come first.
    """

    label: str | None = None
    by_layer: bool = False
    top: int | None = None
    by: str | None = None

    def of(self, heads: Sequence[HeadStatistics]) -> list[HeadStatistics]:
        """Those of the heads that are wanted."""
        chosen = [head for head in heads if self.label in (None, head.label)]
        if self.by_layer:
            chosen = [_mean(list(of_layer)) for _, of_layer in groupby(chosen, lambda head: head.layer)]
        if self.by is not None:
            name, sign = self.by.removeprefix("-"), 1 if self.by.startswith("-") else -1
            chosen.sort(key=lambda head: sign * getattr(head, name))
        return chosen[: self.top]


def _mean(heads: Sequence[HeadStatistics]) -> HeadStatistics:
    means = {name: fsum(getattr(head, name) for head in heads) / len(heads) for name in STATISTICS}
    return HeadStatistics(layer=heads[0].layer, head=None, **means, label=None)


def chosen(what: str, asked: int | None, count: int) -> list[int]:
    """The one index asked for, or all. Raises WrongUsage for one out of range."""
    if asked is None:
        return list(range(count))
    if not 0 <= asked < count:
        raise WrongUsage(f"there is no {what} {asked}: this model has {count}", hint=f"use --{what} 0 to {count - 1}")
    return [asked]


def order_named(asked: str) -> str:
    """The statistic of an order, with a minus before it for the smallest first. Raises WrongUsage."""
    sign, name = ("-", asked[1:]) if asked.startswith("-") else ("", asked)
    names = statistics_named("--by", name)
    if len(names) > 1:
        raise WrongUsage(f"--by {asked!r} names {len(names)} statistics", hint="give one of them")
    return sign + names[0]


def statistics_named(option: str, asked: str) -> list[str]:
    """Names of statistics, parted by commas. Raises WrongUsage for one that is none."""
    given = (name.strip() for name in asked.split(","))
    names = list(dict.fromkeys(_SHORT.get(name, name) for name in given))
    if unknown := [name for name in names if name not in STATISTICS]:
        raise WrongUsage(
            f"{option} {unknown[0]!r}: there is no such statistic", hint=f"use one of {', '.join(STATISTICS)}"
        )
    return names
