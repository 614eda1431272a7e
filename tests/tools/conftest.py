"""A small corpus of random sentences, settings for it, and a tiny random model to start from."""

from pathlib import Path

import numpy as np
import pytest
import transformers
from tokenizers import Tokenizer

from tests.tiny import WORDS, save_bert
from tools.bundled_model.prepare import prepare
from tools.bundled_model.settings import Settings, parse_settings

RAW_SETTINGS = {
    "seed": 1,
    "texts": {
        "heldout": 0.1,
        "duplicate_words": 5,
        "duplicate_share": 0.5,
        "sentence_limit": 50,
        "source": [
            {"name": "talk", "kind": "dialogue", "block_lines": 1, "share": 0.4},
            {"name": "novel", "kind": "book", "block_lines": 3, "share": 0.4},
            {"name": "glosses", "kind": "lines", "block_lines": 4, "share": 0.2},
        ],
    },
    "examples": {
        "length": 24,
        "early_length": 16,
        "early_until": 0.3,
        "short": 0.2,
        "short_from": 8,
        "single": 0.2,
        "long_length": 48,
        "long": 0.1,
        "long_late": 0.5,
        "long_from": 0.5,
    },
    "masking": {"train": 0.2, "evaluate": 0.15, "as_mask": 0.9, "as_random": 0.05},
    "training": {
        "tokens": 4000,
        "rounds": 2,
        "late_from": 1.0,
        "batch_tokens": 96,
        "body_rate": 1e-3,
        "head_rate": 2e-3,
        "betas": [0.9, 0.98],
        "eps": 1e-6,
        "weight_decay": 0.01,
        "warmup": 0.1,
        "warmup_again": 0.05,
        "floor": 0.0,
        "clip": 1.0,
        "log_steps": 2,
        "checkpoint_minutes": 60.0,
        "measure_minutes": 60.0,
        "measure_batches": 2,
    },
}


@pytest.fixture(scope="session")
def settings() -> Settings:
    """Return settings for sources of a few lines and rows of a few tokens."""
    return parse_settings(RAW_SETTINGS)


@pytest.fixture(scope="session")
def init(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a tiny random model without a next-sentence head, with all files that a run copies."""
    folder = save_bert(tmp_path_factory.mktemp("init"), model_class=transformers.BertForMaskedLM, std=0.05)
    transformers.BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tokenizer(init: Path) -> Tokenizer:
    """Return the tokenizer of the tiny model."""
    return Tokenizer.from_file(str(init / "tokenizer.json"))


@pytest.fixture(scope="session")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a file of random sentences for each source."""
    folder = tmp_path_factory.mktemp("texts")
    rng = np.random.default_rng(0)
    for name, sentences in (("talk", 6), ("novel", 4), ("glosses", 1)):
        lines = (" ".join(random_sentence(rng) for _ in range(sentences)) for _ in range(60))
        (folder / f"{name}.txt").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return folder


def random_sentence(rng: np.random.Generator) -> str:
    """Return a few words and a full stop."""
    return " ".join(rng.choice(WORDS[:8], rng.integers(3, 9)).tolist()) + "."


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory, texts: Path, tokenizer: Tokenizer, settings: Settings) -> Path:
    """Return the folder that prepare writes for the texts."""
    folder = tmp_path_factory.mktemp("data")
    prepare(texts, folder, tokenizer, settings)
    return folder
