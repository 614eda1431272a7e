"""Prefetching threads with bounded queues: they keep all items in order, and all threads end."""

import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertcli.pipeline.prefetch import Stages


def threads() -> set[threading.Thread]:
    return set(threading.enumerate())


def assert_ended(before: set[threading.Thread]) -> None:
    """Check that only the threads of before are left, soon after the exit, which does not wait for all of them."""
    for thread in threads() - before:
        thread.join(30)
    assert threads() == before


@given(st.lists(st.integers(), max_size=20), st.integers(1, 3), st.integers(1, 3))
def test_items_pass_every_stage_in_order(items: list[int], first: int, second: int) -> None:
    before = threads()
    with Stages() as stages:
        doubled = stages.prefetch((2 * item for item in stages.prefetch(items, first)), second)
        assert list(doubled) == [2 * item for item in items]
    assert_ended(before)


def test_a_stage_is_ahead_by_the_size_of_its_queue_at_most() -> None:
    made: list[int] = []

    def numbers() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            yield number

    with Stages() as stages:
        ahead = stages.prefetch(numbers(), 3)
        assert next(ahead) == 0
        time.sleep(0.1)
        assert len(made) <= 5  # one taken, three in the queue, one waiting for a free place


def test_an_error_is_raised_instead_of_the_failed_item() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise OSError("the disk is gone")

    before = threads()
    with pytest.raises(OSError, match="the disk is gone"), Stages() as stages:
        taken = stages.prefetch(number for number in stages.prefetch(items()))
        assert next(taken) == 1
        next(taken)
    assert_ended(before)


def test_endless_stages_end_when_the_context_exits() -> None:
    def endless() -> Iterator[int]:
        number = 0
        while True:
            yield number
            number += 1

    before = threads()
    with pytest.raises(KeyboardInterrupt), Stages() as stages:
        next(stages.prefetch(number for number in stages.prefetch(endless())))
        raise KeyboardInterrupt
    assert_ended(before)


def test_the_exit_does_not_wait_for_a_stage_that_may_block() -> None:
    may_continue = threading.Event()

    def pipe() -> Iterator[int]:
        may_continue.wait(60)
        yield 1

    started = time.monotonic()
    with Stages() as stages:
        ahead = stages.prefetch(pipe())
        assert ahead.is_empty
    assert time.monotonic() - started < 30
    may_continue.set()
