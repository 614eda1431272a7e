"""Selection of layers, heads and statistics by the names that options take."""

import pytest

from bertcli.analysis.attention.selection import (
    HeadOrder,
    Selection,
    parse_label,
    parse_order,
    parse_statistic,
    parse_statistics,
    select_heads,
    select_layers,
)
from bertcli.choices import HeadLabel, Statistic
from bertcli.errors import WrongUsage
from bertcli.results.attention import HeadStatistics


def head(layer: int, number: int, **values: float) -> HeadStatistics:
    label = HeadLabel.PREVIOUS if values.get("previous", 0) > 0.5 else None
    return HeadStatistics(layer, number, **{**dict.fromkeys(map(str, Statistic), 0.0), **values}, label=label)


HEADS_GIVEN = [head(0, 0, entropy=1.0), head(0, 1, entropy=3.0, previous=0.9), head(1, 0, entropy=2.0, previous=0.7)]


@pytest.mark.parametrize(
    ("selection", "wanted"),
    [
        (Selection(), [(0, 0), (0, 1), (1, 0)]),
        (Selection(label=HeadLabel.PREVIOUS), [(0, 1), (1, 0)]),
        (Selection(order=HeadOrder(Statistic.ENTROPY)), [(0, 1), (1, 0), (0, 0)]),
        (Selection(order=HeadOrder(Statistic.ENTROPY, smallest_first=True), top=2), [(0, 0), (1, 0)]),
        (Selection(order=HeadOrder(Statistic.PREVIOUS), top=1, label=HeadLabel.PREVIOUS), [(0, 1)]),
        (Selection(label=HeadLabel.BROAD), []),
        (Selection(by_layer=True), [(0, None), (1, None)]),
    ],
    ids=str,
)
def test_heads_are_selected_by_label_and_order(selection: Selection, wanted: list[tuple[int, int | None]]) -> None:
    assert [(found.layer, found.head) for found in selection.apply(HEADS_GIVEN)] == wanted


def test_a_layer_is_the_mean_of_its_heads() -> None:
    first, _ = Selection(by_layer=True).apply(HEADS_GIVEN)
    assert (first.entropy, first.previous, first.label) == (2.0, 0.45, None)


@pytest.mark.parametrize(
    ("name", "statistic"),
    [
        *((str(statistic), statistic) for statistic in Statistic),
        ("prev", Statistic.PREVIOUS),
        ("punct", Statistic.PUNCTUATION),
        ("dist", Statistic.DISTANCE),
        ("conf", Statistic.CONFIDENCE),
    ],
)
def test_a_statistic_has_its_full_name_and_the_heading_of_its_column(name: str, statistic: Statistic) -> None:
    assert parse_statistic("--grid", name) is statistic
    assert name in (statistic, statistic.heading)


@pytest.mark.parametrize(("name", "label"), [*((str(label), label) for label in HeadLabel), ("prev", "previous")])
def test_a_label_has_its_full_name_and_the_one_of_legends(name: str, label: str) -> None:
    assert parse_label("--label", name) is HeadLabel(label)


@pytest.mark.parametrize("name", ["", "Entropy", "entrpy", "ent", "prev,next", "broad"])
def test_an_unknown_statistic_is_wrong_usage_that_lists_all(name: str) -> None:
    with pytest.raises(WrongUsage) as raised:
        parse_statistic("--grid", name)
    assert raised.value.message == f"--grid {name!r}: there is no such statistic"
    assert raised.value.hint == (
        "use one of entropy, self, previous, next, cls, sep, punctuation, distance, confidence"
    )


@pytest.mark.parametrize("name", ["", "Broad", "cls", "dist"])
def test_an_unknown_label_is_wrong_usage_that_lists_all(name: str) -> None:
    with pytest.raises(WrongUsage) as raised:
        parse_label("--label", name)
    assert raised.value.message == f"--label {name!r}: there is no such label"
    assert raised.value.hint == "use one of previous, next, self, delimiter, broad"


def test_statistics_are_separated_by_commas_and_returned_once() -> None:
    assert parse_statistics("--stat", "cls, entropy,cls") == [Statistic.CLS, Statistic.ENTROPY]
    assert parse_statistics("--stat", "dist,distance,conf") == [Statistic.DISTANCE, Statistic.CONFIDENCE]
    with pytest.raises(WrongUsage, match="--by 'entrpy': there is no such statistic"):
        parse_statistics("--by", "entrpy")


def test_an_order_is_a_statistic_with_a_minus_for_the_smallest_first() -> None:
    assert parse_order("dist") == HeadOrder(Statistic.DISTANCE)
    assert parse_order("-entropy") == HeadOrder(Statistic.ENTROPY, smallest_first=True)
    with pytest.raises(WrongUsage, match="--by 'cls,sep' names 2 statistics"):
        parse_order("cls,sep")
    with pytest.raises(WrongUsage, match="--by 'mood': there is no such statistic"):
        parse_order("-mood")


def test_layers_are_selected_by_number_from_either_end_each_once() -> None:
    assert select_layers(None, 3) == [0, 1, 2]
    assert select_layers("all", 3) == [0, 1, 2]
    assert select_layers("-1", 3) == [2]
    assert select_layers("2,0,-1", 3) == [2, 0]
    with pytest.raises(WrongUsage, match=r"there is no layer 3: this model has 3$"):
        select_layers("1,3", 3)
    with pytest.raises(WrongUsage, match="--layer 'one' is not a list of numbers"):
        select_layers("one", 3)


def test_a_head_is_selected_by_number_from_0_and_all_by_default() -> None:
    assert select_heads(None, 3) == [0, 1, 2]
    assert select_heads(2, 3) == [2]
    for number in (-1, 3, 10**9):
        with pytest.raises(WrongUsage, match=f"there is no head {number}: this model has 3") as raised:
            select_heads(number, 3)
        assert raised.value.hint == "use --head 0 to 2"
