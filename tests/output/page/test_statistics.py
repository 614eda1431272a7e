"""Tests of the statistics view: without special tokens, against a slow version, and its scale."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bertcli.checkpoints.find import BUNDLED_FOLDER
from bertcli.choices import Statistic
from tests.cli.process import run
from tests.output.page import chromium
from tests.output.page.chromium import Tab
from tests.output.page.test_saving import saved, table
from tests.reference import transformers_outputs
from tests.tiny import one_batch, open_bert

TEXT = "Yes, the cat sat; the dog (a big one) ran! It was very late, so nobody saw them."
MARKS = ",;()!."


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a page of the bundled model."""
    path = tmp_path_factory.mktemp("statistics") / "page.html"
    run("attn", TEXT, "-q", "--html", path).answer()
    return path


@pytest.fixture
def tab(browser: Any, page: Path) -> Iterator[Tab]:
    with chromium.tab(browser, page) as opened:
        yield opened.open("view=statistics")


def slow_statistics(weights: np.ndarray, tokens: list[str]) -> dict[str, float | None]:
    """Return the statistics of a head over the tokens between [CLS] and [SEP], computed one weight at a time."""
    n = len(tokens)
    sums = {str(name): [] for name in Statistic}
    for i in range(1, n - 1):
        total = sum(weights[i, j] for j in range(1, n - 1))
        if total == 0:
            continue  # stored as 0, so not known
        row = {j: float(weights[i, j]) / total for j in range(1, n - 1)}
        sums["entropy"].append(-sum(weight * math.log(weight) for weight in row.values() if weight > 0))
        sums["self"].append(row[i])
        sums["previous"] += [row[i - 1]] if i - 1 in row else []
        sums["next"] += [row[i + 1]] if i + 1 in row else []
        sums["punctuation"].append(sum(weight for j, weight in row.items() if tokens[j] in MARKS))
        sums["distance"].append(sum(weight * abs(i - j) for j, weight in row.items()))
        sums["confidence"].append(max(row.values()))
    return {name: sum(values) / len(values) if values else None for name, values in sums.items()}


def test_statistics_without_special_tokens_are_those_of_a_slow_version(tab: Tab) -> None:
    """They are exact for the stored weights, and near to those of transformers.

    A row with little weight beyond special tokens multiplies the rounding of what is left.
    """
    tokens = tab.data()["tokens"]
    assert (tokens[0], tokens[-1]) == ("[CLS]", "[SEP]") and sum(token in MARKS for token in tokens) == 7
    batch = one_batch(open_bert(BUNDLED_FOLDER), [TEXT])
    attentions = transformers_outputs(BUNDLED_FOLDER, batch, pooler=False, logits=False).attentions
    tab.page.check(".special input")
    tab.settled()
    assert tab.address() == {"view": "statistics", "special": "hide"}
    rows = table(tab)
    assert len(rows) == 6 * 12
    for row in rows:
        layer, head = int(row["layer"]), int(row["head"])
        stored = np.array(tab.page.evaluate("([l, h]) => attentionPage.matrix(l, h)", [layer, head]))
        computed = attentions[layer][0, head].astype(np.float64)
        for weights, tolerance in ((stored, 1e-5), (computed, 0.03)):
            for name, number in slow_statistics(weights, tokens).items():
                if number is None:
                    assert name in ("cls", "sep") and row[name] == ""
                else:
                    assert float(row[name]) == pytest.approx(number, rel=1e-5, abs=tolerance), (layer, head, name)


def test_the_grid_shows_the_numbers_without_special_tokens(tab: Tab) -> None:
    with_special = tab.texts("#view-statistics .numbers .cell")
    tab.open("view=statistics&special=hide")
    [entropy, *_] = table(tab)
    without = tab.texts("#view-statistics .numbers .cell")
    assert without != with_special and float(without[0]) == pytest.approx(float(entropy["entropy"]), abs=0.006)
    size = len(tab.data()["tokens"])
    assert tab.texts("#view-statistics .legend .ends span")[-1] == f"{math.log(size - 2):.2f}"
    assert "without [CLS] and [SEP]" in tab.text("#view-statistics .scales")
    assert "entropy of all heads, without [CLS] and [SEP]" in saved(tab, "SVG")[1].decode()
    tab.page.hover("#view-statistics .cell")
    assert f"entropy {without[0]}" in tab.text("#view-statistics .pointed")
    assert "cls" not in tab.text("#view-statistics .pointed")
    tab.page.uncheck(".special input")
    assert tab.settled().texts("#view-statistics .numbers .cell") == with_special


