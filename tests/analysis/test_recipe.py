"""Embeddings by the recipe of a checkpoint, against sentence-transformers itself."""

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from bertcli.analysis.embeddings.comparison import DenseVectors
from bertcli.analysis.embeddings.encode import EncodeOptions, encode
from bertcli.analysis.embeddings.layers import activate
from bertcli.checkpoints.recipe import ACTIVATIONS
from bertcli.choices import Pooling, Similarity
from bertcli.errors import NotFinite
from bertcli.input.records import FailedText
from bertcli.model.request import EmbeddingRequest
from bertcli.model.session import Session
from tests.sentence_models import TEXTS, edit_json, expected_embeddings, load_model, models, save_sentence_model
from tests.tiny import one_batch, open_bert, save_bert, write_json
from tests.tiny import record as record_of

Modules = Callable[[], Sequence[torch.nn.Module]]
ENGINES = ["numpy", "torch"]
HIDDEN = 24


def pooling(*modes: str, **settings: Any) -> torch.nn.Module:
    return models.Pooling(HIDDEN, modes[0] if len(modes) == 1 else modes, **settings)


def dense(size: int, out: int, activation: torch.nn.Module | None = None, **settings: Any) -> torch.nn.Module:
    return models.Dense(size, out, activation_function=activation or torch.nn.Tanh(), **settings)


# Modules after the transformer. They are made anew for each test, since saving changes them.
RECIPES: dict[str, Modules] = {
    **{mode: (lambda mode=mode: [pooling(mode)]) for mode in models.Pooling.POOLING_MODES},
    "mean, normalised": lambda: [pooling("mean"), models.Normalize()],
    "several": lambda: [pooling("mean", "cls", "lasttoken"), models.Normalize()],
    "all": lambda: [pooling(*models.Pooling.POOLING_MODES)],
    "dense": lambda: [pooling("mean"), dense(HIDDEN, 16)],
    "dense without bias": lambda: [pooling("cls"), dense(HIDDEN, 40, torch.nn.Identity(), bias=False)],
    "two dense": lambda: [pooling("max"), dense(HIDDEN, 8), dense(8, 30, torch.nn.GELU()), models.Normalize()],
    "residual": lambda: [pooling("mean"), dense(HIDDEN, HIDDEN, use_residual=True)],
    "projected residual": lambda: [pooling("mean"), dense(HIDDEN, 10, torch.nn.ReLU(), use_residual=True)],
    "layer norm": lambda: [pooling("mean"), models.LayerNorm(HIDDEN), models.Normalize()],
    "normalised first": lambda: [pooling("mean"), models.Normalize(), dense(HIDDEN, 12)],
    "dropout": lambda: [pooling("mean"), models.Dropout(0.5)],
}


def embed(session: Session, texts: Sequence[Any] = TEXTS) -> np.ndarray:
    return np.stack([record.embedding for record in encode(session, one_batch(session, texts), EncodeOptions())])


def open_model(folder: Path, engine: str = "numpy", *, truncate: bool = False, **embedding: Any) -> Session:
    return open_bert(folder, engine, truncate=truncate, embedding=EmbeddingRequest(**embedding))


def assert_equal(found: np.ndarray, expected: np.ndarray) -> None:
    assert found.dtype == np.float32
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, 1e-5, 1e-5)


@pytest.mark.parametrize("recipe", RECIPES)
def test_embeddings_are_those_of_sentence_transformers(tmp_path: Path, recipe: str) -> None:
    folder = save_sentence_model(tmp_path / "model", *RECIPES[recipe]())
    expected = expected_embeddings(folder)
    for engine in ENGINES:
        session = open_model(folder, engine)
        assert_equal(embed(session), expected)
        assert session.recipe.shown.dimension == expected.shape[1]
        assert session.recipe.shown.source == "modules.json"


