"""Lexical (SPLADE) vectors, against SparseEncoder of sentence-transformers."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sentence_transformers.sparse_encoder.modules import MLMTransformer, SpladePooling

from bertcli.analysis.embeddings.encode import EncodeOptions, encode
from bertcli.analysis.embeddings.lexical import dense_vector
from bertcli.choices import Pooling
from bertcli.model.request import EmbeddingRequest
from bertcli.model.session import Session
from tests.families import save_family
from tests.sentence_models import TEXTS, SparseEncoder, load_sparse_model
from tests.tiny import one_batch, open_bert, save_bert, write_json


def save_sparse_model(folder: Path, transformer: Path | None = None, **settings: Any) -> Path:
    """Save a SPLADE checkpoint as sentence-transformers writes it."""
    base = transformer or save_bert(folder.parent / f"{folder.name}-transformer")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = MLMTransformer(str(base), max_seq_length=32)
        model = SparseEncoder(modules=[module, SpladePooling(**settings)], device="cpu")
        model.save(str(folder), create_model_card=False)
    return folder


def lexical_vectors(session: Session, texts: list[str] = TEXTS) -> np.ndarray:
    records = encode(session, one_batch(session, texts), EncodeOptions())
    return np.stack([dense_vector(record.terms, session.config.vocab_size) for record in records])


def expected_vectors(folder: Path, **options: Any) -> np.ndarray:
    model = load_sparse_model(folder)
    return model.encode(TEXTS, convert_to_sparse_tensor=False, show_progress_bar=False, **options).numpy()


@pytest.mark.parametrize("engine", ["numpy", "torch", "transformers"])
@pytest.mark.parametrize("reduction", ["max", "sum"])
@pytest.mark.parametrize("activation", ["relu", "log1p_relu"])
def test_lexical_vectors_are_those_of_sparse_encoder(
    tmp_path: Path, engine: str, reduction: str, activation: str
) -> None:
    settings = {"pooling_strategy": reduction, "activation_function": activation}
    folder = save_sparse_model(tmp_path / "model", **settings)
    session = open_bert(folder, engine, embedding=EmbeddingRequest())
    np.testing.assert_allclose(lexical_vectors(session), expected_vectors(folder), 1e-5, 1e-5)
    shown = session.recipe.shown
    assert (shown.pooling, shown.lexical, shown.similarity) == ((Pooling.LEXICAL,), reduction, "dot")
    assert (shown.dimension, shown.max_length) == (session.config.vocab_size, 32)


def test_the_older_module_name_is_known(tmp_path: Path) -> None:
    folder = save_sparse_model(tmp_path / "model")
    modules = [
        {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.sparse_encoder.models.MLMTransformer"},
        {"idx": 1, "name": "1", "path": "1_SpladePooling",
         "type": "sentence_transformers.sparse_encoder.models.SpladePooling"},
    ]  # fmt: skip
    write_json(folder / "modules.json", modules)
    write_json(folder / "sentence_bert_config.json", {"max_seq_length": 32, "do_lower_case": False})
    session = open_bert(folder, embedding=EmbeddingRequest())
    np.testing.assert_allclose(lexical_vectors(session), expected_vectors(folder), 1e-5, 1e-5)


@pytest.mark.parametrize("family", ["bert", "distilbert", "mpnet"])
def test_any_checkpoint_with_an_mlm_head_gives_lexical_vectors(tmp_path: Path, family: str) -> None:
    base = save_bert(tmp_path / "base") if family == "bert" else save_family(tmp_path / "base", family)
    folder = save_sparse_model(tmp_path / "model", base)
    session = open_bert(base, "auto", embedding=EmbeddingRequest(Pooling.LEXICAL))
    np.testing.assert_allclose(lexical_vectors(session), expected_vectors(folder), 1e-5, 1e-5)
    assert session.recipe.shown.source == "options"


def test_a_long_text_is_computed_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session = open_bert(save_bert(tmp_path / "model"), embedding=EmbeddingRequest(Pooling.LEXICAL))
    whole = lexical_vectors(session, TEXTS)
    monkeypatch.setattr("bertcli.analysis.embeddings.lexical._TOKENS_TOGETHER", 2)
    np.testing.assert_allclose(lexical_vectors(session, TEXTS), whole, 1e-5, 1e-6)


def test_terms_are_in_descending_order_and_have_their_tokens(tiny_bert: Path) -> None:
    session = open_bert(tiny_bert, embedding=EmbeddingRequest(Pooling.LEXICAL))
    [record] = encode(session, one_batch(session, ["the cat"]), EncodeOptions())
    assert record.embedding is None
    assert (np.diff(record.terms.weights) <= 0).all()
    assert (record.terms.weights > 0).all()
    assert [session.tokenizer.token_id(token) for token in record.terms.tokens] == record.terms.token_ids.tolist()


def test_normalised_lexical_vectors_have_length_1(tiny_bert: Path) -> None:
    session = open_bert(tiny_bert, embedding=EmbeddingRequest(Pooling.LEXICAL, normalize=True))
    np.testing.assert_allclose(np.linalg.norm(lexical_vectors(session), axis=1), 1, 1e-5)
    assert session.recipe.shown.normalize is True


def test_a_prompt_is_part_of_a_lexical_vector(tmp_path: Path) -> None:
    folder = save_sparse_model(tmp_path / "model")
    session = open_bert(folder, embedding=EmbeddingRequest(prompt="the mat: "))
    np.testing.assert_allclose(lexical_vectors(session), expected_vectors(folder, prompt="the mat: "), 1e-5, 1e-5)
