"""Tests of the menu that saves a view as PNG, SVG or CSV."""

import csv
import io
import struct
import xml.etree.ElementTree as ET
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.cli.process import run
from tests.output.page import chromium
from tests.output.page.chromium import Tab

SVG = "{http://www.w3.org/2000/svg}"
WAIT = 30_000  # milliseconds
LAYERS, HEADS = 2, 3


def saved(tab: Tab, kind: str) -> tuple[str, bytes]:
    """Save the view from the menu; return the name and the content of the file."""
    tab.page.click("[aria-label='Save this view']")
    with tab.page.expect_download(timeout=WAIT) as waiting:
        tab.page.click(f".menu button:has-text('{kind}')")
    download = waiting.value
    assert not tab.page.is_visible(".menu")
    return download.suggested_filename, Path(download.path()).read_bytes()


def table(tab: Tab) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(saved(tab, "CSV")[1].decode())))


def test_the_matrix_is_saved_as_csv(pairs_tab: Tab) -> None:
    name, content = saved(pairs_tab.open("view=matrix&layer=1&heads=2"), "CSV")
    assert name == "attention-text-1-matrix-layer-1-head-2.csv"
    heading, *rows = csv.reader(io.StringIO(content.decode()))
    weights = np.array(pairs_tab.page.evaluate("() => attentionPage.matrix(1, 2)"))
    assert np.array([[float(number) for number in row[2:]] for row in rows]) == pytest.approx(weights, rel=1e-5)
    assert heading[:4] == ["query_position", "query", "0 [CLS]", "1 the"]
    assert [row[:2] for row in rows][:2] == [["0", "[CLS]"], ["1", "the"]]
    part = table(pairs_tab.open("view=matrix&layer=1&heads=2&zoom=2-6,1-5"))
    assert [row["query_position"] for row in part] == list("23456") and len(part[0]) == 2 + 5


def test_the_lines_of_the_head_view_are_saved_as_csv(pairs_tab: Tab) -> None:
    rows = table(pairs_tab.open("layer=1&heads=0,2&token=3&least=0.01"))
    wanted = {
        (head, key): weight
        for head in (0, 2)
        for key, weight in enumerate(pairs_tab.page.evaluate("(h) => attentionPage.matrix(1, h)", head)[3])
        if weight >= 0.01
    }
    assert {(int(row["head"]), int(row["key_position"])): float(row["weight"]) for row in rows} == pytest.approx(
        wanted, rel=1e-5
    )
    assert {(row["query"], row["layer"]) for row in rows} == {("sat", "1")}


def test_statistics_rollout_neuron_masks_and_model_are_saved_as_csv(pairs_tab: Tab, records: Any) -> None:
    for view in ("statistics", "model"):
        rows = table(pairs_tab.open(f"view={view}"))
        assert [(int(row["layer"]), int(row["head"])) for row in rows] == [
            (layer, head) for layer in range(LAYERS) for head in range(HEADS)
        ]
        assert [float(row["entropy"]) for row in rows] == pytest.approx(
            [head["entropy"] for head in records[0]["heads"]], rel=1e-5
        )
    enlarged = table(pairs_tab.open("view=model&enlarged=1.2"))
    assert float(enlarged[3]["0 [CLS]"]) == pytest.approx(
        pairs_tab.page.evaluate("() => attentionPage.matrix(1, 2)")[3][0], rel=1e-5
    )
    rollout = table(pairs_tab.open("view=rollout"))
    assert float(rollout[2]["1 the"]) == pytest.approx(records[0]["rollout"][2][1], rel=0.01)
    neuron = table(pairs_tab.open("view=neuron&layer=1&heads=1&token=4"))
    weights = pairs_tab.page.evaluate("() => attentionPage.matrix(1, 1)")[4]
    shown = {int(row["key_position"]): float(row["weight"]) for row in neuron}
    assert shown == pytest.approx(dict(enumerate(weights)), rel=1e-5)
    masks = table(pairs_tab.open("view=masks&text=1"))
    assert {row["mask"] for row in masks} == {"0", "1"} and masks[0]["rank"] == "1"


@pytest.mark.parametrize("view", ["heads", "matrix", "model", "statistics", "rollout"])
def test_a_view_is_saved_as_svg_with_its_tokens_or_numbers(pairs_tab: Tab, view: str) -> None:
    name, content = saved(pairs_tab.open(f"view={view}&layer=1&heads=2"), "SVG")
    assert name.endswith(".svg")
    root = ET.fromstring(content)
    texts = [element.text for element in root.iter(f"{SVG}text")]
    if view in ("heads", "matrix", "rollout"):
        assert [text for text in texts if text == "[CLS]"] == ["[CLS]"] * 2  # a query and a key
    shapes = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert "path" in shapes if view == "heads" else "rect" in shapes
    assert "image" not in shapes and "script" not in shapes
    assert b"oklch" not in content  # which many programs cannot read


def words(tab: Tab) -> list[str]:
    """Save the view as SVG, and return its texts in the order of drawing."""
    return [element.text or "" for element in ET.fromstring(saved(tab, "SVG")[1]).iter(f"{SVG}text")]