def test_the_older_flags_of_a_pooling_are_read(tmp_path: Path) -> None:
    folder = save_sentence_model(tmp_path / "model", pooling("mean"))
    flags = {"pooling_mode_max_tokens": True, "pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}
    config = {"word_embedding_dimension": HIDDEN, **flags, "pooling_mode_mean_sqrt_len_tokens": False}
    write_json(folder / "1_Pooling/config.json", config)
    session = open_model(folder)
    assert session.recipe.shown.pooling == (Pooling.CLS, Pooling.MAX)
    assert_equal(embed(session), expected_embeddings(folder))


def test_pickled_weights_are_read(tmp_path: Path) -> None:
    folder = save_sentence_model(tmp_path / "model", pooling("mean"), dense(HIDDEN, 16))
    expected = expected_embeddings(folder)
    weights = folder / "2_Dense/model.safetensors"
    torch.save(load_file(weights), folder / "2_Dense/pytorch_model.bin")
    weights.unlink()
    for engine in ENGINES:
        assert_equal(embed(open_model(folder, engine)), expected)


def test_half_precision_weights_are_widened(tmp_path: Path) -> None:
    folder = save_sentence_model(tmp_path / "model", pooling("mean"), dense(HIDDEN, 16))
    weights = folder / "2_Dense/model.safetensors"
    save_file({name: x.to(torch.bfloat16) for name, x in load_file(weights).items()}, weights)
    assert_equal(embed(open_model(folder)), expected_embeddings(folder))


def save_dense_of(folder: Path, number: float) -> Path:
    """Save a checkpoint whose dense layer holds the number everywhere."""
    save_sentence_model(folder, pooling("mean"), dense(HIDDEN, 16, torch.nn.Identity()))
    weights = folder / "2_Dense/model.safetensors"
    save_file({name: torch.full_like(x, number) for name, x in load_file(weights).items()}, weights)
    return folder


@pytest.mark.parametrize("number", [torch.nan, torch.inf])
def test_a_dense_layer_that_makes_infinity_or_nan_is_an_error(tmp_path: Path, number: float) -> None:
    session = open_model(save_dense_of(tmp_path / "model", number))
    with pytest.raises(NotFinite, match=r"the embeddings of .*model are infinite or NaN"):
        embed(session)


@pytest.mark.parametrize("first_layer", [0, 1, 2])
def test_hidden_states_are_weighted(tmp_path: Path, first_layer: int) -> None:
    modules = [models.WeightedLayerPooling(HIDDEN, 2, first_layer), pooling("mean"), models.Normalize()]
    folder = save_sentence_model(tmp_path / "model", *modules)
    edit_json(folder / "config.json", output_hidden_states=True)
    expected = expected_embeddings(folder)
    for engine in ENGINES:
        session = open_model(folder, engine)
        assert session.recipe.shown.layers == tuple(range(first_layer, 3))
        assert_equal(embed(session), expected)


def test_weighted_layers_are_skipped_without_hidden_states_as_in_sentence_transformers(tmp_path: Path) -> None:
    folder = save_sentence_model(tmp_path / "model", models.WeightedLayerPooling(HIDDEN, 2, 1), pooling("mean"))
    session = open_model(folder)
    assert session.recipe.shown.layers is None
    assert_equal(embed(session), expected_embeddings(folder))


PROMPTS = {"query": "how are you: ", "passage": ""}


@pytest.mark.parametrize("mode", models.Pooling.POOLING_MODES)
@pytest.mark.parametrize("include_prompt", [True, False])
def test_prompts_are_those_of_sentence_transformers(tmp_path: Path, mode: str, include_prompt: bool) -> None:
    module = pooling(mode, include_prompt=include_prompt)
    folder = save_sentence_model(tmp_path / "model", module, prompts=PROMPTS, default_prompt_name="query")
    cases: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({}, {}),
        ({"prompt_name": "passage"}, {"prompt_name": "passage"}),
        ({"prompt_name": "query"}, {"prompt_name": "query"}),
        ({"prompt": "the cat "}, {"prompt": "the cat "}),
        ({"prompt": ""}, {"prompt": ""}),
    ]
    for own, theirs in cases:
        assert_equal(embed(open_model(folder, **own)), expected_embeddings(folder, **theirs))
    assert open_model(folder).recipe.shown.prompt == PROMPTS["query"]
    assert open_model(folder, prompt="").recipe.shown.prompt is None


def test_a_prompt_is_before_sentence_a_of_a_pair(tmp_path: Path) -> None:
    pairs = [("how are", "the mat"), ("e", "you")]
    folder = save_sentence_model(tmp_path / "model", pooling("mean", include_prompt=False))
    expected = expected_embeddings(folder, pairs, prompt="the cat: ")
    assert_equal(embed(open_model(folder, prompt="the cat: "), pairs), expected)


def test_the_text_of_a_record_is_without_the_prompt(tmp_path: Path) -> None:
    folder = save_sentence_model(tmp_path / "model", pooling("mean"), prompts=PROMPTS)
    session = open_model(folder, prompt_name="query")
    [record] = encode(session, one_batch(session, ["cat"]), EncodeOptions())
    assert record.text.text == "cat"
    assert list(record.text.tokens) == ["[CLS]", "how", "are", "you", ":", "cat", "[SEP]"]


@pytest.mark.parametrize("text", ["", " ", "\u200b"])
def test_a_prompt_does_not_give_tokens_to_an_empty_text(tmp_path: Path, text: str) -> None:
    folder = save_sentence_model(tmp_path / "model", pooling("mean"), prompts=PROMPTS)
    [found] = open_model(folder, prompt_name="query").tokenizer.tokenize([record_of(text)])
    assert isinstance(found, FailedText)
    assert "the text has no tokens" in found.error.message


