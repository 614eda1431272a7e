"""Results as JSON values: keys, digits, and values that are None."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from typing import Any

import numpy as np
import pytest

from bertcli.output.schema import jsonable


@dataclass(frozen=True, slots=True)
class Part:
    """Result with an attribute whose JSON key has another name, and with a property."""

    nbytes: int
    score: float | None

    @property
    def twice(self) -> int:
        """Twice the number of bytes."""
        return 2 * self.nbytes


@dataclass(frozen=True, slots=True)
class Whole:
    """Result with a required value that may be None, and an optional one."""

    rank: int | None
    parts: Sequence[Part]
    matrix: Any = None


def test_an_optional_field_is_left_out_and_another_none_is_null() -> None:
    assert jsonable(Whole(None, [])) == {"rank": None, "parts": []}
    assert jsonable(Whole(1, (), np.ones((1, 2), np.float32))) == {"rank": 1, "parts": [], "matrix": [[1.0, 1.0]]}


def test_keys_are_in_the_given_order_and_name_attributes_and_properties() -> None:
    found = jsonable(Whole(1, [Part(8, 0.5)]), {Part: ("score", "twice", "bytes")})
    assert list(found["parts"][0].items()) == [("score", 0.5), ("twice", 16), ("bytes", 8)]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.7039705514907837, 0.703970551),
        (nan, None),
        (np.float32(0.1), 0.100000001),
        (np.array([0.1, nan], np.float32), [0.1, None]),
        ({"a": (1, True, "x", None)}, {"a": [1, True, "x", None]}),
    ],
)
def test_values_have_the_digits_of_float32_and_json_types(value: Any, shown: Any) -> None:
    found = jsonable(value)
    assert found == shown
    assert type(found) is type(shown)
