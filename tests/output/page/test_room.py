"""Tests of what a window has room for: controls in a narrow one, and comparisons of long texts."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.process import run
from tests.output.page import chromium
from tests.output.page.chromium import Tab
from tests.output.page.test_numbers import long_text

OPTIONS = (".least", ".special")


@pytest.fixture
def narrow_tab(browser: Any, pairs_page: Path) -> Iterator[Tab]:
    with chromium.tab(browser, pairs_page, viewport={"width": 390, "height": 844}) as tab:
        yield tab.open_when_used()


def height(tab: Tab) -> float:
    return float(tab.page.locator("#controls").bounding_box()["height"])


def test_a_narrow_window_folds_controls_until_they_are_asked_for(narrow_tab: Tab) -> None:
    assert height(narrow_tab) < 100
    assert narrow_tab.page.is_visible("[data-control=layer]") and narrow_tab.page.is_visible("#controls .head")
    assert not any(narrow_tab.page.is_visible(name) for name in OPTIONS)
    folded = height(narrow_tab)
    narrow_tab.page.click(".fold")
    assert narrow_tab.page.get_attribute(".fold", "aria-expanded") == "true"
    assert all(narrow_tab.page.is_visible(name) for name in OPTIONS)
    narrow_tab.page.check(".special input")
    assert narrow_tab.settled().address() == {"special": "hide"}
    narrow_tab.view("matrix")  # they stay unfolded
    assert narrow_tab.page.is_visible(".compare")
    narrow_tab.view("heads").page.click(".fold")
    assert height(narrow_tab) == folded


def test_a_single_option_is_not_folded(narrow_tab: Tab) -> None:
    narrow_tab.view("statistics")
    assert narrow_tab.page.is_visible(".special") and not narrow_tab.page.is_visible(".fold")


def test_a_wide_window_and_paper_show_all_controls(pairs_tab: Tab, narrow_tab: Tab) -> None:
    assert not pairs_tab.page.is_visible(".fold")
    assert all(pairs_tab.page.is_visible(name) for name in OPTIONS)
    narrow_tab.page.emulate_media(media="print")
    assert not narrow_tab.page.is_visible(".fold") and narrow_tab.page.is_visible(".special")


@pytest.fixture(scope="module")
def long_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("room") / "long.html"
    run("attn", long_text(100), "--html", path).answer()
    return path


@pytest.mark.parametrize(("width", "height", "columns"), [(1024, 768, 2), (1440, 900, 3)])
def test_comparisons_of_long_texts_use_the_room(
    browser: Any, long_page: Path, width: int, height: int, columns: int
) -> None:
    with chromium.tab(browser, long_page, viewport={"width": width, "height": height}) as tab:
        tab.open("view=matrix&compare=1.3").drawn("matrix")
        boxes = [one.bounding_box() for one in tab.page.query_selector_all(".picture .heatmap canvas")]
        assert len({round(box["y"]) for box in boxes}) == (2 if columns == 2 else 1)
        assert all(box["height"] >= min(height, box["width"]) / 2 * 0.95 for box in boxes)
        assert all(box["width"] >= 0.85 * (width - 80 - 28 * (columns - 1)) / columns for box in boxes)
        assert all(box["height"] > 340 for box in boxes)
