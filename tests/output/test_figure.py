"""Figures of heatmaps: their text and colours, and no reference to the network."""

import re
from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given, settings
from matplotlib.image import imread

from bertcli.output.figure import FigureWriter
from bertcli.output.formatting import visible
from bertcli.output.schema import Schema
from bertcli.output.schemas.attn import maps_schema, matrix_schema, summary_schema
from bertcli.output.schemas.attributions import attributions_schema, word_attributions_schema
from bertcli.output.schemas.fill_mask import mutual_schema
from bertcli.output.schemas.head_effects import head_effects_schema
from bertcli.results.attention import AttnRecord
from tests.output import samples
from tests.output.tables.test_invariants import TOKENS
from tests.pictures import letters

INFO = samples.info("attn")
HEAD = matrix_schema(INFO, samples.DISPLAY, 1, 0)
GRID = summary_schema(INFO, replace(samples.DISPLAY, grid="entropy"))


def drawn(schema: Schema[Any], *records: Any, file_format: str = "svg", color: str = "auto") -> bytes:
    """Return the picture of the records."""
    stream = BytesIO()
    writer = FigureWriter(stream, schema, file_format, INFO, color)
    for record in records:
        writer.write(record)
    writer.finish()
    return stream.getvalue()


def cell_colours(svg: bytes) -> list[tuple[int, int, int]]:
    """Return the colours of the cells, row by row. They are the first paths of the first mesh."""
    found = re.search(rb'<g id="QuadMesh_1">(.*?)</g>', svg, re.DOTALL)
    assert found
    fills = re.findall(rb"fill: #(\w{6})", found[1])
    return [(int(fill[:2], 16), int(fill[2:4], 16), int(fill[4:], 16)) for fill in fills]


def test_a_head_has_its_tokens_digits_and_names() -> None:
    record = samples.attn_record()
    written = letters(drawn(HEAD, record))
    size = len(record.text.tokens)
    for token in {*record.text.tokens}:
        assert written.count(token) == 2 * list(record.text.tokens).count(token)
    assert {"from", "to", "layer 1, head 0", record.text.text} <= set(written)
    digits = [f"{100 * weight:.0f}" if weight >= 0.005 else "·" for row in record.attention for weight in row]
    at = written.index(digits[0], 2 * size)
    assert written[at : at + size * size] == digits


def test_a_large_weight_has_a_dark_cell() -> None:
    record = samples.attn_record()
    colours = cell_colours(drawn(HEAD, record))
    weights = [float(weight) for row in record.attention for weight in row]
    assert len(colours) == len(weights)
    by_weight = [sum(colour) for _, colour in sorted(zip(weights, colours, strict=True))]
    assert by_weight[0] > 3 * 240 and by_weight[-1] < 3 * 100
    assert by_weight == sorted(by_weight, reverse=True)


def test_without_colour_a_picture_is_grey() -> None:
    greys = cell_colours(drawn(HEAD, samples.attn_record(), color="never"))
    assert greys and all(max(colour) == min(colour) for colour in greys)


def test_near_heads_are_dark_and_the_diagonal_is_empty() -> None:
    record = samples.maps_record()
    heads = len(record.heads)
    svg = drawn(maps_schema(INFO, samples.DISPLAY), replace(record, rollout=None, value_norms=None))
    distances = [float(record.head_distance[i][j]) for i in range(heads) for j in range(heads) if i != j]
    brightness = [sum(colour) for colour in cell_colours(svg)]
    assert len(brightness) == len(distances)
    assert brightness[distances.index(min(distances))] == min(brightness)
    assert brightness[distances.index(max(distances))] == max(brightness)


@pytest.mark.parametrize(
    ("schema", "record", "names"),
    [
        (
            maps_schema(INFO, samples.DISPLAY),
            samples.maps_record(),
            {"rollout", "head distance", "distance (digits: hundredths)"},
        ),
        (GRID, samples.grid_summary(), {"entropy", "layer", "head"}),
        (
            mutual_schema(samples.info("fill-mask")),
            samples.mutual_record(),
            {"mutual influence", "predicted", "masked", "distance (digits: hundredths)"},
        ),
        (
            head_effects_schema(samples.info("fill-mask")),
            samples.head_effects_record(),
            {"mask 1 of 2: are", "mask 2 of 2: .", "layer", "head", "0.12", "·", "change of ln p"},
        ),
        (
            attributions_schema(samples.info("fill-mask")),
            samples.attributions_record(),
            {"mask 1 of 2: occlusion", "paris", "capital", "target", "token", "contribution to ln p"},
        ),
        (
            word_attributions_schema(samples.info("fill-mask")),
            samples.word_attributions_record(),
            {"mask: occlusion", "paris", "Theirs", "target", "word", "contribution to ln p"},
        ),
        (HEAD, samples.long_matrix_record(), {"layer 1, head 0", "weight"}),
    ],
    ids=["maps", "grid", "mutual", "head effects", "attributions", "words", "long"],
)
def test_every_matrix_is_drawn_in_both_formats(schema: Schema[Any], record: Any, names: set[str]) -> None:
    assert names <= set(letters(drawn(schema, record)))
    pixels = imread(BytesIO(drawn(schema, record, file_format="png")), format="png")
    assert min(pixels.shape[:2]) > 200
    assert pixels.min() < 0.3 and pixels.max() == 1  # not one colour


def test_changes_have_a_colour_for_each_sign_and_none_for_zero() -> None:
    schema, record = head_effects_schema(samples.info("fill-mask")), samples.head_effects_record()
    [effects] = record.masks[0].head_effects or ()
    values = list(effects.values.ravel())
    colours = cell_colours(drawn(schema, record))
    for value, (red, green, _) in zip(values, colours, strict=True):
        if abs(value) > 0.5 * max(map(abs, values)):
            assert (red > green) == (value > 0)
    assert min(colours[values.index(min(values, key=abs))]) > 230
    greys = cell_colours(drawn(schema, record, color="never"))
    assert all(red == green == blue for red, green, blue in greys)


def test_records_are_drawn_one_under_another() -> None:
    one, two = samples.attn_record(), samples.long_matrix_record()
    written = letters(drawn(HEAD, one, two))
    assert written.count("layer 1, head 0") == 2
    height = [imread(BytesIO(drawn(HEAD, *each, file_format="png"))).shape[0] for each in ([one], [one, one])]
    assert height[1] > 1.7 * height[0]


def test_a_run_without_records_makes_a_picture() -> None:
    assert letters(drawn(HEAD))


def test_a_picture_is_the_same_each_time_and_fetches_nothing() -> None:
    svg = drawn(HEAD, samples.attn_record())
    assert svg == drawn(HEAD, samples.attn_record())
    assert not re.search(rb"@import|@font-face|<script|<foreignObject", svg)
    assert {href.partition(b";")[0][:15] for href in re.findall(rb'href="([^"]*)', svg) if href[:1] != b"#"} <= {
        b"data:image/png"
    }


@settings(max_examples=15)
@given(TOKENS)
def test_any_token_is_drawn_as_text(tokens: Sequence[str]) -> None:
    record = AttnRecord(samples.text_info(tokens), [], attention=samples.attention(len(tokens)))
    written = letters(drawn(HEAD, record))
    for token in tokens:
        shown = visible(token)
        if shown.strip() and len(shown) < 20 and shown.isascii():
            assert shown in written
