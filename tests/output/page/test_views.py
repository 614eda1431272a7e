"""Tests of the views: each shows what the model computed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bertcli.model.engine import ObservedAttention, OutputRequest
from tests.cli.process import run
from tests.output.page import chromium
from tests.output.page.chromium import Tab
from tests.output.page.conftest import SENTENCE_B, TEXTS
from tests.tiny import one_batch, open_bert

LAYERS, HEADS = 2, 3


@pytest.fixture(scope="module")
def computed(tiny_bert: Path) -> dict[str, Any]:
    """Return the first text's weights (layers, heads, seq, seq), and query and key (layers, heads, seq, head_size)."""
    session = open_bert(tiny_bert)
    found: list[ObservedAttention] = []
    batch = one_batch(session, [(TEXTS[0], SENTENCE_B)])
    session.run(batch, OutputRequest(on_attention=found.append))
    arrays = {name: np.stack([getattr(layer, name)[0] for layer in found]) for name in ("weights", "query", "key")}
    return {**arrays, "tokens": batch.texts[0].tokens, "token_type_ids": batch.texts[0].token_type_ids}


def test_every_weight_is_within_1_65535_of_the_maximum_of_its_row(pairs_tab: Tab, computed: dict[str, Any]) -> None:
    for layer in range(LAYERS):
        for head in range(HEADS):
            found = np.array(pairs_tab.page.evaluate("([l, h]) => attentionPage.matrix(l, h)", [layer, head]))
            weights = computed["weights"][layer, head]
            assert found.shape == weights.shape
            assert (np.abs(found - weights) <= weights.max(-1, keepdims=True) / 65535).all()


def test_the_rollout_equals_that_of_attn(pairs_tab: Tab, records: Any) -> None:
    for number, record in enumerate(records):
        rollout = np.array(record["rollout"])
        found = np.array(pairs_tab.page.evaluate("(text) => attentionPage.rollout(undefined, text)", number))
        assert (np.abs(found - rollout) <= rollout.max(-1, keepdims=True) / 65535).all()


def test_the_head_view_lists_tokens_on_both_sides_and_draws_lines(pairs_tab: Tab, computed: dict[str, Any]) -> None:
    assert pairs_tab.texts(".queries li") == pairs_tab.texts(".keys li") == list(computed["tokens"])
    assert pairs_tab.ink(".diagram canvas") > 500
    assert "cat attends to" in pairs_tab.text(".readout")
    assert "Point at a token" in pairs_tab.key("Escape").text(".readout")


@pytest.mark.parametrize("side", ["queries", "keys"])
def test_pointing_at_a_token_lists_its_strongest_weights(pairs_tab: Tab, computed: dict[str, Any], side: str) -> None:
    pairs_tab.open("token=")
    before = pairs_tab.ink(".diagram canvas")
    pairs_tab.page.hover(f".{side} [data-position='2']")
    mean = computed["weights"][0].mean(0)
    row = mean[2] if side == "queries" else mean[:, 2]
    best = np.argsort(-row)[:10]
    assert pairs_tab.texts(".readout .bars .place") == [str(at) for at in best]
    shown = [float(number) for number in pairs_tab.texts(".readout .bars .number")]
    assert shown == pytest.approx(row[best], abs=0.0006)
    assert ("receives attention from" if side == "keys" else "attends to") in pairs_tab.text(".readout h2")
    assert 0 < pairs_tab.ink(".diagram canvas") != before
    pairs_tab.page.mouse.move(600, 5)
    assert "Point at a token" in pairs_tab.text(".readout")


def test_head_buttons_select_heads(pairs_tab: Tab, computed: dict[str, Any]) -> None:
    pairs_tab.page.click(".chips [data-head='0']")
    pairs_tab.settled().page.hover(".queries [data-position='1']")
    row = computed["weights"][0, 1:, 1].mean(0)
    assert pairs_tab.texts(".readout .bars .place")[0] == str(row.argmax())
    assert "mean of 2 heads" in pairs_tab.text(".readout")
    pairs_tab.page.dblclick(".chips [data-head='2']")
    assert pairs_tab.settled().address()["heads"] == "2"
    pairs_tab.page.click(".chips [data-head='2']")
    assert "No head is selected" in pairs_tab.settled().text("#view-heads")


