"""A classifier for the examples of docs/encode.md: the bundled model with a head made from a few sentences."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from bertcli.checkpoints.find import BUNDLED_FOLDER
from bertcli.input.records import TextRecord
from bertcli.model.batching import pad
from bertcli.model.engine import OutputRequest
from bertcli.model.request import SessionRequest
from bertcli.model.session import open_session
from bertcli.model.tokenizer import TokenizedText

# Sentences of each label.
SENTENCES: Mapping[str, Sequence[str]] = {
    "food": (
        "The soup was hot and the bread was fresh.",
        "She cooked rice with fish and drank some wine.",
        "We had cheese and apples for breakfast.",
        "He likes meat, eggs and milk.",
    ),
    "travel": (
        "The train left the station at noon.",
        "They sailed across the ocean in a small ship.",
        "The road leads over the mountains to the coast.",
        "We flew to Paris and took a bus to the hotel.",
    ),
    "music": (
        "The band played a song and the crowd sang.",
        "She plays the piano and he plays the guitar.",
        "His first album was recorded with a large orchestra.",
        "The singer wrote the words and the melody.",
    ),
}
# Factor of the logits. A larger one makes the classifier more certain.
_SCALE = 2.0


def save_classifier(folder: Path) -> None:
    """Write the classifier into a folder. Its weights are those of the bundled model and one more file.

    The logit of a label falls with the squared distance of pooler_output from the mean of the label's sentences.
    """
    session = open_session(SessionRequest(engine="numpy", device="cpu"))
    means = []
    for sentences in SENTENCES.values():
        texts = session.tokenizer.tokenize([TextRecord(index, text) for index, text in enumerate(sentences)])
        batch = pad([text for text in texts if isinstance(text, TokenizedText)], session.tokenizer.pad_token_id)
        means.append(session.run(batch, OutputRequest(pooler_output=True)).pooler_output.mean(0))
    centers = np.stack(means)
    head = {"classifier.weight": _SCALE * centers, "classifier.bias": -_SCALE / 2 * (centers**2).sum(-1)}
    folder.mkdir()
    for name in ("vocab.txt", "tokenizer.json", "tokenizer_config.json"):
        if (BUNDLED_FOLDER / name).is_file():
            (folder / name).symlink_to(BUNDLED_FOLDER / name)
    (folder / "body.safetensors").symlink_to(BUNDLED_FOLDER / "model.safetensors")
    save_file(head, folder / "head.safetensors")
    files = {"body": "body.safetensors", **dict.fromkeys(head, "head.safetensors")}
    _write_json(folder / "model.safetensors.index.json", {"weight_map": files})
    config = json.loads((BUNDLED_FOLDER / "config.json").read_text(encoding="utf-8"))
    names = {str(number): label for number, label in enumerate(SENTENCES)}
    _write_json(
        folder / "config.json", config | {"architectures": ["BertForSequenceClassification"], "id2label": names}
    )


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value), encoding="utf-8")
