"""encode with the recipe of a checkpoint: every output says what was applied, and a corpus has the same vectors."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest

from tests.analysis.test_lexical import save_sparse_model
from tests.cli.process import Finished, assert_failed, run
from tests.sentence_models import TEXTS, expected_embeddings, load_sparse_model, models, save_sentence_model

RECIPE = {
    "source": "modules.json",
    "pooling": ["mean", "cls"],
    "dense": [16],
    "normalize": True,
    "prompt": "how are ",
    "dimension": 16,
    "max_length": 32,
}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint with two poolings, a dense layer, normalisation and a default prompt."""
    modules = [models.Pooling(24, ("mean", "cls")), models.Dense(48, 16), models.Normalize()]
    prompts = {"query": "how are ", "passage": "the cat "}
    folder = tmp_path_factory.mktemp("recipe") / "model"
    return save_sentence_model(folder, *modules, prompts=prompts, default_prompt_name="query")


@pytest.fixture(scope="module")
def splade(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_sparse_model(tmp_path_factory.mktemp("splade") / "model")


def encode(model: Path, *options: str | Path, texts: list[str] = TEXTS) -> Finished:
    return run("encode", *texts, "-m", model, *options)


def rows(path: Path) -> list[dict[str, Any]]:
    return pyarrow.parquet.read_table(path).to_pylist()


def close(found: Any, expected: np.ndarray) -> None:
    np.testing.assert_allclose(np.array(found, np.float32), expected, 1e-5, 1e-5)


def test_json_has_the_recipe_and_its_embeddings(model: Path) -> None:
    document = encode(model, "--json").json()
    assert document["recipe"] == RECIPE
    close([record["embedding"] for record in document["records"]], expected_embeddings(model))
    assert [record["text"] for record in document["records"]] == TEXTS


def test_the_caption_has_the_recipe(model: Path) -> None:
    table = encode(model, "--format", "table", "--width", "120").answer().text
    line = 'embedding: mean of tokens and [CLS], dense 16, normalised · prompt "how are " · recipe of the checkpoint'
    assert line in table.splitlines()
    table = encode(model, "--format", "table", "--pooling", "max", "--normalize", "--similarity").answer().text
    assert table.splitlines().count("embedding: max of tokens, normalised · set by --pooling") == 1


def test_files_and_folders_have_the_embeddings_and_the_recipe(model: Path, folder: Path) -> None:
    expected = expected_embeddings(model, prompt_name="passage")
    options = ("--prompt-name", "passage", "--pooler", "--layers", "-1")
    encode(model, *options[:2], "-o", folder / "out.npy").answer()
    close(np.load(folder / "out.npy"), expected)
    encode(model, *options, "-o", folder / "out.parquet").answer()
    encode(model, *options, "-o", f"{folder}/out/", "-q").answer()
    for file in (folder / "out.parquet", folder / "out/shard-00000.parquet"):
        found = rows(file)
        close([row["embedding"] for row in found], expected)
        close([row["layer_2"] for row in found], expected)
        assert {len(row["pooler_output"]) for row in found} == {24}
        metadata = json.loads(pyarrow.parquet.read_schema(file).metadata[b"bertcli"])
        assert metadata["recipe"] == {**RECIPE, "prompt": "the cat "}
    manifest = json.loads((folder / "out/manifest.json").read_text())
    assert manifest["recipe"] == {**RECIPE, "prompt": "the cat "}


def test_repeated_texts_have_the_same_embeddings(model: Path, folder: Path) -> None:
    encode(model, "--pooler", "--dedupe", "-o", folder / "out.parquet", texts=TEXTS * 2).answer()
    close([row["embedding"] for row in rows(folder / "out.parquet")], np.tile(expected_embeddings(model), (2, 1)))


def test_a_run_with_another_recipe_is_not_resumed(model: Path, folder: Path) -> None:
    encode(model, "-o", f"{folder}/out/", "-q").answer()
    resume = ("-o", f"{folder}/out/", "--resume", "-q")
    assert_failed(encode(model, *resume, "--pooling", "cls"), 1, "was started with --pooling auto, not cls")
    assert_failed(encode(model, *resume, "--no-normalize"), 1, "was started without --normalize")
    assert_failed(encode(model, *resume, "--prompt", "a "), 1, "was started without --prompt")
    encode(model, *resume).answer()


def test_ray_writes_the_same_embeddings(model: Path, folder: Path) -> None:
    (folder / "in.txt").write_text("".join(f"{text}\n" for text in TEXTS))
    found = run("encode", "-f", folder / "in.txt", "-m", model, "-o", f"{folder}/out/", "--ray", "-q", timeout=300)
    assert found.exit_code == 0, found.stderr
    close([row["embedding"] for row in rows(folder / "out/shard-00000.parquet")], expected_embeddings(model))
    assert json.loads((folder / "out/manifest.json").read_text())["recipe"] == RECIPE


def test_shapes_and_models_show_the_recipe(model: Path) -> None:
    classes = run("shapes", "how are you", "-m", model, "--run", "--json").json()["classes"]
    [output] = classes[-1]["outputs"]
    assert classes[-1]["class"] == "SentenceTransformer"
    assert classes[-1]["parameters"] == sum(each.numel() for each in load(model).parameters())
    assert (output["name"], output["shape"], output["ran"]) == ("sentence_embedding", [1, 16], [1, 16])


def load(model: Path) -> Any:
    from tests.sentence_models import load_model

    return load_model(model)


def test_lexical_vectors_in_every_format(splade: Path, folder: Path) -> None:
    sparse = load_sparse_model(splade)
    expected = sparse.encode(TEXTS, convert_to_sparse_tensor=False, show_progress_bar=False).numpy()
    document = encode(splade, "--json", "--similarity").json()
    assert document["recipe"] == {
        "source": "modules.json", "pooling": ["lexical"], "dense": [], "normalize": False, "prompt": None,
        "dimension": expected.shape[1], "max_length": 32, "lexical": "max", "similarity": "dot",
    }  # fmt: skip
    for record, vector in zip(document["records"], expected, strict=True):
        assert "embedding" not in record
        weights = [term["weight"] for term in record["terms"]]
        assert weights == sorted(weights, reverse=True)
        close(weights, vector[[term["token_id"] for term in record["terms"]]])
        assert len(weights) == np.count_nonzero(vector)
    np.testing.assert_allclose(document["similarity"], expected @ expected.T, 1e-4, 1e-4)
    encode(splade, "-o", folder / "out.npy").answer()
    close(np.load(folder / "out.npy"), expected)
    encode(splade, "-o", folder / "out.parquet").answer()
    encode(splade, "-o", f"{folder}/out/", "-q").answer()
    for file in (folder / "out.parquet", folder / "out/shard-00000.parquet"):
        for row, vector in zip(rows(file), expected, strict=True):
            assert row["indices"] == np.flatnonzero(vector).tolist()
            close(row["values"], vector[row["indices"]])
            assert "embedding" not in row


def test_the_strongest_terms_are_shown(splade: Path) -> None:
    everything = encode(splade, "--json", texts=["the cat"]).records()[0]["terms"]
    (record,) = encode(splade, "--json", "-k", "3", texts=["the cat"]).records()
    assert record["terms"] == everything[:3]
    table = encode(splade, "--format", "table", "-k", "3", texts=["the cat"]).answer().text
    assert f"the 3 strongest of {len(everything)} terms" in table
    assert [everything[place]["token"] in table for place in range(3)] == [True] * 3
    header, row = encode(splade, "-k", "2", texts=["the cat"]).rows()
    assert row[header.index("terms")] == " ".join(f"{term['token']}:{term['weight']}" for term in everything[:2])


@pytest.mark.parametrize(
    ("options", "exit_code", "words"),
    [
        (("--prompt-name", "quary"), 2, "has no prompt 'quary'"),
        (("--prompt-name", "query", "--prompt", "x"), 2, "--prompt and --prompt-name both set the prompt"),
        (("--prompt", "the cat " * 40), 2, "leaves no room for a text: the limit is 32"),
        (("-k", "3"), 2, "-k is the number of terms of a lexical vector"),
        (("--pooling", "lexical"), 1, "has no masked-language-model head"),
        (("--pooling", "lexical", "--max-length", "65"), 2, "--max-length 65 is more than the 64 positions"),
    ],
)
def test_options_that_do_not_go_together(model: Path, options: tuple[str, ...], exit_code: int, words: str) -> None:
    assert_failed(encode(model, *options), exit_code, words)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--dedupe", "-o", "x.parquet"), "--dedupe cannot keep lexical vectors"),
        (("--layers", "0", "-o", "x.parquet"), "lexical vectors exist for the last layer only"),
        (("--tokens", "--format", "table"), "a table of the terms of a lexical vector does not show --tokens"),
    ],
)
def test_options_that_lexical_vectors_do_not_have(
    splade: Path, folder: Path, options: tuple[str, ...], words: str
) -> None:
    assert_failed(run("encode", "a", "-m", splade, *options, cwd=folder), 2, words)
