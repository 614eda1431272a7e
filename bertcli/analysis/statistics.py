"""Means and shares with confidence intervals of 95 %, in constant memory."""

from math import sqrt

from bertcli.results.pairs import Interval

# The quantile of the normal distribution that leaves 2.5 % above it.
_QUANTILE = 1.959963984540054


class RunningMean:
    """Mean of values that come one by one (Welford 1962).

    Attributes:
        count: Number of values.
        mean: Their mean, 0 if there are none.
    """

    def __init__(self) -> None:
        self.count, self.mean = 0, 0.0
        self._squares = 0.0

    def add(self, value: float) -> None:
        """Add a value."""
        self.count += 1
        distance = value - self.mean
        self.mean += distance / self.count
        self._squares += distance * (value - self.mean)

    def interval(self) -> Interval | None:
        """Return the interval of the mean by the normal approximation, or None for fewer than two values."""
        if self.count < 2:
            return None
        width = _QUANTILE * sqrt(self._squares / (self.count - 1) / self.count)
        return Interval(self.mean - width, self.mean + width)


def wilson_interval(successes: int, count: int) -> Interval:
    """Return the interval of a share (Wilson 1927).

    Args:
        successes: Number of successes.
        count: Number of trials, at least one.

    >>> interval = wilson_interval(95, 100)
    >>> round(interval.low, 4), round(interval.high, 4)
    (0.8882, 0.9785)
    """
    share, square = successes / count, _QUANTILE**2
    middle = share + square / (2 * count)
    width = _QUANTILE * sqrt(share * (1 - share) / count + square / (4 * count**2))
    scale = 1 + square / count
    return Interval(max((middle - width) / scale, 0.0), min((middle + width) / scale, 1.0))
