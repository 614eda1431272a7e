"""Tests of the head view: what it opens with, the text above it, its threshold, and long texts."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.cli.process import run
from tests.output.page import chromium
from tests.output.page.chromium import Tab
from tests.output.page.conftest import SENTENCE_B, TEXTS
from tests.output.page.test_numbers import long_text

CAFE, TEN = "Is the  Café open, Zoë?", "No: its 龘 doors are unbelievably HUGE."
COLOURS = """(selector) => {
    const canvas = document.querySelector(selector);
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const found = new Set();
    for (let at = 0; at < data.length; at += 4) {
        const [red, green, blue, alpha] = data.slice(at, at + 4);
        const range = Math.max(red, green, blue) - Math.min(red, green, blue);
        if (alpha > 250 && range > 90) found.add(`${red} ${green} ${blue}`);
    }
    return [...found];
}"""


@pytest.fixture(scope="module")
def cafe_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a page of the bundled model, with words that its tokenizer spells differently."""
    path = tmp_path_factory.mktemp("cafe") / "cafe.html"
    run("attn", CAFE, "--pair", TEN, "-q", "--html", path).answer()
    return path


@pytest.fixture
def cafe_tab(browser: Any, cafe_page: Path) -> Iterator[Tab]:
    with chromium.tab(browser, cafe_page, viewport={"width": 1440, "height": 1100}) as tab:
        yield tab.open_when_used()


def pressed_heads(tab: Tab) -> list[int]:
    return [int(head) for head in tab.texts(".head[aria-pressed='true']")]


def labels_of(tab: Tab) -> np.ndarray:
    """Return the labels of all heads, layers by heads."""
    return np.array(tab.data()["labels"], dtype=object).reshape(6, 12)


def test_the_page_opens_with_the_layer_and_heads_that_look_from_word_to_word(cafe_tab: Tab) -> None:
    assert cafe_tab.address() == {}
    labels = labels_of(cafe_tab)
    patterns = np.isin(labels.astype(str), ("previous", "next", "self"))
    layer = int(cafe_tab.page.input_value("[data-control='layer']"))
    assert layer == patterns.sum(1).argmax()
    heads = pressed_heads(cafe_tab)
    assert len(heads) == 4
    assert set(np.flatnonzero(patterns[layer])) <= set(heads)
    assert all(labels[layer, head] in ("previous", "next", "self", None) for head in heads)


def test_an_option_decides_what_the_page_opens_with(browser: Any, tmp_path: Path) -> None:
    run("attn", "The cat sat", "--layer", "3", "--head", "5", "--html", tmp_path / "page.html").answer()
    with chromium.tab(browser, tmp_path / "page.html") as tab:
        assert tab.open().page.input_value("[data-control='layer']") == "3"
        assert pressed_heads(tab) == [5]
        assert tab.address() == {}


def test_lines_end_beside_the_tokens_in_a_narrow_window(browser: Any, pairs_page: Path) -> None:
    """The tokens are as wide as the canvas leaves room for."""
    with chromium.tab(browser, pairs_page, viewport={"width": 390, "height": 844}) as tab:
        tab.open("heads=0,1&least=0")
        width = tab.page.eval_on_selector(".side.queries", "(side) => Math.floor(side.getBoundingClientRect().width)")
        ink = """(width) => {
            const canvas = document.querySelector(".diagram canvas");
            const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            const isOutside = (x) => x < width || x >= canvas.width - width;
            return data.some((value, at) => at % 4 === 3 && value && isOutside(((at - 3) / 4) % canvas.width));
        }"""
        assert not tab.page.evaluate(ink, width)


def test_the_page_opens_with_a_word(pairs_tab: Tab) -> None:
    """The word is the first one that does not recur in the text."""
    assert pairs_tab.page.get_attribute(".queries [aria-selected='true']", "data-position") == "2"
    assert pairs_tab.key("t").page.get_attribute(".queries [aria-selected='true']", "data-position") == "1"
    assert pairs_tab.address() == {"text": "1"}
    pairs_tab.key("Escape")
    assert pairs_tab.page.query_selector(".queries [aria-selected='true']") is None
    assert pairs_tab.open(pairs_tab.page.url.partition("#")[2]).page.query_selector("li[aria-selected='true']") is None


def hidden(tab: Tab) -> int:
    return int(tab.text(".least .count").split()[0].replace(",", ""))


