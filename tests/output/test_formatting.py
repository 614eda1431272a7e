"""Numbers keep the digits of a float32, and text has no invisible characters."""

import json
from math import inf, nan
from unicodedata import category

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from bertcli.output.formatting import number, numbers, shape, visible, visible_lines

FLOAT32 = st.floats(width=32, allow_nan=False, allow_infinity=False)


@given(FLOAT32)
def test_a_number_round_trips_to_its_float32(value: float) -> None:
    found = number(value)
    assert found is not None
    assert np.float32(found) == np.float32(value)


@given(st_numpy.arrays(np.float32, st_numpy.array_shapes(max_dims=3, max_side=4), elements=FLOAT32))
def test_an_array_round_trips(array: np.ndarray) -> None:
    again = np.array(numbers(array), np.float32).reshape(array.shape)
    assert again.tobytes() == array.tobytes()


def test_arrays_have_the_shortest_numbers() -> None:
    assert numbers(np.array([[0.1, 1], [-0.25, 16777216]], np.float32)) == [[0.1, 1.0], [-0.25, 16777216.0]]


@pytest.mark.parametrize("value", [nan, inf, -inf])
def test_nan_and_infinity_are_none(value: float) -> None:
    assert number(value) is None
    assert numbers(np.array([1, value], np.float32)) == [1.0, None]


@pytest.mark.parametrize("sizes", [(), (384,), (1, 8, 384)])
def test_a_shape_is_written_like_a_python_tuple(sizes: tuple[int, ...]) -> None:
    assert shape(sizes) == str(sizes)


@pytest.mark.parametrize(
    "text", ["", "how [MASK] you", "[mask] [/b] :smile:", "世界", "مرحبا", "e\u0301", "👍🏽", "a\u3000b", "back\\slash"]
)
def test_visible_text_is_unchanged(text: str) -> None:
    assert visible(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31m", r"\x1b[31m"),
        ("\x9b31m", r"\x9b31m"),
        ("a\tb\r\nc", r"a\tb\r\nc"),
        ("\x07\x7f", r"\x07\x7f"),
        ("\u202eevil", r"\u202eevil"),
        ("zero\u200bwidth\ufeff", r"zero\u200bwidth\ufeff"),
        ("soft\u00adhyphen", r"soft\xadhyphen"),
        ("\u2028\u2029", r"\u2028\u2029"),
        ("\U000e0041", r"\U000e0041"),
        ("\ud800", r"\ud800"),
    ],
)
def test_control_and_invisible_characters_are_escaped(text: str, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.parametrize(
    "text", ["👨\u200d👩\u200d👧", "❤️\u200d🔥", "👩🏽\u200d🚀", "🙂\u200d↔️", "می\u200cخواهم", "क्\u200dष"]
)
def test_joiners_inside_emoji_and_joined_scripts_stay(text: str) -> None:
    assert visible(text) == text
    assert visible_lines(json.dumps([text], ensure_ascii=False)) == json.dumps([text], ensure_ascii=False)


@pytest.mark.parametrize(
    "text", ["a\u200db", "\u200d👧", "👧\u200d", "👨\u200c👩", "中\u200c国", "👧\u200da", "م\u200ca"]
)
def test_other_joiners_are_escaped(text: str) -> None:
    joiner = text.strip("ab中国👧👨👩م")
    assert visible(text) == text.replace(joiner, f"\\u{ord(joiner):04x}")


@given(st.text(st.characters()))
def test_only_invisible_characters_are_changed(text: str) -> None:
    shown = visible(text)
    assert not {"Cc", "Cf", "Cs", "Zl", "Zp"} & set(map(category, shown))
    rest = iter(shown)
    assert all(character in rest for character in text if category(character)[0] not in "CZ")


@given(st.text(st.characters()))
def test_escaping_twice_is_escaping_once(text: str) -> None:
    assert visible(visible(text)) == visible(text)


@given(st.lists(st.text(st.characters())))
def test_visible_lines_of_json_have_the_same_content(texts: list[str]) -> None:
    shown = visible_lines(json.dumps(texts, ensure_ascii=False))
    assert not {"Cc", "Cf", "Cs", "Zl", "Zp"} & set(map(category, shown))
    assert json.loads(shown) == texts


def test_visible_lines_keep_line_ends_and_tabs() -> None:
    assert visible_lines("a\tb\x1b[0m\nc\r\n\u202e世界\n") == "a\tb\\u001b[0m\nc\\r\n\\u202e世界\n"