def test_the_numbers_are_those_of_the_last_choice_even_if_others_are_still_computed(tab: Tab) -> None:
    tab.page.evaluate(
        """() => {
            const box = document.querySelector(".special input");
            box.click();
            box.click();
        }"""
    )
    tab.page.wait_for_timeout(500)  # longer than the computation of the statistics without special tokens
    tab.page.hover("#view-statistics .cell")
    assert "cls" in tab.text("#view-statistics .pointed")
    rows = table(tab)
    assert float(rows[0]["entropy"]) == pytest.approx(tab.data()["statistics"][0][0], rel=1e-5)


def test_a_head_has_no_numbers_until_they_are_computed(browser: Any, page: Path) -> None:
    with chromium.tab(browser, page) as tab:
        tab.open("special=hide")
        shown = tab.page.evaluate(
            """async () => {
                document.getElementById("tab-statistics").click();
                const cell = document.querySelector("#view-statistics .cell");
                cell.dispatchEvent(new PointerEvent("pointermove", { bubbles: true }));
                const before = document.querySelector("#view-statistics .pointed").textContent;
                document.querySelector("[aria-label='Save this view']").click();
                return [cell.textContent, before, document.querySelectorAll(".menu button:disabled").length];
            }"""
        )
        assert shown == ["", "Rows are layers, columns are heads. Click a head to open it.", 3]
        tab.drawn("statistics")
        entropy = tab.text("#view-statistics .cell")
        assert f"entropy {entropy}" in tab.text("#view-statistics .pointed")


def test_the_head_that_is_pointed_at_is_kept_if_the_statistic_changes(tab: Tab) -> None:
    tab.page.hover("#view-statistics .cell[data-layer='1'][data-head='2']")
    read = tab.text("#view-statistics .pointed")
    assert "Layer 1, head 2" in read
    tab.page.evaluate("() => { location.hash = 'view=statistics&statistic=distance'; }")
    assert tab.settled().text("#view-statistics .pointed") == read


def test_an_address_without_a_choice_shows_special_tokens_again(tab: Tab) -> None:
    tab.page.check(".special input")
    tab.settled().page.evaluate("() => { location.hash = 'view=statistics'; }")
    assert not tab.settled().page.is_checked(".special input")
    assert "without" not in tab.text("#view-statistics .scales")


@pytest.mark.parametrize("address", ["heads=2&token=3", "view=matrix", "view=matrix&compare=1.3"])
def test_statistics_beside_weights_without_special_tokens_are_explained(tab: Tab, address: str) -> None:
    words = "These count special tokens too."
    assert words not in tab.open(f"{address}&special=show").text("#views")
    assert words in tab.open(f"{address}&special=hide").text("#views")


@pytest.mark.parametrize("name", ["cls", "sep"])
def test_a_statistic_of_a_token_that_is_left_out_is_empty_and_explained(tab: Tab, name: str) -> None:
    tab.open(f"view=statistics&special=hide&statistic={name}")
    assert set(tab.texts("#view-statistics .numbers .cell")) == {""}
    assert "left out, so there is none" in tab.text("#view-statistics .scales")
    assert not tab.page.is_visible("#view-statistics [data-curve]")
    tab.page.uncheck(".special input")
    assert all(tab.settled().texts("#view-statistics .numbers .cell"))


def test_the_colours_follow_the_numbers_or_their_root(tab: Tab) -> None:
    """The scale is linear until the user chooses another one, and the middle of its bar shows the number there."""
    shade = "() => [...document.querySelectorAll('.numbers .cell')].map((cell) => cell.style.backgroundColor)"
    tab.open("view=statistics&statistic=previous")
    linear = tab.page.evaluate(shade)
    assert tab.page.get_attribute("#view-statistics [data-curve=linear]", "aria-pressed") == "true"
    assert tab.texts("#view-statistics .legend .ends span") == ["0.00", "0.50", "1.00"]
    tab.page.click("#view-statistics [data-curve=root]")
    assert tab.settled().texts("#view-statistics .legend .ends span") == ["0.00", "0.25", "1.00"]
    root = tab.page.evaluate(shade)
    numbers = np.array([row[2] for row in tab.data()["statistics"]])  # previous is the third
    lightness = [np.array([int(part) for one in colours for part in one[4:-1].split(",")]).reshape(-1, 3).sum(1)
                 for colours in (linear, root)]  # fmt: skip
    middle = (numbers > 0.05) & (numbers < 0.5)
    assert middle.sum() > 5 and (lightness[1][middle] < lightness[0][middle]).all()
    assert tab.address()["curve"] == "root"
    tab.view("matrix")
    assert tab.page.get_attribute("#view-matrix [data-curve=root]", "aria-pressed") == "true"
