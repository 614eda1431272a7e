"""Random options, texts, checkpoints, folders and signals: bertcli never hangs, breaks a file, or shows a bug.

`python -m tests.fuzz SEED` runs one case again. docs/reliability.md has the figures of a long run.
"""

import random

import pytest

from tests.fuzz.mutate import mutated_json
from tests.fuzz.play import Player

CASES, MANY_CASES = 300, 5000
# Cases of one test. A failure shows all cases of its test that fail.
_PART = 50


def parts(first: int, count: int) -> list[range]:
    """Split a range of seeds."""
    return [range(seed, seed + _PART) for seed in range(first, first + count, _PART)]


def failures(player: Player, seeds: range) -> str:
    """Play cases, and return the reports of those with a problem."""
    return "\n".join(str(report) for report in map(player.play, seeds) if report.problems)


@pytest.mark.parametrize("seeds", parts(0, CASES), ids=lambda seeds: f"{seeds.start}-{seeds.stop - 1}")
def test_a_random_run_keeps_the_promises(player: Player, seeds: range) -> None:
    assert failures(player, seeds) == ""


@pytest.mark.slow
@pytest.mark.parametrize("seeds", parts(CASES, MANY_CASES), ids=lambda seeds: f"{seeds.start}-{seeds.stop - 1}")
def test_thousands_of_random_runs_keep_the_promises(player: Player, seeds: range) -> None:
    assert failures(player, seeds) == ""


def test_a_seed_draws_the_same_case_again(player: Player) -> None:
    assert [player.draw(seed) for seed in range(40)] == [player.draw(seed) for seed in range(40)]


def test_a_mutation_does_not_depend_on_those_before_it() -> None:
    first, second = ([mutated_json(random.Random(seed), b'{"a": [1, {"b": 2}]}') for seed in range(500)] for _ in "ab")
    assert first == second
