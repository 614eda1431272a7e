"""Tests that the numbers on the page are right, against transformers' eager attention."""

import html
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bertcli.checkpoints.find import BUNDLED_FOLDER
from tests.cli.process import run
from tests.output.page import chromium
from tests.output.page.chromium import Tab
from tests.output.page.test_saving import saved, table
from tests.reference import transformers_outputs
from tests.tiny import one_batch, open_bert

WORDS = "the old ship sank in the cold night because nobody on board had seen the ice , and the captain slept ."
TOP = 10

# The sums of all rows of a layer, (heads, seq), and the strongest keys of each in the page's order, (heads, seq, top).
READ = """async ([layer, heads, top]) => {
    const sums = [], keys = [];
    for (let head = 0; head < heads; head++) {
        const rows = await attentionPage.matrix(layer, head);
        sums.push(rows.map((row) => row.reduce((sum, weight) => sum + weight, 0)));
        keys.push(rows.map((row) => {
            const cut = Float32Array.from(row).sort().at(-top);
            const found = [...row.keys()].filter((key) => row[key] >= cut);
            return found.sort((a, b) => row[b] - row[a] || a - b).slice(0, top);
        }));
    }
    return [sums, keys];
}"""


def long_text(tokens: int) -> str:
    """Return a text of this number of tokens, special tokens included. Each word is one token."""
    words = WORDS.split()
    draw = np.random.default_rng(0)
    return " ".join([*words, *draw.choice(words, tokens - 2 - len(words))])


def assert_right(tab: Tab, text: str, layers: Sequence[int], step: float, root: bool) -> None:
    """Check the sums of rows, and the order of the strongest keys, but for ties within the rounding.

    Args:
        tab: The page.
        text: The text on it.
        layers: The layers to check.
        step: The step of the rounding, as a share of the largest weight of the row or, if root is set, as its root.
        root: True if the page rounds the roots of weights.
    """
    session = open_bert(BUNDLED_FOLDER)
    batch = one_batch(session, [text])
    expected = transformers_outputs(BUNDLED_FOLDER, batch, pooler=False, logits=False).attentions
    heads = session.config.num_attention_heads
    for layer in layers:
        weights = expected[layer][0].astype(np.float64)
        sums, keys = map(np.array, tab.page.evaluate(READ, [layer, heads, TOP]))
        assert np.abs(sums - 1).max() < 0.005
        places = weights / weights.max(-1, keepdims=True)
        places = np.sqrt(places) if root else places
        shown = np.take_along_axis(places, keys, -1)
        tie = step + 1e-5  # engines may differ by 1e-5
        assert (np.diff(shown, axis=-1) <= tie).all()
        best = np.sort(np.partition(places, -TOP, -1)[..., -TOP:], -1)[..., ::-1]
        assert np.abs(shown - best).max() <= tie


@pytest.fixture
def number_tab(browser: Any, tmp_path: Path, request: pytest.FixtureRequest) -> Any:
    """Return a page of the bundled model with a text of this number of tokens, and the text."""
    text = long_text(request.param)
    run("attn", text, "--html", tmp_path / "page.html").answer()
    with chromium.tab(browser, tmp_path / "page.html") as tab:
        yield tab.open(), text


@pytest.mark.parametrize("number_tab", [100], indirect=True)
def test_weights_of_100_tokens_are_those_of_transformers(number_tab: tuple[Tab, str]) -> None:
    tab, text = number_tab
    assert_right(tab, text, range(6), 1 / 65535, root=False)
    assert "16 bits" in tab.text("#precision")


@pytest.mark.parametrize("number_tab", [100], indirect=True)
def test_small_weights_are_shown_in_digits_that_tell_them_from_zero(number_tab: tuple[Tab, str]) -> None:
    tab, _ = number_tab
    weights = np.array([tab.page.evaluate("(head) => attentionPage.matrix(5, head)", head) for head in range(12)])
    best = np.sort(weights, -1)[..., ::-1][..., :TOP]
    head, query = np.unravel_index(best[..., -1].argmin(), best.shape[:2])
    row = best[head, query]
    assert row[0] > 0.5 and 0 < row[-1] < 0.0005
    tab.open(f"layer=5&heads={head}&token={query}")
    shown = tab.texts(".readout .bars .number")
    assert [float(number) for number in shown] == pytest.approx(list(row), rel=0.06)
    assert any(number.endswith("e-4") for number in shown)


@pytest.mark.slow
@pytest.mark.parametrize("number_tab", [512], indirect=True)
def test_weights_of_512_tokens_are_those_of_transformers(number_tab: tuple[Tab, str]) -> None:
    tab, text = number_tab
    assert len(tab.page.evaluate("attentionPage.matrix(0, 0)")) == 512
    assert_right(tab, text, range(6), 1 / 255, root=True)
    assert "8 bits" in tab.text("#precision")
    tab.page.hover(".queries [data-position='5']")
    shown = tab.texts(".readout .bars .number")
    assert len(shown) == TOP and "0.000" not in shown


