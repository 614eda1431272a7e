"""Results of comparing two texts by their scores: each minimal pair, and summaries of many."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bertcli.results.masks import FillMaskRecord, TextScore
from bertcli.results.texts import TextInfo

# Differences up to this size are ties: float32 is no more exact.
TIE = 1e-4


@dataclass(frozen=True, slots=True)
class PairRecord:
    """A minimal pair: a text, and the text that it is compared with.

    Attributes:
        first: The record of the text, with its score.
        versus: The record of the other text, with its score.
    """

    first: FillMaskRecord
    versus: FillMaskRecord

    @property
    def text(self) -> TextInfo:
        """The first text."""
        return self.first.text

    @property
    def scores(self) -> tuple[TextScore, TextScore]:
        """The scores of both texts."""
        assert self.first.score is not None
        assert self.versus.score is not None
        return self.first.score, self.versus.score

    @property
    def difference(self) -> float:
        """The sum of the first text's score minus that of the other."""
        first, versus = self.scores
        return first.sum - versus.sum

    @property
    def is_tie(self) -> bool:
        """True if neither text is more probable."""
        return abs(self.difference) <= TIE

    @property
    def preferred(self) -> bool:
        """True if the first text is more probable."""
        return self.difference > TIE


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval of 95 %."""

    low: float
    high: float


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
class PairGroup:
    """Summary of the pairs of one group. group has a value for each field of --group-by."""

    group: Mapping[str, str]
    counts: PairCounts


@dataclass(frozen=True, slots=True)
class PairSummary:
    """Summary of all minimal pairs of a run.

    Attributes:
        counts: Summary of all pairs together.
        groups: Summary of each group, in the order of the input, or None if there are no groups.
    """

    counts: PairCounts
    groups: Sequence[PairGroup] | None = None

    @property
    def mean_accuracy(self) -> float:
        """Mean over the groups of their accuracies."""
        groups = self.groups or ()
        return sum(group.counts.accuracy for group in groups) / len(groups)

    @property
    def mean_difference(self) -> float:
        """Mean over the groups of their mean differences."""
        groups = self.groups or ()
        return sum(group.counts.mean_difference for group in groups) / len(groups)
