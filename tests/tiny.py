"""Tiny random BERT checkpoints on disk, with a vocabulary small enough to read."""

import json
import string
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers.utils import logging as transformers_logging

from bertcli.input.records import FailedText, TextRecord, Window
from bertcli.model.batching import Batch, pad
from bertcli.model.request import SessionRequest
from bertcli.model.session import Session, open_session
from bertcli.model.tokenizer import TokenizedText
from bertcli.pipeline.halving import Halving
from bertcli.pipeline.prefetch import Stages
from bertcli.pipeline.progress import RunCounts
from bertcli.pipeline.scheduler import Compute, Plan, schedule

transformers_logging.set_verbosity_error()
transformers_logging.disable_progress_bar()
# Products this small gain nothing from a second thread, and would wait for it on a busy machine.
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
    """Return a BERT whose parameters are all random, biases and LayerNorm too, so that a mistake in any of them shows.

    Args:
        model_class: The class of transformers.
        seed: Seed of the parameters.
        std: Their standard deviation.
        config: Fields of the config that differ from DEFAULTS.
    """
    return with_random_parameters(model_class(transformers.BertConfig(**{**DEFAULTS, **config})), seed=seed, std=std)


def with_random_parameters(
    model: transformers.PreTrainedModel, *, seed: int = 0, std: float = 0.2
) -> transformers.PreTrainedModel:
    """Draw every parameter of a model anew. The weights of LayerNorms have mean 1, all others mean 0."""
    generator = torch.Generator().manual_seed(seed)
    norms = {f"{name}.weight" for name, module in model.named_modules() if isinstance(module, torch.nn.LayerNorm)}
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.normal_(0, std, generator=generator)
            if name in norms:
                parameter += 1
    return model.eval()


def save_bert(folder: Path, model: transformers.PreTrainedModel | None = None, **drawn: Any) -> Path:
    """Save a checkpoint and return its folder: a random model, drawn by random_model, and an uncased tokenizer."""
    (random_model(**drawn) if model is None else model).save_pretrained(folder)
    write_vocabulary(folder)
    write_json(folder / "tokenizer_config.json", {"do_lower_case": True})
    return folder


def write_vocabulary(folder: Path, vocabulary: Sequence[str] = VOCABULARY) -> None:
    """Write vocab.txt, a token a line."""
    (folder / "vocab.txt").write_text("".join(f"{token}\n" for token in vocabulary), encoding="utf-8")


def write_json(path: Path, value: object) -> None:
    """Write a JSON file."""
    path.write_text(json.dumps(value), encoding="utf-8")


def edit_config(folder: Path, **changes: Any) -> None:
    """Change fields of config.json. A field that is changed to ... is removed."""
    path = folder / "config.json"
    config = {**json.loads(path.read_text(encoding="utf-8")), **changes}
    write_json(path, {name: value for name, value in config.items() if value is not ...})


def open_bert(folder: Path | str, engine: str = "numpy", device: str = "cpu", **request: Any) -> Session:
    """Open a session with the checkpoint in the folder."""
    return open_session(SessionRequest(model=str(folder), engine=engine, device=device, **request))


def record(text: str | tuple[str, str], index: int = 0) -> TextRecord:
    """Return a text, or a pair of sentences, as the record that the command line makes of it."""
    return TextRecord(index, text) if isinstance(text, str) else TextRecord(index, *text)


def tokenize(session: Session, texts: Sequence[str | tuple[str, str] | TextRecord]) -> list[TokenizedText]:
    """Tokenize the texts with the session's tokenizer. All of them must fit."""
    records = [text if isinstance(text, TextRecord) else record(text, index) for index, text in enumerate(texts)]
    tokenized = session.tokenizer.tokenize(records)
    assert not [text for text in tokenized if isinstance(text, FailedText)]
    return tokenized


def one_batch(session: Session, texts: Sequence[str | tuple[str, str] | TextRecord]) -> Batch:
    """Return the texts as one padded batch, in their order."""
    return pad(tokenize(session, texts), session.tokenizer.pad_token_id)


def answers(
    session: Session, windows: Iterable[Window], compute: Compute[Any], plan: Plan | None = None, **options: Any
) -> Iterator[Any]:
    """Yield the answers of the scheduler. options: further arguments of schedule."""
    halving = options.pop("halving", None) or Halving(session.tokenizer.pad_token_id, print)
    with Stages() as stages:
        yield from schedule(session, windows, compute, stages, plan or Plan(), RunCounts(), halving, **options)
