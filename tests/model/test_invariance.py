"""The outputs of a batch are the same bytes whatever the process has computed before."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bertcli.checkpoints.find import BUNDLED_FOLDER
from bertcli.input.records import TextRecord
from bertcli.model import resources
from bertcli.model.batching import Batch, dummy_batch, pad
from bertcli.model.engine import OutputRequest
from bertcli.model.ops import numpy_ops
from bertcli.model.resources import choose_blas_threads, count_blas_threads, set_blas_threads
from bertcli.model.session import Session
from bertcli.model.tokenizer import TokenizedText
from tests.tiny import VOCABULARY, open_bert, random_model, save_bert

DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
ENGINES = ["numpy", "torch", "transformers"]
ROWS = numpy_ops._MIN_ROWS_FOR_WHOLE
# Lengths of the texts of a batch: one token, and numbers of tokens below, at and above the threshold.
LENGTHS = [[1], [8], [3, 5], [ROWS - 1], [ROWS], [ROWS // 2, ROWS // 2], [ROWS + 1], [40, 40, 37], [90, 70, 70]]


@pytest.fixture(autouse=True)
def blas_threads() -> Iterator[None]:
    """Restore the number of BLAS threads after each test."""
    before = count_blas_threads()
    yield
    set_blas_threads(before)


def batch_of(lengths: Sequence[int], vocabulary: int = len(VOCABULARY), seed: int = 0) -> Batch:
    """Return a batch of random token ids."""
    draw = np.random.default_rng(seed)
    texts = []
    for index, length in enumerate(lengths):
        ids = draw.integers(0, vocabulary, length).tolist()
        texts.append(TokenizedText(TextRecord(index, ""), ids, (0,) * length, ()))
    return pad(texts, 0)


def output_bytes(session: Session, batch: Batch) -> list[bytes]:
    """Return every output of the batch as bytes."""
    states = range(session.config.num_hidden_layers + 1)
    first_tokens = np.arange(batch.shape[0]), np.zeros(batch.shape[0], np.int64)
    output = session.run(batch, OutputRequest(pooler_output=True, hidden_states=states, logits_at=first_tokens))
    arrays = [output.last_hidden_state, *output.hidden_states, output.pooler_output, output.logits]
    return [session.to_numpy(array).tobytes() for array in arrays]


def attention_bytes(session: Session, batch: Batch) -> list[bytes]:
    """Return the attention weights of each layer as bytes."""
    found: list[bytes] = []
    request = OutputRequest(on_attention=lambda attention: found.append(session.to_numpy(attention.weights).tobytes()))
    session.run(batch, request)
    return found


def assert_history_does_not_matter(folder: Path, engine: str, lengths: Sequence[int], before: Sequence[Any]) -> None:
    """Check that a batch has the same outputs as the first batch of a session and after others.

    Args:
        folder: The checkpoint.
        engine: The engine.
        lengths: Number of tokens of each text of the batch.
        before: The batches that run before, as lengths; None requests attention weights of the batch itself.
    """
    batch = batch_of(lengths)
    # One thread, since products this small gain nothing from a second one.
    first = output_bytes(open_bert(folder, engine, threads=1), batch)
    first_attention = attention_bytes(open_bert(folder, engine, threads=1), batch)
    session = open_bert(folder, engine, threads=1)
    for number, others in enumerate(before):
        if others is None:
            assert attention_bytes(session, batch) == first_attention
        else:
            output_bytes(session, batch_of(others, seed=number + 1))
        assert output_bytes(session, batch) == first, f"after {before[: number + 1]}"


@st.composite
def checkpoints(draw: st.DrawFn) -> dict[str, Any]:
    """Draw the config of a small BERT with matrices of uneven sizes."""
    heads = draw(st.integers(1, 3))
    return {
        "num_attention_heads": heads,
        "hidden_size": heads * draw(st.sampled_from([5, 8, 16, 21])),
        "num_hidden_layers": draw(st.integers(1, 2)),
        "intermediate_size": draw(st.sampled_from([3, 40, 64, 129, 300])),
        "hidden_act": draw(st.sampled_from(["gelu", "gelu_new", "relu", "tanh"])),
        "max_position_embeddings": 100,
    }


@pytest.mark.parametrize("engine", ENGINES)
@given(data=st.data())
@settings(max_examples=15)
def test_outputs_do_not_depend_on_earlier_batches(engine: str, data: st.DataObject) -> None:
    config = data.draw(checkpoints())
    dtype = data.draw(st.sampled_from(list(DTYPES)))
    block_values = data.draw(st.sampled_from([64, 1000, 1 << 18]))
    lengths = data.draw(st.sampled_from(LENGTHS))
    before = data.draw(st.lists(st.one_of(st.none(), st.sampled_from(LENGTHS)), min_size=1, max_size=4))
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(numpy_ops, "_BLOCK_VALUES", block_values)
        save_bert(Path(folder), random_model(**config).to(DTYPES[dtype]))
        assert_history_does_not_matter(Path(folder), engine, lengths, before)


@pytest.mark.parametrize("lengths", [[8], [ROWS - 1], [ROWS], [90, 70, 70]], ids=str)
def test_numpy_outputs_of_the_bundled_model_do_not_depend_on_earlier_batches(lengths: list[int]) -> None:
    # Matrices of this size take several blocks, which OpenBLAS rounds differently from the whole.
    assert_history_does_not_matter(BUNDLED_FOLDER, "numpy", lengths, [[8], None])


def test_a_session_uses_its_own_threads_whatever_another_session_uses(tiny_bert: Path) -> None:
    one, two = (open_bert(tiny_bert, threads=count) for count in (1, 2))
    for session, count in ((one, 1), (two, 2), (one, 1)):
        session.run(dummy_batch(1, 4), OutputRequest())
        assert count_blas_threads() == session.engine.ops.count_threads() == count


def test_the_number_of_threads_depends_on_the_work_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "_has_blas_limit", True)
    monkeypatch.setattr(resources, "_cores", lambda: 4)
    assert [choose_blas_threads(work) for work in (1e8, 1e11, 1e8)] == [1, 4, 1]
    monkeypatch.setattr(resources, "_has_blas_limit", False)  # the user has set a number
    assert choose_blas_threads(1e11) is None
