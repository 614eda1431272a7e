from math import inf, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from bertcli.output.formatting import number, numbers, shape

FLOAT32 = st.floats(width=32, allow_nan=False, allow_infinity=False)


@given(FLOAT32)
def test_a_number_gives_its_float32_back(value: float) -> None:
    found = number(value)
    assert found is not None
    assert np.float32(found) == np.float32(value)


@given(st_numpy.arrays(np.float32, st_numpy.array_shapes(max_dims=3, max_side=4), elements=FLOAT32))
def test_an_array_comes_back_from_its_numbers(array: np.ndarray) -> None:
    again = np.array(numbers(array), np.float32).reshape(array.shape)
    assert again.tobytes() == array.tobytes()


def test_an_array_has_the_shortest_numbers() -> None:
    assert numbers(np.array([[0.1, 1], [-0.25, 16777216]], np.float32)) == [[0.1, 1.0], [-0.25, 16777216.0]]


@pytest.mark.parametrize("value", [nan, inf, -inf])
def test_what_is_not_finite_is_none(value: float) -> None:
    assert number(value) is None
    assert numbers(np.array([1, value], np.float32)) == [1.0, None]


@pytest.mark.parametrize("sizes", [(), (384,), (1, 8, 384)])
def test_a_shape_is_spelt_as_python_spells_it(sizes: tuple[int, ...]) -> None:
    assert shape(sizes) == str(sizes)
