"""Summaries of many texts: counts of all of them and of each group, with confidence intervals."""

from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar

from bertcli.lazy_dataclass import dataclass

Counts = TypeVar("Counts")
# Numbers that have a mean over the groups.
AVERAGED = frozenset(
    (
        "accuracy", "mean_difference", "precision_at_1", "precision_at_5", "precision_at_10", "mean_reciprocal_rank",
        "mean_rank",
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval of 95 %."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class GroupSummary(Generic[Counts]):
    """Summary of the texts of one group. group has a value for each field of --group-by."""

    group: Mapping[str, str]
    counts: Counts


@dataclass(frozen=True, slots=True)
class Summary(Generic[Counts]):
    """Summary of all texts of a run.

    Attributes:
        counts: Summary of all texts together.
        groups: Summary of each group, in the order of the input, or None if there are no groups.
    """

    counts: Counts
    groups: Sequence[GroupSummary[Counts]] | None = None

    def mean(self, name: str) -> float | None:
        """Return the mean over the groups of a number of their counts, without groups that do not have it."""
        known = self._known(name)
        return sum(known) / len(known) if known else None

    def averaged_groups(self, name: str) -> int:
        """Return the number of groups that have a number, and that its mean is over."""
        return len(self._known(name))

    def _known(self, name: str) -> Sequence[float]:
        values = [getattr(group.counts, name) for group in self.groups or ()]
        return [value for value in values if value is not None]


@dataclass(frozen=True, slots=True)
class PairCounts:
    """Summary of several minimal pairs.

    Attributes:
        count: Number of pairs.
        accuracy: Share of pairs whose first text is more probable. A tie is not.
        accuracy_interval: Its Wilson interval.
        ties: Number of pairs in which neither text is more probable.
        mean_difference: Mean of the differences.
        mean_difference_interval: Its interval by the normal approximation, or None for a single pair.
    """

    count: int
    accuracy: float
    accuracy_interval: Interval
    ties: int
    mean_difference: float
    mean_difference_interval: Interval | None


@dataclass(frozen=True, slots=True)
class ProbeCounts:
    """Summary of the ranks of several expected words.

    Attributes:
        count: Number of words that have a rank.
        unranked: Number of words of several pieces, which have none. The other numbers leave them out.
        precision_at_1, precision_at_5, precision_at_10: Share of words with such a rank or a better one. These and the
            numbers below are None if no word has a rank.
        precision_at_1_interval: Its Wilson interval.
        mean_reciprocal_rank: Mean of 1 / rank.
        mean_reciprocal_rank_interval: Its interval by the normal approximation, or None for fewer than two words.
        mean_rank: Mean of the ranks.
    """

    count: int
    unranked: int
    precision_at_1: float | None
    precision_at_1_interval: Interval | None
    precision_at_5: float | None
    precision_at_10: float | None
    mean_reciprocal_rank: float | None
    mean_reciprocal_rank_interval: Interval | None
    mean_rank: float | None
