"""A checkpoint opened once: answers for every text in the order in which they came."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bertcli.analysis.embeddings.encode import EncodeOptions, encode
from bertcli.analysis.outputs import compute_output_shapes
from bertcli.checkpoints.find import BUNDLED_FOLDER
from bertcli.errors import BadCheckpoint, BadText, CheckpointNotFound
from bertcli.input.records import FailedText, TextRecord, Window
from bertcli.model.batching import Batch, dummy_batch
from bertcli.model.engine import OutputRequest
from bertcli.model.ops.torch_ops import TorchOps
from bertcli.model.request import SessionRequest
from bertcli.model.session import Session, open_session
from bertcli.model.tokenizer import TokenizedText
from bertcli.results.embeddings import EncodeRecord
from tests.reference import assert_close
from tests.tiny import DEFAULTS, WORDS, one_batch, open_bert, record

ENGINES = ["numpy", "torch", "transformers"]


def encoded(session: Session, windows: list[Window]) -> list[EncodeRecord | FailedText]:
    return list(session.answers(windows, lambda batch: encode(session, batch, EncodeOptions())))


def index_of(answer: EncodeRecord | FailedText) -> int:
    return answer.index if isinstance(answer, FailedText) else answer.text.index


@st.composite
def windows_of_texts(draw: st.DrawFn) -> list[Window]:
    """Windows of texts of unlike length, some of them too long or already without an answer."""
    windows: list[Window] = []
    index = 0
    for size in draw(st.lists(st.integers(0, 8), min_size=1, max_size=3)):
        window: Window = []
        for _ in range(size):
            kind = draw(st.sampled_from(["text"] * 6 + ["empty", "long"]))
            words = draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=20))
            if kind == "empty":
                window.append(FailedText(index, index + 1, BadText("the text is empty")))
            else:
                window.append(TextRecord(index, " ".join(words) if kind == "text" else "a " * 100, None, index + 1))
            index += 1
        windows.append(window)
    return windows


@given(windows_of_texts(), st.integers(1, 60))
@settings(max_examples=30)
def test_every_text_is_answered_in_its_place_whatever_the_batches(
    tiny_bert: Path, windows: list[Window], batch_tokens: int
) -> None:
    session = open_bert(tiny_bert, batch_tokens=batch_tokens)
    asked = [text for window in windows for text in window]
    answers = encoded(session, windows)
    assert [index_of(answer) for answer in answers] == list(range(len(asked)))
    for text, answer in zip(asked, answers, strict=True):
        if isinstance(answer, FailedText):
            assert isinstance(text, FailedText) or text.text.startswith("a a a")
            assert answer.line == text.line
        else:
            assert answer.text.text == text.text


@given(st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=20).map(" ".join), min_size=1, max_size=10))
@settings(max_examples=20)
def test_the_size_of_a_batch_moves_no_number_beyond_the_tolerance(tiny_bert: Path, texts: list[str]) -> None:
    window: Window = [record(text, index) for index, text in enumerate(texts)]
    one_by_one = encoded(open_bert(tiny_bert, batch_tokens=1), [window])
    for batch_tokens in (30, 10_000):
        for found, wanted in zip(
            encoded(open_bert(tiny_bert, batch_tokens=batch_tokens), [window]), one_by_one, strict=True
        ):
            assert isinstance(found, EncodeRecord)
            assert isinstance(wanted, EncodeRecord)
            assert_close(found.embedding, wanted.embedding)


def test_a_window_is_answered_before_the_next_is_asked_for(tiny_bert: Path) -> None:
    session = open_bert(tiny_bert)
    asked: list[int] = []

    def windows() -> Iterator[Window]:
        for index in range(3):
            asked.append(index)
            yield [record("how are you", index)]

    answers = session.answers(windows(), lambda batch: encode(session, batch, EncodeOptions()))
    for index in range(3):
        assert index_of(next(answers)) == index
        assert asked == list(range(index + 1))


def test_a_text_that_fails_a_commands_own_check_is_not_computed(tiny_bert: Path) -> None:
    session = open_bert(tiny_bert)
    computed: list[str] = []

    def compute(batch: Batch) -> Sequence[str]:
        computed.extend(text.record.text for text in batch.texts)
        return [text.record.text for text in batch.texts]

    def check(text: TokenizedText) -> FailedText | None:
        is_bad = text.record.text == "cat"
        return FailedText(text.record.index, None, BadText("no cats")) if is_bad else None

    window: Window = [record(text, index) for index, text in enumerate(["how", "cat", "you"])]
    answers = list(session.answers([window], compute, check))
    assert sorted(computed) == ["how", "you"]
    assert [answers[0], answers[2]] == ["how", "you"]
    assert isinstance(answers[1], FailedText)


def test_of_many_texts_the_first_is_answered_after_its_batch_and_not_after_all(tiny_bert: Path) -> None:
    session = open_bert(tiny_bert, batch_tokens=20)
    computed: list[int] = []

    def compute(batch: Batch) -> Sequence[str]:
        computed.append(len(batch.texts))
        return [text.record.text for text in batch.texts]

    window: Window = [record("how are you", index) for index in range(1000)]  # of 5 tokens each
    answers = session.answers([window], compute)
    assert next(answers) == "how are you"
    assert computed == [4]
    assert len(list(answers)) == 999
    assert set(computed) == {4}


def test_answers_are_held_of_no_more_batches_than_is_allowed(tiny_bert: Path) -> None:
    session = open_bert(tiny_bert, batch_tokens=20)
    computed: list[int] = []

    def compute(batch: Batch) -> Sequence[str]:
        computed.append(len(batch.texts))
        return [text.record.text for text in batch.texts]

    def most_held(sort_window: int) -> int:
        computed.clear()
        window: Window = [record("how are you", index) for index in range(200)]  # of 5 tokens each
        answers = session.answers([window], compute, sort_window=sort_window)
        return max(sum(computed) - given for given, _ in enumerate(answers))

    assert [most_held(count) for count in (1, 2, 8)] == [4, 8, 32]


def test_the_bundled_model_is_opened_where_none_is_named() -> None:
    session = open_session(SessionRequest(), lambda: 20)
    info = session.info("encode")
    assert session.checkpoint.folder == BUNDLED_FOLDER
    assert (info.command, info.model, info.revision) == ("encode", "bundled", None)
    assert (info.engine, info.device, info.dtype) == ("numpy", "cpu", "float32")


def test_much_text_is_given_to_torch_and_the_answer_names_it(tiny_bert: Path) -> None:
    request = SessionRequest(model=str(tiny_bert), device="cpu")
    assert open_session(request, lambda: 100).info("encode").engine == "numpy"
    assert open_session(request, lambda: 10**12).info("encode").engine == "torch"


@pytest.mark.parametrize("engine", ENGINES)
def test_an_engine_says_its_name_its_device_and_its_dtype(tiny_bert: Path, engine: str) -> None:
    info = open_bert(tiny_bert, engine).info("attn")
    assert (info.model, info.engine, info.device, info.dtype) == (str(tiny_bert), engine, "cpu", "float32")


@pytest.mark.parametrize("engine", ["numpy", "torch"])
def test_the_threads_that_are_asked_for_are_those_that_are_used(tiny_bert: Path, engine: str) -> None:
    assert open_bert(tiny_bert, engine, threads=1).engine.ops.use_threads() == 1


def test_a_checkpoint_that_is_not_there_or_not_whole_is_not_opened(own_tiny_bert: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointNotFound):
        open_bert(tmp_path / "nowhere")
    (own_tiny_bert / "vocab.txt").unlink()
    with pytest.raises(BadCheckpoint, match="no tokenizer"):
        open_bert(own_tiny_bert)


@pytest.mark.parametrize("engine", ["numpy", "torch"])
def test_a_session_may_be_asked_again_and_gives_the_same(tiny_bert: Path, engine: str) -> None:
    session = open_bert(tiny_bert, engine)
    batch = one_batch(session, ["how are you", "the cat sat on the mat"])
    first, second = (session.to_numpy(session.run(batch, OutputRequest()).last_hidden_state).copy() for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("engine", ENGINES)
def test_the_shapes_that_come_out_are_those_of_the_config(tiny_bert: Path, engine: str) -> None:
    layers, heads, hidden = (DEFAULTS[name] for name in ("num_hidden_layers", "num_attention_heads", "hidden_size"))
    came = compute_output_shapes(open_bert(tiny_bert, engine), dummy_batch(2, 5))
    assert {tensor.dtype for tensors in came.values() for tensor in tensors} == {"float32"}
    assert {name: [tensor.shape for tensor in tensors] for name, tensors in came.items()} == {
        "attentions": [(2, heads, 5, 5)] * layers,
        "last_hidden_state": [(2, 5, hidden)],
        "hidden_states": [(2, 5, hidden)] * (layers + 1),
        "pooler_output": [(2, hidden)],
        "logits": [(2, 5, DEFAULTS["vocab_size"])],
    }


@pytest.mark.parametrize("error", [torch.OutOfMemoryError("CUDA"), RuntimeError("can't allocate memory: 8 bytes")])
def test_torch_without_memory_is_as_python_without_memory(error: RuntimeError) -> None:
    with pytest.raises(MemoryError), TorchOps("cpu", "float32").inference_mode():
        raise error
    with pytest.raises(RuntimeError, match="another"), TorchOps("cpu", "float32").inference_mode():
        raise RuntimeError("another")
