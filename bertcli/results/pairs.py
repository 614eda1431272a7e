"""Result of comparing two texts by their scores: a minimal pair."""

from bertcli.lazy_dataclass import dataclass
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