def test_a_click_selects_a_token_and_another_clears_it(pairs_tab: Tab) -> None:
    pairs_tab.page.click(".queries [data-position='3']")
    pairs_tab.page.mouse.move(600, 5)
    assert pairs_tab.settled().address()["token"] == "3"
    assert "sat attends to" in pairs_tab.text(".readout h2")
    pairs_tab.page.click(".queries [data-position='3']")
    assert pairs_tab.settled().address()["token"] == ""


@pytest.mark.parametrize("view", ["heads", "matrix", "rollout"])
def test_a_threshold_above_all_weights_is_reported(pairs_tab: Tab, computed: dict[str, Any], view: str) -> None:
    place = ".diagram .nothing" if view == "heads" else f"#view-{view} .pointed"
    pairs_tab.open(f"view={view}&least=1&heads=0&token=")
    said = pairs_tab.text(place)
    assert said.startswith("No weight here is at least 1.000; the largest is 0.")
    if view != "rollout":
        most = float(said.split()[-1].rstrip("."))
        assert most == pytest.approx(computed["weights"][0, 0].max(), abs=0.0006)
    pairs_tab.open(f"view={view}&heads=0&token=")
    assert not pairs_tab.page.is_visible(place) or "No weight" not in pairs_tab.text(place)


def test_a_token_without_lines_above_the_threshold_is_reported(pairs_tab: Tab, computed: dict[str, Any]) -> None:
    strongest = computed["weights"][0, 0].max(-1)
    pairs_tab.open(f"heads=0&token=&least={strongest.max() - 0.001:.4f}")
    assert not pairs_tab.page.is_visible(".nothing")
    weakest = int(strongest.argmin())
    pairs_tab.page.hover(f".queries [data-position='{weakest}']")
    most = float(pairs_tab.text(".nothing").split()[-1].rstrip("."))
    assert most == pytest.approx(strongest[weakest], abs=0.0006)


def test_the_length_of_a_bar_is_its_number(pairs_tab: Tab) -> None:
    pairs_tab.open("view=masks&text=1&layer=1")
    for name in (".candidates", ".looks .bars"):
        measured = pairs_tab.page.eval_on_selector_all(
            f"{name} li",
            """rows => rows.map((row) => [row.querySelector(".number").textContent,
                row.querySelector(".bar").getBoundingClientRect().width /
                row.querySelector(".track").getBoundingClientRect().width])""",
        )
        assert measured
        assert [part for _, part in measured] == pytest.approx([float(number) for number, _ in measured], abs=0.01)


def test_the_slider_hides_weak_lines(pairs_tab: Tab) -> None:
    before = pairs_tab.open("token=").ink(".diagram canvas")
    pairs_tab.page.fill(".least input", "60")
    assert pairs_tab.settled().address()["least"] == "0.36"
    assert pairs_tab.ink(".diagram canvas") < before


@pytest.mark.parametrize(("name", "left", "right"), [("aa", 0, 0), ("ab", 0, 1), ("ba", 1, 0), ("bb", 1, 1)])
def test_a_filter_shows_one_sentence_on_each_side(
    pairs_tab: Tab, computed: dict[str, Any], name: str, left: int, right: int
) -> None:
    pairs_tab.page.click(f".filter [data-filter='{name}']")
    of = lambda sentence: [  # noqa: E731
        token
        for token, type_id in zip(computed["tokens"], computed["token_type_ids"], strict=True)
        if type_id == sentence
    ]
    assert pairs_tab.settled().texts(".queries li") == of(left)
    assert pairs_tab.texts(".keys li") == of(right)


def test_the_matrix_shows_the_weight_under_the_pointer(pairs_tab: Tab, computed: dict[str, Any]) -> None:
    pairs_tab.page.click(".chips [data-head='1']")
    pairs_tab.page.set_viewport_size({"width": 1960, "height": 1200})
    pairs_tab.open("view=matrix&layer=1&heads=2")
    box = pairs_tab.page.eval_on_selector(
        "#view-matrix canvas", "c => [c.getBoundingClientRect().width, c.getBoundingClientRect().height]"
    )
    size = len(computed["tokens"])
    across, down = 92, 46  # the largest size of a cell
    left, top = box[0] - across * size, box[1] - down * size
    assert left > 0 and top > 0
    for query, key in ((0, 0), (3, 2), (size - 1, 4)):
        place = {"x": left + across * (key + 0.5), "y": top + down * (query + 0.5)}
        pairs_tab.page.hover("#view-matrix canvas", position=place)
        weights = computed["weights"][1, 2]
        assert float(pairs_tab.text("#view-matrix .pointed .number")) == pytest.approx(weights[query, key], abs=0.0006)
        assert pairs_tab.texts("#view-matrix .pointed .name") == [computed["tokens"][at] for at in (query, key)]
    pairs_tab.page.click("#view-matrix canvas", position=place)
    assert pairs_tab.settled().address()["token"] == str(size - 1)