def test_the_neuron_view_is_saved_as_svg_with_its_headings(pairs_tab: Tab) -> None:
    found = words(pairs_tab.open("view=neuron&layer=1&heads=1&token=4"))
    tokens = pairs_tab.texts("#view-neuron .token")
    row = np.array(pairs_tab.page.evaluate("() => attentionPage.matrix(1, 1)"))[4]
    assert found[0] == "Layer 1, head 1: query of on"
    assert found[1:6] == ["query q", "key k", "q × k", "q · k / √d", "softmax"]
    assert found[6::3] == [tokens[key] for key in np.argsort(-row, kind="stable")]  # token, score and weight of each
    assert [float(weight) for weight in found[8::3]] == pytest.approx(sorted(row, reverse=True), abs=0.0006)


def test_the_masks_view_is_saved_as_svg_with_its_predictions(pairs_tab: Tab) -> None:
    found = words(pairs_tab.open("view=masks&text=1&layer=1&heads=2"))
    masks = pairs_tab.data(1)["masks"]
    for number, mask in enumerate(masks, 1):
        start = found.index(f"mask {number} of 2")
        listed = found[start + 1 : start + 1 + 2 * len(mask["predictions"])]
        assert listed[::2] == [one["token"] for one in mask["predictions"]]
        assert [float(score) for score in listed[1::2]] == pytest.approx(
            [one["score"] for one in mask["predictions"]], abs=0.0006
        )
    row = np.array(pairs_tab.page.evaluate("() => attentionPage.matrix(1, 2)"))[masks[0]["position"]]
    start = found.index("attention in layer 1, head 2")
    assert float(found[start + 2]) == pytest.approx(row.max(), abs=0.0006)
    assert int(found[start + 1].split()[-1]) == row.argmax()


def test_the_trace_is_saved_as_csv_and_svg(pairs_tab: Tab) -> None:
    rows = table(pairs_tab.open("view=trace&heads=0,2&token=3"))
    size = len(rows) // LAYERS
    for layer in range(LAYERS):
        wanted = np.mean(
            [pairs_tab.page.evaluate("([l, h]) => attentionPage.matrix(l, h)", [layer, head])[3] for head in (0, 2)], 0
        )
        part = rows[layer * size : (layer + 1) * size]
        assert {row["layer"] for row in part} == {str(layer)} and {row["query"] for row in part} == {"sat"}
        assert [float(row["weight"]) for row in part] == pytest.approx(wanted, rel=1e-5)
    found = words(pairs_tab)
    assert found[0] == "sat in each layer, mean of 2 heads"
    assert found[1 : 1 + size] == [row["key"] for row in rows[:size]]
    assert [text for text in found if text.startswith("layer ")] == ["layer 0", "layer 1"]


@pytest.mark.parametrize(
    "view", ["heads", "matrix", "model", "neuron", "statistics", "rollout", "masks&text=1", "trace"]
)
def test_a_view_is_saved_as_png_with_ink(pairs_tab: Tab, view: str) -> None:
    _, content = saved(pairs_tab.open(f"view={view}&layer=1&heads=2"), "PNG")
    assert content.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", content[16:24])
    assert width > 300 and height > 100
    start = content.index(b"IDAT")
    pixels = zlib.decompressobj().decompress(
        content[start + 4 : start + 4 + int.from_bytes(content[start - 4 : start])]
    )
    assert len(set(pixels)) > 20


def test_what_a_view_cannot_be_saved_as_is_disabled(pairs_tab: Tab) -> None:
    every = ["PNG", "SVG", "CSV"]
    for view, disabled in (("neuron", []), ("masks", every), ("trace", []), ("trace&heads=", every), ("matrix", [])):
        pairs_tab.open(f"view={view}").page.click("[aria-label='Save this view']")
        names = pairs_tab.texts(".menu button:disabled")
        assert [name.split("(")[1].rstrip(")") for name in names] == disabled
        pairs_tab.page.keyboard.press("Escape")


def test_a_spreadsheet_computes_no_text_of_a_csv(browser: Any, tmp_path: Path) -> None:
    run("attn", "= 1 + [MASK]", "--html", tmp_path / "page.html").answer()
    with chromium.tab(browser, tmp_path / "page.html") as tab:
        rows = table(tab.open("view=masks"))
        assert {row["sequence"][:4] for row in rows} == {"'= 1"}
        tokens = [row["query"] for row in table(tab.open("view=matrix"))]
        assert tokens[1:-1] == ["=", "1", "+", "[MASK]"]  # one sign is no formula


def test_keys_open_and_close_the_menu(pairs_tab: Tab) -> None:
    button = "[aria-label='Save this view']"
    pairs_tab.page.focus(button)
    pairs_tab.key("Enter").key("ArrowDown")
    assert "SVG" in pairs_tab.page.evaluate("() => document.activeElement.textContent")
    pairs_tab.key("Escape")
    assert not pairs_tab.page.is_visible(".menu")
    assert pairs_tab.page.evaluate("() => document.activeElement.title") == "Save this view"


def test_tokens_with_markup_stay_text_in_svg_and_csv(browser: Any, tmp_path: Path) -> None:
    run("attn", 'write "<b>", then & again', "--html", tmp_path / "page.html").answer()
    with chromium.tab(browser, tmp_path / "page.html") as tab:
        rows = table(tab.open("view=matrix"))
        tokens = [row["query"] for row in rows]
        assert {'"', "<", ",", "&"} < set(tokens)
        assert tokens == tab.data()["tokens"]
        content = saved(tab, "SVG")[1]
        assert [one.text for one in ET.fromstring(content).iter(f"{SVG}text")][1 : 1 + len(tokens)] == tokens