SHORT = "The cat sat on the mat because it was [MASK]."
# A head of the bundled model whose rows have one large weight, and many that are stored as 0.
LAYER, HEAD, QUERY = 0, 2, 10  # the query is the mask


@pytest.fixture
def short_tab(browser: Any, tmp_path: Path) -> Any:
    """Return a page of the bundled model with a short text, and the weights of HEAD that transformers computes."""
    run("attn", SHORT, "--html", tmp_path / "page.html").answer()
    batch = one_batch(open_bert(BUNDLED_FOLDER), [SHORT])
    weights = transformers_outputs(BUNDLED_FOLDER, batch, pooler=False, logits=False).attentions[LAYER][0, HEAD]
    with chromium.tab(browser, tmp_path / "page.html") as tab:
        yield tab.open(), weights.astype(np.float64)


def test_a_weight_below_the_rounding_is_never_shown_as_zero(short_tab: tuple[Tab, np.ndarray]) -> None:
    tab, weights = short_tab
    row = weights[QUERY]
    stored = tab.page.evaluate(
        "([l, h, q]) => attentionPage.matrix(l, h).then((rows) => rows[q])", [LAYER, HEAD, QUERY]
    )
    zeros = [key for key, weight in enumerate(stored) if weight == 0]
    assert zeros and (row[zeros] > 0).all()
    bound = f"< {row.max() / 65535:.1e}".replace("e-0", "e-")
    assert float(bound[1:]) > row[zeros].max()
    address = f"layer={LAYER}&heads={HEAD}&token={QUERY}"
    assert bound in tab.open(address).texts(".readout .bars .number")
    for key in zeros:
        assert tab.go(f"view=matrix&{address}&key={key}").text("#view-matrix .pointed .number") == bound
    assert bound in tab.open(f"view=masks&{address}").texts(".looks .bars .number")
    assert "0" not in tab.texts(".looks .bars .number")


@pytest.mark.parametrize(("view", "written"), [("matrix", "<2e-5"), ("neuron", "< 1.5e-5"), ("trace", "<2e-5")])
def test_drawings_and_tables_write_no_zero_for_a_weight_below_the_rounding(
    short_tab: tuple[Tab, np.ndarray], view: str, written: str
) -> None:
    tab, weights = short_tab
    tab.open(f"view={view}&layer={LAYER}&heads={HEAD}&token={QUERY}").drawn(view)
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", saved(tab, "SVG")[1].decode())
    assert html.escape(written) in texts and "0" not in texts[-len(weights) :]
    rows = table(tab)
    numbers = [row["weight"] for row in rows] if view != "matrix" else [list(row.values())[2:] for row in rows]
    flat = list(np.ravel(numbers))
    assert "" in flat and "0" not in flat


@pytest.mark.parametrize("number_tab", [201], indirect=True)
def test_bounds_of_weights_in_8_bits_hold(number_tab: tuple[Tab, str]) -> None:
    """The page stores the weight as 0 and shows a bound. The weight of transformers is below it."""
    tab, text = number_tab
    batch = one_batch(open_bert(BUNDLED_FOLDER), [text])
    expected = transformers_outputs(BUNDLED_FOLDER, batch, pooler=False, logits=False).attentions[LAYER][0, HEAD]
    query = 50
    stored = np.array(
        tab.page.evaluate("([l, h, q]) => attentionPage.matrix(l, h).then((rows) => rows[q])", [LAYER, HEAD, query])
    )
    zeros = np.flatnonzero(stored[1:-1] == 0) + 1
    largest = zeros[expected[query, zeros].argmax()]
    address = f"view=matrix&layer={LAYER}&heads={HEAD}&token={query}&key={largest}"
    for special, row in (("show", expected[query]), ("hide", expected[query] / expected[query, 1:-1].sum())):
        found = tab.open(f"{address}&special={special}").text("#view-matrix .pointed .number")
        assert found.startswith("< ")
        assert row[largest] < float(found[2:]) == pytest.approx(row.max() / 255**2, rel=0.06)


def test_a_difference_below_the_rounding_is_not_shown_as_zero(short_tab: tuple[Tab, np.ndarray]) -> None:
    tab, weights = short_tab
    key = int(weights[QUERY].argmin())
    tab.open(f"view=matrix&layer={LAYER}&heads={HEAD}&token={QUERY}&key={key}&compare={LAYER}.{HEAD}")
    shown = tab.texts("#view-matrix .pointed .number")
    assert len(shown) == 3 and all(number.startswith("< ") for number in shown)


def test_keys_of_the_neuron_view_whose_weights_are_stored_alike_are_sorted_by_score(
    short_tab: tuple[Tab, np.ndarray],
) -> None:
    tab, weights = short_tab
    tab.open(f"view=neuron&layer={LAYER}&heads={HEAD}&token={QUERY}").drawn("neuron")
    rows = table(tab)
    scores = [float(row["score"]) for row in rows if row["weight"] == ""]
    assert len(scores) > 3 and scores == sorted(scores, reverse=True)
    # The softmax grows with the score, so these keys are now in the order of the weights that were computed.
    computed = [weights[QUERY, int(row["key_position"])] for row in rows]
    assert computed == sorted(computed, reverse=True)