def test_a_row_under_the_pointer_keeps_its_label(browser: Any, tmp_path: Path) -> None:
    run("attn", "She poured the tea.", "--html", tmp_path / "tea.html").answer()
    with chromium.tab(browser, tmp_path / "tea.html") as tab:
        tab.open("view=matrix").page.evaluate(
            """() => { window.drawn = []; const fillText = CanvasRenderingContext2D.prototype.fillText;
            CanvasRenderingContext2D.prototype.fillText = function (text, ...place) {
                window.drawn.push(`${text} ${this.measureText(text).width}`);
                return fillText.call(this, text, ...place); }; }"""
        )
        labels = []
        for row in (1, 2):
            tab.page.evaluate("() => (window.drawn = [])")
            tab.page.hover("#view-matrix canvas", position={"x": 120, "y": 70 + 46 * row})
            labels.append([text for text in tab.settled().page.evaluate("() => window.drawn") if text[0] not in ".1"])
        assert labels[0] == labels[1]
        assert [label.split()[0] for label in labels[0]][:3] == ["[CLS]", "she", "poured"]


def test_the_model_view_shows_every_head_and_opens_the_clicked_one(pairs_tab: Tab) -> None:
    pairs_tab.view("model")
    assert len(pairs_tab.page.query_selector_all(".thumbnail")) == LAYERS * HEADS
    for number in range(LAYERS * HEADS):
        sizes = pairs_tab.page.evaluate(
            """(n) => { const c = document.querySelectorAll(".thumbnail canvas")[n];
            const { data } = c.getContext("2d").getImageData(0, 0, c.width, c.height);
            return [c.width, new Set(new Uint32Array(data.buffer)).size]; }""",
            number,
        )
        assert sizes[0] > 10 and sizes[1] > 10  # one column per token, and many shades
    pairs_tab.page.hover(".thumbnail[data-layer='1'][data-head='2']")
    assert "Layer 1, head 2" in pairs_tab.text("#view-model .pointed")
    pairs_tab.page.click(".thumbnail[data-layer='1'][data-head='2']")
    pairs_tab.settled().page.click(".enlarged >> text=Open head")
    assert pairs_tab.drawn("heads").address() == {"layer": "1", "heads": "2"}


def test_the_statistics_equal_those_of_attn_and_a_click_opens_the_head(pairs_tab: Tab, records: Any) -> None:
    pairs_tab.view("statistics")
    for name in ("entropy", "previous", "distance"):
        pairs_tab.page.click(f".statistic [data-statistic='{name}']")
        shown = [float(number) for number in pairs_tab.settled().texts(".cell")]
        assert shown == pytest.approx(
            [head[name] for head in records[0]["heads"]], abs=0.051 if name == "distance" else 0.0051
        )
    chips = zip(pairs_tab.texts(".labels .chip"), pairs_tab.texts(".labels .count"), strict=True)
    counts = {chip.removesuffix(count).strip(): int(count) for chip, count in chips}
    labels = [head["label"] for head in records[0]["heads"]]
    assert counts == {name: labels.count(name) for name in ("previous", "next", "self", "delimiter", "broad")}
    pairs_tab.page.click(".cell[data-layer='0'][data-head='1']")
    assert pairs_tab.drawn("heads").address()["heads"] == "1"


def test_the_neuron_view_computes_the_scores_of_the_token_under_the_pointer(
    pairs_tab: Tab, computed: dict[str, Any]
) -> None:
    pairs_tab.open("view=neuron&layer=1&heads=1")
    pairs_tab.page.hover("#view-neuron .token[data-position='4']")
    assert "on is the query in layer 1, head 1" in pairs_tab.text("#view-neuron .pointed")
    keys = "#view-neuron .neuron-keys > canvas"
    assert pairs_tab.ink(keys) > 2000
    assert pairs_tab.ink("#view-neuron .neuron-flow") > 200
    query, key = computed["query"][1, 1, 4], computed["key"][1, 1]
    scores = key @ query / np.sqrt(query.size)
    weights = np.exp(scores - scores.max()) / np.exp(scores - scores.max()).sum()
    assert weights == pytest.approx(computed["weights"][1, 1, 4], abs=1e-5)  # so the page has these vectors
    width = pairs_tab.page.query_selector(keys).bounding_box()["width"]
    pairs_tab.page.click("#view-neuron .token[data-position='4']")
    for row, share in ((0, 0.3), (6, 0.6)):  # keys are sorted by weight
        at = int(np.argsort(-weights)[row])
        pairs_tab.page.hover(keys, position={"x": width * share, "y": 26 * (row + 0.5)})
        said = pairs_tab.text("#view-neuron .pointed")
        assert said.startswith(f"{computed['tokens'][at]} {'key' if share == 0.3 else 'product'}[")
        place, number = int(said.split("[")[-1].split("]")[0]), float(said.split("=")[1])
        vector = key[at] if share == 0.3 else key[at] * query
        assert number == pytest.approx(vector[place], abs=1e-3)


