"""Tests of the search for heads and tokens."""

from typing import Any

import pytest

from tests.output.page.chromium import Tab


def search(tab: Tab, asked: str) -> Tab:
    tab.page.keyboard.press("/")
    tab.page.keyboard.type(asked)
    return tab.settled()


def results(tab: Tab) -> list[str]:
    return tab.texts(".result > :first-child")


@pytest.mark.parametrize(
    "asked", ["L1H2", "l1 h2", "1-2", "1.2", "1 2", "layer 1, head 2", "layer 1 head 2", "Layer 1.2"]
)
def test_a_head_is_found_by_its_numbers(pairs_tab: Tab, asked: str) -> None:
    assert results(search(pairs_tab, asked)) == ["Layer 1, head 2"]


@pytest.mark.parametrize("asked", ["layer 1", "L1", "1", "layer1"])
def test_a_layer_is_found_by_its_number(pairs_tab: Tab, asked: str) -> None:
    assert results(search(pairs_tab, asked)) == [f"Layer 1, head {head}" for head in range(3)]


def test_a_head_of_all_layers_is_found(pairs_tab: Tab) -> None:
    assert results(search(pairs_tab, "head 1")) == ["Layer 0, head 1", "Layer 1, head 1"]


@pytest.mark.parametrize(("asked", "is_rising"), [("conf >= 0", False), ("entropy < 9", True)])
def test_results_show_the_statistic_that_is_searched_for_in_its_order(
    pairs_tab: Tab, records: Any, asked: str, is_rising: bool
) -> None:
    name = "entropy" if is_rising else "confidence"
    numbers = [float(said.split(f"{name} ")[1]) for said in search(pairs_tab, asked).texts(".result .number")]
    assert numbers == sorted(numbers, reverse=not is_rising)
    assert sorted(numbers) == pytest.approx(sorted(head[name] for head in records[0]["heads"]), abs=0.0051)


def test_a_token_is_found_and_gone_to(pairs_tab: Tab) -> None:
    assert results(search(pairs_tab, "MAT")) == ["mat", "mat"]
    assert pairs_tab.texts(".result .number") == ["token 6", "token 13"]
    pairs_tab.page.click(".result >> nth=1")
    assert pairs_tab.settled().address() == {"token": "13"}
    assert not pairs_tab.page.is_visible(".results")


@pytest.mark.parametrize("view", ["matrix", "neuron", "rollout", "trace"])
def test_a_token_is_shown_in_a_view_with_tokens(pairs_tab: Tab, view: str) -> None:
    search(pairs_tab.view(view), "mat").key("Enter")
    assert pairs_tab.address() == {"view": view, "token": "6"}


def test_a_search_for_tokens_does_not_dim_heads(pairs_tab: Tab) -> None:
    search(pairs_tab.view("model"), "cat")
    assert pairs_tab.page.query_selector(".dim") is None
    pairs_tab.page.keyboard.press("Enter")
    assert pairs_tab.drawn("heads").address() == {}  # the page starts with the token cat
    assert pairs_tab.text(".readout h2") == "cat attends to"


def test_a_token_that_a_filter_leaves_out_is_shown(pairs_tab: Tab) -> None:
    search(pairs_tab.open("filter=bb&special=hide"), "sat").key("Enter")
    assert pairs_tab.address() == {"token": "3", "special": "show"}


def test_arrow_keys_move_through_the_results(pairs_tab: Tab) -> None:
    search(pairs_tab, "layer 1")
    pairs_tab.key("ArrowDown").key("ArrowDown").key("ArrowDown").key("ArrowUp")
    assert pairs_tab.page.evaluate("() => document.activeElement.textContent").startswith("Layer 1, head 1")
    pairs_tab.key("Enter")
    assert pairs_tab.drawn("heads").address() == {"layer": "1", "heads": "1", "find": "layer 1"}
    search(pairs_tab, "").key("ArrowDown").key("ArrowUp")
    assert pairs_tab.page.evaluate("() => document.activeElement.id") == "find"
    pairs_tab.key("ArrowDown").key("Escape")
    assert "find" not in pairs_tab.address()
    assert not pairs_tab.page.is_visible(".results")
