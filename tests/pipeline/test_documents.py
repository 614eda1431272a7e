"""Documents in a run: their windows share groups with other texts, and their answers are joined in input order."""

from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bertcli.analysis.embeddings.encode import EncodeOptions
from bertcli.analysis.embeddings.windows import DocumentVectors, encode_windows
from bertcli.choices import OnLong
from bertcli.errors import BadText
from bertcli.input.records import FailedText, Window
from bertcli.model import pieces, tokenizer
from bertcli.model.batching import Batch
from bertcli.model.document_reader import read_document, read_window
from bertcli.model.documents import Document
from bertcli.model.session import Session
from bertcli.model.windows import CentredWindows, OverlappingWindows
from bertcli.pipeline.dedupe import DedupeCache
from bertcli.pipeline.documents import DocumentPlan
from bertcli.pipeline.halving import Halving
from bertcli.pipeline.prefetch import Stages
from bertcli.pipeline.progress import RunCounts
from bertcli.pipeline.scheduler import Plan, schedule
from tests.pipeline.test_scheduler import passed
from tests.tiny import VOCABULARY, WORDS, open_bert, record

LONG = " ".join(WORDS * 4)
TEXTS = ["how", LONG, "are you", LONG, "how", f"{LONG} {LONG}", "cat"]


@pytest.fixture
def session(tiny_bert: Path) -> Session:
    """Return a session with windows of at most ten tokens and batches of two of them."""
    return open_bert(tiny_bert, max_length=10, long=OnLong.WINDOWS, overlap=3, batch_tokens=20)


def run(session: Session, texts: Window, plan: Plan, **more: Any) -> tuple[list[Any], RunCounts, list[list[int]]]:
    """Return the answers, the counts, and the indices of the texts in each batch."""
    options, counts = EncodeOptions(), RunCounts()
    documents = DocumentPlan(OverlappingWindows(), partial(DocumentVectors, session, options))
    batches: list[list[int]] = []

    def compute(batch: Batch) -> Sequence[Any]:
        batches.append([text.record.index for text in batch.texts])
        return encode_windows(session, batch, options)

    with Stages() as stages:
        found = schedule(
            session, [texts], compute, stages, plan, counts, Halving(0, print), documents=documents, **more
        )
        return list(found), counts, batches


def records(texts: Sequence[str] = TEXTS) -> Window:
    return [record(text, index) for index, text in enumerate(texts)]


@pytest.mark.parametrize("sort_window", [1, 2, 50])
def test_a_document_may_be_longer_than_a_group_of_texts(session: Session, sort_window: int) -> None:
    found, counts, _ = run(session, records(), Plan(sort_window))
    assert [answer.text.index for answer in found] == list(range(len(TEXTS)))
    assert [bool(answer.text.windows) for answer in found] == [len(text) > 20 for text in TEXTS]
    for text, answer in zip(TEXTS, found, strict=True):
        [alone], _, _ = run(session, records([text]), Plan(sort_window))
        np.testing.assert_allclose(answer.embedding, alone.embedding, rtol=0, atol=1e-5)
    # Texts are counted once, and their tokens too, although windows share some.
    assert (counts.done, counts.tokens) == (len(TEXTS), sum(len(answer.text.input_ids) for answer in found))
    assert counts.computed > counts.tokens


def test_unknown_tokens_of_windows_around_masks_are_counted_among_all_tokens(session: Session) -> None:
    document = read_document(session.tokenizer, record("\u2603 " * 20 + f"[MASK] {LONG}"))
    assert isinstance(document, Document)
    counts = RunCounts()
    for window in CentredWindows(VOCABULARY.index("[MASK]")).divide(document):
        counts.count_text(read_window(session.tokenizer, window))
    assert (counts.tokens, counts.unknown, counts.unknown_texts) == (len(document), 20, 1)


def test_no_batch_crosses_a_shard_and_a_resumed_run_has_the_same_batches(session: Session) -> None:
    texts = records()
    plan = Plan(50, passed([texts], 2))
    _, _, batches = run(session, texts, plan)
    assert all(len({index // 2 for index in batch}) == 1 for batch in batches)
    _, _, resumed = run(session, texts[4:], plan)
    assert resumed == [batch for batch in batches if batch[0] >= 4]


def test_repeated_documents_are_computed_again_and_other_texts_are_not(session: Session, tmp_path: Path) -> None:
    with closing(DedupeCache(tmp_path, 24, 24, EncodeOptions())) as dedupe:
        found, counts, batches = run(session, records(), Plan(50), dedupe=dedupe)
    assert counts.repeated == 1
    computed = {index for batch in batches for index in batch}
    assert computed == {0, 1, 2, 3, 5, 6}
    np.testing.assert_array_equal(found[0].embedding, found[4].embedding)
    np.testing.assert_allclose(found[1].embedding, found[3].embedding, rtol=0, atol=1e-6)


def test_a_document_that_fails_is_in_its_place(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    earlier = FailedText(1, None, BadText("it is empty"))
    monkeypatch.setattr(pieces, "MAX_CHARACTERS", 100_000)
    monkeypatch.setattr(tokenizer, "MAX_CHARACTERS", 100_000)
    long_word = record("a" * 110_000, 2)
    found, counts, _ = run(session, [record(LONG, 0), earlier, long_word, record(LONG, 3)], Plan(50))
    assert [isinstance(answer, FailedText) for answer in found] == [False, True, True, False]
    assert [answer.index for answer in found[1:3]] == [1, 2]
    assert counts.done == 4


def test_a_batch_of_windows_that_does_not_fit_in_memory_is_halved(session: Session) -> None:
    options = EncodeOptions()
    documents = DocumentPlan(OverlappingWindows(), partial(DocumentVectors, session, options))

    def compute(batch: Batch) -> Sequence[Any]:
        if len(batch.texts) > 1:
            raise MemoryError
        return encode_windows(session, batch, options)

    with Stages() as stages:
        halving = Halving(0, print)
        [found] = schedule(
            session, [[record(LONG)]], compute, stages, Plan(), RunCounts(), halving, documents=documents
        )
    [whole], _, _ = run(session, [record(LONG)], Plan())
    np.testing.assert_allclose(found.embedding, whole.embedding, rtol=0, atol=1e-5)
