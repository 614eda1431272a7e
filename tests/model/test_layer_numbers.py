"""The syntax of --layers and --layer."""

import pytest

from bertcli.errors import WrongUsage
from bertcli.model.layer_numbers import parse_layers


@pytest.mark.parametrize(
    ("value", "found"),
    [("all", [0, 1, 2, 3]), ("-1", [3]), ("0,2", [0, 2]), ("3,-4", [3, 0]), (" 1 , 2", [1, 2]), ("2,2", [2, 2])],
)
def test_layers_are_numbers_from_either_end_or_all(value: str, found: list[int]) -> None:
    assert parse_layers("--layers", value, 4, with_embeddings=True) == found
    assert parse_layers("--layer", value, 4) == found


@pytest.mark.parametrize("value", ["", "one", "1,", "1-2", "1.0", "ALL", "1;2"])
def test_layers_that_are_not_numbers_are_wrong_usage(value: str) -> None:
    with pytest.raises(WrongUsage, match="is not a list of numbers") as raised:
        parse_layers("--layers", value, 7)
    assert repr(value) in raised.value.message
    assert raised.value.hint == "use all, -1, or 0,3,6"


@pytest.mark.parametrize(("value", "first"), [("4", 4), ("-5", -5), ("0,99,-99", 99)])
def test_the_first_layer_out_of_range_is_named_with_the_range(value: str, first: int) -> None:
    with pytest.raises(WrongUsage, match=f"there is no hidden state {first}: this model has 4, the emb") as raised:
        parse_layers("--layers", value, 4, with_embeddings=True)
    assert raised.value.hint == "use numbers from 0 to 3, or from -4 to -1"
    with pytest.raises(WrongUsage, match=f"there is no layer {first}: this model has 4$") as raised:
        parse_layers("--layer", value, 4)
    assert raised.value.hint == "use numbers from 0 to 3, or from -4 to -1"