def test_the_rollout_view_lists_the_parts_of_the_selected_token(pairs_tab: Tab, records: Any) -> None:
    pairs_tab.open("view=rollout&token=2")
    assert pairs_tab.ink("#view-rollout canvas") > 2000
    row = np.array(records[0]["rollout"][2])
    assert pairs_tab.texts("#view-rollout .bars .place")[0] == str(row.argmax())
    assert float(pairs_tab.texts("#view-rollout .bars .number")[0]) == pytest.approx(row.max(), abs=0.001)
    pairs_tab.key("ArrowLeft")
    assert pairs_tab.address()["through"] == "0"


def test_the_masks_view_shows_the_predictions_of_fill_mask_and_each_masks_attention(
    pairs_tab: Tab, tiny_bert: Path
) -> None:
    [record] = run("fill-mask", "-m", tiny_bert, TEXTS[1], "--pair", SENTENCE_B, "-k", "10", "--json").records()
    pairs_tab.open("view=masks&text=1&layer=1")
    assert len(pairs_tab.page.query_selector_all(".mask")) == 2
    for number, mask in enumerate(record["masks"], 1):
        best = mask["predictions"]
        place = f".mask:nth-of-type({number})"
        assert pairs_tab.texts(f"{place} .candidates .name") == [one["token_str"] for one in best]
        shown = [float(score) for score in pairs_tab.texts(f"{place} .candidates .number")]
        assert shown == pytest.approx([one["score"] for one in best], abs=0.0006)
        assert pairs_tab.page.get_attribute(f"{place} .token.chosen", "data-position") == str(mask["position"])
        weights = np.mean([pairs_tab.page.evaluate("(h) => attentionPage.matrix(1, h)", h) for h in range(HEADS)], 0)
        row = weights[mask["position"]]
        assert pairs_tab.texts(f"{place} .looks .bars .place")[0] == str(row.argmax())


def test_the_masks_view_shows_the_contributions_of_tokens_and_heads(
    browser: Any, tiny_bert: Path, tmp_path: Path
) -> None:
    attribute, effects = ("--attribute", "occlusion"), ("--head-effects",)
    run("attn", "-m", tiny_bert, TEXTS[1], *attribute, *effects, "--html", tmp_path / "why.html").answer()
    [attributed] = run("fill-mask", "-m", tiny_bert, TEXTS[1], *attribute, "--json").records()
    [ablated] = run("fill-mask", "-m", tiny_bert, TEXTS[1], *effects, "--json").records()
    with chromium.tab(browser, tmp_path / "why.html") as tab:
        tab.open("view=masks")
        for number in (1, 2):
            place = f".mask:nth-of-type({number})"
            [attribution] = attributed["masks"][number - 1]["attributions"]
            [effect] = ablated["masks"][number - 1]["head_effects"]
            shown = tab.texts(f"{place} .attributed .number")
            wanted = [value for value in attribution["values"] if value is not None]
            assert [float(text) for text in shown if text != "–"] == pytest.approx(wanted, rel=0.06)
            assert len(shown) == len(attribution["values"])
            cells = [float(text) for text in tab.texts(f"{place} .explained .cell")]
            assert cells == pytest.approx(np.ravel(effect["values"]), rel=0.06)
            # The legend of contributions and that of heads give support the same colour.
            plus = tab.texts(f"{place} .explained .pole.plus")
            assert plus == ["above 0: supports the prediction", "below 0: the head supports the prediction"]
        tab.page.click(".mask:nth-of-type(2) .explained .cell >> nth=4")  # the second head of the second layer
        assert tab.drawn("heads").address() == {"layer": "1", "heads": "1"}


