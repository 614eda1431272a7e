"""Lengths of texts, compared with numpy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertcli.analysis.lengths import LengthCounts
from bertcli.model.token_counts import TokenCount
from bertcli.results.lengths import TextLengths

_LENGTHS = st.lists(st.one_of(st.integers(2, 60), st.integers(2, 3000), st.just(512)), min_size=1, max_size=300)


def summarize(lengths: list[int], limit: int = 512) -> TextLengths:
    counts = LengthCounts()
    for length in lengths:
        counts.add(TokenCount(length, length // 10))
    return counts.summarize(limit)


@given(_LENGTHS)
def test_percentiles_are_numpys_by_nearest_rank(lengths: list[int]) -> None:
    found = summarize(lengths)
    expected = np.percentile(lengths, [0, 50, 90, 99, 100], method="inverted_cdf").tolist()
    assert [found.min, found.median, found.p90, found.p99, found.max] == expected


@given(_LENGTHS)
def test_counts_and_shares(lengths: list[int]) -> None:
    found = summarize(lengths)
    array = np.array(lengths)
    unknown = array // 10
    assert (found.texts, found.tokens) == (array.size, array.sum())
    assert (found.over_limit, found.over_limit_share) == ((array > 512).sum(), pytest.approx((array > 512).mean()))
    assert (found.unknown, found.unknown_texts) == (unknown.sum(), (unknown > 0).sum())
    assert found.unknown_share == pytest.approx(unknown.sum() / array.sum())


@given(_LENGTHS)
def test_every_text_is_in_one_bin_of_the_histogram(lengths: list[int]) -> None:
    found = summarize(lengths)
    array = np.array(lengths)
    *bins, last = found.histogram
    for each in found.histogram:
        assert each.texts == ((array >= each.min) & (array <= each.max)).sum()
    assert sum(each.texts for each in found.histogram) == len(lengths)
    assert len(found.histogram) <= 13
    assert len({each.max - each.min for each in bins}) <= 1
    for one, other in zip(bins, found.histogram[1:], strict=True):
        assert one.max + 1 == other.min
    assert found.histogram[0].min <= min(lengths) <= found.histogram[0].max
    assert last.min <= max(lengths) <= last.max


def test_a_few_long_texts_do_not_stretch_the_histogram() -> None:
    found = summarize([*range(10, 50), *[20] * 500, 9_000])
    bins = [(each.min, each.max, each.texts) for each in found.histogram]
    assert bins == [
        (10, 14, 5), (15, 19, 5), (20, 24, 505), (25, 29, 5), (30, 34, 5), (35, 39, 5), (40, 44, 5), (45, 49, 5),
        (50, 9_000, 1),
    ]  # fmt: skip


def test_no_texts_have_no_percentiles() -> None:
    found = LengthCounts().summarize(64)
    assert (found.texts, found.tokens, found.min, found.p99, found.over_limit_share) == (0, 0, None, None, 0.0)
    assert found.histogram == []