def test_the_automatic_minimum_keeps_five_lines_a_token_and_counts_the_others(cafe_tab: Tab) -> None:
    size = len(cafe_tab.texts(".queries li"))
    drawn, total = (
        int(number.replace(",", ""))
        for number in cafe_tab.page.get_attribute(".least .count", "title").split()
        if number[0].isdigit()
    )
    assert total == size * size * 4
    assert 4.5 * size <= drawn <= 5 * size
    assert hidden(cafe_tab) == total - drawn
    least = float(cafe_tab.text(".least output"))
    layer = int(cafe_tab.page.input_value("[data-control='layer']"))
    weights = np.array(
        [
            cafe_tab.page.evaluate("([l, h]) => attentionPage.matrix(l, h)", [layer, head])
            for head in pressed_heads(cafe_tab)
        ]
    )
    assert (weights >= least * 0.99).sum() == pytest.approx(drawn, rel=0.05)


def test_a_minimum_is_in_the_address_only_if_it_is_set(cafe_tab: Tab) -> None:
    assert cafe_tab.page.get_attribute(".least .chip", "aria-pressed") == "true"
    automatic = hidden(cafe_tab)
    cafe_tab.page.fill(".least input", "0")
    assert cafe_tab.settled().address() == {"least": "0"}
    assert cafe_tab.page.get_attribute(".least .chip", "aria-pressed") == "false"
    assert hidden(cafe_tab) < automatic
    cafe_tab.page.click(".least .chip")
    assert cafe_tab.settled().address() == {}
    assert hidden(cafe_tab) == automatic


def test_an_even_head_has_lines_too(pairs_tab: Tab) -> None:
    """Weights that are nearly alike, as those of a random model, are not all hidden."""
    for layer in (0, 1):
        pairs_tab.open(f"layer={layer}&token=")
        assert not pairs_tab.page.is_visible(".nothing")
        assert pairs_tab.ink(".diagram canvas") > 500


@pytest.mark.parametrize(("height", "row"), [(1100, 40), (820, (24, 40)), (500, 24)])
def test_rows_grow_to_fill_the_height(browser: Any, pairs_page: Path, height: int, row: Any) -> None:
    with chromium.tab(browser, pairs_page, viewport={"width": 1440, "height": height}) as tab:
        found = tab.open().page.locator(".queries li").first.bounding_box()["height"]
        assert row[0] < found < row[1] if isinstance(row, tuple) else found == row
        assert tab.page.locator(".diagram").bounding_box()["width"] > 860


def test_lines_have_the_colours_of_their_heads_where_they_cross(cafe_tab: Tab) -> None:
    """The strongest lines are drawn last and are opaque, so that their colours are those of the buttons."""
    cafe_tab.open("token=")
    wanted = cafe_tab.page.eval_on_selector_all(
        ".head[aria-pressed='true']",
        "all => all.map((one) => getComputedStyle(one).backgroundColor.match(/[0-9]+/g).join(' '))",
    )
    found = cafe_tab.page.evaluate(COLOURS, ".diagram canvas")
    rgb = np.array([one.split() for one in found], dtype=int)
    near = [np.abs(rgb - np.array(one.split(), dtype=int)).max(-1).min() for one in wanted]
    assert max(near) < 12


def test_bars_are_stacked_in_the_colours_of_the_heads(cafe_tab: Tab) -> None:
    """Each bar is as long as the mean weight, and has a part for each head, as large as the weight of the head."""
    colours = cafe_tab.page.eval_on_selector_all(
        ".head[aria-pressed='true']", "all => all.map((one) => getComputedStyle(one).getPropertyValue('--head'))"
    )
    layer = int(cafe_tab.page.input_value("[data-control='layer']"))
    query = int(cafe_tab.page.get_attribute(".queries [aria-selected='true']", "data-position"))
    rows = cafe_tab.page.evaluate(
        "([l, heads, q]) => Promise.all(heads.map(async (h) => (await attentionPage.matrix(l, h))[q]))",
        [layer, pressed_heads(cafe_tab), query],
    )
    found = cafe_tab.page.eval_on_selector_all(
        ".readout .bars li",
        """rows => rows.map((row) => {
            const bar = row.querySelector(".bar");
            const context = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
            const stops = [...getComputedStyle(bar).backgroundImage.matchAll(/(\\w+\\([^()]+\\)) ([0-9.]+)%/g)];
            return [Number(row.dataset.position), parseFloat(bar.style.width) / 100, stops.map(([, colour, end]) => {
                context.fillStyle = colour;
                context.fillRect(0, 0, 1, 1);
                return [`rgb(${[...context.getImageData(0, 0, 1, 1).data].slice(0, 3).join(" ")})`, Number(end)];
            })];
        })""",
    )
    assert len(found) == 10
    for position, width, stops in found:
        weights = np.array(rows)[:, position]
        assert width == pytest.approx(weights.mean(), abs=1e-6)
        assert [colour for colour, _ in stops] == [colour.strip() for colour in colours]
        assert [end for _, end in stops] == pytest.approx(100 * weights.cumsum() / weights.sum(), abs=0.01)


