"""Every text has the same chance to be in the sample of a run."""

import numpy as np

from bertcli.pipeline.sample import Sample


def sampled(size: int, count: int) -> list[int]:
    sample: Sample[int] = Sample(size)
    for number in range(count):
        sample.add(number)
    return list(sample.items())


def test_a_short_run_is_sampled_whole() -> None:
    assert sorted(sampled(64, 10)) == list(range(10))
    assert sampled(64, 0) == []


def test_a_sample_is_spread_over_a_long_run() -> None:
    found = sampled(64, 100_000)
    assert len(set(found)) == 64
    counts, _ = np.histogram(found, bins=4, range=(0, 100_000))
    assert counts.min() >= 6
    assert found != sorted(found)
    assert found == sampled(64, 100_000)
