"""Tests of the matrices: zoom, labels, lens, overview, scale and touch."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.cli.process import run
from tests.output.page import chromium
from tests.output.page.chromium import Tab
from tests.output.page.test_accessibility import violations
from tests.tiny import save_bert

WORDS = "the cat sat on the mat a b c"
SIZE = 120
CANVAS = "#view-matrix .heatmap canvas"
LENS = "#view-matrix .lens canvas"

RECORD = """() => { window.drawn = []; const fillText = CanvasRenderingContext2D.prototype.fillText;
CanvasRenderingContext2D.prototype.fillText = function (text, ...place) {
    window.drawn.push([this.canvas.closest(".lens") ? "lens" : "matrix", text]);
    return fillText.call(this, text, ...place); }; }"""


@pytest.fixture(scope="module")
def long_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a page of a text of SIZE tokens, whose cells are too small for a label each."""
    folder = tmp_path_factory.mktemp("zoom")
    model = save_bert(folder / "bert", max_position_embeddings=SIZE, num_attention_heads=2, num_hidden_layers=2)
    text = " ".join((WORDS.split() * SIZE)[: SIZE - 2])
    run("attn", "-m", model, text, "--html", folder / "long.html").answer()
    return folder / "long.html"


@pytest.fixture
def long_tab(browser: Any, long_page: Path) -> Iterator[Tab]:
    with chromium.tab(browser, long_page) as tab:
        yield tab.open("view=matrix&layer=1&heads=1")


def matrix(tab: Tab, head: int = 1) -> Any:
    return np.array(tab.page.evaluate("(head) => attentionPage.matrix(1, head)", head))


