"""Catalogs of fields: each names every column of its schema and every key of its JSON."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from bertcli.choices import Similarity
from bertcli.output.catalogs.attn import attn_fields
from bertcli.output.catalogs.encode import encode_fields, similarity_fields, token_similarity_fields
from bertcli.output.catalogs.fill_mask import fill_mask_fields, word_attribution_fields
from bertcli.output.catalogs.models import models_catalog, shapes_catalog
from bertcli.output.catalogs.scores import (
    pair_fields,
    pair_summary_fields,
    probe_fields,
    probe_summary_fields,
    word_score_fields,
)
from bertcli.output.fields import Field
from bertcli.output.schema import Schema, with_ids, with_windows
from bertcli.output.schemas.attn import summary_schema
from bertcli.output.schemas.encode import encode_schema
from bertcli.output.schemas.lengths import lengths_schema
from bertcli.output.schemas.similarity import ComparedColumns, pair_similarity_schema, token_similarity_schema
from bertcli.output.schemas.tokens import tokens_schema
from tests.output import samples
from tests.output.test_records import INFO, SCHEMAS

TERMS = encode_schema(INFO, samples.recipe(lexical="max"), wants_tokens=False)
CATALOGS: Mapping[str, Sequence[Field]] = {
    "fill-mask": fill_mask_fields(""),
    **{
        f"fill-mask-{name}": fill_mask_fields(f"--{name}")
        for name in ("joint", "pieces", "score", "lens", "compare", "mutual", "head-effects", "attribute")
    },
    "fill-mask-attribute-ig": fill_mask_fields("--attribute"),
    "fill-mask-attribute-words": word_attribution_fields(),
    "fill-mask-words": word_score_fields(),
    "fill-mask-pair": pair_fields(["kind"]),
    "fill-mask-pairs": pair_summary_fields(["field", "UID"]),
    "fill-mask-probe": probe_fields(["kind"]),
    "fill-mask-probes": probe_summary_fields(["relation"]),
    "encode": encode_fields(has_words=False, has_labels=True),
    "encode-labels": encode_fields(has_words=False, has_labels=True),
    "encode-tokens": encode_fields(has_words=False, has_labels=True),
    "encode-words": encode_fields(has_words=True, has_labels=True),
    "attn": attn_fields("heads"),
    "attn-matrix": attn_fields("matrix"),
    "attn-from": attn_fields("from"),
    "attn-maps": attn_fields("maps"),
    "attn-summary": attn_fields("summary"),
    "expansion": attn_fields("expansion"),
    "shapes": shapes_catalog(()).fields,
    "weights": shapes_catalog(["--weights"]).fields,
    "models": models_catalog().fields,
}
WITH_IDS = {name: with_ids(schema, "id") for name, (schema, _, _) in SCHEMAS.items() if "text" in schema.columns}
# Schemas whose records are texts or windows.
PER_WINDOW = ("encode", "attn", "attn-matrix", "attn-from", "attn-maps")


def leaves(value: Any, path: str = "") -> Iterator[str]:
    """Yield the path of each value that is neither an object nor a list of objects."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from leaves(each, f"{path}.{key}".removeprefix("."))
    elif isinstance(value, list) and any(isinstance(each, Mapping) for each in value):
        for each in value:
            if each is not None:
                yield from leaves(each, f"{path}[]")
    elif value != []:
        yield path


@pytest.mark.parametrize("name", CATALOGS)
def test_a_catalog_has_every_key_of_json(name: str) -> None:
    schema, record, _ = SCHEMAS[name]
    known = {field.path for field in CATALOGS[name]}
    containers = tuple(f"{path}{mark}" for path in known if path for mark in (".", "["))
    record = replace(record, strongest_keys=None) if name in ("attn", "attn-matrix") else record
    found = leaves(schema.to_json(record))
    assert {path for path in found if path not in known and not path.startswith(containers)} == set()


@pytest.mark.parametrize("name", CATALOGS)
def test_a_catalog_has_every_column(name: str) -> None:
    schema: Schema[Any] = WITH_IDS.get(name, SCHEMAS[name][0])
    schema = with_windows(schema) if name in PER_WINDOW else schema
    columns = {field.column for field in CATALOGS[name] if field.column}
    if name.startswith("encode") and name != "encode-words":
        columns -= {"terms", *TERMS.columns} | {*SCHEMAS["encode-labels"][0].columns, "window", "start", "end"}
        columns |= {*schema.columns}
        assert {*TERMS.columns, *SCHEMAS["encode-labels"][0].columns} <= {each.column for each in CATALOGS[name]}
    assert columns == {*schema.columns}


def test_the_catalogs_of_distances_and_tokens_have_every_column() -> None:
    distances = summary_schema(INFO, samples.AttentionDisplay((), "", is_distance=True))
    assert {each.column for each in attn_fields("summary-maps") if each.column} == {*distances.columns}
    tokens = with_ids(tokens_schema(INFO), "id")
    assert {each.column for each in shapes_catalog(["--tokens"]).fields if each.column} == {*tokens.columns}


def test_the_catalogs_of_similarities_and_lengths_have_every_column() -> None:
    tokens = token_similarity_schema(INFO)
    assert [each.column for each in token_similarity_fields(has_pairs=False) if each.column] == [*tokens.columns]
    pairs = with_ids(pair_similarity_schema(INFO), "id")
    assert {each.column for each in token_similarity_fields(has_pairs=True) if each.column} == {*pairs.columns}
    more = ("word", "start", "end", "pair", "id", "file", "window")
    names = {name for measure in Similarity for name in ComparedColumns(measure, more).names}
    assert {each.column for each in similarity_fields()} == {each.path for each in similarity_fields()} == names
    lengths = lengths_schema(INFO, samples.lengths(), "[UNK]")
    catalog = shapes_catalog(["--lengths"]).fields
    assert [each.column for each in catalog if each.column] == [*lengths.columns]
    assert {*leaves(lengths.to_json(samples.lengths()))} == {each.path for each in catalog}


@pytest.mark.parametrize("name", CATALOGS)
def test_fields_have_descriptions_and_one_place(name: str) -> None:
    fields = CATALOGS[name]
    assert all(field.about and field.names for field in fields)
    places = [(field.path, field.column) for field in fields]
    assert len(places) == len(set(places))
