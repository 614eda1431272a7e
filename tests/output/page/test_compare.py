"""Tests of comparisons: two heads of a text, and a head in two texts."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.cli.process import run
from tests.output.page import chromium
from tests.output.page.chromium import Tab
from tests.output.page.test_accessibility import RULES, RULES_OF_COLOURS, violations
from tests.output.page.test_saving import saved, table

TEXTS = ["the cat sat on the mat.", "the cat sat on you.", "how are the mat, the cat and you", "the cat sat on a mat."]
HEADS = 3
PANELS = {name: f"#view-matrix .picture.{name} .heatmap canvas" for name in ("left", "right", "difference")}
FARTHEST = 0.8326  # the root of ln 2


@pytest.fixture(scope="module")
def texts_page(tmp_path_factory: pytest.TempPathFactory, tiny_bert: Path) -> Path:
    path = tmp_path_factory.mktemp("compare") / "texts.html"
    run("attn", "-m", tiny_bert, *TEXTS, "--html", path).answer()
    return path


@pytest.fixture
def tab(browser: Any, texts_page: Path) -> Iterator[Tab]:
    with chromium.tab(browser, texts_page) as found:
        yield found


@pytest.fixture(scope="module")
def weights(tiny_bert: Path) -> Any:
    """Return a function that has the command compute the weights of a head in a text."""

    def of(text: int, layer: int, head: int) -> Any:
        [record] = run(
            "attn", "-m", tiny_bert, TEXTS[text], "--layer", str(layer), "--head", str(head), "--json"
        ).records()
        return np.array(record["attention"])

    return of


def number(written: str) -> float:
    return float("nan" if written == "–" else written.replace("−", "-"))


def readings(tab: Tab) -> list[float]:
    """Return the weights and the difference of the cell that is spoken of."""
    return [number(one) for one in tab.texts(".compared .pointed .reading .number")]


def common(left: list[str], right: list[str]) -> int:
    """Return the length of a longest common subsequence."""
    lengths = [0] * (len(right) + 1)
    for one in left:
        before = 0
        for at, other in enumerate(right):
            before, lengths[at + 1] = lengths[at + 1], before + 1 if one == other else max(lengths[at], lengths[at + 1])
    return lengths[-1]


def distance(left: Any, right: Any) -> float:
    """Return the mean over rows of the Jensen-Shannon distance."""
    left, right = (side / side.sum(-1, keepdims=True) for side in (left, right))
    mean = (left + right) / 2
    return float(np.sqrt((left * np.log(left / mean) + right * np.log(right / mean)).sum(-1) / 2).mean())


def test_two_heads_are_shown_with_their_difference(tab: Tab, weights: Any, tiny_bert: Path) -> None:
    tab.open("view=matrix&layer=0&heads=1&compare=1.2&token=")
    left, right = weights(0, 0, 1), weights(0, 1, 2)
    assert tab.texts(".picture h2")[0].startswith("L0H1") and tab.texts(".picture h2")[1].startswith("L1H2")
    assert "L1H2 − L0H1" in tab.texts(".picture h2")[2]
    assert tab.texts(".meanings .pole") == ["more in L0H1", "more in L1H2"]
    largest = np.abs(right - left).max()
    assert [number(one) for one in tab.texts(".legend.poles .ends span")] == pytest.approx(
        [-largest, 0, largest], rel=0.06
    )
    for panel, place in zip(PANELS.values(), [(150, 140), (200, 180), (250, 220)], strict=True):
        tab.page.hover(panel, position={"x": place[0], "y": place[1]})
        query, key = (int(at) for at in tab.texts(".compared .pointed .place"))
        wanted = [left[query, key], right[query, key], right[query, key] - left[query, key]]
        assert readings(tab) == pytest.approx(wanted, rel=0.06, abs=6e-5)
    assert "difference" in (tab.page.text_content("#announcer") or "")

    [record] = run("attn", "-m", tiny_bert, TEXTS[0], "--head-distance", "--json").records()
    shown = tab.text(".compared .distance")
    assert float(shown) == pytest.approx(record["head_distance"][1][HEADS + 2], abs=6e-4)

    name, content = saved(tab, "CSV")
    assert name == "attention-text-1-matrix-layer-0-head-1-and-layer-1-head-2.csv"
    rows = list(csv.DictReader(io.StringIO(content.decode())))
    assert [(int(row["query_position"]), int(row["key_position"])) for row in rows] == list(np.ndindex(left.shape))
    for column, matrix in (("L0H1", left), ("L1H2", right), ("difference", right - left)):
        assert [float(row[column]) for row in rows] == pytest.approx(matrix.ravel(), rel=1e-4, abs=2e-5)


@pytest.mark.parametrize(("one", "other"), [(0, 1), (1, 2), (2, 0)])
def test_two_texts_are_compared_where_their_tokens_are_aligned(tab: Tab, weights: Any, one: int, other: int) -> None:
    tab.open(f"view=matrix&layer=1&heads=0&text={one}&compare=text.{other}")
    left, right = weights(one, 1, 0), weights(other, 1, 0)
    tokens = [tab.data(text)["tokens"] for text in (one, other)]
    rows = table(tab)
    pairs = {}
    for row in rows:
        query, key = row["query_position"], row["key_position"]
        second = row["other_query_position"], row["other_key_position"]
        for matrix, column, place in ((left, f"text_{one + 1}", (query, key)), (right, f"text_{other + 1}", second)):
            if "" in place:
                assert row[column] == ""
            else:
                assert float(row[column]) == pytest.approx(matrix[int(place[0]), int(place[1])], rel=1e-4, abs=2e-5)
        if row["difference"]:
            assert (row["query"], row["key"]) == (row["other_query"], row["other_key"])
            difference = right[int(second[0]), int(second[1])] - left[int(query), int(key)]
            assert float(row["difference"]) == pytest.approx(difference, abs=4e-5)
            pairs[int(query)] = int(second[0])
    assert len(pairs) == common(*tokens)
    assert [tokens[0][at] for at in pairs] == [tokens[1][at] for at in pairs.values()]
    assert list(pairs) == sorted(pairs) and list(pairs.values()) == sorted(pairs.values())
    assert sum(bool(row["difference"]) for row in rows) == len(pairs) ** 2

    own, others = list(pairs), list(pairs.values())
    kept = left[np.ix_(own, own)], right[np.ix_(others, others)]
    assert float(tab.text(".compared .distance")) == pytest.approx(distance(*kept), abs=6e-4)
    said = tab.text(".compared .summary")
    for part, text in zip(kept, (one, other), strict=True):
        assert f"{100 * part.sum(-1).mean():.0f} % of" in said, text
    assert f"{len(own)} tokens are the same in both texts" in said
    assert f"{len(tokens[0]) - len(own)} of text {one + 1} and {len(tokens[1]) - len(own)} of text {other + 1}" in said


def test_unaligned_tokens_are_shown_without_a_difference(tab: Tab, weights: Any) -> None:
    tab.open("view=matrix&layer=1&heads=0&compare=text.1&token=6&key=1").page.focus(PANELS["left"])  # mat, the
    assert "mat ≠ –" in tab.text(".compared .pointed") and "no difference" in tab.text(".compared .pointed")
    tab.open("view=matrix&layer=1&heads=0&compare=text.1&token=6")  # a row without any difference
    assert "no differences, since only aligned tokens have them" in tab.text(".compared .pointed")
    tab.open("view=matrix&layer=1&heads=0&compare=text.1&token=6&key=1").page.focus(PANELS["left"])
    assert readings(tab)[0] == pytest.approx(weights(0, 1, 0)[6, 1], rel=0.06)
    tab.page.focus(PANELS["right"])
    tab.page.hover(PANELS["right"], position={"x": 200, "y": 100})
    query, key = (place.split("/")[-1] for place in tab.texts(".compared .pointed .place"))
    assert readings(tab)[1] == pytest.approx(weights(1, 1, 0)[int(query), int(key)], rel=0.06, abs=6e-5)


def test_replaced_tokens_are_paired_on_request(tab: Tab, weights: Any) -> None:
    """The first and the last text differ in one token, the fifth."""
    tab.open("view=matrix&layer=1&heads=0&compare=text.3&token=5&key=2")
    assert "no difference" in tab.text(".compared .pointed")
    tab.page.check(".compare input")
    assert tab.settled().address()["pairs"] == "replaced"
    left, right = weights(0, 1, 0), weights(3, 1, 0)
    assert readings(tab) == pytest.approx([left[5, 2], right[5, 2], right[5, 2] - left[5, 2]], rel=0.06, abs=6e-5)
    assert "the ≠ a" in tab.text(".compared .pointed")
    assert float(tab.text(".compared .distance")) == pytest.approx(distance(left, right), abs=6e-4)
    assert "1 replaced token is paired" in tab.text(".compared .summary")
    assert all(row["difference"] for row in table(tab))
    tab.open("view=matrix&compare=text.1&pairs=replaced")  # two tokens that replace one are no pair
    assert "not aligned" in tab.text(".compared .summary")


def test_the_model_view_shows_which_heads_change(tab: Tab, weights: Any) -> None:
    tab.open("view=model&special=show&compare=text.3&pairs=replaced")
    places = [(layer, head) for layer in range(2) for head in range(HEADS)]
    pairs = {place: (weights(0, *place), weights(3, *place)) for place in places}
    wanted = sorted(((distance(*pairs[place]), place) for place in places), reverse=True)
    assert tab.texts(".ranking .names") == [f"L{layer}H{head}" for _, (layer, head) in wanted]
    assert [float(one) for one in tab.texts(".ranking .number")] == pytest.approx(
        [number for number, _ in wanted], abs=6e-4
    )
    widths = tab.page.eval_on_selector_all(".change .bar", "all => all.map((one) => parseFloat(one.style.width))")
    assert widths == pytest.approx([100 * distance(*pairs[place]) / wanted[0][0] for place in places], abs=0.5)
    rows = table(tab)
    for row, place in zip(rows, places, strict=True):
        left, right = pairs[place]
        assert float(row["distance"]) == pytest.approx(distance(left, right), abs=1e-3)
        assert abs(float(row["largest_difference"])) == pytest.approx(np.abs(right - left).max(), abs=5e-5)
    assert violations(tab) == []
    assert "so far" not in tab.text(".ranking")
    tab.page.hover(".thumbnail[data-layer='1'][data-head='1']")
    assert "distance" in tab.text("#view-model .pointed") and "largest difference" in tab.text("#view-model .pointed")
    tab.page.click(".thumbnail[data-layer='1'][data-head='1']")
    assert "distance" in tab.settled().text(".enlarged h2") and tab.ink(".enlarged canvas") > 1000
    tab.page.click("[data-drawing='lines']")
    assert tab.settled().ink(".thumbnail canvas") > 100
    tab.page.click(".ranking button >> nth=0")
    address = tab.drawn("matrix").address()
    assert (address["compare"], address["pairs"], address["special"]) == ("text.3", "replaced", "show")
    assert float(tab.text(".compared .distance")) == pytest.approx(wanted[0][0], abs=6e-4)
    tab.key("c").view("model")
    assert not tab.page.is_visible(".ranking") and not tab.page.is_visible(".change")


def test_the_model_view_says_how_many_heads_are_compared_so_far(tab: Tab) -> None:
    tab.open("view=model").page.evaluate(
        """() => {
            globalThis.said = [];
            const ranking = document.querySelector("#view-model .ranking");
            new MutationObserver(() => globalThis.said.push(ranking.textContent)).observe(ranking, { childList: true });
        }"""
    )
    tab.key("c").page.wait_for_function("() => globalThis.said.some((text) => text && !text.includes('so far'))")
    assert f"{HEADS} of {2 * HEADS} heads are compared so far." in tab.page.evaluate("() => globalThis.said[0]")
    assert "differ between the texts" in tab.text("#view-model .pointed")


def test_the_largest_differences_are_listed_and_kept_by_a_click(tab: Tab, weights: Any) -> None:
    tab.open("view=matrix&layer=0&heads=1&compare=1.2&token=")
    difference = weights(0, 1, 2) - weights(0, 0, 1)
    wanted = np.sort(np.abs(difference).ravel())[::-1][:10]
    shown = [number(one) for one in tab.texts(".differences .number")]
    assert np.abs(shown) == pytest.approx(wanted, rel=0.06, abs=6e-5)
    button = tab.page.locator(".differences button").nth(2)
    button.click()
    tab.settled().page.mouse.move(5, 5)
    place = tab.settled().texts(".compared .pointed .place")
    assert difference[int(place[0]), int(place[1])] == pytest.approx(shown[2], rel=0.06, abs=6e-5)
    assert button.get_attribute("aria-pressed") == "true"
    tab.page.locator(".differences button").nth(0).focus()
    assert readings(tab)[2] == pytest.approx(shown[0])
    tab.key("Enter")
    assert tab.page.locator(".differences button").nth(0).get_attribute("aria-pressed") == "true"


def test_keys_choose_what_is_compared_and_back_undoes_it(tab: Tab) -> None:
    tab.open("view=matrix&layer=0&heads=1")
    for key, wanted in (
        ("c", "text.1"),  # c compares with another text, if there are several
        ("}", "text.2"),
        ("}", "text.3"),
        ("}", "text.1"),
        ("{", "text.3"),
        ("{", "text.2"),
        ("c", None),
    ):
        assert tab.key(key).address().get("compare") == wanted, key
    tab.page.click("[data-compare='head']")
    assert tab.settled().address()["compare"] == "0.2"
    assert tab.key("}").address()["compare"] == "1.0"
    tab.page.select_option("[aria-label='Head to compare with']", "2")
    assert tab.settled().address()["compare"] == "1.2"
    assert tab.key("x").address()["compare"] == "0.1"
    assert [title.split()[0] for title in tab.texts(".picture h2")[:2]] == ["L1H2", "L0H1"]
    tab.page.go_back()
    assert tab.settled().address()["compare"] == "1.2"
    assert tab.text("#view-matrix .picture.right h2").startswith("L1H2")
    tab.page.go_back()
    assert tab.settled().address()["compare"] == "1.0"
    tab.open("view=matrix&compare=text.2").key("x")
    assert (tab.address()["text"], tab.address()["compare"]) == ("2", "text.0")
    tab.page.click("[data-compare='nothing']")
    assert "compare" not in tab.settled().address() and tab.page.is_visible("#view-matrix .split")
    assert not tab.page.is_visible(".compared")


@pytest.mark.parametrize("compared", ["9.0", "0.9", "text.9", "text.", "text.0", "x", "text.-1"])
def test_an_invalid_comparison_in_the_address_is_ignored(tab: Tab, compared: str) -> None:
    assert "compare" not in tab.open(f"view=matrix&compare={compared}").address()


def test_the_address_restores_the_comparison(tab: Tab, browser: Any) -> None:
    tab.open("view=matrix&layer=1&heads=2").key("c").key("}").key("ArrowDown")
    tab.page.check(".special input")
    tab.settled()
    shown = [tab.text(f".compared {part}") for part in (".pointed", ".findings", ".pictures")]
    with chromium.tab(browser, tab.file) as other:
        other.open(tab.page.url.partition("#")[2])
        assert [other.text(f".compared {part}") for part in (".pointed", ".findings", ".pictures")] == shown
        assert other.address() == tab.address() and other.address()["compare"] == "text.2"


def test_the_panels_share_zoom_cells_and_special_tokens(tab: Tab) -> None:
    tab.open("view=matrix&layer=1&heads=0&compare=text.1&zoom=1-5,1-5&token=3&key=3")
    assert {row["query_position"] for row in table(tab)} == set("12345")
    sizes = [tab.page.locator(panel).bounding_box() for panel in PANELS.values()]
    assert len({round(size["height"]) for size in sizes}) == 1
    tab.page.focus(PANELS["difference"])
    tab.key("ArrowDown")
    assert tab.texts(".compared .pointed .place")[0].startswith("4")
    tab.key("Escape").page.check(".special input")
    tab.settled()
    rows = table(tab)
    assert "[CLS]" not in {row["query"] for row in rows} and "[SEP]" not in {row["other_key"] for row in rows}
    for side, query in (("text_1", "query_position"), ("text_2", "other_query_position")):
        sums: dict[str, float] = {}
        for row in rows:
            if row[side]:
                sums[row[query]] = sums.get(row[query], 0) + float(row[side])
        assert list(sums.values()) == pytest.approx([1] * len(sums), abs=1e-4)


def test_a_comparison_is_saved_as_picture_and_drawing(tab: Tab) -> None:
    tab.open("view=matrix&layer=1&heads=0&compare=text.1")
    name, png = saved(tab, "PNG")
    assert name == "attention-text-1-matrix-layer-1-head-0-and-text-2.png" and png.startswith(b"\x89PNG")
    svg = saved(tab, "SVG")[1].decode()
    assert all(word in svg for word in ("text 2 − text 1", "more in text 1", "≠ mat", "the ≠ you"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_a_comparison(browser: Any, texts_page: Path, scheme: Any) -> None:
    with chromium.tab(browser, texts_page, color_scheme=scheme) as tab:
        for address in ("view=matrix&compare=1.2&token=2&key=3", "view=matrix&compare=text.2"):
            assert violations(tab.open(address), RULES if scheme == "light" else RULES_OF_COLOURS) == [], address


def test_a_comparison_fits_narrow_windows_and_paper(browser: Any, texts_page: Path) -> None:
    for width in (390, 800, 1440):
        with chromium.tab(browser, texts_page, viewport={"width": width, "height": 844}) as tab:
            tab.open("view=matrix&compare=text.1")
            assert tab.page.evaluate("() => document.documentElement.scrollWidth") <= width
            boxes = [tab.page.locator(panel).bounding_box() for panel in PANELS.values()]
            assert len({round(box["y"]) for box in boxes}) == {390: 3, 800: 2, 1440: 1}[width]
            assert tab.page.pdf(format="A4").count(b"/Type /Page\n") <= 2
