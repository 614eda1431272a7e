"""Windows cover a document, never split a word, and own each token once, in the window in which it has most context."""

from array import array
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertcli.model.documents import Document, Frame
from bertcli.model.windows import CentredWindows, OverlappingWindows, centred_range, overlapping_ranges, word_breaks
from tests.tiny import record

MASK_ID = 4


def document(
    words: Sequence[int], size: int, overlap: int, *, before: int = 1, after: int = 1, masks: Sequence[int] = ()
) -> Document:
    """Return a document whose words have the given numbers of tokens."""
    numbers = array("i", [number for number, length in enumerate(words) for _ in range(length)])
    ids = array("i", [MASK_ID if at in masks else 100 for at in range(len(numbers))])
    frames = [Frame((2,) * count, (0,) * count, (None,) * count) for count in (before, after)]
    empty = array("i")
    return Document(record(""), *frames, ids, numbers, empty, empty, 0, size, overlap)


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """Draw a document. Some words are longer than a window."""
    size = draw(st.integers(1, 12))
    words = draw(st.lists(st.integers(1, draw(st.sampled_from([1, 3, 15]))), min_size=1, max_size=30))
    return document(
        words,
        size,
        draw(st.integers(0, size - 1)),
        before=draw(st.integers(0, 3)),
        after=draw(st.integers(0, 2)),
        masks=draw(st.sets(st.integers(0, sum(words) - 1), max_size=6)),
    )


def context(window: tuple[int, int], token: int) -> int:
    """Return the smaller of the numbers of tokens on both sides of a token in a window, -1 if it is not in it."""
    return min(token - window[0], window[1] - 1 - token)


@given(documents())
def test_windows_cover_the_document_and_overlap_as_far_as_words_allow(of: Document) -> None:
    breaks = word_breaks(of, of.window_size)
    ranges = list(overlapping_ranges(breaks, of.window_size, of.overlap))
    assert (ranges[0][0], ranges[-1][1]) == (0, len(of.ids))
    for start, end in ranges:
        assert 0 < end - start <= of.window_size
        assert start in breaks and end in breaks
    for (start, end), (next_start, next_end) in pairwise(ranges):
        assert start < next_start <= end < next_end
        assert end - next_start <= of.overlap
        # Another word would not fit, and no earlier word could begin the next window.
        following = min(at for at in breaks if at > end)
        assert following > start + of.window_size
        earlier = max(at for at in breaks if at < next_start)
        assert end - earlier > of.overlap or following - earlier > of.window_size


@given(documents())
def test_a_word_is_split_only_if_it_is_longer_than_a_window(of: Document) -> None:
    breaks = set(word_breaks(of, of.window_size))
    for at in range(1, len(of.ids)):
        length = list(of.words).count(of.words[at])
        assert (at in breaks) == (of.words[at] != of.words[at - 1] or length > of.window_size)


@given(documents())
def test_each_token_is_owned_by_the_window_with_most_context_and_the_earlier_on_a_tie(of: Document) -> None:
    windows = list(OverlappingWindows().divide(of))
    assert [window.number for window in windows] == list(range(len(windows)))
    assert [window.is_last for window in windows] == [False] * (len(windows) - 1) + [True]
    owners = {window.in_document(position): window.number for window in windows for position in window.owned}
    assert sum(len(window.owned) for window in windows) == len(owners) == len(of)
    before = len(of.before)
    for token in range(len(of.ids)):
        contexts = [context((window.start, window.end), token) for window in windows]
        assert owners[before + token] == contexts.index(max(contexts))
    assert all(owners[at] == 0 for at in range(before))
    assert all(owners[len(of) - 1 - at] == windows[-1].number for at in range(len(of.after)))


@given(documents())
def test_windows_that_are_not_joined_own_all_of_their_tokens(of: Document) -> None:
    for window in OverlappingWindows(is_joined=False).divide(of):
        assert window.owned == range(len(window))


@given(documents())
def test_each_mask_is_owned_by_a_window_that_is_centred_on_it(of: Document) -> None:
    windows = list(CentredWindows(MASK_ID).divide(of))
    owned = [window.in_document(at) - len(of.before) for window in windows for at in window.owned]
    masks = [at for at, id_ in enumerate(of.ids) if id_ == MASK_ID]
    assert [at for at in owned if of.ids[at] == MASK_ID] == masks
    assert [window.is_last for window in windows] == [False] * (len(windows) - 1) + [True] * bool(windows)
    breaks = word_breaks(of, of.window_size)
    for window in windows:
        for at in window.owned:
            mask = window.in_document(at) - len(of.before)
            if of.ids[mask] == MASK_ID:
                assert (window.start, window.end) == centred_range(breaks, of.window_size, mask)
                assert window.start <= mask < window.end <= window.start + of.window_size


@pytest.mark.parametrize(
    ("position", "window"), [(0, (0, 4)), (2, (0, 4)), (3, (1, 5)), (5, (3, 7)), (8, (6, 10)), (9, (6, 10))]
)
def test_a_centred_window_has_as_many_tokens_on_both_sides_as_there_are(position: int, window: tuple[int, int]) -> None:
    assert centred_range(range(11), 4, position) == window


def test_a_window_leaves_room_for_the_pieces_of_a_target() -> None:
    [window] = CentredWindows(MASK_ID, reserved=2).divide(document([1] * 20, 7, 0, masks=[10]))
    assert (window.start, window.end) == (8, 13)


def test_a_mask_before_the_divided_tokens_is_answered_in_the_first_window() -> None:
    pair = replace(document([1] * 20, 5, 0), before=Frame((2, MASK_ID, 3), (0, 0, 0), (None,) * 3))
    [window] = CentredWindows(MASK_ID).divide(pair)
    assert (window.start, window.end, window.owned) == (0, 5, range(1, 2))