def test_the_text_is_shown_as_it_is_written_with_its_tokens_below(cafe_tab: Tab) -> None:
    assert cafe_tab.texts("#surface .spelling") == ["", *CAFE.split(), "", *TEN.split(), ""]
    words = [
        [chip.inner_text() for chip in word.query_selector_all(".token")]
        for word in cafe_tab.page.query_selector_all(".word")
    ]
    assert [tokens for tokens in words if len(tokens) == 1][1:4] == [["is"], ["the"], ["cafe"]]
    assert ["[UNK]"] in words and ["zoe", "?"] in words
    assert [token for tokens in words for token in tokens] == cafe_tab.texts(".queries li")


def test_pointing_at_a_token_marks_its_part_of_the_text_and_the_other_way_round(cafe_tab: Tab) -> None:
    tokens = cafe_tab.texts(".queries li")
    unknown = tokens.index("[UNK]")
    cafe_tab.page.hover(f".keys [data-position='{unknown}']")
    assert cafe_tab.texts("#surface .fragment.chosen") == ["龘"]
    cafe_tab.page.hover("#surface .fragment >> text=Caf")
    assert cafe_tab.text(".readout h2") == "cafe attends to"
    assert cafe_tab.texts(".queries .chosen") == ["cafe"]
    cafe_tab.page.click("#surface .token >> text=zoe")
    assert cafe_tab.settled().address() == {"token": str(tokens.index("zoe"))}


def test_the_text_can_be_read_with_the_keyboard(cafe_tab: Tab) -> None:
    cafe_tab.page.focus("#surface [role=option][tabindex='0']")
    cafe_tab.key("ArrowRight").key("ArrowRight")
    assert cafe_tab.text(".readout h2") == "cafe attends to"
    cafe_tab.key("Enter")
    assert cafe_tab.address() == {"token": "3"}


def test_a_page_without_places_of_tokens_shows_the_text_and_the_tokens(
    browser: Any, cafe_page: Path, tmp_path: Path
) -> None:
    page = cafe_page.read_text(encoding="utf-8")
    path = tmp_path / "old.html"
    path.write_text(page.replace('"spans":', '"no spans":'), encoding="utf-8")
    with chromium.tab(browser, path) as tab:
        assert [text for text in tab.open().texts("#surface .spelling") if text] == [CAFE, TEN]
        assert tab.texts("#surface .token") == tab.texts(".queries li")


@pytest.mark.parametrize("key", ["ArrowRight", "]"])
def test_what_is_pointed_at_stays_when_the_layer_or_head_changes(pairs_tab: Tab, key: str) -> None:
    pairs_tab.page.hover(".keys [data-position='3']")
    assert pairs_tab.text(".readout h2") == "sat receives attention from"
    before = pairs_tab.texts(".readout .bars .number")
    pairs_tab.key(key)
    assert pairs_tab.text(".readout h2") == "sat receives attention from"
    assert pairs_tab.texts(".readout .bars .number") != before


def test_a_key_can_be_kept(pairs_tab: Tab) -> None:
    pairs_tab.page.click(".keys [data-position='3']")
    pairs_tab.page.mouse.move(600, 5)
    assert pairs_tab.settled().address() == {"token": "", "key": "3"}
    assert pairs_tab.text(".readout h2") == "sat receives attention from"
    assert pairs_tab.open("key=3").text(".readout h2") == "sat receives attention from"
    pairs_tab.page.click(".keys [data-position='3']")
    assert "key" not in pairs_tab.settled().address()


def test_a_filter_never_shows_a_token_that_it_leaves_out(pairs_tab: Tab) -> None:
    pairs_tab.open("filter=bb&token=2")
    assert pairs_tab.address() == {"filter": "bb"}
    assert pairs_tab.text(".readout h2") == f"{SENTENCE_B.split()[0]} attends to"
    pairs_tab.key("s")
    assert pairs_tab.address() == {}
    assert pairs_tab.text(".readout h2") == f"{TEXTS[0].split()[1]} attends to"


def test_a_double_click_on_a_head_is_one_step_of_back(pairs_tab: Tab) -> None:
    before = pairs_tab.page.evaluate("() => history.length")
    pairs_tab.page.dblclick(".chips [data-head='2']")
    assert pairs_tab.settled().address() == {"heads": "2"}
    assert pairs_tab.page.evaluate("() => history.length") == before + 1
    pairs_tab.page.go_back()
    assert pairs_tab.settled().address() == {}


def test_a_token_in_the_list_of_weights_can_be_gone_to(pairs_tab: Tab) -> None:
    place = pairs_tab.texts(".readout .bars .place")[1]
    pairs_tab.page.click(".readout .bars li >> nth=1")
    assert pairs_tab.settled().address() == {"token": place}


