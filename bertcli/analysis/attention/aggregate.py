"""Running means of head statistics over many texts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bertcli.analysis.attention.statistics import to_head_statistics
from bertcli.choices import Statistic
from bertcli.model.ops.base import FloatArray
from bertcli.results.attention import AttnSummary

# True at the statistics that are averaged over the queries that have a neighbour, one fewer than there are tokens.
_NEEDS_NEIGHBOUR = np.array([name in (Statistic.PREVIOUS, Statistic.NEXT) for name in Statistic])


@dataclass(frozen=True, slots=True)
class TextStatistics:
    """Head statistics of one text.

    Attributes:
        token_count: Number of tokens, special tokens included.
        values: (layers, heads, 9), the last axis in the order of Statistic.
        distance: Distances between heads, (layers * heads, layers * heads), or None if not requested.
    """

    token_count: int
    values: FloatArray
    distance: FloatArray | None = None


class Aggregate:
    """Means over texts, weighted by the queries of each text.

    For the previous and next token, these are the queries that have such a neighbour. Sums are in float64.
    """

    def __init__(self) -> None:
        self._text_count = self._token_count = 0
        self._values: Any = 0.0
        self._distance: Any = None

    def add(self, text: TextStatistics) -> None:
        """Add one text."""
        queries = np.where(_NEEDS_NEIGHBOUR, text.token_count - 1, text.token_count)
        self._text_count += 1
        self._token_count += text.token_count
        self._values = self._values + text.values.astype(np.float64) * queries
        if text.distance is not None:
            weighted = text.distance.astype(np.float64) * text.token_count
            self._distance = weighted if self._distance is None else self._distance + weighted

    def summary(self, layers: Sequence[int], heads: Sequence[int]) -> AttnSummary | None:
        """Return the means over all texts so far, or None if there was no text.

        Args:
            layers: Layer numbers of the first axis of the values.
            heads: Head numbers of the second axis.
        """
        if not self._text_count:
            return None
        queries = np.where(_NEEDS_NEIGHBOUR, self._token_count - self._text_count, self._token_count)
        means = self._values / queries
        return AttnSummary(
            self._text_count,
            self._token_count,
            [
                to_head_statistics(layer, head, means[i, j])
                for i, layer in enumerate(layers)
                for j, head in enumerate(heads)
            ],
            None if self._distance is None else self._distance / self._token_count,
        )
