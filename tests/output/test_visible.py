from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertcli.output.formatting import visible


@pytest.mark.parametrize(
    "text", ["", "how [MASK] you", "[mask] [/b] :smile:", "世界", "مرحبا", "e\u0301", "👍🏽", "a\u3000b", "back\\slash"]
)
def test_what_can_be_seen_stays_as_it_is(text: str) -> None:
    assert visible(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31m", r"\x1b[31m"),
        ("\x9b31m", r"\x9b31m"),
        ("a\tb\r\nc", r"a\tb\r\nc"),
        ("\x07\x7f", r"\x07\x7f"),
        ("\u202eevil", r"\u202eevil"),
        ("👩\u200d👧", "👩\\u200d👧"),
        ("zero\u200bwidth\ufeff", r"zero\u200bwidth\ufeff"),
        ("soft\u00adhyphen", r"soft\xadhyphen"),
        ("\u2028\u2029", r"\u2028\u2029"),
        ("\U000e0041", r"\U000e0041"),
        ("\ud800", r"\ud800"),
    ],
)
def test_what_drives_the_terminal_or_cannot_be_seen_is_escaped(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(st.text(st.characters()))
def test_nothing_unseen_is_left_and_the_rest_is_untouched(text: str) -> None:
    shown = visible(text)
    assert not {"Cc", "Cf", "Cs", "Zl", "Zp"} & set(map(category, shown))
    rest = iter(shown)
    assert all(character in rest for character in text if category(character)[0] not in "CZ")


@given(st.text(st.characters()))
def test_showing_twice_is_showing_once(text: str) -> None:
    assert visible(visible(text)) == visible(text)
