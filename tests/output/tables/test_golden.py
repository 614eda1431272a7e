"""Golden files of the tables: golden/NAME-WIDTH.txt, and golden/NAME-color.txt with escape sequences.

`pytest --update-goldens tests/output` updates the files. Read every change before you commit it.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from bertcli.choices import LayerOp, Similarity, WordPooling
from bertcli.output.schema import Schema
from bertcli.output.schemas.attn import (
    attn_schema,
    expansion_schema,
    maps_schema,
    matrix_schema,
    strongest_keys_schema,
    summary_schema,
)
from bertcli.output.schemas.attributions import attributions_schema, word_attributions_schema
from bertcli.output.schemas.encode import encode_schema
from bertcli.output.schemas.fill_mask import (
    compare_schema,
    fill_mask_schema,
    joint_schema,
    lens_schema,
    mutual_schema,
    score_schema,
    word_score_schema,
)
from bertcli.output.schemas.head_effects import head_effects_schema
from bertcli.output.schemas.lengths import lengths_schema
from bertcli.output.schemas.models import models_schema, shapes_schema, weights_schema
from bertcli.output.schemas.pairs import pair_schema
from bertcli.output.schemas.similarity import ComparedColumns, similarity_schema, token_similarity_schema
from bertcli.output.schemas.summaries import pair_summary_schema, probe_summary_schema
from bertcli.output.schemas.tokens import tokens_schema
from bertcli.output.schemas.whole_words import whole_words_schema
from bertcli.output.schemas.words import with_words
from bertcli.results.embeddings import SimilarityMatrix
from tests.output import samples
from tests.output.drawing import GOLDEN, check_golden, draw

Case = tuple[Schema[Any], Sequence[Any]]


def _compared(*, words: bool = False, shows_nearest: bool = False) -> Schema[Any]:
    """Return the schema of similarities of texts, or of the occurrences of a word."""
    recipe = samples.recipe(dense=[8], normalize=True)
    info = replace(samples.info("encode"), recipe=recipe)
    pooling = WordPooling.MEAN if words else None
    columns = ComparedColumns(Similarity.COSINE, [])
    return similarity_schema(info, recipe, columns, pooling, shows_nearest=shows_nearest)


def _encode() -> Case:
    schema = encode_schema(samples.info("encode"), samples.recipe(), wants_tokens=False)
    return schema, [samples.encode_record()]


def _words() -> Case:
    recipe = samples.recipe(dense=[8], normalize=True)
    info = replace(samples.info("encode"), recipe=recipe)
    schema = encode_schema(info, recipe, wants_tokens=False)
    schema = with_words(schema, info, recipe, WordPooling.MEAN)
    return schema, [samples.words_record(), replace(samples.words_record(), words=())]


def _tokens() -> Case:
    recipe = samples.recipe(layers=(3, 4, 5, 6), layer_op=LayerOp.CONCAT)
    info = replace(samples.info("encode"), recipe=recipe)
    return token_similarity_schema(info), [samples.token_similarity()]


CASES: dict[str, Callable[[], Case]] = {
    "fill-mask": lambda: (fill_mask_schema(samples.info("fill-mask")), [samples.fill_mask_record()]),
    "fill-mask-two": lambda: (
        fill_mask_schema(samples.info("fill-mask", "bert-base-uncased", samples.COMMIT)),
        [samples.two_masks_record()],
    ),
    "fill-mask-strange": lambda: (fill_mask_schema(samples.info("fill-mask")), [samples.strange_record()]),
    "fill-mask-joint": lambda: (joint_schema(samples.info("fill-mask"), "l2r"), [samples.joint_record()]),
    "fill-mask-score": lambda: (score_schema(samples.info("fill-mask")), [samples.score_record()]),
    "fill-mask-words": lambda: (
        word_score_schema(samples.info("fill-mask")),
        [samples.word_score_record(), samples.word_score_record("[pair]")],
    ),
    "fill-mask-pair": lambda: (pair_schema(samples.info("fill-mask"), []), [samples.pair_record()]),
    "fill-mask-pairs": lambda: (
        pair_summary_schema(samples.info("fill-mask"), ["field", "UID"]),
        [samples.pair_summary()],
    ),
    "fill-mask-probes": lambda: (
        probe_summary_schema(samples.info("fill-mask"), ["relation"]),
        [samples.probe_summary()],
    ),
    "fill-mask-lens": lambda: (lens_schema(samples.info("fill-mask")), [samples.lens_record()]),
    "fill-mask-compare": lambda: (
        compare_schema(samples.info("fill-mask"), "Jensen-Shannon distance of the two distributions, at most 0.833"),
        [samples.compare_record(), samples.compare_record(one_vocabulary=False)],
    ),
    "fill-mask-mutual": lambda: (mutual_schema(samples.info("fill-mask")), [samples.mutual_record()]),
    "fill-mask-head-effects": lambda: (
        head_effects_schema(samples.info("fill-mask")),
        [samples.head_effects_record(), samples.head_effects_record(heads=2)],
    ),
    "fill-mask-attribute": lambda: (
        attributions_schema(samples.info("fill-mask")),
        [samples.attributions_record(), samples.attributions_record("ig")],
    ),
    "fill-mask-attribute-words": lambda: (
        word_attributions_schema(samples.info("fill-mask")),
        [samples.word_attributions_record(), samples.word_attributions_record("ig")],
    ),
    "fill-mask-pieces": lambda: (
        whole_words_schema(samples.info("fill-mask"), "mean"),
        [samples.whole_words_record(), samples.whole_words_record(2)],
    ),
    "encode": _encode,
    "encode-similarity": lambda: (_compared(), [samples.similarity_matrix()]),
    "encode-similar-pairs": lambda: (_compared(), [samples.similar_pairs()]),
    "encode-nearest": lambda: (_compared(shows_nearest=True), samples.neighbours()),
    "encode-occurrences": lambda: (_compared(words=True), [SimilarityMatrix(*samples.occurrences())]),
    "encode-words": _words,
    "encode-tokens": _tokens,
    "encode-labels": lambda: (_encode()[0], [samples.labelled_record()]),
    "shapes": lambda: (shapes_schema(samples.info("shapes")), [samples.shapes_result()]),
    "shapes-run": lambda: (
        shapes_schema(samples.info("shapes")),
        [samples.shapes_result(has_pooler=False, ran=True)],
    ),
    "shapes-config": lambda: (shapes_schema(samples.info("shapes")), [samples.shapes_result(has_pooler=None)]),
    "shapes-tokens": lambda: (tokens_schema(samples.info("shapes")), [samples.tokens_record()]),
    "shapes-lengths": lambda: (lengths_schema(samples.info("shapes"), samples.lengths(), "[UNK]"), [samples.lengths()]),
    "models": lambda: (models_schema(), [samples.models_result()]),
    "weights": lambda: (weights_schema(samples.info("shapes")), [samples.weights_result()]),
    "attn": lambda: (attn_schema(samples.info("attn"), samples.DISPLAY), [samples.attn_record()]),
    "attn-matrix": lambda: (matrix_schema(samples.info("attn"), samples.DISPLAY, 1, 0), [samples.attn_record()]),
    "attn-from": lambda: (strongest_keys_schema(samples.info("attn"), samples.DISPLAY), [samples.attn_record()]),
    "attn-grid": lambda: (summary_schema(samples.info("attn"), GRID), [samples.grid_summary()]),
    "attn-grid-part": lambda: (summary_schema(samples.info("attn"), GRID), [samples.grid_summary_with_gaps()]),
    "attn-maps": lambda: (maps_schema(samples.info("attn"), samples.DISPLAY), [samples.maps_record()]),
    "attn-long": lambda: (matrix_schema(samples.info("attn"), samples.DISPLAY, 1, 0), [samples.long_matrix_record()]),
    "attn-part": lambda: (matrix_schema(samples.info("attn"), PART, 1, 0), [samples.long_matrix_record()]),
    "expansion": lambda: (expansion_schema(samples.info("attn")), [samples.expansion()]),
}
GRID = replace(samples.DISPLAY, statistics=("entropy",), grid="entropy")
PART = replace(samples.DISPLAY, rows=range(40, 46), columns=range(37, 51))
COLORED = (
    "encode-similarity",
    "fill-mask",
    "fill-mask-compare",
    "fill-mask-mutual",
    "fill-mask-head-effects",
    "fill-mask-attribute",
    "fill-mask-attribute-words",
    "fill-mask-pieces",
    "encode-words",
    "encode-tokens",
    "encode",
    "shapes-run",
    "shapes-tokens",
    "shapes-lengths",
    "attn",
    "attn-matrix",
    "attn-grid",
)


@pytest.mark.parametrize("width", [40, 80, 200])
@pytest.mark.parametrize("name", CASES)
def test_table_is_the_golden_one(name: str, width: int, update_goldens: bool) -> None:
    schema, records = CASES[name]()
    check_golden(f"{name}-{width}", draw(schema, *records, width=width), update=update_goldens)


@pytest.mark.parametrize("name", COLORED)
def test_colours_are_the_golden_ones(name: str, update_goldens: bool) -> None:
    schema, records = CASES[name]()
    drawn = draw(schema, *records, width=80, color="always")
    check_golden(f"{name}-color", drawn.replace("\x1b", "␛"), update=update_goldens)


@pytest.mark.parametrize("name", CASES)
def test_colours_are_the_terminals_own(name: str) -> None:
    schema, records = CASES[name]()
    drawn = draw(schema, *records, width=80, color="always")
    codes = {code for codes in re.findall(r"\x1b\[([\d;]*)m", drawn) for code in codes.split(";")}
    reset, bold, dim, reverse, red, magenta, cyan = "0", "1", "2", "7", "31", "35", "36"
    assert codes <= {reset, bold, dim, reverse, red, magenta, cyan}


def test_no_golden_file_is_left_over() -> None:
    expected = {f"{name}-{width}.txt" for name in CASES for width in (40, 80, 200)}
    assert {path.name for path in GOLDEN.iterdir()} == expected | {f"{name}-color.txt" for name in COLORED}
