"""Tiny random checkpoints of sentence-transformers, as it writes them, and its own answers for them."""

import warnings
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tests.tiny import save_bert, write_json

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from sentence_transformers import SentenceTransformer, SparseEncoder, models

TEXTS = ["how are you", "The cat sat on the mat, Caf", "e", "Are you Sat?", "the cat the cat sat"]


def save_sentence_model(
    folder: Path, *modules: torch.nn.Module, transformer: Path | None = None, limit: int = 32, **settings: Any
) -> Path:
    """Save a checkpoint of sentence-transformers with random weights, and return its folder.

    Args:
        folder: Where to save it.
        modules: The modules after the transformer. Their parameters are drawn anew.
        transformer: Folder of the transformer's checkpoint, None for a tiny BERT.
        limit: max_seq_length.
        settings: Arguments of SentenceTransformer, such as prompts.
    """
    base = transformer or save_bert(folder.parent / f"{folder.name}-transformer")
    generator = torch.Generator().manual_seed(1)
    for module in modules:
        for parameter in module.parameters():
            with torch.no_grad():
                parameter.normal_(0.1, 0.3, generator=generator)
    with quiet():
        model = SentenceTransformer(modules=[models.Transformer(str(base), max_seq_length=limit), *modules], **settings)
        model.save(str(folder), create_model_card=False)
    return folder


def edit_json(path: Path, **changes: Any) -> None:
    """Change fields of a JSON file. A field that is changed to ... is removed."""
    import json

    values: Mapping[str, Any] = {**json.loads(path.read_text(encoding="utf-8")), **changes}
    write_json(path, {name: value for name, value in values.items() if value is not ...})


def expected_embeddings(folder: Path, texts: Sequence[Any] = TEXTS, **options: Any) -> np.ndarray:
    """Return what SentenceTransformer.encode computes, (texts, dimension)."""
    with quiet():
        return load_model(folder).encode(list(texts), show_progress_bar=False, **options)


@cache
def load_model(folder: Path) -> SentenceTransformer:
    """Return the checkpoint as sentence-transformers opens it."""
    return SentenceTransformer(str(folder), device="cpu", local_files_only=True)


@cache
def load_sparse_model(folder: Path) -> SparseEncoder:
    """Return the checkpoint as a SparseEncoder of sentence-transformers."""
    with quiet():
        return SparseEncoder(str(folder), device="cpu", local_files_only=True)


class quiet(warnings.catch_warnings):  # noqa: N801
    """Context without warnings: sentence-transformers warns of its own older names."""

    def __enter__(self) -> None:
        super().__enter__()
        warnings.simplefilter("ignore")
