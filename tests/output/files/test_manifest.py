"""The manifest: it is read back unchanged, and any damage is an expected error."""

import copy
import json
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bertcli.errors import OutputError
from bertcli.output.files.folder import check_same_run
from bertcli.output.files.manifest import MANIFEST, load_manifest, save_manifest
from bertcli.results.corpus import Manifest, ShardLimits
from bertcli.results.precision import Precision
from tests.output.files.manifests import ABOUT, manifest_of

BY_TEXT = ShardLimits(20_000, 5000, 400)
VALUES: list[Any] = [None, True, 0, 1, -1, 1 << 70, 1.0, 1e400, "", "x", "\ud800", [], {}, [1], {"a": 1}]


def content_of(folder: Path, manifest: Manifest) -> dict[str, Any]:
    """Write a manifest, and return its JSON."""
    save_manifest(manifest, folder)
    content: dict[str, Any] = json.loads((folder / MANIFEST).read_bytes())
    return content


def objects(value: Any) -> Iterator[Any]:
    """Yield every object and list of a JSON value, also those inside others."""
    if isinstance(value, dict | list):
        yield value
        for each in value.values() if isinstance(value, dict) else value:
            yield from objects(each)


@pytest.mark.parametrize(
    "manifest",
    [
        manifest_of([]),
        manifest_of([0], ShardLimits(3), is_complete=True),
        manifest_of([3, 3, 1], ShardLimits(3), is_complete=True),
        manifest_of([3, 1], ShardLimits(3)),  # ended between the last shard and the mark that the run is complete
        manifest_of([7, 3, 9], BY_TEXT),
        replace(manifest_of([3], id_type="string"), about={**ABOUT, "options": {"id_field": "key"}}),
        replace(manifest_of([2]), version="9.9.9"),
        replace(manifest_of([2]), precision=Precision(64, 0.99998, 0.9997)),
        replace(manifest_of([2]), about={**ABOUT, "model": "caf\xe9/\udcff"}),
    ],
)
def test_a_manifest_is_read_back_unchanged(tmp_path: Path, manifest: Manifest) -> None:
    save_manifest(manifest, tmp_path)
    assert load_manifest(tmp_path) == manifest


def mutated(content: dict[str, Any], draw: random.Random) -> str:
    """Return the JSON of a manifest with one random change."""
    changed = copy.deepcopy(content)
    place = draw.choice(list(objects(changed)))
    keys = list(place) if isinstance(place, dict) else list(range(len(place)))
    change = draw.choice(["value", "value", "remove", "add", "copy", "text", "bytes"])
    if change == "add" or not keys:
        if isinstance(place, dict):
            place["other"] = draw.choice(VALUES)
        else:
            place.append(draw.choice(VALUES))
    elif change == "value":
        place[draw.choice(keys)] = draw.choice(VALUES)
    elif change == "remove":
        del place[draw.choice(keys)]
    elif change == "copy":
        place[draw.choice(keys)] = copy.deepcopy(place[draw.choice(keys)])
    text = json.dumps(changed)
    if change == "text":
        start = draw.randrange(len(text))
        return text[:start] + text[start + draw.randint(1, 40) :]
    if change == "bytes":
        start = draw.randrange(len(text))
        return text[:start] + chr(draw.randrange(1, 256)) + text[start + 1 :]
    return text


