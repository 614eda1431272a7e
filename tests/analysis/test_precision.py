"""The distance from float32 is that of the outputs themselves."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from bertcli.analysis.precision import in_float32, summarize_distances, text_distances
from bertcli.choices import DtypeName, EngineName, Pooling
from bertcli.model.engine import OutputRequest
from bertcli.model.request import EmbeddingRequest, SessionRequest
from bertcli.model.session import Session, open_session
from bertcli.results.precision import Precision
from tests.reference import transformers_outputs
from tests.tiny import one_batch

TEXTS = ["how [MASK] you", "the cat sat on the [MASK]", "how are [MASK]", "[MASK] [MASK]"]


def open_reduced(folder: Path, embedding: EmbeddingRequest | None = None) -> Session:
    return open_session(
        SessionRequest(
            str(folder), engine=EngineName.TORCH, device="cpu", dtype=DtypeName.BFLOAT16, embedding=embedding
        )
    )


def measured(session: Session, texts: Sequence[str] = TEXTS, *, predicts_tokens: bool = False) -> Precision:
    batch = one_batch(session, texts)
    distances = text_distances(session, in_float32(session), batch, predicts_tokens=predicts_tokens)
    found = summarize_distances(distances)
    assert found is not None
    return found


def test_cosines_and_probabilities_are_compared_with_those_of_transformers(tiny_bert: Path) -> None:
    session = open_reduced(tiny_bert)
    found = measured(session, predicts_tokens=True)
    batch = one_batch(session, TEXTS)
    expected = transformers_outputs(tiny_bert, batch, pooler=False, logits=True)
    output = session.run(batch, OutputRequest(logits_at=...))
    mask = batch.attention_mask[..., None]
    means = [
        (states * mask).sum(1) / mask.sum(1)
        for states in (session.to_numpy(output.last_hidden_state), expected.hidden_states[-1])
    ]
    cosines = (means[0] * means[1]).sum(-1) / np.linalg.norm(means[0], axis=-1) / np.linalg.norm(means[1], axis=-1)
    assert found.mean_cosine == pytest.approx(cosines.mean(), abs=1e-5)
    assert found.min_cosine == pytest.approx(cosines.min(), abs=1e-5)
    is_mask = batch.input_ids == session.mask_token_id
    assert expected.logits is not None
    logits = [array[is_mask].astype(np.float64) for array in (session.to_numpy(output.logits), expected.logits)]
    ours, theirs = (np.exp(each) / np.exp(each).sum(-1, keepdims=True) for each in logits)
    assert (found.texts, found.masks) == (4, 5)
    assert found.same_top == (ours.argmax(-1) == theirs.argmax(-1)).mean()
    assert found.max_difference == pytest.approx(np.abs(ours - theirs).max(), abs=1e-5)
    assert 0 < 1 - found.min_cosine < 0.01


def test_embeddings_are_compared_if_the_command_makes_them(tiny_bert: Path) -> None:
    of_embedding = measured(open_reduced(tiny_bert, EmbeddingRequest(Pooling.CLS)))
    assert (of_embedding.masks, of_embedding.same_top) == (None, None)
    assert of_embedding.mean_cosine != measured(open_reduced(tiny_bert)).mean_cosine


def test_lexical_embeddings_are_compared_with_their_zeros(tiny_bert: Path) -> None:
    found = measured(open_reduced(tiny_bert, EmbeddingRequest(Pooling.LEXICAL)))
    assert found.texts == 4
    assert 0.99 < found.min_cosine < 1


def test_a_text_without_a_mask_is_compared_at_its_middle_token(tiny_bert: Path) -> None:
    session = open_reduced(tiny_bert)
    found = measured(session, ["how are you"], predicts_tokens=True)
    assert found == measured(session, ["how [MASK] you"], predicts_tokens=True)
    assert found.masks == 1


def test_predictions_are_compared_only_on_request(tiny_bert: Path) -> None:
    found = measured(open_reduced(tiny_bert))
    assert (found.masks, found.same_top, found.max_difference) == (None, None, None)


def test_the_largest_difference_is_over_all_tokens(tiny_bert: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The top prediction keeps its probability, and another token loses some of its own.
    found, expected = np.array([[0.5, 0.1, 0.4]], np.float32), np.array([[0.5, 0.3, 0.2]], np.float32)
    outputs = iter([found, expected])
    monkeypatch.setattr("bertcli.analysis.precision.softmax", lambda logits: next(outputs))
    precision = measured(open_reduced(tiny_bert), ["how [MASK] you"], predicts_tokens=True)
    assert precision.max_difference == pytest.approx(0.2)


def test_float32_is_at_no_distance_from_itself(tiny_bert: Path) -> None:
    session = in_float32(open_reduced(tiny_bert))
    found = measured(session, predicts_tokens=True)
    assert found.min_cosine == pytest.approx(1, abs=1e-12)
    assert (found.same_top, found.max_difference) == (1, 0)
    assert summarize_distances([]) is None
