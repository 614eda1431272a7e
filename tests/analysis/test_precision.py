"""The distance from float32 is that of the outputs themselves."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bertcli.analysis.precision import measure_precision
from bertcli.choices import DtypeName, EngineName, Pooling
from bertcli.model.engine import OutputRequest
from bertcli.model.request import EmbeddingRequest, SessionRequest
from bertcli.model.session import Session, open_session
from bertcli.model.tokenizer import TokenizedText
from bertcli.results.precision import Precision
from tests.reference import transformers_outputs
from tests.tiny import one_batch

TEXTS = ["how [MASK] you", "the cat sat on the [MASK]", "how are you", "[MASK] [MASK]"]


def open_reduced(folder: Path, embedding: EmbeddingRequest | None = None) -> Session:
    return open_session(
        SessionRequest(
            str(folder), engine=EngineName.TORCH, device="cpu", dtype=DtypeName.BFLOAT16, embedding=embedding
        )
    )


def texts_of(session: Session) -> list[TokenizedText]:
    return list(one_batch(session, TEXTS).texts)


def measured(session: Session, seconds: float = math.inf) -> Precision:
    found = measure_precision(session, texts_of(session), seconds)
    assert found is not None
    return found


def test_cosines_and_probabilities_are_compared_with_those_of_transformers(tiny_bert: Path) -> None:
    session = open_reduced(tiny_bert)
    found = measured(session)
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
    best = theirs.argmax(-1)
    rows = np.arange(len(best))
    assert (found.texts, found.masks) == (4, 4)
    assert found.same_top == (ours.argmax(-1) == best).mean()
    assert found.max_difference == pytest.approx(np.abs(ours[rows, best] - theirs[rows, best]).max(), abs=1e-5)
    assert 0 < 1 - found.min_cosine < 0.01


def test_embeddings_are_compared_if_the_command_makes_them(tiny_bert: Path) -> None:
    of_embedding = measured(open_reduced(tiny_bert, EmbeddingRequest(Pooling.CLS)))
    assert (of_embedding.masks, of_embedding.same_top) == (None, None)
    assert of_embedding.mean_cosine != measured(open_reduced(tiny_bert)).mean_cosine


def test_float32_is_at_no_distance_from_itself(tiny_bert: Path) -> None:
    session = open_reduced(tiny_bert)
    exact = replace(session, request=replace(session.request, dtype=DtypeName.FLOAT32))
    found = measured(exact)
    assert found.min_cosine == pytest.approx(1, abs=1e-12)
    assert (found.same_top, found.max_difference) == (1, 0)


def test_without_time_only_the_first_texts_are_compared(tiny_bert: Path) -> None:
    session = open_reduced(tiny_bert)
    found = measure_precision(session, texts_of(session) * 4, 0)
    assert found is not None and found.texts == 8
    assert measure_precision(session, [], 0) is None
