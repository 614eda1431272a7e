"""Packing texts without padding gives the same numbers, and zeros at the padding."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertcli.model.batching import Batch
from bertcli.model.engine import OutputRequest
from bertcli.model.session import Session
from tests.families import save_family
from tests.reference import Outputs, assert_same
from tests.tiny import WORDS, one_batch, open_bert, save_bert

texts_of_a_batch = st.lists(
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=9).map(" ".join), min_size=2, max_size=7
)


@pytest.mark.parametrize("engine", ["numpy", "torch"])
@given(texts=texts_of_a_batch)
def test_a_text_has_the_same_hidden_states_in_a_batch_as_alone(tiny_bert: Path, engine: str, texts: list[str]) -> None:
    session = open_bert(tiny_bert, engine)
    every_layer = OutputRequest(hidden_states=range(session.config.num_hidden_layers + 1))
    together = one_batch(session, texts)
    output = session.run(together, every_layer)
    for row, text in enumerate(texts):
        alone = session.run(one_batch(session, [text]), every_layer)
        length = len(together.texts[row])
        for found, expected in zip(output.hidden_states, alone.hidden_states, strict=True):
            np.testing.assert_allclose(session.to_numpy(found)[row, :length], session.to_numpy(expected)[0], 1e-5, 5e-6)
            assert not session.to_numpy(found)[row, length:].any()


@pytest.mark.parametrize("engine", ["numpy", "torch"])
@pytest.mark.parametrize("architecture", ["bert", "modernbert"])
def test_attention_is_computed_without_the_hidden_states_of_padding(
    architecture: str, engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = save_bert(tmp_path) if architecture == "bert" else save_family(tmp_path, architecture)
    packed, padded = open_bert(folder, engine), open_bert(folder, engine)
    padded.engine.supports_packing = False  # as on a GPU
    batch = one_batch(packed, ["how are you", "the cat sat", "how", "the mat", "how are you"])
    expected = states_with_attention(padded, batch)
    rows = set()
    linear = packed.engine.ops.linear
    monkeypatch.setattr(packed.engine.ops, "linear", lambda x, w: rows.add(math.prod(x.shape[:-1])) or linear(x, w))
    monkeypatch.setattr(packed.engine.ops, "extra_tokens", lambda count: 3)
    assert_same(states_with_attention(packed, batch), expected, batch)
    assert rows == {sum(map(len, batch.texts)) + 3}


def states_with_attention(session: Session, batch: Batch) -> Outputs:
    """Return the hidden states and the attention of one run."""
    weights: list[np.ndarray] = []
    every_layer = range(session.config.num_hidden_layers + 1)
    output = session.run(
        batch,
        OutputRequest(hidden_states=every_layer, on_attention=lambda a: weights.append(session.to_numpy(a.weights))),
    )
    states = [session.to_numpy(state) for state in output.hidden_states]
    return Outputs(session.to_numpy(output.last_hidden_state), states, weights, None, None)


def test_neighbouring_texts_of_equal_length_share_one_attention_call(
    tiny_bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = open_bert(tiny_bert)
    shapes = []
    attention = session.engine.ops.attention

    def watched(query: Any, *others: Any) -> Any:
        shapes.append((query.shape[0], query.shape[2]))
        return attention(query, *others)

    monkeypatch.setattr(session.engine.ops, "attention", watched)
    session.run(one_batch(session, ["how are you", "the cat sat", "how", "the mat", "how are you"]), OutputRequest())
    assert shapes == session.config.num_hidden_layers * [(2, 5), (1, 3), (1, 4), (1, 5)]


def test_texts_of_equal_length_are_not_packed(tiny_bert: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session = open_bert(tiny_bert)
    monkeypatch.setattr(session.engine, "_packed", lambda batch: pytest.fail("packed"))
    session.run(one_batch(session, ["how are you", "the cat sat"]), OutputRequest())


@pytest.mark.parametrize("texts", [["how are you", "the cat"], ["how are you"]])
@pytest.mark.parametrize("architecture", ["bert", "modernbert"])
def test_tokens_that_fill_a_batch_up_change_nothing(
    architecture: str, texts: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = save_bert(tmp_path) if architecture == "bert" else save_family(tmp_path, architecture)
    session = open_bert(folder)
    batch = one_batch(session, texts)
    every_layer = OutputRequest(hidden_states=range(session.config.num_hidden_layers + 1))
    expected = session.run(batch, every_layer)
    monkeypatch.setattr(session.engine.ops, "extra_tokens", lambda count: -count % 16)
    seen = []
    embedding = session.engine.ops.embedding
    monkeypatch.setattr(session.engine.ops, "embedding", lambda *call: seen.append(call[0].size) or embedding(*call))
    output = session.run(batch, every_layer)
    assert seen[0] == 16
    for found, wanted in zip(output.hidden_states, expected.hidden_states, strict=True):
        np.testing.assert_allclose(found, wanted, 1e-5, 5e-6)
    np.testing.assert_allclose(output.last_hidden_state, expected.last_hidden_state, 1e-5, 5e-6)
