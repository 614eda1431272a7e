"""Tiny random BERTs on disk, with a vocabulary small enough to read."""

import json
import string
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers.utils import logging as transformers_logging

from bertcli.input.records import FailedText, TextRecord
from bertcli.model.batching import Batch, pad
from bertcli.model.request import SessionRequest
from bertcli.model.session import Session, open_session
from bertcli.model.tokenizer import TokenizedText

transformers_logging.set_verbosity_error()
transformers_logging.disable_progress_bar()
# Products this small gain nothing from a second thread, and on a busy machine each waits for it.
torch.set_num_threads(1)

SPECIAL_TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = ["how", "are", "you", "the", "cat", "sat", "on", "mat", "Caf", "caf", "Ä", "ä", "é", "e"]
LETTERS = [*string.ascii_letters, *string.digits]
VOCABULARY = list(
    dict.fromkeys(
        [
            *SPECIAL_TOKENS,
            *WORDS,
            *LETTERS,
            *(f"##{piece}" for piece in (*LETTERS, "é", "ä", "ing")),
            *".,!?#$'()[]-/:¿…",
            *"中文",
        ]
    )
)
DEFAULTS: Mapping[str, Any] = {
    "vocab_size": len(VOCABULARY),
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "intermediate_size": 40,
    "max_position_embeddings": 64,
}


def random_model(
    model_class: type = transformers.BertForPreTraining, *, seed: int = 0, std: float = 0.2, **config: Any
) -> transformers.PreTrainedModel:
    """A BERT whose every parameter is random, biases and LayerNorm too, so that no mistake in one can hide."""
    return with_random_parameters(model_class(transformers.BertConfig(**{**DEFAULTS, **config})), seed=seed, std=std)


def with_random_parameters(
    model: transformers.PreTrainedModel, *, seed: int = 0, std: float = 0.2
) -> transformers.PreTrainedModel:
    """The model with every parameter drawn anew, those of its LayerNorms around 1."""
    generator = torch.Generator().manual_seed(seed)
    norms = {f"{name}.weight" for name, module in model.named_modules() if isinstance(module, torch.nn.LayerNorm)}
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.normal_(0, std, generator=generator)
            if name in norms:
                parameter += 1
    return model.eval()


def save_bert(folder: Path, model: transformers.PreTrainedModel | None = None, **drawn: Any) -> Path:
    """`folder` with a whole checkpoint in it: a random model (as random_model draws it) and its vocab.txt."""
    (random_model(**drawn) if model is None else model).save_pretrained(folder)
    write_vocabulary(folder)
    return folder


def write_vocabulary(folder: Path, vocabulary: Sequence[str] = VOCABULARY) -> None:
    """vocab.txt, a token a line."""
    (folder / "vocab.txt").write_text("".join(f"{token}\n" for token in vocabulary), encoding="utf-8")


def write_json(path: Path, value: object) -> None:
    """A JSON file."""
    path.write_text(json.dumps(value), encoding="utf-8")


def edit_config(folder: Path, **changes: Any) -> None:
    """Change config.json; a field that is changed to ... is left out."""
    path = folder / "config.json"
    config = {**json.loads(path.read_text(encoding="utf-8")), **changes}
    write_json(path, {name: value for name, value in config.items() if value is not ...})


def open_bert(folder: Path | str, engine: str = "numpy", device: str = "cpu", **request: Any) -> Session:
    """A session over the checkpoint in `folder`."""
    return open_session(SessionRequest(model=str(folder), engine=engine, device=device, **request))


def record(text: str | tuple[str, str], index: int = 0) -> TextRecord:
    """A text, or a pair of them, as it comes from the command line."""
    return TextRecord(index, text) if isinstance(text, str) else TextRecord(index, *text)


def tokenize(session: Session, texts: Sequence[str | tuple[str, str]]) -> list[TokenizedText]:
    """The texts as the session's tokenizer sees them; all of them have to fit."""
    tokenized = session.tokenizer.tokenize([record(text, index) for index, text in enumerate(texts)])
    assert not [text for text in tokenized if isinstance(text, FailedText)]
    return tokenized


def one_batch(session: Session, texts: Sequence[str | tuple[str, str]]) -> Batch:
    """The texts padded to one rectangle, in their order."""
    return pad(tokenize(session, texts), session.tokenizer.pad_token_id)
