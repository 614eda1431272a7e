"""Tests of the pane that shows the predictions for a mask beside other views."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.process import run
from tests.output.page import chromium
from tests.output.page.chromium import Tab

PANE = ".neighbour"
VIEWS = ("heads", "matrix", "neuron", "trace")


def shown(tab: Tab) -> tuple[list[str], list[float]]:
    """Return the tokens and the probabilities of the pane."""
    return tab.texts(f"{PANE} .name"), [float(number) for number in tab.texts(f"{PANE} .number")]


def best(tab: Tab, number: int) -> tuple[list[str], Any]:
    """Return the five best predictions for a mask."""
    five = tab.data(1)["masks"][number]["predictions"][:5]
    return [one["token"] for one in five], pytest.approx([one["score"] for one in five], abs=0.0006)


def mask_positions(tab: Tab) -> list[int]:
    return [mask["position"] for mask in tab.data(1)["masks"]]


@pytest.mark.parametrize("view", VIEWS)
def test_the_pane_shows_the_first_mask_and_then_the_kept_one(pairs_tab: Tab, view: str) -> None:
    pairs_tab.open(f"view={view}&text=1")
    second = mask_positions(pairs_tab)[1]
    assert pairs_tab.text(f"{PANE} h2") == "Mask 1 of 2"
    assert shown(pairs_tab) == best(pairs_tab, 0)
    pairs_tab.open(f"view={view}&text=1&token={second}")
    assert pairs_tab.text(f"{PANE} h2") == "Mask 2 of 2"
    assert shown(pairs_tab) == best(pairs_tab, 1)


def test_the_pane_follows_the_pointer(pairs_tab: Tab) -> None:
    second = mask_positions(pairs_tab.open("text=1"))[1]
    pairs_tab.page.hover(f".side.keys [data-position='{second}']")
    assert shown(pairs_tab.settled()) == best(pairs_tab, 1)
    said = pairs_tab.page.text_content(f"{PANE} [aria-live=polite]")
    assert said.startswith(f"Mask 2 of 2: {best(pairs_tab, 1)[0][0]} ")
    pairs_tab.page.mouse.move(600, 5)
    assert shown(pairs_tab.settled()) == best(pairs_tab, 0)


def test_the_keyboard_chooses_a_mask_in_the_pane(pairs_tab: Tab) -> None:
    second = mask_positions(pairs_tab.open("text=1"))[1]
    pairs_tab.page.focus(f"{PANE} [data-mask='{second}']")
    pairs_tab.key("Enter")
    assert pairs_tab.address()["token"] == str(second)
    assert shown(pairs_tab) == best(pairs_tab, 1)
    assert pairs_tab.page.evaluate("() => document.activeElement.ariaPressed") == "true"


def test_a_filtered_mask_can_be_chosen(pairs_tab: Tab) -> None:
    second = mask_positions(pairs_tab.open("text=1&filter=bb"))[1]
    pairs_tab.page.click(f"{PANE} [data-mask='{second}']")
    assert shown(pairs_tab.settled()) == best(pairs_tab, 1)


def test_a_text_without_a_mask_and_other_views_have_no_pane(pairs_tab: Tab) -> None:
    assert not pairs_tab.open("text=0").page.is_visible(PANE)
    for view in ("model", "statistics", "masks"):
        assert not pairs_tab.open(f"text=1&view={view}").page.is_visible(PANE)


@pytest.fixture
def narrow_tab(browser: Any, pairs_page: Path) -> Iterator[Tab]:
    with chromium.tab(browser, pairs_page, viewport={"width": 390, "height": 844}) as tab:
        yield tab


@pytest.mark.parametrize("view", VIEWS)
def test_the_pane_is_below_the_view_on_a_narrow_screen(narrow_tab: Tab, view: str) -> None:
    narrow_tab.open(f"view={view}&text=1")
    pane = narrow_tab.page.query_selector(PANE).bounding_box()
    canvas = narrow_tab.page.query_selector(f"#view-{view} canvas:not([aria-hidden]), .diagram").bounding_box()
    assert pane["y"] >= canvas["y"] + canvas["height"]
    assert pane["x"] >= 0 and pane["x"] + pane["width"] <= 390


@pytest.mark.parametrize("heads", ["0,1,2", "1"])
@pytest.mark.parametrize("view", VIEWS)
def test_the_pane_fits_a_window_of_900_pixels(browser: Any, pairs_page: Path, view: str, heads: str) -> None:
    with chromium.tab(browser, pairs_page, viewport={"width": 1440, "height": 900}) as tab:
        pane = tab.open(f"view={view}&text=1&heads={heads}&token=2").page.locator(PANE).bounding_box()
        assert pane["y"] + pane["height"] <= 900


def test_the_pane_links_to_the_contributions(browser: Any, tiny_bert: Path, tmp_path: Path) -> None:
    run("attn", "-m", tiny_bert, "how [MASK] you", "--attribute", "occlusion", "--html", tmp_path / "p.html").answer()
    with chromium.tab(browser, tmp_path / "p.html") as tab:
        assert tab.open().text(f"{PANE} h2") == "Predictions for the mask"
        tab.page.click(f"{PANE} >> text=What contributes to it")
        assert "Contribution of each token" in tab.drawn("masks").text("#view-masks")
