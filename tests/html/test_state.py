"""What is looked at: by keys, by the address, by the search; light and dark; on paper."""

from pathlib import Path
from typing import Any

import pytest

from tests.cli.process import run
from tests.html import chromium
from tests.html.chromium import Tab
from tests.html.conftest import SENTENCE_B, TEXTS

VIEWS = ["heads", "matrix", "model", "neuron", "statistics", "rollout", "masks"]


def background(tab: Tab) -> str:
    return str(tab.page.evaluate("() => getComputedStyle(document.body).backgroundColor"))


def test_numbers_open_the_views(pairs_tab: Tab) -> None:
    for number, name in enumerate(VIEWS, 1):
        pairs_tab.page.keyboard.press(str(number))
        pairs_tab.drawn(name)
        assert pairs_tab.page.get_attribute(f"#tab-{name}", "aria-selected") == "true"
        assert pairs_tab.page.is_visible(f"#view-{name}")
        assert len(pairs_tab.page.query_selector_all("main > section:not([hidden])")) == 1


@pytest.mark.parametrize(
    ("keys", "address"),
    [
        ("ArrowRight", {"layer": "1"}),
        ("ArrowRight ArrowRight ArrowLeft", {}),
        ("]", {"heads": "0"}),
        ("] ]", {"heads": "1"}),
        ("[", {"heads": "2"}),
        ("a", {"heads": ""}),
        ("a a", {}),
        ("ArrowDown", {"token": "0"}),
        ("ArrowDown ArrowDown ArrowUp", {"token": "0"}),
        ("ArrowDown Escape", {}),
        ("+ +", {"least": "0.01"}),
        ("+ + - -", {}),
        ("s", {"filter": "aa"}),
        ("s s s s s", {}),
        ("t", {"text": "1"}),
        ("t t T", {"text": "1"}),
        ("x ArrowLeft", {}),
    ],
)
def test_keys_do_what_the_help_says(pairs_tab: Tab, keys: str, address: dict[str, str]) -> None:
    for key in keys.split():
        pairs_tab.key(key)
    assert pairs_tab.address() == address


def test_the_help_opens_and_closes_by_key(pairs_tab: Tab) -> None:
    pairs_tab.page.keyboard.press("?")
    assert pairs_tab.page.is_visible("#help")
    keys = " ".join(pairs_tab.texts("#help kbd"))
    assert [key for key in ["[", "]", "a", "s", "t", "T", "/", "d", "Esc", "?"] if key not in keys] == []
    pairs_tab.key("ArrowRight")  # while help is open keys are its own
    pairs_tab.page.keyboard.press("Escape")
    assert not pairs_tab.page.is_visible("#help")
    assert pairs_tab.address() == {}


def test_a_link_brings_back_what_was_looked_at(pairs_tab: Tab, browser: Any) -> None:
    pairs_tab.view("matrix").key("ArrowRight").key("]").key("s").key("+").key("ArrowDown")
    address = pairs_tab.address()
    assert set(address) == {"view", "layer", "heads", "filter", "least", "token"}
    shown = pairs_tab.text("#view-matrix .pointed"), pairs_tab.text("#view-matrix .readout")
    link = pairs_tab.page.url.partition("#")[2]
    with chromium.tab(browser, pairs_tab.file) as other:
        other.open(link)
        assert (other.text("#view-matrix .pointed"), other.text("#view-matrix .readout")) == shown
        assert other.address() == address


@pytest.mark.parametrize(
    "address", ["layer=99&heads=7,x&token=1000", "view=nothing&statistic=no&text=9&least=5", "%%%", "filter=<b>"]
)
def test_an_address_of_something_else_opens_the_page_all_the_same(pairs_tab: Tab, address: str) -> None:
    pairs_tab.open(address)
    assert pairs_tab.page.get_attribute("body", "data-drawn") == "heads"


def test_the_address_can_be_changed_while_the_page_is_open(pairs_tab: Tab) -> None:
    pairs_tab.page.evaluate("() => { location.hash = 'view=statistics&statistic=self' }")
    pairs_tab.drawn("statistics")
    assert pairs_tab.page.get_attribute("[data-statistic='self']", "aria-pressed") == "true"


def test_a_list_chooses_the_text(pairs_tab: Tab) -> None:
    options = pairs_tab.page.eval_on_selector_all(
        "#text option", "options => options.map((option) => option.textContent)"
    )
    assert options == [f"{number}. {text} ‖ {SENTENCE_B}" for number, text in enumerate(TEXTS, 1)]
    pairs_tab.page.select_option("#text", "2")
    assert pairs_tab.settled().texts(".queries li")[:4] == ["[CLS]", "a", "b", "c"]


