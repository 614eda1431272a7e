"""Tests of what the options of each command do, and of which model a command uses."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open

from tests.cli.process import TEXT, assert_failed, printed, run
from tests.tiny import VOCABULARY

VOCABULARY_SIZE = str(len(VOCABULARY))
TEXTS = (TEXT, "the cat sat on the mat", "how")


def vectors(records: Any, key: str = "embedding") -> Any:
    """Return the vectors of each record, as an array."""
    return np.array([record[key] for record in records])


def head_of(document: Any, *keys: str) -> list[Any]:
    """Return some values of the header."""
    return [document[key] for key in keys]


def test_max_length_is_a_limit_that_truncate_cuts_to(tiny: tuple[str, str]) -> None:
    text = "the cat sat on the mat"
    cut, short = run("encode", text, "how", *tiny, "--max-length", "5", "--truncate", "--json").records()
    assert (cut["tokens"], cut["truncated"]) == (["[CLS]", "the", "cat", "sat", "[SEP]"], True)
    assert cut["text"] == text
    assert (short["tokens"], short["truncated"]) == (["[CLS]", "how", "[SEP]"], False)
    np.testing.assert_allclose(
        cut["embedding"], printed("encode", "the cat sat", *tiny, "--json").records()[0]["embedding"], atol=1e-5
    )


def test_the_longest_text_that_fits_has_a_record(tiny: tuple[str, str]) -> None:
    (record,) = run("fill-mask", " ".join(["cat"] * 61) + " [MASK]", *tiny, "--json").records()
    assert (len(record["tokens"]), record["truncated"]) == (64, False)


def test_max_length_beyond_the_models_positions_is_wrong_usage(tiny: tuple[str, str]) -> None:
    assert_failed(run("encode", TEXT, *tiny, "--max-length", "65"), 2, "--max-length 65", "64 positions")


@pytest.mark.parametrize("batch_tokens", ["1", "9"])
def test_the_size_of_a_batch_does_not_change_the_numbers(tiny: tuple[str, str], batch_tokens: str) -> None:
    texts = "\n".join(TEXTS * 3)
    whole, parted = (
        run("encode", "-", *tiny, "--json", *options, stdin=texts).records()
        for options in ((), ("--batch-tokens", batch_tokens))
    )
    assert [record["text"] for record in parted] == [record["text"] for record in whole] == list(TEXTS * 3)
    np.testing.assert_allclose(vectors(parted), vectors(whole), rtol=1e-5, atol=1e-5)


def test_pooling_is_over_the_tokens_of_a_text(tiny: tuple[str, str]) -> None:
    (record,) = run("encode", TEXT, *tiny, "--tokens", "--pooler", "--json").records()
    states = np.array(record["token_vectors"], np.float32)
    pooled = {"mean": states.mean(0), "cls": states[0], "max": states.max(0), "pooler": record["pooler_output"]}
    for how, expected in pooled.items():
        (answer,) = run("encode", TEXT, *tiny, "--pool", how, "--json").records()
        np.testing.assert_allclose(answer["embedding"], expected, rtol=1e-5, atol=1e-6, err_msg=how)
        assert list(answer) == ["index", "text", "tokens", "truncated", "unknown", "embedding"]
    assert record["embedding"] == printed("encode", TEXT, *tiny, "--json").records()[0]["embedding"]


def test_normalize_scales_each_embedding_to_length_1(tiny: tuple[str, str]) -> None:
    plain, normal = (
        vectors(run("encode", *TEXTS, *tiny, "--json", *options).records()) for options in ((), ("--normalize",))
    )
    np.testing.assert_allclose(np.linalg.norm(normal, axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(normal, plain / np.linalg.norm(plain, axis=1, keepdims=True), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("asked", "layers"), [("all", [0, 1, 2]), ("-1", [2]), ("2,0", [2, 0])])
def test_hidden_states_follow_the_order_of_layers(tiny: tuple[str, str], asked: str, layers: list[int]) -> None:
    (record,) = run("encode", TEXT, *tiny, "--layers", asked, "--json").records()
    assert record["layers"] == layers
    (every,) = printed("encode", TEXT, *tiny, "--layers", "all", "--tokens", "--json").records()
    assert record["hidden_states"] == [every["hidden_states"][layer] for layer in layers]
    assert every["hidden_states"][-1] == every["token_vectors"]


@pytest.mark.parametrize("asked", ["3", "-4", "0,9", "first", "", "1,"])
def test_missing_or_malformed_layers_are_wrong_usage(tiny: tuple[str, str], asked: str) -> None:
    assert_failed(run("encode", TEXT, *tiny, "--layers", asked), 2)


def test_similarity_is_the_cosine_of_each_pair_of_embeddings(tiny: tuple[str, str]) -> None:
    document = run("encode", *TEXTS, *tiny, "--similarity", "--json").json()
    embeddings = vectors(document["records"])
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    np.testing.assert_allclose(document["similarity"], unit @ unit.T, atol=1e-6)


def test_top_k_ranks_the_whole_vocabulary(tiny: tuple[str, str]) -> None:
    header, *rows = run("fill-mask", TEXT, *tiny, "-k", VOCABULARY_SIZE).rows()
    scores = [float(row[header.index("score")]) for row in rows]
    assert len({row[header.index("token")] for row in rows}) == int(VOCABULARY_SIZE)
    assert scores == sorted(scores, reverse=True)
    assert sum(scores) == pytest.approx(1, abs=1e-5)
    assert run("fill-mask", TEXT, *tiny, "--top-k", "3").rows()[1:] == rows[:3]


def test_top_k_is_at_most_the_vocabulary(tiny: tuple[str, str]) -> None:
    assert_failed(run("fill-mask", TEXT, *tiny, "-k", "999999999"), 2, "999,999,999", f"{VOCABULARY_SIZE} tokens")


def test_targets_have_their_rank_and_score_in_the_whole_vocabulary(tiny: tuple[str, str]) -> None:
    (record,) = run("fill-mask", TEXT, *tiny, "-k", VOCABULARY_SIZE, "--targets", "mat,are,##ing", "--json").records()
    (mask,) = record["masks"]
    by_token = {prediction["token_str"]: prediction for prediction in mask["predictions"]}
    for target in mask["targets"]:
        word = target.pop("target")
        assert (target.pop("pieces"), target.pop("method")) == ([word], "l2r")
        assert np.exp(target.pop("logprob")) == pytest.approx(target["score"])
        assert 0 < target.pop("share") < 1
        assert target == by_token[word], word


@pytest.mark.parametrize(
    ("targets", "words"), [("☃", "the target '☃'"), ("are,are", "'are' is given twice"), ("are,ARE", "'are' and 'ARE'")]
)
def test_a_target_that_is_unknown_or_named_twice_is_wrong_usage(
    tiny: tuple[str, str], targets: str, words: str
) -> None:
    assert_failed(run("fill-mask", TEXT, *tiny, "--targets", targets), 2, words)


@pytest.mark.parametrize("targets", ["", "are,", " , are"])
def test_an_empty_target_is_wrong_usage(tiny: tuple[str, str], targets: str) -> None:
    assert_failed(run("fill-mask", TEXT, *tiny, "--targets", targets), 2, "one of the targets is empty")


def test_sequences_leave_out_special_tokens_and_keep_other_masks(tiny: tuple[str, str]) -> None:
    (record,) = run("fill-mask", "how [MASK] [MASK]", *tiny, "-k", "1", "--json").records()
    first, second = (mask["predictions"][0] for mask in record["masks"])
    assert first["sequence"] == f"how {first['token_str']} [MASK]".replace(" ##", "")
    assert second["sequence"] == f"how [MASK] {second['token_str']}".replace(" ##", "")


@pytest.mark.parametrize(
    ("options", "heads"),
    [
        (("--layer", "1"), [(1, 0), (1, 1), (1, 2)]),
        (("--layer", "-1"), [(1, 0), (1, 1), (1, 2)]),
        (("--head", "2"), [(0, 2), (1, 2)]),
        (("--layer", "0", "--head", "1"), [(0, 1)]),
    ],
)
def test_layer_and_head_select_heads(
    tiny: tuple[str, str], options: tuple[str, ...], heads: list[tuple[int, int]]
) -> None:
    (record,) = run("attn", TEXT, *tiny, *options, "--json").records()
    (every,) = printed("attn", TEXT, *tiny, "--json").records()
    assert record["heads"] == [head for head in every["heads"] if (head["layer"], head["head"]) in heads]
    assert [(head["layer"], head["head"]) for head in record["heads"]] == heads


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--layer", "2"), "there is no layer 2: this model has 2"),
        (("--layer", "-3"), "there is no layer -3: this model has 2"),
        (("--head", "3"), "there is no head 3: this model has 3"),
        (("--layer", "0", "--head", "-1"), "there is no head -1"),
    ],
)
def test_a_layer_or_head_out_of_range_is_wrong_usage(
    tiny: tuple[str, str], options: tuple[str, ...], words: str
) -> None:
    assert_failed(run("attn", TEXT, *tiny, *options), 2, words)


def test_from_gives_the_strongest_keys_of_the_heads_matrix(tiny: tuple[str, str]) -> None:
    chosen = ("--layer", "1", "--head", "2")
    (matrix,) = run("attn", TEXT, *tiny, *chosen, "--json").records()
    weights = dict(enumerate(matrix["attention"][1]))
    strongest = sorted(weights, key=lambda key: -weights[key])[:3]
    by_token, by_position = (
        run("attn", TEXT, *tiny, *chosen, "--from", asked, "-k", "3", "--json").records()[0]["from"]
        for asked in ("how", "1")
    )
    assert by_token == by_position
    keys = by_token[0]["keys"]
    assert [(key["position"], key["token"]) for key in keys] == [(key, matrix["tokens"][key]) for key in strongest]
    assert [np.float32(key["weight"]) for key in keys] == [np.float32(weights[key]) for key in strongest]


def test_from_finds_every_position_of_a_token(tiny: tuple[str, str]) -> None:
    (record,) = run("attn", "the cat the", *tiny, "--layer", "0", "--head", "0", "--from", "the", "--json").records()
    assert [found["position"] for found in record["from"]] == [1, 3]


def test_all_texts_of_shapes_are_one_batch(tiny: tuple[str, str]) -> None:
    document = run("shapes", *TEXTS, *tiny, "--json").json()
    assert head_of(document, "batch_size", "sequence_length") == [3, 8]
    assert document["classes"][0]["outputs"][0]["shape"] == [3, 8, 24]


def test_batch_and_seq_replace_texts(tiny: tuple[str, str]) -> None:
    document = run("shapes", "--batch", "3", "--seq", "8", *tiny, "--json").json()
    assert document == run("shapes", *TEXTS, *tiny, "--json").json()
    assert run("shapes", "--seq", "8", *tiny, "--json").json()["batch_size"] == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--batch", "2"), "--batch needs --seq"),
        (("--seq", "65"), "64 positions"),
        ((TEXT, "--batch", "2", "--seq", "8"), "--batch and --seq cannot be combined with texts"),
        (("-f", "texts.txt", "--seq", "8"), "--batch and --seq cannot be combined with texts"),
    ],
)
def test_invalid_batch_and_seq_are_wrong_usage(tiny: tuple[str, str], arguments: tuple[str, ...], words: str) -> None:
    assert_failed(run("shapes", *arguments, *tiny), 2, words)


def test_run_works_with_batch_and_seq(tiny: tuple[str, str]) -> None:
    classes = run("shapes", "--batch", "2", "--seq", "7", "--run", *tiny, "--json").json()["classes"]
    assert classes[1]["outputs"][0]["ran"] == [2, 7, int(VOCABULARY_SIZE)]


def test_weights_are_those_of_the_file(tiny: tuple[str, str]) -> None:
    listed = {tensor["name"]: tensor for tensor in printed("shapes", "--weights", *tiny, "--json").json()["tensors"]}
    with safe_open(Path(tiny[1]) / "model.safetensors", "np") as file:
        stored = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no mapping
    assert listed.keys() == stored.keys()
    for name, array in stored.items():
        tensor = listed[name]
        assert (tensor["shape"], tensor["dtype"]) == (list(array.shape), "F32")
        assert (tensor["parameters"], tensor["bytes"]) == (array.size, array.nbytes)


def test_the_model_comes_from_the_option_then_the_environment(tiny: tuple[str, str], folder: Path) -> None:
    chosen = {"BERTCLI_MODEL": tiny[1]}
    assert run("encode", TEXT, "--json", env=chosen).json() == printed("encode", TEXT, *tiny, "--json").json()
    assert run("shapes", TEXT, "-m", "bundled", "--json", env=chosen).json()["model"] == "bundled"


def test_an_existing_folder_wins_over_a_name(tiny: tuple[str, str], folder: Path) -> None:
    shutil.copytree(tiny[1], folder / "bundled")
    here, elsewhere = (
        run("shapes", "-m", "bundled", "--seq", "8", "--json", cwd=cwd).json()["classes"][0]["parameters"]
        for cwd in (folder, folder.parent)
    )
    assert (here, elsewhere) == (
        printed("shapes", "--seq", "8", *tiny, "--json").json()["classes"][0]["parameters"],
        22713216,
    )
