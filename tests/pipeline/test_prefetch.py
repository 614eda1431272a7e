"""Threads with bounded queues between them: nothing lost, nothing out of order, and all of them end together."""

import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertcli.pipeline.prefetch import Stages


def threads() -> set[threading.Thread]:
    return set(threading.enumerate())


@given(st.lists(st.integers(), max_size=20), st.integers(1, 3), st.integers(1, 3))
def test_items_come_through_every_stage_in_their_order(items: list[int], first: int, second: int) -> None:
    before = threads()
    with Stages() as stages:
        doubled = stages.prefetch((2 * item for item in stages.prefetch(items, first)), second)
        assert list(doubled) == [2 * item for item in items]
    assert threads() == before


def test_a_stage_is_no_further_ahead_than_its_queue_is_deep() -> None:
    made: list[int] = []

    def numbers() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            yield number

    with Stages() as stages:
        ahead = stages.prefetch(numbers(), 3)
        assert next(ahead) == 0
        time.sleep(0.1)
        assert len(made) <= 5  # one taken, three waiting, one in the hand


def test_an_error_is_raised_where_the_item_would_have_been_taken() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise OSError("the disk is gone")

    before = threads()
    with pytest.raises(OSError, match="the disk is gone"), Stages() as stages:
        taken = stages.prefetch(number for number in stages.prefetch(items()))
        assert next(taken) == 1
        next(taken)
    assert threads() == before


def test_leaving_ends_stages_that_would_go_on_forever() -> None:
    def endless() -> Iterator[int]:
        number = 0
        while True:
            yield number
            number += 1

    before = threads()
    with pytest.raises(KeyboardInterrupt), Stages() as stages:
        next(stages.prefetch(number for number in stages.prefetch(endless())))
        raise KeyboardInterrupt
    assert threads() == before


def test_a_stage_that_waits_for_its_input_is_not_waited_for() -> None:
    may_go_on = threading.Event()

    def pipe() -> Iterator[int]:
        may_go_on.wait(60)
        yield 1

    started = time.monotonic()
    with Stages() as stages:
        ahead = stages.prefetch(pipe(), may_block=True)
        assert ahead.is_empty
    assert time.monotonic() - started < 30
    may_go_on.set()
