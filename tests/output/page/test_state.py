"""Tests of the page's state: keys, address, search, light and dark themes, narrow windows."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.cli.process import run
from tests.output.page import chromium
from tests.output.page.chromium import Tab
from tests.output.page.conftest import SENTENCE_B, TEXTS
from tests.output.page.test_saving import table

VIEWS = ["heads", "matrix", "model", "neuron", "statistics", "rollout", "masks", "trace"]


def background(tab: Tab) -> str:
    return str(tab.page.evaluate("() => getComputedStyle(document.body).backgroundColor"))


def test_number_keys_open_the_views(pairs_tab: Tab) -> None:
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
        ("ArrowDown", {"token": "3"}),  # the page starts with token 2
        ("ArrowDown ArrowDown ArrowUp", {"token": "3"}),
        ("Escape", {"token": ""}),
        ("Escape ArrowDown", {"token": "0"}),
        ("- - - - - - - - - - -", {"least": "0"}),
        ("- - - - - - - - - - - + +", {"least": "0.01"}),
        ("+ 0", {}),
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


def test_keys_open_and_close_the_help(pairs_tab: Tab) -> None:
    pairs_tab.page.keyboard.press("?")
    assert pairs_tab.page.is_visible("#help")
    assert pairs_tab.page.evaluate("() => document.getElementById('help').scrollTop") == 0  # the list starts at its top
    keys = " ".join(pairs_tab.texts("#help kbd"))
    assert [
        part for part in ["Model and Statistics", "entropy < 0.5", "Back"] if part not in pairs_tab.text("#help")
    ] == []
    assert [
        key for key in ["[", "]", "a", "s", "t", "T", "/", "d", "c", "{", "}", "x", "Esc", "?"] if key not in keys
    ] == []
    pairs_tab.key("ArrowRight")  # keys do nothing else while the help is open
    pairs_tab.page.keyboard.press("Escape")
    assert not pairs_tab.page.is_visible("#help")
    assert pairs_tab.address() == {}


def test_a_link_restores_the_state(pairs_tab: Tab, browser: Any) -> None:
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
    ("address", "kept"),
    [
        ("layer=99&heads=7,x&token=1000", {}),
        ("view=zzz&heads=77", {}),
        ("view=nothing&statistic=no&text=9&least=5&layer=1", {"layer": "1"}),
        ("heads=77,2&layer=1", {"heads": "2", "layer": "1"}),
        ("heads=", {"heads": ""}),
        ("%%%", {}),
        ("filter=<b>", {}),
    ],
)
def test_invalid_values_in_an_address_are_ignored_and_removed(
    pairs_tab: Tab, address: str, kept: dict[str, str]
) -> None:
    pairs_tab.open(address)
    assert pairs_tab.page.get_attribute("body", "data-drawn") == "heads"
    assert pairs_tab.address() == kept
    assert kept == {"heads": ""} or pairs_tab.page.is_visible(".diagram")


def test_back_restores_the_previous_view_layer_and_head(pairs_tab: Tab) -> None:
    steps = [{}, {"view": "matrix"}, {"view": "matrix", "layer": "1"}, {"layer": "1", "heads": "2", "view": "matrix"}]
    pairs_tab.view("matrix").key("ArrowRight").page.click(".chips [data-head='2']")
    pairs_tab.settled().view("statistics").page.click(".cell[data-layer='0'][data-head='1']")
    pairs_tab.drawn("heads").page.select_option("#text", "2")
    assert pairs_tab.settled().address() == {"text": "2", "heads": "1"}
    found = []
    for _ in range(6):
        pairs_tab.page.go_back()
        found.append(pairs_tab.settled().address())
        assert pairs_tab.page.is_visible(f"#view-{found[-1].get('view', 'heads')}")
    assert found == [{"heads": "1"}, {"layer": "1", "heads": "2", "view": "statistics"}, *steps[::-1]]
    pairs_tab.page.go_forward()
    assert pairs_tab.settled().address() == steps[1]


def test_back_skips_slider_moves_searches_and_tokens(pairs_tab: Tab) -> None:
    before = pairs_tab.page.evaluate("() => history.length")
    for value in ("20", "40", "60"):
        pairs_tab.page.fill(".least input", value)
    pairs_tab.page.locator(".least input").blur()
    pairs_tab.page.hover(".queries [data-position='2']")
    pairs_tab.key("ArrowDown").key("/").page.keyboard.type("previous")
    assert set(pairs_tab.settled().address()) == {"least", "token", "find"}
    assert pairs_tab.page.evaluate("() => history.length") == before


def focused(tab: Tab) -> tuple[int, int]:
    place = tab.page.evaluate("() => { const { layer, head } = document.activeElement.dataset; return [layer, head]; }")
    return int(place[0]), int(place[1])


@pytest.mark.parametrize("view", ["model", "statistics"])
def test_arrow_keys_move_between_heads_and_tab_stops_at_one(pairs_tab: Tab, view: str) -> None:
    pairs_tab.view(view)
    assert pairs_tab.page.locator(f"#view-{view} .grid [tabindex='0']").count() == 1
    pairs_tab.key("ArrowDown")
    assert focused(pairs_tab) == (0, 0)
    for key in ("ArrowRight", "ArrowRight", "ArrowRight", "ArrowDown", "ArrowLeft"):  # 3 heads, 2 layers
        pairs_tab.key(key)
    assert focused(pairs_tab) == (1, 1)
    assert "Layer 1, head 1" in pairs_tab.text(f"#view-{view} .pointed")
    assert pairs_tab.page.locator(f"#view-{view} .grid [tabindex='0']").count() == 1
    assert pairs_tab.key("Shift+Tab").page.evaluate("() => document.activeElement.closest('.grid')") is None
    pairs_tab.key("Tab")
    assert focused(pairs_tab) == (1, 1)
    if view == "model":
        pairs_tab.key("Enter")  # enlarges it
    pairs_tab.page.keyboard.press("Enter")
    assert pairs_tab.drawn("heads").address() == {"layer": "1", "heads": "1"}


def test_a_changed_address_applies_to_the_open_page(pairs_tab: Tab) -> None:
    pairs_tab.page.evaluate("() => { location.hash = 'view=statistics&statistic=self' }")
    pairs_tab.drawn("statistics")
    assert pairs_tab.page.get_attribute("[data-statistic='self']", "aria-pressed") == "true"


@pytest.mark.parametrize("view", ["heads", "matrix", "rollout", "neuron", "masks"])
def test_special_tokens_can_be_left_out(pairs_tab: Tab, view: str) -> None:
    """The weights of the other tokens then sum to 1."""
    pairs_tab.open(f"view={view}&text=1&heads=0&special=hide&token=1")
    section = pairs_tab.text(f"#view-{view}")
    assert "[CLS]" not in section and "[SEP]" not in section
    assert "left out" in pairs_tab.text(".special")
    if view == "heads":
        full = np.array(pairs_tab.page.evaluate("() => attentionPage.matrix(0, 0)"))[1]
        tokens = pairs_tab.data(1)["tokens"]
        full[[at for at, token in enumerate(tokens) if token in ("[CLS]", "[SEP]")]] = 0
        best = np.argsort(-full)[:4]  # the list is short beside predictions
        assert pairs_tab.texts(".readout .bars .place") == [str(at) for at in best]
        shown = [float(number) for number in pairs_tab.texts(".readout .read .bars .number")]
        assert shown == pytest.approx((full / full.sum())[best], abs=0.0006)
    pairs_tab.page.uncheck(".special input")
    assert pairs_tab.settled().address()["special"] == "show"


@pytest.mark.parametrize(("view", "is_hidden"), [("rollout", True), ("model", True), ("matrix", False)])
def test_special_tokens_with_most_of_the_weights_are_left_out_of_some_views(
    browser: Any, tmp_path: Path, view: str, is_hidden: bool
) -> None:
    """The bundled model gives [CLS] and [SEP] more than 60 % in this text."""
    run("attn", "Go.", "--html", tmp_path / "go.html").answer()
    with chromium.tab(browser, tmp_path / "go.html") as tab:
        assert tab.open(f"view={view}").page.is_checked(".special input") is is_hidden
        assert ("left out" in tab.text(".special")) is is_hidden


def test_a_kept_token_that_is_left_out_is_forgotten(pairs_tab: Tab) -> None:
    pairs_tab.open("token=0").page.check(".special input")
    assert pairs_tab.settled().address() == {"special": "hide"}


def test_a_list_selects_the_text(pairs_tab: Tab) -> None:
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
        ("entropy < 2", lambda head: head["entropy"] < 2),
        ("conf > 0.3", lambda head: head["confidence"] > 0.3),
        ("entropy>=.5", lambda head: head["entropy"] >= 0.5),
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
    shown = pairs_tab.texts(".result > :first-child")
    assert sorted(shown) == [f"Layer {layer}, head {head}" for layer, head in wanted]
    bright = pairs_tab.page.eval_on_selector_all(
        ".cell:not(.dim)", "cells => cells.map((cell) => [Number(cell.dataset.layer), Number(cell.dataset.head)])"
    )
    assert [tuple(place) for place in bright] == wanted
    if wanted:
        pairs_tab.page.keyboard.press("Enter")
        assert pairs_tab.drawn("heads").address()["heads"] == shown[0][-1]


@pytest.mark.parametrize(("sign", "wanted"), [("<", False), ("<=", True), (">", False), (">=", True)])
def test_strict_comparisons_exclude_the_number_itself(pairs_tab: Tab, records: Any, sign: str, wanted: bool) -> None:
    head = records[0]["heads"][3]
    pairs_tab.page.keyboard.press("/")
    pairs_tab.page.keyboard.type(f"entropy{sign}{head['entropy']:.6g}")
    found = pairs_tab.settled().texts(".result > :first-child")
    assert (f"Layer {head['layer']}, head {head['head']}" in found) is wanted


@pytest.mark.parametrize("asked", ["foo", "entropy<", "entropy < .", "enthalpy < 1"])
def test_a_search_without_results_shows_the_syntax(pairs_tab: Tab, asked: str) -> None:
    pairs_tab.page.keyboard.press("/")
    pairs_tab.page.keyboard.type(asked)
    said = pairs_tab.settled().text(".results")
    assert "No heads" in said
    assert [part for part in ["previous", "3.7", "entropy < 0.5", ">="] if part not in said] == []


def test_a_label_chip_searches_for_the_label(browser: Any, tmp_path: Path) -> None:
    run("attn", "The cat sat on the mat", "--grid", "previous", "--html", tmp_path / "page.html").answer()
    with chromium.tab(browser, tmp_path / "page.html") as tab:
        tab.open()  # with the requested grid
        assert tab.page.get_attribute("body", "data-drawn") == "statistics"
        tab.page.click(".labels .chip >> text=previous")
        bright = [float(number) for number in tab.settled().texts(".cell:not(.dim)")]
        assert bright and min(bright) > 0.5
        tab.page.click(".labels .chip >> text=previous")
        assert tab.settled().page.query_selector(".dim") is None


def test_the_theme_follows_the_system_and_can_be_switched(browser: Any, pairs_page: Path) -> None:
    with chromium.tab(browser, pairs_page, color_scheme="dark") as dark, chromium.tab(browser, pairs_page) as light:
        seen = [background(dark.open()), background(light.open())]
        assert seen[0] != seen[1]
        light.key("d")
        assert background(light) == seen[0]
        dark.page.click("[aria-label='Light or dark']")
        assert background(dark) == seen[1]
        for name in VIEWS:
            dark.view(name)


# Opens two addresses one after the other. The data of the first arrive after those of the second.
_FIRST_DATA_ARRIVE_LAST = """async (addresses) => {
    const quick = Response.prototype.arrayBuffer;
    const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
    Response.prototype.arrayBuffer = async function () { await pause(400); return quick.call(this); };
    location.hash = addresses[0];
    await pause(100);
    Response.prototype.arrayBuffer = quick;
    location.hash = addresses[1];
    await pause(700);
}"""


@pytest.mark.parametrize("view", ["heads", "matrix", "matrix&extent=global", "neuron", "rollout", "masks", "trace"])
def test_late_data_of_another_text_are_not_shown(pairs_tab: Tab, view: str) -> None:
    expected = table(pairs_tab.open(f"view={view}&text=1&heads=1&special=hide"))
    pairs_tab.open("view=statistics")
    pairs_tab.page.evaluate(_FIRST_DATA_ARRIVE_LAST, [f"view={view}", f"view={view}&text=1&heads=1"])
    assert table(pairs_tab.go(f"view={view}&text=1&heads=1&special=hide")) == expected


@pytest.mark.parametrize("width", [400, 700, 1600])
def test_nothing_extends_beyond_the_window(browser: Any, pairs_page: Path, width: int) -> None:
    with chromium.tab(browser, pairs_page, viewport={"width": width, "height": 800}) as tab:
        tab.open()
        for name in VIEWS:
            tab.view(name)
            assert tab.page.evaluate("() => document.documentElement.scrollWidth") <= width, name


def test_a_drawing_follows_the_room_of_the_views(pairs_tab: Tab) -> None:
    for view in ("heads", "matrix", "trace"):
        pairs_tab.open(f"view={view}")
        width = f"() => document.querySelector('#view-{view} canvas').clientWidth"
        before = pairs_tab.page.evaluate(width)
        pairs_tab.page.evaluate("() => (document.body.style.maxWidth = '1000px')")  # as a font or a panel could
        assert 100 < before - pairs_tab.settled().page.evaluate(width) <= 200
        pairs_tab.page.evaluate("() => (document.body.style.maxWidth = '')")
        assert pairs_tab.settled().page.evaluate(width) == before


def test_a_narrow_window_shows_the_tab_of_the_view(browser: Any, pairs_page: Path) -> None:
    with chromium.tab(browser, pairs_page, viewport={"width": 400, "height": 800}) as tab:
        for name in ("masks", "heads", "rollout"):
            tab.open(f"view={name}")
            box = tab.page.locator(f"#tab-{name}").bounding_box()
            assert box["x"] >= 0 and box["x"] + box["width"] <= 400


def test_a_narrow_window_shows_the_softmax_of_the_neuron_view(browser: Any, pairs_page: Path) -> None:
    with chromium.tab(browser, pairs_page, viewport={"width": 400, "height": 800}) as tab:
        tab.open("view=neuron")
        canvas = tab.page.locator("#view-neuron .neuron-keys > canvas")
        assert canvas.bounding_box()["width"] <= 400
        canvas.hover(position={"x": 2, "y": 54 * 3 + 30})  # first strip of the fourth key
        assert "key[0] =" in tab.text("#view-neuron .pointed")