def test_the_effects_of_heads_are_not_cut_in_a_narrow_window(browser: Any, tmp_path: Path) -> None:
    run("attn", "how [MASK] you", "--head-effects", "--html", tmp_path / "why.html").answer()
    with chromium.tab(browser, tmp_path / "why.html", viewport={"width": 390, "height": 844}) as tab:
        tab.open("view=masks")
        widths = "(cells) => cells.map((cell) => [cell.scrollWidth, cell.clientWidth])"
        assert all(needed <= shown for needed, shown in tab.page.eval_on_selector_all(".explained .cell", widths))
        assert tab.page.evaluate("() => document.documentElement.scrollWidth") <= 390


def test_the_trace_view_shows_what_a_token_attends_to_in_each_layer(pairs_tab: Tab, computed: dict[str, Any]) -> None:
    pairs_tab.open("view=trace&heads=0,2&token=3")
    assert "sat in each layer, mean of 2 heads" in pairs_tab.text("#view-trace .pointed")
    weights = computed["weights"][:, [0, 2], 3].mean(1)  # (layers, keys)
    name, row = 56, 56  # the width of the name of a layer, and the largest height of a layer
    box = pairs_tab.page.query_selector("#view-trace canvas").bounding_box()
    width, top = (box["width"] - name) / len(computed["tokens"]), box["height"] - row * LAYERS
    for layer, key in ((0, 2), (1, 5)):
        place = {"x": name + width * (key + 0.5), "y": top + row * (layer + 0.5)}
        pairs_tab.page.hover("#view-trace canvas", position=place)
        said = pairs_tab.text("#view-trace .pointed")
        assert said.startswith(f"sat → {computed['tokens'][key]} in layer {layer}: ")
        assert float(said.split()[-1]) == pytest.approx(weights[layer, key], rel=0.01)
    pairs_tab.page.click("#view-trace canvas", position=place)
    assert pairs_tab.drawn("heads").address() == {"layer": "1", "heads": "0,2", "token": "3"}


def test_the_masks_view_has_a_scale_and_keeps_the_focus(pairs_tab: Tab) -> None:
    pairs_tab.open("view=masks&text=1")
    shade = "() => [...document.querySelectorAll('#view-masks .token')].map((token) => token.style.backgroundColor)"
    colours = pairs_tab.page.evaluate(shade)
    pairs_tab.page.click(".mask:nth-of-type(1) [data-curve=linear]")
    assert pairs_tab.settled().page.evaluate(shade) != colours
    numbers = [float(number) for number in pairs_tab.texts(".mask:nth-of-type(1) .ends span")]
    assert numbers == pytest.approx([0, numbers[-1] / 2, numbers[-1]], rel=0.01)
    pairs_tab.page.focus(".mask:nth-of-type(2) .token[data-position='3']")
    assert pairs_tab.key("Enter").address()["token"] == "3"
    assert pairs_tab.page.evaluate("() => document.activeElement.dataset.position") == "3"


@pytest.mark.parametrize("width", [390, 1440])
def test_the_trace_lists_the_strongest_tokens_of_each_layer(
    browser: Any, pairs_page: Path, computed: dict[str, Any], width: int
) -> None:
    with chromium.tab(browser, pairs_page, viewport={"width": width, "height": 844}) as tab:
        tab.open("view=trace&heads=0,2&token=3")
        weights = computed["weights"][:, [0, 2], 3].mean(1)
        for said, of_layer in zip(tab.texts("#view-trace .trace-summary button"), weights, strict=True):
            three = [one.rsplit(" ", 1) for one in said.split("\n")[-1].split(" · ")]
            strongest = np.argsort(-of_layer)[:3]
            assert [token for token, _ in three] == [computed["tokens"][at] for at in strongest]
            assert [float(number) for _, number in three] == pytest.approx(of_layer[strongest], rel=0.01)
        canvas, summary = (
            tab.page.locator(f"#view-trace {one}").bounding_box() for one in ("canvas", "ol.trace-summary")
        )
        assert (summary["y"] >= canvas["y"] + canvas["height"]) == (width == 390)
        tab.page.focus("#view-trace .trace-summary li:nth-child(2) button")
        tab.page.keyboard.press("Enter")
        assert tab.drawn("heads").address()["layer"] == "1"


