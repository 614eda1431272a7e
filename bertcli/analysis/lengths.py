"""Lengths of texts: percentiles and a histogram, from the number of texts of each length."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from bertcli.model.token_counts import TokenCount
from bertcli.results.lengths import LengthBin, TextLengths

# Bins of a histogram up to the 99th percentile, at most. Another one may follow with the longest texts.
_MOST_BINS = 12
_STEPS = (1, 2, 5)


@dataclass(slots=True)
class LengthCounts:
    """Counts of the texts so far. Memory grows with the number of different lengths, not with that of texts.

    Attributes:
        texts: Number of texts by their number of tokens.
        unknown: Number of tokens that are [UNK].
        unknown_texts: Number of texts with such a token.
    """

    texts: Counter[int] = field(default_factory=Counter)
    unknown: int = 0
    unknown_texts: int = 0

    def add(self, count: TokenCount) -> None:
        """Count a text."""
        tokens, unknown = count
        self.texts[tokens] += 1
        if unknown:
            self.unknown += unknown
            self.unknown_texts += 1

    def summarize(self, limit: int) -> TextLengths:
        """Return the lengths of all texts.

        Args:
            limit: Largest number of tokens that the model reads at once.
        """
        lengths = sorted(self.texts)
        totals = list(accumulate(self.texts[length] for length in lengths))
        texts = totals[-1] if totals else 0
        tokens = sum(length * count for length, count in self.texts.items())
        over = sum(count for length, count in self.texts.items() if length > limit)
        median, p90, p99 = (_percentile(lengths, totals, percent) for percent in (50, 90, 99))
        return TextLengths(
            texts=texts,
            tokens=tokens,
            min=lengths[0] if lengths else None,
            median=median,
            p90=p90,
            p99=p99,
            max=lengths[-1] if lengths else None,
            limit=limit,
            over_limit=over,
            over_limit_share=over / texts if texts else 0.0,
            unknown=self.unknown,
            unknown_share=self.unknown / tokens if tokens else 0.0,
            unknown_texts=self.unknown_texts,
            histogram=[] if p99 is None else list(self._bins(lengths, p99)),
        )

    def _bins(self, lengths: Sequence[int], p99: int) -> Iterator[LengthBin]:
        """Yield the bins of a histogram: of one width up to the 99th percentile, then one for all longer texts."""
        width = _bin_width(lengths[0], p99)
        by_bin: Counter[int] = Counter()
        last = p99 // width
        for length in lengths:
            by_bin[min(length // width, last + 1)] += self.texts[length]
        for number in range(lengths[0] // width, last + 1):
            yield LengthBin(number * width, (number + 1) * width - 1, by_bin[number])
        if by_bin[last + 1]:
            yield LengthBin((last + 1) * width, lengths[-1], by_bin[last + 1])


def _percentile(lengths: Sequence[int], totals: Sequence[int], percent: int) -> int | None:
    """Return the smallest length that at least that percentage of the texts do not exceed (nearest rank).

    Args:
        lengths: The lengths that occur, in order.
        totals: For each of them the number of texts that are not longer.
        percent: From 1 to 100.
    """
    found = zip(lengths, totals, strict=True)
    return next((length for length, total in found if 100 * total >= percent * totals[-1]), None)


def _bin_width(shortest: int, longest: int) -> int:
    """Return the smallest of 1, 2, 5, 10, 20, 50 ... with which the bins from one length to another are few enough."""
    scale = 1
    while True:
        for step in _STEPS:
            width = scale * step
            if longest // width - shortest // width < _MOST_BINS:
                return width
        scale *= 10
