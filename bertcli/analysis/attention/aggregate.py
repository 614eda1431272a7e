"""The statistics of heads over many texts, as they come."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bertcli.analysis.attention.statistics import STATISTICS, named
from bertcli.model.ops.base import FloatArray
from bertcli.results.attention import AttnSummary

_OF_NEIGHBOURS = np.array([name in ("previous", "next") for name in STATISTICS])


@dataclass(frozen=True, slots=True)
class TextStatistics:
    """One text's. numbers: (layers, heads, 9). distance: (layers * heads, layers * heads) where it was asked for."""

    token_count: int
    numbers: FloatArray
    distance: FloatArray | None = None


class Aggregate:
    """Means over texts, each weighted by its queries: for previous and next by those that have such a neighbour."""

    def __init__(self) -> None:
        self._text_count = self._token_count = 0
        self._numbers: Any = 0.0
        self._distance: Any = None

    def add(self, text: TextStatistics) -> None:
        """One more text."""
        queries = np.where(_OF_NEIGHBOURS, text.token_count - 1, text.token_count)
        self._text_count += 1
        self._token_count += text.token_count
        self._numbers = self._numbers + text.numbers.astype(np.float64) * queries
        if text.distance is not None:
            weighted = text.distance.astype(np.float64) * text.token_count
            self._distance = weighted if self._distance is None else self._distance + weighted

    def summary(self, layers: Sequence[int], heads: Sequence[int]) -> AttnSummary | None:
        """What all texts together say; None of no text."""
        if not self._text_count:
            return None
        queries = np.where(_OF_NEIGHBOURS, self._token_count - self._text_count, self._token_count)
        means = self._numbers / queries
        return AttnSummary(
            self._text_count,
            self._token_count,
            [named(layer, head, means[i, j]) for i, layer in enumerate(layers) for j, head in enumerate(heads)],
            None if self._distance is None else self._distance / self._token_count,
        )
