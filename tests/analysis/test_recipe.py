"""Embeddings by the recipe of a checkpoint, against sentence-transformers itself."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bertcli.analysis.embeddings.encode import EncodeOptions, encode
from bertcli.model.request import EmbeddingRequest
from bertcli.model.session import Session
from tests.sentence_models import TEXTS, expected_embeddings, models, save_sentence_model
from tests.tiny import one_batch, open_bert

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
