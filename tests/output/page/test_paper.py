"""Tests of printing: light, complete and within the paper, in portrait and landscape."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.process import run
from tests.output.page import chromium
from tests.output.page.chromium import Tab

VIEWS = ["heads", "matrix", "model", "neuron", "statistics", "rollout", "masks", "trace"]
TEXT = "She poured the tea and it was much too [MASK] to drink"
# Pixels between the margins, width and height.
PAPERS = {"A4": (718, 1047), "A4 landscape": (1047, 718)}


@pytest.fixture(scope="module")
def tea_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a page of the bundled model, which has a realistic number of heads."""
    path = tmp_path_factory.mktemp("paper") / "tea.html"
    run("attn", TEXT, "--html", path).answer()
    return path


@pytest.fixture
def paper_tab(browser: Any, tea_page: Path) -> Iterator[Tab]:
    with chromium.tab(browser, tea_page, color_scheme="dark", viewport={"width": 1280, "height": 300}) as tab:
        yield tab


def lay_out(tab: Tab, width: int, height: int) -> None:
    """Imitate printing: the script draws in the layout of the screen, then the layout of the paper applies."""
    tab.page.evaluate("() => window.dispatchEvent(new Event('beforeprint'))")
    tab.page.emulate_media(media="print")
    tab.page.set_viewport_size({"width": width, "height": height})


def end_printing(tab: Tab) -> None:
    tab.page.emulate_media(media="screen")
    tab.page.set_viewport_size({"width": 1280, "height": 300})
    tab.page.evaluate("() => window.dispatchEvent(new Event('afterprint'))")
    tab.settled()


# The share of dark pixels among the opaque pixels of each visible canvas.
DARK_SHARES = """() => [...document.querySelectorAll("main canvas")].filter((c) => c.offsetWidth).map((canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let dark = 0, inked = 0;
    for (let at = 0; at < data.length; at += 4) {
        if (data[at + 3] < 250) continue;
        inked += 1;
        dark += data[at] + data[at + 1] + data[at + 2] < 200;
    }
    return dark / Math.max(inked, 1);
})"""


@pytest.mark.parametrize("paper", PAPERS)
def test_every_drawing_fits_the_paper_and_is_light(paper_tab: Tab, paper: str) -> None:
    width, _ = PAPERS[paper]
    paper_tab.open()
    for view in VIEWS:
        paper_tab.go(f"view={view}&token=3")
        before = paper_tab.page.locator("main").bounding_box()
        lay_out(paper_tab, *PAPERS[paper])
        assert paper_tab.page.evaluate("() => getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        drawn = paper_tab.page.eval_on_selector_all(
            "main canvas, main .cell",
            "all => all.map((one) => one.getBoundingClientRect()).filter((box) => box.width)"
            ".map((box) => [box.left, box.right])",
        )
        assert bool(drawn) is (view != "masks")
        assert all(left >= 0 and right <= width for left, right in drawn), view
        shares = paper_tab.page.evaluate(DARK_SHARES)
        if view == "heads":
            assert min(shares) > 0.05  # the tokens
        assert max(shares, default=0) < 0.5 or view == "heads", view
        assert not paper_tab.page.is_visible("#tabs") and not paper_tab.page.is_visible("#finder")
        end_printing(paper_tab)
        assert paper_tab.page.locator("main").bounding_box() == before


def test_lines_and_tokens_are_printed_in_pieces_that_no_page_break_cuts(paper_tab: Tab) -> None:
    paper_tab.open()
    written = paper_tab.texts(".queries li")
    paper_tab.page.evaluate(
        """() => { window.drawn = []; const fillText = CanvasRenderingContext2D.prototype.fillText;
        CanvasRenderingContext2D.prototype.fillText = function (text, ...place) {
            window.drawn.push(text); return fillText.call(this, text, ...place); }; }"""
    )
    lay_out(paper_tab, *PAPERS["A4"])
    drawn = paper_tab.page.evaluate("() => window.drawn")
    wanted = [text for at in range(0, len(written), 8) for text in written[at : at + 8] * 2]
    assert drawn[-len(wanted) :] == wanted
    pieces = [each.bounding_box() for each in paper_tab.page.locator(".paper canvas").all()]
    assert len(pieces) == -(-len(written) // 8)
    assert all(piece["height"] <= 8 * 24 for piece in pieces)
    assert [piece["y"] for piece in pieces[1:]] == pytest.approx([p["y"] + p["height"] for p in pieces[:-1]])
    styles = paper_tab.page.eval_on_selector_all(
        ".paper canvas", "all => all.map((c) => getComputedStyle(c).breakInside)"
    )
    assert set(styles) == {"avoid"}
    assert not paper_tab.page.is_visible(".side")
    end_printing(paper_tab)
    assert paper_tab.page.is_visible(".side") and not paper_tab.page.locator(".paper canvas").count()


def test_a_matrix_is_printed_on_one_page(paper_tab: Tab) -> None:
    paper_tab.open("view=matrix")
    for options in ({"format": "A4"}, {"format": "Letter"}, {"format": "A4", "landscape": True}):
        margin = dict.fromkeys(("top", "bottom", "left", "right"), "1cm")
        pdf = paper_tab.page.pdf(**options, margin=margin)
        assert pdf.count(b"/Type /Page\n") == 1
