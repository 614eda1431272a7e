from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertcli.render.tables.fill_mask import common_ends, find_filled, probability
from bertcli.results.masks import Prediction


def _prediction(word: str, sequence: str) -> Prediction:
    return Prediction(1, 0.5, 1.0, 7, word, sequence)


def _places(template: str, *words: str) -> Sequence[int | None]:
    """Where each word is found to begin, when it stands in for {}."""
    sequences = [template.format(word) for word in words]
    ends = common_ends(sequences)
    return [find_filled(_prediction(word, sequence), ends) for word, sequence in zip(words, sequences, strict=True)]


@pytest.mark.parametrize(
    ("template", "words", "places"),
    [
        ("how {} you", ("are", "about"), [4, 4]),
        ("the {} and the {{}}", ("the", "cat"), [4, 4]),
        ("{} a", ("a", "b"), [0, 0]),
        ("is this {} this", ("this", "that"), [8, 8]),
        ("only {}", ("one",), [5]),
        ("one {}", ("one",), [None]),
        ("x{}x", ("x", "xx"), [None, None]),
    ],
)
def test_the_filled_word_is_found_where_it_is_certain(
    template: str, words: Sequence[str], places: Sequence[int | None]
) -> None:
    assert _places(template, *words) == places


def test_a_space_before_a_word_need_not_be_common_to_all() -> None:
    sequences = {".": "they are.", "there": "they are there"}
    ends = common_ends(list(sequences.values()))
    found = [find_filled(_prediction(word, sequence), ends) for word, sequence in sequences.items()]
    assert found == [8, 9]


def test_a_piece_that_is_not_spelt_in_the_text_is_not_found() -> None:
    ends = common_ends(["walking", "walks"])
    assert find_filled(_prediction("##ing", "walking"), ends) is None


WORDS = st.lists(st.text("ab ", min_size=1, max_size=3), min_size=2, max_size=4)


@given(st.text("ab ", max_size=6), st.text("ab ", max_size=6), WORDS)
def test_what_is_found_is_never_another_place(before: str, after: str, words: list[str]) -> None:
    places = _places(f"{before}{{}}{after}", *words)
    assert all(place in (None, len(before)) for place in places)


@pytest.mark.parametrize(
    ("score", "shown"),
    [
        (1.0, "1.0000 ████████"),
        (0.704, "0.7040 █████▋"),
        (0.02, "0.0200 ▏"),
        (0.0061, "0.0061 "),
        (0.00005, "0.0001 "),
        (0.000049, "4.9e-5 "),
        (1e-12, "1.0e-12 "),
        (0.0, "0.0000 "),
        (float("nan"), "nan "),
    ],
)
def test_a_probability_has_digits_where_it_has_any(score: float, shown: str) -> None:
    assert probability(score).plain == shown
