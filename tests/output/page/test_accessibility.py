"""Tests that the page can be used with the keyboard and a screen reader, and read in both themes."""

from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from tests.cli.process import run
from tests.output.page import chromium
from tests.output.page.chromium import Tab

VIEWS = ["heads", "matrix", "model", "neuron", "statistics", "rollout", "masks", "trace"]
RULES = ["wcag2a", "wcag2aa", "wcag21aa", "best-practice"]
# The themes differ in colours alone, so the other rules are checked in one of them.
RULES_OF_COLOURS = ["color-contrast", "link-in-text-block"]
AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def tea_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a page of the bundled model, which has twelve heads and labels."""
    path = tmp_path_factory.mktemp("axe") / "tea.html"
    run("attn", "She poured the tea.", "It was too [MASK].", "-q", "--html", path).answer()
    return path


@pytest.fixture(params=["light", "dark"])
def tea_tab(browser: Any, tea_page: Path, request: pytest.FixtureRequest) -> Iterator[Tab]:
    with chromium.tab(browser, tea_page, color_scheme=request.param) as tab:
        yield tab.open_when_used()


def is_dark(tab: Tab) -> bool:
    return bool(tab.page.evaluate("() => matchMedia('(prefers-color-scheme: dark)').matches"))


def violations(tab: Tab, rules: Sequence[str] = RULES) -> list[str]:
    """Return what axe complains about: the rule and the element.

    Args:
        tab: The tab.
        rules: Names of rules, or of groups of rules.
    """
    if not tab.page.evaluate("() => 'axe' in window"):
        tab.page.evaluate(AXE)
    found = tab.page.evaluate(
        "async (rules) => (await axe.run({ runOnly: rules, resultTypes: ['violations'] })).violations", rules
    )
    return [f"{one['id']}: {node['html'][:150]}" for one in found for node in one["nodes"]]


def test_axe_finds_nothing_in_any_view(tea_tab: Tab) -> None:
    rules = RULES_OF_COLOURS if is_dark(tea_tab) else RULES
    for name in VIEWS:
        for address in (f"view={name}", f"view={name}&text=1&heads=3&token=2&find=delimiter"):
            assert violations(tea_tab.go(address), rules) == [], address
    tea_tab.key("?")
    assert violations(tea_tab, rules) == []


def test_axe_finds_what_is_wrong(tea_tab: Tab) -> None:
    faint = "#444" if is_dark(tea_tab) else "#aaa"
    tea_tab.page.evaluate("() => document.querySelector('#find').removeAttribute('aria-label')")
    tea_tab.page.evaluate("() => document.querySelector('#find').removeAttribute('title')")
    tea_tab.page.evaluate("() => document.querySelector('#find').removeAttribute('placeholder')")
    assert any(one.startswith("label") for one in violations(tea_tab))
    tea_tab.page.evaluate("(color) => { document.querySelector('h1').style.color = color }", faint)
    assert any(one.startswith("color-contrast") for one in violations(tea_tab, RULES_OF_COLOURS))


def test_arrow_keys_on_a_tab_open_the_views_beside_it(pairs_tab: Tab) -> None:
    pairs_tab.page.focus("#tab-heads")
    pairs_tab.key("ArrowRight").drawn("matrix")
    assert pairs_tab.page.evaluate("() => document.activeElement.id") == "tab-matrix"
    pairs_tab.key("End").drawn("trace").key("ArrowRight").drawn("heads").key("ArrowLeft").drawn("trace")
    assert pairs_tab.key("Home").drawn("heads").address() == {}
    stops = "() => [...document.querySelectorAll('#tabs [tabindex=\"0\"]')].map((tab) => tab.id)"
    assert pairs_tab.page.evaluate(stops) == ["tab-heads"]


def test_arrow_keys_after_a_click_on_a_tab_belong_to_the_view(pairs_tab: Tab) -> None:
    assert pairs_tab.view("matrix").key("ArrowRight").address() == {"view": "matrix", "layer": "1"}


def test_each_tab_controls_a_view_that_exists(pairs_tab: Tab) -> None:
    dangling = """() => [...document.querySelectorAll("[aria-controls]")]
        .map((one) => one.getAttribute("aria-controls")).filter((id) => !document.getElementById(id))"""
    for name in VIEWS:
        assert pairs_tab.view(name).page.evaluate(dangling) == []
        assert pairs_tab.page.get_attribute(f"#tab-{name}", "aria-controls") == f"view-{name}"


@pytest.mark.parametrize("view", ["heads", "neuron"])
def test_tokens_can_be_read_and_kept_with_the_keyboard(pairs_tab: Tab, view: str) -> None:
    pairs_tab.open(f"view={view}&heads=0")
    tokens = f"#view-{view} [role=listbox] >> nth=0 >> [role=option]"
    assert pairs_tab.page.locator(tokens).and_(pairs_tab.page.locator("[tabindex='0']")).count() == 1
    pairs_tab.page.locator(tokens).nth(0).focus()
    pairs_tab.key("ArrowDown")
    shown = pairs_tab.text("#view-heads .readout h2" if view == "heads" else "#view-neuron .pointed")
    assert shown.startswith("the ")
    pairs_tab.key("Enter")
    assert pairs_tab.address()["token"] == "1"
    assert pairs_tab.page.locator(tokens).nth(1).get_attribute("aria-selected") == "true"
    pairs_tab.key(" ")
    assert pairs_tab.address()["token"] == ""


def test_what_is_pointed_at_is_announced(pairs_tab: Tab) -> None:
    said = lambda: pairs_tab.page.text_content("#announcer")  # noqa: E731
    pairs_tab.page.hover(".queries [data-position='3']")
    assert said().startswith("sat attends to ")
    pairs_tab.open("view=matrix&token=")
    pairs_tab.page.mouse.move(1195, 5)  # so that no cell is under the pointer after the focus has scrolled the page
    pairs_tab.page.focus("#view-matrix canvas")
    pairs_tab.key("ArrowDown")
    assert said().startswith("[CLS] to [CLS]: 0.")
    pairs_tab.key("ArrowRight").key("ArrowDown")
    assert said().startswith("the to the: 0.")


def test_focus_moves_to_the_view_that_a_head_opens(pairs_tab: Tab) -> None:
    pairs_tab.view("statistics").page.focus(".cell[data-layer='1'][data-head='1']")
    pairs_tab.page.keyboard.press("Enter")
    inside = "(id) => document.activeElement.closest('section')?.id"
    assert pairs_tab.drawn("heads").page.evaluate(inside) == "view-heads"
    pairs_tab.page.go_back()
    assert pairs_tab.drawn("statistics").settled().page.evaluate(inside) == "view-statistics"


def test_a_token_of_the_masks_view_can_be_kept(pairs_tab: Tab) -> None:
    pairs_tab.open("view=masks&text=1").page.click("#view-masks .token[data-position='2'] >> nth=0")
    assert pairs_tab.settled().address()["token"] == "2"
    assert pairs_tab.page.get_attribute("#view-masks .token[data-position='2'] >> nth=0", "aria-selected") == "true"


def test_the_theme_is_remembered(browser: Any, pairs_page: Path) -> None:
    with chromium.tab(browser, pairs_page) as tab:
        tab.open().key("d")
        dark = tab.page.evaluate("() => getComputedStyle(document.body).backgroundColor")
        tab.page.reload()
        tab.page.wait_for_selector("body[data-drawn]")
        assert tab.page.evaluate("() => getComputedStyle(document.body).backgroundColor") == dark
