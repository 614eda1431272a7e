"""Outputs of transformers' own classes, called as its documentation does, and of bertcli's engines beside them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers

from bertcli.checkpoints.config import BertConfig
from bertcli.model.batching import Batch
from bertcli.model.engine import OutputRequest
from bertcli.model.session import Session

# Tolerances of all engines in float32: relative and absolute for hidden states and logits, absolute for probabilities.
RELATIVE = ABSOLUTE = 1e-5


@dataclass(frozen=True)
class Outputs:
    """Every output for one batch as numpy, padding included.

    Attributes:
        last_hidden_state: (batch, seq, hidden).
        hidden_states: L + 1 arrays of that shape.
        attentions: L arrays, (batch, heads, seq, seq).
        pooler_output: (batch, hidden).
        logits: (batch, seq, vocab).
    """

    last_hidden_state: np.ndarray
    hidden_states: Sequence[np.ndarray]
    attentions: Sequence[np.ndarray]
    pooler_output: np.ndarray | None = None
    logits: np.ndarray | None = None


def transformers_outputs(
    folder: Path,
    batch: Batch,
    *,
    pooler: bool = True,
    logits: bool = True,
    attentions: bool = True,
    dtype: torch.dtype = torch.float32,
) -> Outputs:
    """Run transformers' classes for the body and for masked language modelling, with eager attention.

    Args:
        folder: Folder of the checkpoint.
        batch: The texts.
        pooler: Return pooler_output.
        logits: Return logits.
        attentions: Return attentions.
        dtype: Number type of the computation.
    """
    model = load("AutoModel", folder, dtype)
    inputs = {
        "input_ids": torch.from_numpy(batch.input_ids),
        "attention_mask": torch.from_numpy(batch.attention_mask.astype(np.int64)),
    }
    if model.config.model_type == "fnet":
        del inputs["attention_mask"]
    if getattr(model.config, "type_vocab_size", 0):
        inputs["token_type_ids"] = torch.from_numpy(batch.token_type_ids)
    with torch.no_grad():
        wanted = {"output_attentions": True} if attentions else {}
        body = model(**inputs, output_hidden_states=True, **wanted)
        mlm = load("AutoModelForMaskedLM", folder, dtype)(**inputs).logits.numpy() if logits else None
    return Outputs(
        body.last_hidden_state.numpy(),
        [state.numpy() for state in body.hidden_states],
        [attention.numpy() for attention in body.attentions] if attentions else [],
        body.pooler_output.numpy() if pooler else None,
        mlm,
    )


def as_transformers(config: BertConfig, **others: Any) -> transformers.PreTrainedConfig:
    """Return the same config as transformers' own class for the model_type."""
    fields = {config.architecture.config_names.get(name, name): value for name, value in asdict(config).items()}
    return transformers.AutoConfig.for_model(**fields, **others)


@cache
def load(class_name: str, folder: Path, dtype: torch.dtype = torch.float32) -> transformers.PreTrainedModel:
    """Return one of transformers' classes with the checkpoint loaded, with eager attention."""
    return getattr(transformers, class_name).from_pretrained(folder, dtype=dtype, attn_implementation="eager").eval()


def engine_outputs(
    session: Session, batch: Batch, *, pooler: bool = True, logits: bool = True, attentions: bool = True
) -> Outputs:
    """Return the outputs of a session. Each run requests what one command requests."""
    found: dict[int, np.ndarray] = {}
    if attentions:
        session.run(batch, OutputRequest(on_attention=lambda a: found.update({a.layer: session.to_numpy(a.weights)})))
    every_layer = range(session.config.num_hidden_layers + 1)
    output = session.run(
        batch, OutputRequest(pooler_output=pooler, hidden_states=every_layer, logits_at=... if logits else None)
    )
    return Outputs(
        session.to_numpy(output.last_hidden_state),
        [session.to_numpy(state) for state in output.hidden_states],
        [found[layer] for layer in sorted(found)],
        session.to_numpy(output.pooler_output) if pooler else None,
        session.to_numpy(output.logits) if logits else None,
    )


def assert_same(found: Outputs, expected: Outputs, batch: Batch) -> None:
    """Check that every output agrees at the tokens of the texts. Values at padding have no meaning."""
    real = batch.attention_mask
    assert len(found.hidden_states) == len(expected.hidden_states)
    assert len(found.attentions) == len(expected.attentions)
    assert_close(found.last_hidden_state[real], expected.last_hidden_state[real], "last_hidden_state")
    for index, (state, wanted) in enumerate(zip(found.hidden_states, expected.hidden_states, strict=True)):
        assert_close(state[real], wanted[real], f"hidden_states[{index}]")
    for name in ("pooler_output", "logits"):
        output, wanted = getattr(found, name), getattr(expected, name)
        assert (output is None) == (wanted is None), name
        if output is not None:
            rows = real if name == "logits" else slice(None)
            assert_close(output[rows], wanted[rows], name)
    for layer, (weights, wanted) in enumerate(zip(found.attentions, expected.attentions, strict=True)):
        for row, text in enumerate(batch.texts):
            size = len(text)
            np.testing.assert_allclose(
                weights[row, :, :size, :size], wanted[row, :, :size, :size], 0, ABSOLUTE, err_msg=f"attentions[{layer}]"
            )
            assert not weights[row, :, :size, size:].any(), "a token attends to padding"


def assert_close(found: np.ndarray, expected: np.ndarray, what: str = "") -> None:
    """Check values within the tolerance for hidden states and logits."""
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, RELATIVE, ABSOLUTE, err_msg=what)
