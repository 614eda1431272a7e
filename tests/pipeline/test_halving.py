"""Batches that do not fit in memory: halved until they fit, with one note."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bertcli.analysis.embeddings.encode import EncodeOptions, encode
from bertcli.input.records import FailedText, Window
from bertcli.model.batching import Batch, pad
from bertcli.model.ops.torch_ops import TorchOps
from bertcli.model.request import SessionRequest
from bertcli.model.session import open_session
from bertcli.pipeline.halving import Halving
from bertcli.pipeline.scheduler import Plan
from tests.model.test_batching import text_of
from tests.pipeline.test_scheduler import passed
from tests.reference import assert_close
from tests.tiny import answers, record


class SmallDevice:
    """Computes batches up to a token budget. For larger ones it raises the error of torch on CUDA."""

    def __init__(self, token_budget: int) -> None:
        self.token_budget, self.sizes = token_budget, []

    def __call__(self, batch: Batch) -> Sequence[int]:
        size = batch.shape[0] * batch.shape[1]
        self.sizes.append(size)
        with TorchOps("cpu", "float32").inference_mode():
            if size > self.token_budget:
                raise torch.OutOfMemoryError(f"CUDA out of memory. Tried to allocate {size} GiB.")
        return [text.record.index for text in batch.texts]


@given(st.lists(st.integers(1, 9), min_size=1, max_size=20), st.integers(9, 60))
def test_results_keep_the_order_of_the_batch(lengths: list[int], token_budget: int) -> None:
    notes: list[str] = []
    batch = pad([text_of(index, length) for index, length in enumerate(lengths)], 0)
    assert Halving(0, notes.append)(SmallDevice(token_budget), batch) == list(range(len(lengths)))
    assert len(notes) == (len(lengths) * max(lengths) > token_budget)


def test_later_batches_start_at_the_size_that_fitted_and_the_note_is_given_once() -> None:
    notes: list[str] = []
    halving, device = Halving(0, notes.append), SmallDevice(20)
    batch = pad([text_of(index, 5) for index in range(8)], 0)
    halving(device, batch)
    assert device.sizes == [40, 20, 20]
    halving(device, batch)
    assert device.sizes == [40, 20, 20, 20, 20]
    assert notes == ["a batch of 40 tokens does not fit in memory and is halved; use --batch-tokens 20 to avoid this"]


def test_the_batches_of_a_shard_do_not_depend_on_earlier_shards(tiny_bert: Path) -> None:
    session = open_session(SessionRequest(model=str(tiny_bert), engine="numpy"))
    texts: Window = [record("the cat sat", index) for index in range(16)]  # 5 tokens each
    notes: list[str] = []

    def sizes(shards: Window) -> list[int]:
        device = SmallDevice(20)
        plan = Plan(boundaries=passed([texts], 8), batch_tokens=40)
        assert len(list(answers(session, [shards], device, plan, halving=Halving(0, notes.append)))) == len(shards)
        return device.sizes

    resumed = sizes(texts[8:])
    assert sizes(texts)[-len(resumed) :] == resumed == [40, 20, 20]
    assert len(notes) == 2, "one note a run"


def test_a_single_text_that_does_not_fit_is_an_error() -> None:
    with pytest.raises(MemoryError):
        Halving(0, print)(SmallDevice(4), pad([text_of(0, 5), text_of(1, 5)], 0))


def test_halving_does_not_change_embeddings(tiny_bert: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts: Window = [record(" ".join(["the cat sat"] * (1 + index % 5)), index) for index in range(12)]
    request = SessionRequest(model=str(tiny_bert), engine="torch", device="cpu")
    notes: list[str] = []
    session = open_session(request)
    expected = list(
        answers(
            session, [texts], lambda batch: encode(session, batch, EncodeOptions()), halving=Halving(0, notes.append)
        )
    )
    run = type(session.engine).run

    def small_run(engine: object, batch: Batch, wanted: object) -> object:
        with TorchOps("cpu", "float32").inference_mode():
            if batch.shape[0] > 1:
                raise torch.OutOfMemoryError("CUDA out of memory.")
        return run(engine, batch, wanted)  # type: ignore[arg-type]

    monkeypatch.setattr(type(session.engine), "run", small_run)
    found = list(
        answers(
            session, [texts], lambda batch: encode(session, batch, EncodeOptions()), halving=Halving(0, notes.append)
        )
    )
    for one, other in zip(found, expected, strict=True):
        assert not isinstance(one, FailedText) and not isinstance(other, FailedText)
        assert one.text == other.text
        assert_close(one.embedding, other.embedding)
    assert len(notes) == 1
