"""The meter compares a sample of a run's texts with float32, within limits of time and memory."""

import math
from pathlib import Path
from typing import Any

import pytest

from bertcli.choices import DtypeName, EngineName, OnLong
from bertcli.errors import BadText
from bertcli.input.records import FailedText
from bertcli.model.batching import Batch
from bertcli.model.request import EmbeddingRequest, SessionRequest
from bertcli.model.session import Session, open_session
from bertcli.model.tokenizer import TokenizedText
from bertcli.pipeline import precision
from bertcli.pipeline.documents import ANSWER_WINDOWS, document_texts
from bertcli.pipeline.precision import PrecisionMeter
from bertcli.results.precision import TextDistance
from tests.tiny import one_batch, record

BATCH_TOKENS = 64
LENGTHS = [1 + number * 7 % 30 for number in range(20)]


class Comparison:
    """Stands in for the comparison of a batch: remembers its shapes, and fails if a batch has too many texts."""

    def __init__(self, most_texts: int) -> None:
        self.shapes: list[tuple[int, int]] = []
        self._most_texts = most_texts

    def __call__(self, session: Session, exact: Session, batch: Batch, **options: Any) -> list[TextDistance]:
        if len(batch.texts) > self._most_texts:
            raise MemoryError
        self.shapes.append(batch.shape)
        return [TextDistance(1.0) for _ in batch.texts]


@pytest.fixture
def session(tiny_bert: Path) -> Session:
    return open_session(
        SessionRequest(
            str(tiny_bert),
            engine=EngineName.TORCH,
            device="cpu",
            dtype=DtypeName.BFLOAT16,
            batch_tokens=BATCH_TOKENS,
        )
    )


def filled_meter(session: Session, notes: list[str]) -> PrecisionMeter:
    """Return a meter whose run has had a text of each length."""
    meter = PrecisionMeter(session, notes.append)
    for text in one_batch(session, [" ".join(["how"] * length) for length in LENGTHS]).texts:
        meter.add(text)
    return meter


def test_all_texts_are_compared_in_batches_of_the_run_if_there_is_time(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    compare = Comparison(100)
    monkeypatch.setattr(precision, "text_distances", compare)
    assert len(filled_meter(session, []).measure(math.inf)) == 20
    assert max(rows * columns for rows, columns in compare.shapes) <= BATCH_TOKENS


def test_without_time_only_the_first_texts_are_compared(session: Session) -> None:
    meter = filled_meter(session, [])
    assert len(meter.measure(0)) == 8
    meter.add(one_batch(session, ["how are you"]).texts[0])
    assert meter.measure(0) == []
    meter.add(one_batch(session, ["how are you"]).texts[0])
    assert len(meter.measure(math.inf)) == 1


def test_batches_that_do_not_fit_in_memory_are_halved(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "text_distances", Comparison(1))
    assert len(filled_meter(session, []).measure(math.inf)) == 20


def test_too_little_memory_is_a_note_and_no_error(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "text_distances", Comparison(0))
    notes: list[str] = []
    meter = filled_meter(session, notes)
    assert meter.measure(math.inf) == []
    assert notes[-1] == "there is too little memory to compare this run with float32"
    meter.add(record("how", 0))
    assert meter.measure(math.inf) == []
    assert len([note for note in notes if "too little" in note]) == 1


def test_a_window_is_compared_without_its_document(tiny_bert: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session = open_session(
        SessionRequest(
            str(tiny_bert),
            engine=EngineName.TORCH,
            device="cpu",
            dtype=DtypeName.BFLOAT16,
            max_length=10,
            long=OnLong.WINDOWS,
            embedding=EmbeddingRequest(),
        )
    )
    long = record("how are [MASK] " * 20, 0)
    windows = list(document_texts(session.tokenizer, long, ANSWER_WINDOWS, None, ids_only=True))
    compared: list[TokenizedText] = []
    compare = precision.text_distances

    def watched(session: Session, exact: Session, batch: Batch, **options: Any) -> list[TextDistance]:
        compared.extend(batch.texts)
        return compare(session, exact, batch, **options)

    monkeypatch.setattr(precision, "text_distances", watched)
    meter = PrecisionMeter(session, lambda note: None)
    for window in windows:
        assert isinstance(window, TokenizedText) and window.window is not None
        meter.add(window)
    assert len(meter.measure(math.inf)) == len(windows) > 3
    assert {(text.window, text.record.text) for text in compared} == {(None, "")}


def test_texts_of_finished_shards_are_tokenized_for_the_comparison(session: Session) -> None:
    meter = PrecisionMeter(session, lambda note: None)
    failed = FailedText(2, 3, BadText("the text is empty"))
    for text in (record("how are you", 0), record("how " * 100, 1), failed):
        meter.add(text)
    assert len(meter.measure(math.inf)) == 1