@pytest.mark.parametrize(
    ("asked", "fits"),
    [
        ("1.2", lambda head: (head["layer"], head["head"]) == (1, 2)),
        ("1", lambda head: head["layer"] == 1),
        ("entropy < 2", lambda head: head["entropy"] <= 2),
        ("conf > 0.3", lambda head: head["confidence"] >= 0.3),
        ("delim", lambda head: head["label"] == "delimiter"),
        ("nothing", lambda head: False),
    ],
)
def test_heads_are_found_by_number_statistic_and_label(pairs_tab: Tab, tiny_bert: Path, asked: str, fits: Any) -> None:
    [record] = run("attn", "-m", tiny_bert, TEXTS[0], "--pair", SENTENCE_B, "--json").records()
    wanted = [(head["layer"], head["head"]) for head in record["heads"] if fits(head)]
    pairs_tab.view("statistics").page.keyboard.press("/")
    pairs_tab.page.keyboard.type(asked)
    pairs_tab.settled()
    assert pairs_tab.texts(".results button span:first-child") == [
        f"Layer {layer}, head {head}" for layer, head in wanted
    ]
    bright = pairs_tab.page.eval_on_selector_all(
        ".cell:not(.dim)", "cells => cells.map((cell) => [Number(cell.dataset.layer), Number(cell.dataset.head)])"
    )
    assert [tuple(place) for place in bright] == wanted
    if wanted:
        pairs_tab.page.keyboard.press("Enter")
        assert pairs_tab.drawn("heads").address()["heads"] == str(wanted[0][1])


def test_a_label_is_searched_for_by_its_chip(browser: Any, tmp_path: Path) -> None:
    run("attn", "The cat sat on the mat", "--grid", "previous", "--html", tmp_path / "page.html").answer()
    with chromium.tab(browser, tmp_path / "page.html") as tab:
        tab.open()  # with the grid that was asked for
        assert tab.page.get_attribute("body", "data-drawn") == "statistics"
        tab.page.click(".labels .chip >> text=previous")
        bright = [float(number) for number in tab.settled().texts(".cell:not(.dim)")]
        assert bright and min(bright) > 0.5
        tab.page.click(".labels .chip >> text=previous")
        assert tab.settled().page.query_selector(".dim") is None


def test_it_is_dark_where_the_system_is_and_where_it_is_asked_to_be(browser: Any, pairs_page: Path) -> None:
    with chromium.tab(browser, pairs_page, color_scheme="dark") as dark, chromium.tab(browser, pairs_page) as light:
        seen = [background(dark.open()), background(light.open())]
        assert seen[0] != seen[1]
        light.key("d")
        assert background(light) == seen[0]
        dark.page.click("[aria-label='Light or dark']")
        assert background(dark) == seen[1]
        for name in VIEWS:
            dark.view(name)


def test_on_paper_it_is_light_and_the_whole_diagram_is_there(browser: Any, pairs_page: Path) -> None:
    with chromium.tab(browser, pairs_page, color_scheme="dark", viewport={"width": 900, "height": 200}) as tab:
        tab.open().page.emulate_media(media="print")
        tab.page.evaluate("() => window.dispatchEvent(new Event('beforeprint'))")
        assert background(tab) == "rgb(255, 255, 255)"
        heights = tab.page.evaluate(
            """() => [".diagram", ".diagram canvas"]
            .map((name) => document.querySelector(name).getBoundingClientRect().height)"""
        )
        assert heights[0] > 300 and heights[1] == pytest.approx(heights[0], abs=1)
        assert not tab.page.is_visible("#tabs") and not tab.page.is_visible("#finder")
        tab.page.evaluate("() => window.dispatchEvent(new Event('afterprint'))")
        assert len(tab.page.pdf()) > 5000


@pytest.mark.parametrize("width", [400, 700, 1600])
def test_nothing_reaches_beyond_the_windows_edge(browser: Any, pairs_page: Path, width: int) -> None:
    with chromium.tab(browser, pairs_page, viewport={"width": width, "height": 800}) as tab:
        tab.open()
        for name in VIEWS:
            tab.view(name)
            assert tab.page.evaluate("() => document.documentElement.scrollWidth") <= width, name
