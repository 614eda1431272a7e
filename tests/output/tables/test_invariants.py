"""Facts about every table, for any tokens and any width of the terminal."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any
from unicodedata import category

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from bertcli.output.formatting import visible
from bertcli.output.schema import Schema
from bertcli.output.schemas.attn import attn_schema, matrix_schema, strongest_keys_schema
from bertcli.output.schemas.attributions import attributions_schema
from bertcli.output.schemas.encode import encode_schema
from bertcli.output.schemas.fill_mask import (
    compare_schema,
    fill_mask_schema,
    joint_schema,
    lens_schema,
    mutual_schema,
    score_schema,
)
from bertcli.output.schemas.head_effects import head_effects_schema
from bertcli.output.schemas.models import weights_schema
from bertcli.results.attention import AttnRecord, HeadStatistics, KeyWeight, StrongestKeys
from bertcli.results.embeddings import EncodeRecord
from bertcli.results.masks import (
    Attribution,
    Change,
    Comparison,
    FilledSequence,
    FillMaskRecord,
    HeadEffects,
    LensLayer,
    MaskPredictions,
    Prediction,
    TextScore,
    TokenScore,
)
from bertcli.results.models import StoredTensor
from bertcli.results.texts import TextInfo
from tests.output import samples
from tests.output.drawing import draw

NASTY = [
    *("[mask]", "[/b]", "[bold]", ":smile:", "\x1b[31m", "a\nb", "\t", "\x9b", "مرحبا", "שלום", "世界"),
    *("👩\u200d👧", "\u202e", "❤\ufe0f", "e\u0301", "\u0301"),
]
TOKENS = st.lists(st.sampled_from(NASTY) | st.text(st.characters(), max_size=30), min_size=1, max_size=6)
WIDTHS = st.sampled_from([20, 40, 80, 200])


def _fill_mask(text: TextInfo) -> tuple[Schema[Any], Any]:
    found = [Prediction(rank, 0.5, -1.0, rank, token, text.text) for rank, token in enumerate(text.tokens, 1)]
    return fill_mask_schema(samples.info("fill-mask")), FillMaskRecord(text, [MaskPredictions(1, found)])


def _encode(text: TextInfo) -> tuple[Schema[Any], Any]:
    states = samples.vectors(len(text.tokens))
    record = EncodeRecord(text, states[0], states, states[0], [0], [states])
    return encode_schema(samples.info("encode"), samples.recipe(), wants_tokens=False), record


def _matrix(text: TextInfo) -> tuple[Schema[Any], Any]:
    return matrix_schema(samples.info("attn"), samples.DISPLAY, 0, 0), AttnRecord(
        text, [], samples.attention(len(text.tokens))
    )


def _strongest_keys(text: TextInfo) -> tuple[Schema[Any], Any]:
    keys = [KeyWeight(position, token, 0.25) for position, token in enumerate(text.tokens)]
    return strongest_keys_schema(samples.info("attn"), samples.DISPLAY), AttnRecord(
        text, [], None, [StrongestKeys(0, text.tokens[0], 0, 0, keys)]
    )


def _joint(text: TextInfo) -> tuple[Schema[Any], Any]:
    filled = [FilledSequence(text.text, text.tokens, -1.5)]
    masks = [MaskPredictions(position, []) for position in range(len(text.tokens))]
    return joint_schema(samples.info("fill-mask"), "l2r"), FillMaskRecord(text, masks, sequences=filled)


def _score(text: TextInfo) -> tuple[Schema[Any], Any]:
    tokens = [TokenScore(at, token, at, -1.5, 2.5, 3, token) for at, token in enumerate(text.tokens)]
    score = TextScore("PLL-original", -1.5, -1.5, 4.5, tokens)
    return score_schema(samples.info("fill-mask")), FillMaskRecord(text, [], score=score)


def _lens(text: TextInfo) -> tuple[Schema[Any], Any]:
    best = [[Prediction(1, 0.5, 1.0, at, token, text.text)] for at, token in enumerate(text.tokens)]
    targets = [samples.target(token, token or "?", -1.0, 0.5, 7) for token in text.tokens]
    layers = [LensLayer(layer, each, targets) for layer, each in enumerate(best)]
    masks = [MaskPredictions(1, [], targets, lens=layers, lens_method="tuned")]
    return lens_schema(samples.info("fill-mask")), FillMaskRecord(text, masks)


def _compare(text: TextInfo) -> tuple[Schema[Any], Any]:
    changes = [Change(token, 1, None, 0.5, None) for token in text.tokens]
    comparison = Comparison(text.tokens[0], None, [], 0.5, changes)
    masks = [MaskPredictions(1, [], comparison=comparison)]
    return compare_schema(samples.info("fill-mask"), "a note"), FillMaskRecord(text, masks)


def _mutual(text: TextInfo) -> tuple[Schema[Any], Any]:
    size = len(text.tokens)
    return mutual_schema(samples.info("fill-mask")), FillMaskRecord(text, [], mutual=np.full((size, size), 0.5))


def _head_effects(text: TextInfo) -> tuple[Schema[Any], Any]:
    effects = [HeadEffects(token, at, -1.5, np.full((2, 3), 0.5 - at)) for at, token in enumerate(text.tokens)]
    masks = [MaskPredictions(1, [], head_effects=effects)]
    return head_effects_schema(samples.info("fill-mask")), FillMaskRecord(text, masks)


def _attributions(text: TextInfo) -> tuple[Schema[Any], Any]:
    found = [
        Attribution(token, at, "occlusion", -1.5, np.full(len(text.tokens), 0.5 - at), None)
        for at, token in enumerate(text.tokens)
    ]
    masks = [MaskPredictions(1, [], attributions=found)]
    return attributions_schema(samples.info("fill-mask")), FillMaskRecord(text, masks)


TABLES: Sequence[Callable[[TextInfo], tuple[Schema[Any], Any]]] = (
    _fill_mask, _encode, _matrix, _strongest_keys, _joint, _score, _lens, _compare, _mutual,
    _head_effects, _attributions,
)  # fmt: skip


def _bare(text: str) -> str:
    """Return the text without spaces of any kind, which folding adds and removes."""
    return re.sub(r"\s", "", text)


def check_lines(drawn: str, width: int) -> None:
    """Check that no line is wider than the terminal and no character controls the terminal. Joiners may stay."""
    assert drawn.endswith("\n")
    for line in drawn[:-1].split("\n"):
        assert cell_len(line) <= width, line
        assert not {"Cc", "Cf", "Cs", "Zl", "Zp"} & set(map(category, re.sub("[\u200c\u200d]", "", line))), line


@given(TOKENS, WIDTHS, st.sampled_from(TABLES))
def test_no_line_is_too_wide_or_controls_the_terminal(
    tokens: list[str], width: int, table: Callable[[TextInfo], tuple[Schema[Any], Any]]
) -> None:
    schema, record = table(samples.text_info(tokens))
    check_lines(draw(schema, record, width=width), width)


@given(TOKENS, st.sampled_from(TABLES))
def test_every_token_is_shown_unchanged_or_escaped(
    tokens: list[str], table: Callable[[TextInfo], tuple[Schema[Any], Any]]
) -> None:
    text = samples.text_info(tokens, text="a text")
    schema, record = table(text)
    drawn = _bare(draw(schema, record, width=4000))
    for token in text.tokens:
        assert _bare(visible(token)) in drawn


@given(TOKENS, st.sampled_from([20, 40, 80]), st.sampled_from(TABLES))
def test_folding_loses_no_character(
    tokens: list[str], width: int, table: Callable[[TextInfo], tuple[Schema[Any], Any]]
) -> None:
    schema, record = table(samples.text_info(tokens, text="a text"))
    drawn = Counter(draw(schema, record, width=width))
    assert Counter(_bare("".join(map(visible, tokens)))) <= drawn


@given(st.integers(1, 12), WIDTHS)
def test_every_number_of_a_head_is_shown_in_full(heads: int, width: int) -> None:
    statistics = [
        HeadStatistics(11, head, 1.234, 0.11, 0.22, 0.33, 0.44, 0.55, 0.66, 12.3, 0.77, "delimiter")
        for head in range(heads)
    ]
    record = AttnRecord(samples.text_info(["x"]), statistics)
    drawn = draw(attn_schema(samples.info("attn"), samples.DISPLAY), record, width=width)
    check_lines(drawn, width)
    for number in ("1.234", "0.11", "0.22", "0.33", "0.44", "0.55", "0.66", "12.3", "0.77"):
        assert drawn.split().count(number) == heads


TENSORS = st.builds(
    lambda name, shape: StoredTensor(name, shape, "F32", int(np.prod(shape)), 4 * int(np.prod(shape))),
    st.text(st.characters(), min_size=1, max_size=40) | st.sampled_from(["a.b.c.weight", "bias", "..."]),
    st.lists(st.integers(0, 5000), max_size=3),
)


@given(st.lists(TENSORS, max_size=5), WIDTHS)
def test_total_of_the_weights_is_their_sum(stored: list[StoredTensor], width: int) -> None:
    schema = weights_schema(samples.info("shapes"))
    drawn = draw(schema, samples.weights_result(stored), width=width)
    check_lines(drawn, width)
    wide = draw(schema, samples.weights_result(stored), width=200).splitlines()
    tensors, _, parameters, *_ = wide[-3].split()
    assert int(tensors.replace(",", "")) == len(stored)
    assert int(parameters.replace(",", "")) == sum(tensor.parameters for tensor in stored)


@settings(max_examples=30)
@given(st.integers(2, 40), WIDTHS)
def test_every_weight_of_a_matrix_is_shown_in_full(size: int, width: int) -> None:
    text = samples.text_info(["x"] * (size - 2), text="x")
    record = AttnRecord(text, [], np.full((size, size), 0.99, np.float32))
    drawn = draw(matrix_schema(samples.info("attn"), samples.DISPLAY, 0, 0), record, width=width)
    check_lines(drawn, width)
    assert drawn.split().count("99") == size * size
