"""A tagger of names for the examples of docs/encode.md: the bundled model with a head made from twelve sentences."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from bertcli.checkpoints.find import BUNDLED_FOLDER
from bertcli.input.records import TextRecord
from bertcli.model.batching import Batch, pad
from bertcli.model.engine import OutputRequest
from bertcli.model.request import SessionRequest
from bertcli.model.session import Session, open_session
from bertcli.model.tokenizer import TokenizedText

LABELS = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
# Sentences of words that are one token each. A word that is a name has its kind behind it.
SENTENCES = """\
anna/PER lives in london/LOC .
peter/PER and mary/PER went to paris/LOC last year .
the king of spain/LOC met john/PER smith/PER in berlin/LOC .
we drove from italy/LOC to france/LOC with george/PER .
william/PER was born in new/LOC york/LOC .
in germany/LOC the weather was cold .
robert/PER brown/PER wrote a book about india/LOC .
my friend thomas/PER works for a bank in chicago/LOC .
she asked david/PER and james/PER to walk to rome/LOC .
the train to england/LOC left without elizabeth/PER jones/PER .
how are you today ?
he played the piano and they sang a song ."""
# Weight of the size of the head against its errors, and factor of the logits.
_RIDGE, _SCALE = 0.3, 8.0


def save_tagger(folder: Path) -> None:
    """Write the tagger into a folder. Its weights are those of the bundled model and one more file.

    The head is the ridge regression of the labels on last_hidden_state.
    """
    session = open_session(SessionRequest(engine="numpy", device="cpu"))
    lines = [[word.partition("/") for word in line.split()] for line in SENTENCES.splitlines()]
    batch = _batch(session, [" ".join(word for word, _, _ in line) for line in lines])
    states = session.run(batch, OutputRequest()).last_hidden_state
    inputs, targets = [], []
    for row, line in enumerate(lines):
        assert len(batch.texts[row]) == len(line) + 2, batch.texts[row].tokens
        inputs.append(states[row, 1 : len(line) + 1])
        targets += [LABELS.index(label) for label in _labels([kind for _, _, kind in line])]
    x = np.concatenate(inputs).astype(np.float64)
    x = np.concatenate([x, np.ones((len(x), 1))], axis=1)
    y = 2 * np.eye(len(LABELS))[targets] - 1
    weights = _SCALE / 2 * np.linalg.solve(x.T @ x + _RIDGE * np.eye(x.shape[1]), x.T @ y).astype(np.float32)
    _save(folder, {"classifier.weight": np.ascontiguousarray(weights[:-1].T), "classifier.bias": weights[-1]})


def _batch(session: Session, texts: list[str]) -> Batch:
    tokenized = session.tokenizer.tokenize([TextRecord(index, text) for index, text in enumerate(texts)])
    return pad([text for text in tokenized if isinstance(text, TokenizedText)], session.tokenizer.pad_token_id)


def _labels(kinds: list[str]) -> Iterator[str]:
    """Yield the label of each word, given its kind of name or an empty string."""
    for before, kind in zip(["", *kinds], kinds, strict=False):
        yield f"{'I' if kind == before else 'B'}-{kind}" if kind else "O"


def _save(folder: Path, head: dict[str, Any]) -> None:
    folder.mkdir()
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).symlink_to(BUNDLED_FOLDER / name)
    (folder / "body.safetensors").symlink_to(BUNDLED_FOLDER / "model.safetensors")
    save_file(head, folder / "head.safetensors")
    files = {"body": "body.safetensors", **dict.fromkeys(head, "head.safetensors")}
    _write_json(folder / "model.safetensors.index.json", {"weight_map": files})
    config = json.loads((BUNDLED_FOLDER / "config.json").read_text(encoding="utf-8"))
    names = {str(number): label for number, label in enumerate(LABELS)}
    config |= {"architectures": ["BertForTokenClassification"], "id2label": names}
    _write_json(folder / "config.json", config)


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value), encoding="utf-8")