@pytest.mark.parametrize(("view", "words"), [("trace", " in each layer"), ("neuron", " is the query")])
def test_a_view_of_one_query_shows_the_first_word_if_no_token_is_kept(pairs_tab: Tab, view: str, words: str) -> None:
    for address, token in (("", "cat"), ("&token=", "cat"), ("&token=4", "on"), ("&filter=bb&token=", "are")):
        pairs_tab.open(f"view={view}{address}")
        assert pairs_tab.text(f"#view-{view} .pointed").startswith(token + words), address
        chosen = pairs_tab.texts(f"#view-{view} .queries .chosen")
        assert chosen == [token], address


@pytest.mark.parametrize("view", ["heads", "matrix", "trace", "rollout", "statistics"])
def test_a_drawing_uses_the_width_and_fits_the_height(browser: Any, pairs_page: Path, view: str) -> None:
    drawing = f"#view-{view} :is(.diagram, .trace, .heatmap canvas, .grid)"
    for width, height in ((1440, 900), (1920, 1080)):
        with chromium.tab(browser, pairs_page, viewport={"width": width, "height": height}) as tab:
            tab.open(f"view={view}&special=show")
            box = tab.page.locator(drawing).bounding_box()
            beside = 340 if view in ("heads", "matrix", "rollout") else 0
            assert box["width"] >= 0.88 * (min(width, 1440 if view == "statistics" else width) - 80 - beside)
            assert box["y"] + box["height"] <= height


def test_the_masks_view_explains_a_text_without_a_mask(pairs_tab: Tab) -> None:
    assert "This text has no mask" in pairs_tab.view("masks").text("#view-masks")


@pytest.fixture(scope="module")
def transformers_page(tmp_path_factory: pytest.TempPathFactory, tiny_bert: Path) -> Path:
    path = tmp_path_factory.mktemp("page") / "transformers.html"
    run("attn", "-m", tiny_bert, "--engine", "transformers", TEXTS[0], "-o", path).answer()
    return path


def test_the_neuron_view_explains_that_transformers_provides_no_vectors(browser: Any, transformers_page: Path) -> None:
    with chromium.tab(browser, transformers_page) as tab:
        said = tab.open("view=neuron").text("#view-neuron")
        assert "--engine numpy" in said
        assert not tab.page.is_visible("#view-neuron .neuron-keys")


@pytest.fixture
def long_tab(browser: Any, tmp_path: Path) -> Iterator[Tab]:
    from tests.tiny import save_bert

    folder = save_bert(tmp_path / "long", max_position_embeddings=512, num_attention_heads=4, num_hidden_layers=5)
    words = " ".join(["the cat sat on the mat"] * 85)
    run("attn", "-m", folder, words, "--truncate", "--html", tmp_path / "long.html").answer()
    with chromium.tab(browser, tmp_path / "long.html") as tab:
        yield tab.open_when_used()


def test_a_cut_text_is_marked_above_the_view_and_in_the_list(browser: Any, tiny_bert: Path, tmp_path: Path) -> None:
    long = "the cat sat on the mat"
    options = ("-m", tiny_bert, "--truncate", "--max-length", "6")
    run("attn", *options, long, "--html", tmp_path / "one.html").answer()
    run("attn", *options, "a b", long, "--html", tmp_path / "two.html").answer()
    with chromium.tab(browser, tmp_path / "one.html") as tab:
        assert tab.open().text("#texts .cut") == "cut to 6 tokens"
    with chromium.tab(browser, tmp_path / "two.html") as tab:
        assert not tab.open().page.is_visible(".cut")
        names = tab.page.eval_on_selector_all("#text option", "all => all.map((option) => option.textContent)")
        assert names == ["1. a b", f"2. {long} (cut to 6 tokens)"]
        tab.page.select_option("#text", "1")
        assert tab.settled().text("#texts .cut") == "cut to 6 tokens"


def test_every_view_shows_a_text_of_512_tokens(long_tab: Tab) -> None:
    long_tab.page.hover(".queries [data-position='5']")
    assert len(long_tab.texts(".readout .bars li")) == 10
    assert long_tab.ink(".diagram canvas") > 0
    assert long_tab.page.evaluate("() => document.querySelector('.diagram canvas').height") < 2000
    assert "at 512 tokens" in long_tab.view("neuron").text("#view-neuron")
    assert "only the rollout through all layers" not in long_tab.view("rollout").text("#view-rollout .readout")
    long_tab.key("ArrowLeft")
    assert "only the rollout through all layers" in long_tab.text("#view-rollout .readout")
    for name in ("matrix", "model", "statistics", "masks"):
        long_tab.view(name)