@pytest.mark.parametrize("limits", [ShardLimits(3), BY_TEXT])
def test_every_mutation_is_an_error_or_still_a_valid_manifest(tmp_path: Path, limits: ShardLimits) -> None:
    content = content_of(tmp_path, manifest_of([3, 3, 2], limits))
    draw = random.Random(0)
    refused = 0
    for _ in range(400):
        (tmp_path / MANIFEST).write_text(mutated(content, draw), encoding="latin-1")
        try:
            manifest = load_manifest(tmp_path)
            assert manifest is not None
            check_same_run(tmp_path, manifest, ABOUT, limits if limits.text_bytes is None else manifest.limits)
        except OutputError as error:
            assert error.hint
            refused += 1
        else:
            # What is left is as correct as the original: other numbers in range, which the shards are compared with.
            save_manifest(manifest, tmp_path)
            assert load_manifest(tmp_path) == manifest
    assert refused > 300


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"engine": ...}, "engine is missing"),
        ({"threads": ...}, "threads is missing"),
        ({"threads": 1 << 60}, "threads has a wrong value"),
        ({"threads": True}, "threads has a wrong value"),
        ({"precision": {"texts": 1}}, "precision has a wrong value"),
        ({"precision": 0.5}, "precision has a wrong value"),
        ({"device": "tpu"}, "device has a wrong value"),
        ({"device": "cuda"}, "engine and device do not go together"),
        ({"engine": "auto"}, "engine has a wrong value"),
        ({"id_type": "int32"}, "id_type has a wrong value"),
        ({"id_type": []}, "id_type has a wrong value"),
        ({"id_type": "string"}, "id_type does not fit"),
        ({"id_type": None}, "id_type does not fit"),
        ({"other": None}, "other is unknown"),
        ({"rows": 9}, "the rows of the shards do not add up"),
        ({"skipped": 1}, "the rows of the shards do not add up"),
        ({"shard_rows": 4}, "shard-00000.parquet cannot have 3 rows"),
        ({"shard_bytes": 100}, "do not go together"),
        ({"shards": {}}, "shards has a wrong value"),
        ({"shards": [1]}, r"shards\[0\] is not an object"),
        ({"options": {"layers": [[]]}}, "options has a wrong value"),
        ({"shards": [], "rows": 0, "id_type": None, "complete": True}, "it is complete, and has no shards"),
        ({"schema": "2"}, "is not a manifest of bertcli"),
    ],
)
def test_a_wrong_entry_is_named(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    content = {**content_of(tmp_path, manifest_of([3, 3, 2])), **changes}
    (tmp_path / MANIFEST).write_text(json.dumps({name: each for name, each in content.items() if each is not ...}))
    with pytest.raises(OutputError, match=words):
        load_manifest(tmp_path)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"file": "shard-00000.parquet"}, "shard-00001.parquet is missing, or is not in its place"),
        ({"file": "../x"}, "shard-00001.parquet is missing"),
        ({"rows": 2}, "do not add up"),
        ({"skipped": 1 << 70}, r"shards\[1\].skipped has a wrong value"),
        ({"sha256": "A" * 64}, r"shards\[1\].sha256 has a wrong value"),
        ({"bytes": -1}, r"shards\[1\].bytes has a wrong value"),
        ({"more": 1}, r"shards\[1\].more is unknown"),
    ],
)
def test_a_wrong_entry_of_a_shard_is_named(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    content = content_of(tmp_path, manifest_of([3, 3, 2]))
    content["shards"][1] |= changes
    (tmp_path / MANIFEST).write_text(json.dumps(content))
    with pytest.raises(OutputError, match=words):
        load_manifest(tmp_path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not valid JSON"),
        (b"\xff", "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b'{"a":' * 100_000, "not valid JSON"),
        (b'{"schema": 2, "schema": 2}', "not valid JSON"),
        (b"9" * 5000, "not valid JSON"),
        (b"{}", "is not a manifest of bertcli"),
        (b"[]", "is not a manifest of bertcli"),
        (b'{"schema": 2, "bertcli": "1"}', "command is missing"),
    ],
)
def test_a_file_that_is_not_a_manifest_is_an_error(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / MANIFEST).write_bytes(content)
    with pytest.raises(OutputError, match=words):
        load_manifest(tmp_path)


def test_another_version_is_accepted_if_it_writes_the_same_format(tmp_path: Path) -> None:
    content = content_of(tmp_path, manifest_of([3])) | {"bertcli": "7.0"}
    (tmp_path / MANIFEST).write_text(json.dumps(content))
    manifest = load_manifest(tmp_path)
    assert manifest is not None and manifest.version == "7.0"
    assert content_of(tmp_path, replace(manifest, is_complete=True))["bertcli"] == "7.0"
    (tmp_path / MANIFEST).write_text(json.dumps(content | {"schema": 1}))
    with pytest.raises(OutputError, match=r"was written in format 1 by bertcli 7\.0; this bertcli writes 2") as raised:
        load_manifest(tmp_path)
    assert "--force" in raised.value.hint