def test_the_limit_of_tokens_is_that_of_the_recipe(tmp_path: Path) -> None:
    folder = save_sentence_model(tmp_path / "model", pooling("mean"), limit=7)
    long_text = " ".join(["the cat sat on the mat"] * 4)
    session = open_model(folder, truncate=True)
    assert session.recipe.shown.max_length == 7
    assert_equal(embed(session, [long_text]), expected_embeddings(folder, [long_text]))
    write_json(folder / "sentence_bert_config.json", {"max_seq_length": 9, "do_lower_case": False})
    assert open_model(folder).tokenizer.limit == 9
    assert open_bert(folder).tokenizer.limit == 9
    assert open_bert(folder, max_length=20).tokenizer.limit == 20
    write_json(folder / "sentence_bert_config.json", {"max_seq_length": 4096})
    assert open_model(folder).tokenizer.limit == 64
    (folder / "modules.json").unlink()
    assert open_model(folder).tokenizer.limit == 64


def test_texts_are_lower_cased_if_the_recipe_says_so(tmp_path: Path) -> None:
    base = save_bert(tmp_path / "base")
    write_json(base / "tokenizer_config.json", {"do_lower_case": False, "tokenizer_class": "BertTokenizer"})
    folder = save_sentence_model(tmp_path / "model", pooling("mean"), transformer=base)
    cased = embed(open_model(folder))
    assert_equal(cased, expected_embeddings(folder))
    lower = Path(shutil.copytree(folder, tmp_path / "lower"))
    edit_json(lower / "sentence_bert_config.json", do_lower_case=True)
    found = embed(open_model(lower))
    assert_equal(found, expected_embeddings(lower))
    assert np.abs(found - cased).max() > 1e-3


def test_a_transformer_in_a_folder_of_its_own(tmp_path: Path) -> None:
    folder = save_sentence_model(tmp_path / "model", pooling("cls"), dense(HIDDEN, 8))
    inner = folder / "0_Transformer"
    inner.mkdir()
    kept = {"modules.json", "config_sentence_transformers.json", "1_Pooling", "2_Dense", "0_Transformer"}
    for path in [path for path in folder.iterdir() if path.name not in kept]:
        path.rename(inner / path.name)
    entries = json.loads((folder / "modules.json").read_text())
    entries[0]["path"] = "0_Transformer"
    write_json(folder / "modules.json", entries)
    assert_equal(embed(open_model(folder)), expected_embeddings(folder))


def test_an_option_replaces_the_recipe_but_not_its_limit(tmp_path: Path) -> None:
    settings = {"prompts": PROMPTS, "default_prompt_name": "query", "similarity_fn_name": "dot"}
    folder = save_sentence_model(tmp_path / "model", pooling("cls"), dense(HIDDEN, 8), models.Normalize(), **settings)
    shown = open_model(folder).recipe.shown
    assert shown.as_json() == {
        "source": "modules.json",
        "pooling": ["cls"],
        "dense": [8],
        "normalize": True,
        "prompt": "how are you: ",
        "dimension": 8,
        "max_length": 32,
        "similarity": "dot",
    }
    session = open_model(folder, pooling=Pooling.MEAN)
    assert session.recipe.shown.as_json() == {
        "source": "options",
        "pooling": ["mean"],
        "dense": [],
        "normalize": False,
        "prompt": None,
        "dimension": HIDDEN,
        "max_length": 32,
    }
    plain = Path(shutil.copytree(folder, tmp_path / "plain"))
    (plain / "modules.json").unlink()
    default = open_model(plain)
    assert default.recipe.shown.source == "default"
    assert np.array_equal(embed(session), embed(default))


def test_normalisation_is_added_and_removed(tmp_path: Path) -> None:
    folder = save_sentence_model(tmp_path / "model", pooling("mean"), models.Normalize())
    plain = save_sentence_model(tmp_path / "plain", pooling("mean"))
    assert_equal(embed(open_model(folder, normalize=False)), expected_embeddings(plain))
    assert_equal(embed(open_model(plain, normalize=True)), expected_embeddings(folder))
    assert open_model(folder, normalize=False).recipe.shown.normalize is False
    assert open_model(folder, normalize=True).recipe.shown.normalize is True


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_are_those_of_torch(name: str) -> None:
    x = np.concatenate([np.linspace(-12, 12, 241), [-50, 50]]).astype(np.float32)
    expected = getattr(torch.nn, name)()(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(activate(x, name), expected, 1e-5, 1e-6)


@pytest.mark.parametrize("measure", list(Similarity))
def test_similarity_is_that_of_sentence_transformers(tmp_path: Path, measure: Similarity) -> None:
    folder = save_sentence_model(tmp_path / "model", pooling("mean"), similarity_fn_name=str(measure))
    session = open_model(folder)
    vectors = embed(session)
    found = DenseVectors(vectors, session.recipe.shown.similarity or Similarity.COSINE).similarity(0, len(vectors))
    expected = load_model(folder).similarity(vectors, vectors).numpy()
    np.testing.assert_allclose(found, expected, 1e-4, 1e-5)
