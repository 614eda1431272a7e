"""Results of shapes --lengths."""

from collections.abc import Sequence

from bertcli.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class LengthBin:
    """A bar of a histogram: the number of texts whose length is between min and max, both included."""

    min: int
    max: int
    texts: int


@dataclass(frozen=True, slots=True)
class TextLengths:
    """Lengths of texts in tokens, special tokens included and nothing cut.

    Attributes:
        texts: Number of texts, without those that failed.
        tokens: Their tokens in all.
        min: Tokens of the shortest text, None if there are no texts.
        median: The smallest length that at least half of the texts do not exceed; so p90 and p99 for 90 and 99 %.
        p90: The 90th percentile.
        p99: The 99th percentile.
        max: Tokens of the longest text.
        limit: Largest number of tokens that the model reads at once.
        over_limit: Number of texts that are longer.
        over_limit_share: Their share of all texts, from 0 to 1.
        unknown: Number of tokens that are [UNK].
        unknown_share: Their share of all tokens, from 0 to 1.
        unknown_texts: Number of texts with such a token.
        histogram: Number of texts by length, in bins of the same width. The last bin has all lengths above the 99th
            percentile's bin.
    """

    texts: int
    tokens: int
    min: int | None
    median: int | None
    p90: int | None
    p99: int | None
    max: int | None
    limit: int
    over_limit: int
    over_limit_share: float
    unknown: int
    unknown_share: float
    unknown_texts: int
    histogram: Sequence[LengthBin]
