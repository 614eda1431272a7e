"""Means and shares with intervals, against scipy and the definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bertcli.analysis.statistics import RunningMean, wilson_interval


@given(st.integers(1, 500).flatmap(lambda count: st.tuples(st.integers(0, count), st.just(count))))
def test_the_interval_of_a_share_is_wilsons(trial: tuple[int, int]) -> None:
    expected = stats.binomtest(*trial).proportion_ci(0.95, "wilson")
    found = wilson_interval(*trial)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-9)


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=50))
def test_a_running_mean_is_that_of_all_values(values: list[float]) -> None:
    running = RunningMean()
    for value in values:
        running.add(value)
    margin = 1.959963984540054 * np.std(values, ddof=1) / np.sqrt(len(values))
    interval = running.interval()
    assert interval is not None
    assert running.mean == pytest.approx(np.mean(values), abs=1e-6)
    assert (interval.high - interval.low) / 2 == pytest.approx(margin, abs=1e-6)


def test_one_value_has_no_interval() -> None:
    running = RunningMean()
    running.add(3.0)
    assert (running.mean, running.interval()) == (3.0, None)
