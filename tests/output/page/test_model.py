"""Tests of the model view: enlarged thumbnails, lines, and the numbers of layers."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.output.page import chromium
from tests.output.page.chromium import Tab


def test_a_click_enlarges_a_thumbnail_and_a_second_opens_the_head(pairs_tab: Tab) -> None:
    pairs_tab.view("model").page.click(".thumbnail[data-layer='1'][data-head='2']")
    assert pairs_tab.settled().address() == {"view": "model", "enlarged": "1.2"}
    assert "Layer 1, head 2" in pairs_tab.text(".enlarged h2")
    assert pairs_tab.ink(".enlarged canvas") > 2000
    box, grid = (pairs_tab.page.locator(name).bounding_box() for name in (".enlarged", ".thumbnail-stage"))
    assert box["x"] >= grid["x"] and box["x"] + box["width"] <= grid["x"] + grid["width"] + 1
    pairs_tab.page.click(".enlarged canvas")
    assert pairs_tab.drawn("heads").address() == {"layer": "1", "heads": "2"}
    pairs_tab.page.go_back()
    assert pairs_tab.drawn("model").page.is_visible(".enlarged")
    pairs_tab.page.go_back()
    pairs_tab.page.wait_for_selector(".enlarged", state="hidden")
    assert pairs_tab.address() == {"view": "model"}


def test_keys_enlarge_move_close_and_open(pairs_tab: Tab) -> None:
    pairs_tab.view("model").page.focus(".thumbnail[data-layer='0'][data-head='0']")
    assert pairs_tab.key("Enter").address()["enlarged"] == "0.0"
    assert pairs_tab.key("ArrowRight").key("ArrowDown").address()["enlarged"] == "1.1"
    assert "Layer 1, head 1" in pairs_tab.text(".enlarged h2")
    assert "enlarged" not in pairs_tab.key("Escape").address()
    assert not pairs_tab.page.is_visible(".enlarged")
    assert pairs_tab.page.evaluate("() => document.activeElement.dataset.head") == "1"
    assert pairs_tab.key("Enter").address()["enlarged"] == "1.1"
    pairs_tab.page.keyboard.press("Enter")
    assert pairs_tab.drawn("heads").address() == {"layer": "1", "heads": "1"}


def test_the_close_button_returns_the_focus_to_the_thumbnail(pairs_tab: Tab) -> None:
    pairs_tab.open("view=model&enlarged=1.0").page.click(".enlarged [aria-label='Close']")
    assert "enlarged" not in pairs_tab.settled().address()
    assert pairs_tab.page.evaluate("() => document.activeElement.dataset.layer") == "1"


@pytest.mark.parametrize("address", ["enlarged=9.0", "enlarged=0.9", "enlarged=1", "enlarged=x.y", "drawing=dots"])
def test_an_invalid_head_or_drawing_in_the_address_is_ignored(pairs_tab: Tab, address: str) -> None:
    assert pairs_tab.open(f"view=model&{address}").address() == {"view": "model"}


def test_thumbnails_are_drawn_as_lines(pairs_tab: Tab) -> None:
    pairs_tab.open("view=model&enlarged=1.0")
    cells = pairs_tab.ink(".thumbnail canvas"), pairs_tab.ink(".enlarged canvas")
    pairs_tab.page.click(".drawing [data-drawing='lines']")
    lines = pairs_tab.settled().ink(".thumbnail canvas"), pairs_tab.ink(".enlarged canvas")
    assert pairs_tab.address()["drawing"] == "lines"
    assert lines != cells and min(lines) > 500
    colours = [
        pairs_tab.page.evaluate(
            """(n) => { const c = document.querySelectorAll(".thumbnail canvas")[n];
            const { data } = c.getContext("2d").getImageData(0, 0, c.width, c.height);
            let strongest = 0;
            for (let at = 0; at < data.length; at += 4) if (data[at + 3] > data[strongest + 3]) strongest = at;
            return [...data.slice(strongest, strongest + 3)].map((byte) => byte >> 4).join(); }""",
            number,
        )
        for number in range(3)
    ]
    assert len(set(colours)) == 3  # those of the heads


def test_layers_have_their_numbers_in_the_model(browser: Any, pairs_page: Path, tmp_path: Path) -> None:
    html = pairs_page.read_text()
    found = re.search(r'<script type="application/json" id="about">(.*?)</script>', html)
    assert found
    about = json.dumps({**json.loads(found[1]), "layerNumbers": [3, 7]})
    (tmp_path / "some.html").write_text(html.replace(found[1], about))
    with chromium.tab(browser, tmp_path / "some.html") as tab:
        tab.open("view=model&enlarged=1.0")
        assert tab.texts("#view-model .row-name") == ["3", "7"]
        assert "Layer 7, head 0" in tab.text(".enlarged h2")
        tab.page.click(".enlarged canvas")
        tab.drawn("heads").view("matrix")
        options = tab.page.locator("[data-control='layer'] option").all_text_contents()
        assert options == ["3", "7"]
        assert "Layer 7, head 0" in tab.text("#view-matrix .facts")
        assert tab.view("statistics").texts("#view-statistics .row-name") == ["3", "7"]
        tab.page.keyboard.press("/")
        tab.page.keyboard.type("7")
        bright = tab.settled().page.eval_on_selector_all(".cell:not(.dim)", "all => all.map((c) => c.dataset.layer)")
        assert bright == ["1", "1", "1"]


def test_a_small_statistic_is_never_shown_as_zero(browser: Any, pairs_page: Path, tmp_path: Path) -> None:
    html = pairs_page.read_text()
    found = re.search(r'<script type="application/json" id="text-0">(.*?)</script>', html)
    assert found
    text = json.loads(found[1])
    text["statistics"][0] = [0.00042, 0.0, *text["statistics"][0][2:]]
    (tmp_path / "small.html").write_text(html.replace(found[1], json.dumps(text)))
    with chromium.tab(browser, tmp_path / "small.html") as tab:
        tab.open("view=statistics&statistic=entropy")
        assert tab.texts(".cell")[0] == "4e-4"
        tab.open("view=statistics&statistic=self")
        assert tab.texts(".cell")[0] == "0.00"