def drag(tab: Tab, selector: str, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Drag from one place in an element to another, both as shares of its width and height."""
    box = tab.page.locator(selector).bounding_box()
    at = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in (start, end)]
    tab.page.mouse.move(*at[0])
    tab.page.mouse.down()
    tab.page.mouse.move(*at[1], steps=4)
    tab.page.mouse.up()
    tab.settled()


def zoom(tab: Tab) -> list[list[int]] | None:
    """Return the first and last query and key of the zoom in the address."""
    written = tab.settled().address().get("zoom")
    return written and [[int(number) for number in part.split("-")] for part in written.split(",")]


def labels(tab: Tab) -> list[str]:
    """Return the texts drawn in the matrix by a new draw."""
    tab.page.evaluate(RECORD)
    tab.page.evaluate("() => window.dispatchEvent(new Event('resize'))")
    return [text for place, text in tab.settled().page.evaluate("() => window.drawn") if place == "matrix"]


def test_the_axes_are_named_with_and_without_a_cell_in_focus(long_tab: Tab) -> None:
    for token in ("", "&token=3", "&token=3&key=5"):
        shown = long_tab.open(f"view=matrix&layer=1&heads=1{token}").text("#view-matrix .pointed")
        assert shown.count("Rows are queries, columns are keys.") == 1, token


def test_a_drag_zooms_to_the_cells_under_it(long_tab: Tab) -> None:
    drag(long_tab, CANVAS, (0.6, 0.5), (0.8, 0.75))
    found = zoom(long_tab)
    assert found
    [[first, last], [left, right]] = found
    assert 20 < first < last < 100 and 20 < left < right < 100
    assert "token" not in long_tab.address()  # a drag is not a click
    long_tab.page.hover(CANVAS, position={"x": 400, "y": 300})
    query, key = (int(place) for place in long_tab.texts("#view-matrix .pointed .place"))
    assert first <= query <= last and left <= key <= right
    shown = float(long_tab.text("#view-matrix .pointed .number"))
    assert shown == pytest.approx(matrix(long_tab)[query, key], rel=0.06)
    drag(long_tab, CANVAS, (0.6, 0.5), (0.7, 0.6))
    inner = zoom(long_tab)
    assert inner and first <= inner[0][0] < inner[0][1] < last
    long_tab.page.click("text=Whole matrix")
    assert zoom(long_tab) is None


def test_escape_ends_a_drag_or_shows_the_whole_matrix(long_tab: Tab) -> None:
    box = long_tab.page.locator(CANVAS).bounding_box()
    long_tab.page.mouse.move(box["x"] + 300, box["y"] + 300)
    long_tab.page.mouse.down()
    long_tab.page.mouse.move(box["x"] + 400, box["y"] + 400, steps=3)
    assert long_tab.page.is_visible(".brushed")
    long_tab.key("Escape").page.mouse.up()
    assert not long_tab.settled().page.is_visible(".brushed")
    assert not {"zoom", "token"} & set(long_tab.address())
    long_tab.open("view=matrix&zoom=20-40,30-50&token=25&key=35").key("Escape")
    assert zoom(long_tab) is None and long_tab.address()["token"] == "25"
    assert long_tab.key("Escape").address()["token"] == ""  # an empty value, since a page opens with a kept token


def test_every_zoom_has_labels(long_tab: Tab) -> None:
    tokens = ["[CLS]", *(WORDS.split() * SIZE)[: SIZE - 2], "[SEP]"]
    whole = labels(long_tab.open("view=matrix&layer=1&heads=1&token="))  # the label of a kept token is always drawn
    numbers = sorted({int(label.split()[0]) for label in whole})
    step = numbers[1] - numbers[0]
    assert step > 1 and numbers == list(range(0, numbers[-1] + 1, step))
    assert all(label == f"{label.split()[0]} {tokens[int(label.split()[0])]}" for label in whole)
    long_tab.open("view=matrix&zoom=20-44,30-54")
    assert labels(long_tab)[:50] == tokens[20:45] + tokens[30:55]


def test_the_lens_shows_the_neighbours_of_the_cell(long_tab: Tab) -> None:
    long_tab.page.evaluate(RECORD)
    long_tab.page.hover(CANVAS, position={"x": 500, "y": 400})
    query, key = (int(place) for place in long_tab.texts("#view-matrix .pointed .place"))
    drawn = [text for place, text in long_tab.settled().page.evaluate("() => window.drawn") if place == "lens"]
    tokens = ["[CLS]", *(WORDS.split() * SIZE)[: SIZE - 2], "[SEP]"]
    around = [*range(query - 3, query + 4)], [*range(key - 3, key + 4)]
    assert drawn[:14] == [tokens[at] for side in around for at in side]
    weights = matrix(long_tab)[np.ix_(*around)].ravel()
    assert [float(number) for number in drawn[14:63]] == pytest.approx(weights, rel=0.5, abs=1e-9)
    assert "0" not in [number for number, weight in zip(drawn[14:63], weights, strict=True) if weight > 0]


def test_the_lenses_of_a_comparison_show_the_cell_in_both_heads_and_their_difference(long_tab: Tab) -> None:
    long_tab.open("view=matrix&layer=1&heads=1&compare=1.0").page.evaluate(RECORD)
    long_tab.page.hover("#view-matrix .picture.difference .heatmap canvas", position={"x": 200, "y": 160})
    query, key = (int(place) for place in long_tab.texts("#view-matrix .compared .pointed .place"))
    drawn = [text for place, text in long_tab.settled().page.evaluate("() => window.drawn") if place == "lens"]
    around = [*range(query - 2, query + 3)], [*range(key - 2, key + 3)]
    one, other = (matrix(long_tab, head)[np.ix_(*around)].ravel() for head in (1, 0))
    differences = [difference for difference in other - one if abs(difference) >= 0.005]  # smaller ones are not written
    for panel, weights in zip((drawn[:35], drawn[35:70], drawn[70:]), (one, other, differences), strict=True):
        numbers = [float(number.replace("−", "-")) for number in panel[10:]]
        assert numbers == pytest.approx(weights, rel=0.5, abs=6e-3)
    assert violations(long_tab) == []
    long_tab.page.mouse.move(5, 5)
    long_tab.key("Escape")
    assert long_tab.texts("#view-matrix .picture .lens p") == ["The largest difference with its neighbours"] * 3


def test_the_overview_moves_and_draws_the_frame(long_tab: Tab) -> None:
    overview = "#view-matrix .navigator canvas"
    drag(long_tab, overview, (0.25, 0.25), (0.5, 0.5))
    [[first, last], [left, right]] = zoom(long_tab) or []
    assert [first, last, left, right] == pytest.approx([30, 60, 30, 60], abs=1)
    sides = last - first, right - left
    drag(long_tab, overview, (0.4, 0.4), (0.6, 0.5))  # inside the frame
    [[first, last], [left, right]] = zoom(long_tab) or []
    assert (last - first, right - left) == sides
    assert first == pytest.approx(42, abs=2) and left == pytest.approx(54, abs=2)
    box = long_tab.page.locator(overview).bounding_box()
    long_tab.page.mouse.click(box["x"] + 2, box["y"] + 2)
    assert zoom(long_tab) == [[0, sides[0]], [0, sides[1]]]


def test_keys_zoom_and_move_the_zoom(long_tab: Tab) -> None:
    long_tab.page.hover(CANVAS, position={"x": 500, "y": 400})
    query, key = (int(place) for place in long_tab.texts("#view-matrix .pointed .place"))
    [queries, keys] = zoom(long_tab.key("z")) or []
    assert queries[1] - queries[0] + 1 == 60 and queries[0] <= query <= queries[1] and keys[0] <= key <= keys[1]
    assert zoom(long_tab.key("Z")) is None
    long_tab.open("view=matrix&zoom=20-29,30-39&token=29&key=39").page.focus(CANVAS)
    assert zoom(long_tab.key("ArrowDown")) == [[21, 30], [30, 39]]
    assert zoom(long_tab.key("ArrowRight")) == [[21, 30], [31, 40]]
    assert zoom(long_tab.key("PageDown")) == [[31, 40], [31, 40]]
    assert zoom(long_tab.key("Shift+PageUp")) == [[31, 40], [30, 39]]
    assert long_tab.texts("#view-matrix .pointed .place") == ["40", "30"]


def test_a_zoom_in_the_address_is_restored_or_ignored(long_tab: Tab) -> None:
    assert zoom(long_tab.open("view=rollout&zoom=5-50,60-90")) == [[5, 50], [60, 90]]
    assert "queries 5–50, keys 60–90" in long_tab.text("#view-rollout .navigator")
    for address in ("zoom=5-200,0-9", "zoom=9-5,0-9", "zoom=5", "zoom=a-b,c-d"):
        assert "zoom" not in long_tab.open(f"view=matrix&{address}").address()


def test_a_tap_shows_a_cell_and_a_second_keeps_it(browser: Any, long_page: Path) -> None:
    with chromium.tab(browser, long_page, has_touch=True, viewport={"width": 390, "height": 844}) as tab:
        tab.open("view=matrix&layer=1&heads=1")
        box = tab.page.locator(CANVAS).bounding_box()
        place = box["x"] + 220, box["y"] + 200
        tab.page.touchscreen.tap(*place)
        query, key = (int(at) for at in tab.settled().texts("#view-matrix .pointed .place"))
        shown = float(tab.text("#view-matrix .pointed .number"))
        assert shown == pytest.approx(matrix(tab)[query, key], rel=0.06)
        assert "token" not in tab.address()
        tab.page.touchscreen.tap(*place)
        assert (tab.settled().address()["token"], tab.address()["key"]) == (str(query), str(key))


def test_two_fingers_zoom_around_the_cell_between_them(browser: Any, long_page: Path) -> None:
    with chromium.tab(browser, long_page, has_touch=True, viewport={"width": 390, "height": 844}) as tab:
        tab.open("view=matrix&layer=1&heads=1")
        box = tab.page.locator(CANVAS).bounding_box()
        middle = box["x"] + 220, box["y"] + 220
        session = tab.page.context.new_cdp_session(tab.page)

        def touch(kind: str, distance: int | None) -> None:
            points = [] if distance is None else [{"x": middle[0] + way * distance, "y": middle[1]} for way in (-1, 1)]
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

        touch("touchStart", 20)
        for distance in (25, 30, 40):
            touch("touchMove", distance)
        touch("touchEnd", None)
        [[first, last], [left, right]] = zoom(tab) or []
        assert last - first + 1 == right - left + 1 == 60
        assert min(first, left) > 0


def colours(tab: Tab, selector: str) -> int:
    """Return a checksum of the pixels of a canvas."""
    script = """(selector) => { const c = document.querySelector(selector);
        const context = new OffscreenCanvas(c.width, c.height).getContext("2d", { willReadFrequently: true });
        context.drawImage(c, 0, 0);
        const { data } = context.getImageData(0, 0, c.width, c.height);
        return data.reduce((sum, byte) => (sum * 31 + byte) % 1000000007, 7); }"""
    return int(tab.page.evaluate(script, selector))


@pytest.mark.parametrize(("view", "canvas"), [("matrix", CANVAS), ("model", ".thumbnail canvas")])
def test_the_scale_is_linear_or_a_root_and_per_head_or_for_all_heads(long_tab: Tab, view: str, canvas: str) -> None:
    long_tab.open(f"view={view}&layer=1&heads=1")
    seen = [colours(long_tab, canvas)]
    for name, value in (("curve", "linear"), ("extent", "global")):
        long_tab.page.click(f"#view-{view} [data-{name}='{value}']")
        long_tab.settled().drawn(view)
        assert long_tab.address()[name] == value
        seen.append(colours(long_tab, canvas))
    assert len(set(seen)) == 3
    shown = [float(number) for number in long_tab.texts(f"#view-{view} .ends span")]
    every = [
        long_tab.page.evaluate("([l, h]) => attentionPage.matrix(l, h)", place)
        for place in ([0, 0], [0, 1], [1, 0], [1, 1])
    ]
    most = np.array(every).max()
    assert shown == pytest.approx([0, most / 2, most], abs=0.0006)


def test_the_scale_of_a_matrix_ends_at_its_largest_weight(long_tab: Tab) -> None:
    shown = [float(number) for number in long_tab.texts("#view-matrix .ends span")]
    assert shown[-1] == pytest.approx(matrix(long_tab).max(), abs=0.0006)
    assert long_tab.open("view=rollout").page.query_selector("#view-rollout [data-extent]") is None
    assert long_tab.page.is_visible("#view-rollout [data-curve='linear']")