@pytest.fixture(scope="module")
def long_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("long") / "long.html"
    run("attn", long_text(150), "--html", path).answer()
    return path


@pytest.fixture
def long_tab(browser: Any, long_page: Path) -> Iterator[Tab]:
    with chromium.tab(browser, long_page, viewport={"width": 1280, "height": 900}) as tab:
        yield tab.open("token=80")


def places(tab: Tab, side: str) -> list[int]:
    """Return the positions of the tokens that are laid out in full."""
    return tab.page.eval_on_selector_all(f".{side} li", "all => all.map((one) => Number(one.dataset.position))")


def test_only_the_neighbours_of_the_chosen_token_are_laid_out_in_full(long_tab: Tab) -> None:
    for side in ("queries", "keys"):
        shown = places(long_tab, side)
        assert shown == list(range(shown[0], shown[-1] + 1))
        assert len(shown) < 30 and shown[0] <= 75 and shown[-1] >= 85
    box = long_tab.page.locator(".diagram").bounding_box()
    assert box["y"] + box["height"] <= 900
    first = long_tab.page.locator(".queries li").first.bounding_box()
    assert first["height"] == 24
    long_tab.open("token=3")
    assert places(long_tab, "queries")[0] == 0


def test_a_high_window_shows_all_tokens_in_full(browser: Any, long_page: Path) -> None:
    with chromium.tab(browser, long_page, viewport={"width": 1280, "height": 7000}) as tab:
        assert places(tab.open("token=80"), "queries") == list(range(len(tab.data()["tokens"])))


def test_a_click_on_a_thin_bar_goes_to_its_token(long_tab: Tab) -> None:
    overview = long_tab.page.locator(".overview.query")
    height = overview.bounding_box()["height"]
    overview.hover(position={"x": 30, "y": height - 3})
    flag = long_tab.text(".flag")
    position = int(flag.split("· ")[1])
    assert position > 140
    assert long_tab.text(".readout h2") == f"{flag.split(' ·')[0]} attends to"
    overview.click(position={"x": 30, "y": height - 3})
    assert long_tab.settled().address()["token"] == str(position)
    assert position in places(long_tab, "queries")
    assert not long_tab.page.is_visible(".flag")


@pytest.mark.parametrize("side", ["query", "key"])
def test_the_strongest_lines_of_a_token_are_drawn_and_thin_if_there_are_many(long_tab: Tab, side: str) -> None:
    count = long_tab.page.locator("#controls .head").count()
    long_tab.open(f"layer=0&heads={','.join(map(str, range(count)))}&token=")
    long_tab.page.evaluate("""() => {
        window.curves = 0;
        window.widths = new Set();
        const { bezierCurveTo } = Path2D.prototype;
        Path2D.prototype.bezierCurveTo = function (...points) {
            window.curves += 1;
            bezierCurveTo.apply(this, points);
        };
        const { stroke } = CanvasRenderingContext2D.prototype;
        CanvasRenderingContext2D.prototype.stroke = function (path) {
            window.widths.add(this.lineWidth);
            stroke.call(this, path);
        };
    }""")
    position = places(long_tab, "queries")[4]
    long_tab.page.hover(f".{'queries' if side == 'query' else 'keys'} [data-position='{position}']")
    # The weights of the token alone, since a call that returns all matrices takes seconds.
    weights = np.ravel(
        long_tab.page.evaluate(
            """([n, token, isQuery]) => Promise.all([...Array(n).keys()].map(async (head) => {
                const rows = await attentionPage.matrix(0, head);
                return isQuery ? rows[token] : rows.map((row) => row[token]);
            }))""",
            [count, position, side == "query"],
        )
    )
    wanted = min(160, int((weights >= 0.02 * weights.max()).sum()))
    assert wanted > 80
    assert long_tab.settled().page.evaluate("() => [window.curves, ...window.widths]") == [wanted, 1]


def test_arrow_keys_move_the_neighbourhood(long_tab: Tab) -> None:
    for _ in range(12):
        long_tab.key("ArrowDown")
    assert long_tab.address()["token"] == "92"
    assert {90, 91, 92, 93, 94} <= set(places(long_tab, "queries"))


def test_controls_stay_in_view(browser: Any, pairs_page: Path) -> None:
    with chromium.tab(browser, pairs_page, viewport={"width": 1000, "height": 520}) as tab:
        tab.open().page.mouse.wheel(0, 400)
        tab.page.wait_for_function("() => scrollY > 100")
        box = tab.page.locator("#controls").bounding_box()
        assert box["y"] == 0
        assert tab.page.is_visible("#controls .head")
