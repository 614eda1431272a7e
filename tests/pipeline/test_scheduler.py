"""The scheduler: it answers texts in input order, in batches that depend on the texts alone."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertcli.analysis.embeddings.encode import EncodeOptions, encode
from bertcli.errors import BadText
from bertcli.input.records import FailedText, TextRecord, Window
from bertcli.model.batching import Batch
from bertcli.model.session import Session
from bertcli.model.tokenizer import TokenizedText
from bertcli.pipeline.dedupe import DedupeCache
from bertcli.pipeline.halving import Halving
from bertcli.pipeline.prefetch import Stages
from bertcli.pipeline.progress import RunCounts
from bertcli.pipeline.scheduler import Plan, schedule
from bertcli.pipeline.shards import ShardBoundaries
from bertcli.results.corpus import ShardLimits
from bertcli.results.embeddings import EncodeRecord
from tests.reference import assert_close
from tests.tiny import WORDS, open_bert, record
from tests.tiny import answers as answers_of

Answers = list[EncodeRecord | FailedText]
PLAN = Plan()
sentences = st.lists(st.sampled_from(WORDS), min_size=1, max_size=12).map(" ".join)


def encoded(session: Session, windows: list[Window]) -> list[EncodeRecord | FailedText]:
    return list(answers_of(session, windows, lambda batch: encode(session, batch, EncodeOptions())))


def index_of(answer: EncodeRecord | FailedText) -> int:
    return answer.index if isinstance(answer, FailedText) else answer.text.index


@st.composite
def windows_of_texts(draw: st.DrawFn) -> list[Window]:
    """Draw windows of texts of different lengths. Some are too long or have failed already."""
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


def passed(windows: Sequence[Window], shard_rows: int) -> ShardBoundaries:
    """Return the ends of shards of that many rows, which all windows have passed."""
    boundaries = ShardBoundaries(ShardLimits(shard_rows))
    list(boundaries.watch(windows))
    return boundaries


def run_schedule(
    session: Session, windows: Sequence[Window], plan: Plan = PLAN, **more: Any
) -> tuple[Answers, RunCounts, list[tuple[int, ...]]]:
    """Return the answers, the counts, and the indices of the texts in each batch."""
    batches: list[tuple[int, ...]] = []
    counts = RunCounts()
    options = more.pop("options", EncodeOptions())

    def compute(batch: Batch) -> Sequence[EncodeRecord]:
        batches.append(tuple(text.record.index for text in batch.texts))
        return encode(session, batch, options)

    with Stages() as stages:
        answers = list(schedule(session, windows, compute, stages, plan, counts, Halving(0, print), **more))
    return answers, counts, batches


@given(windows_of_texts(), st.integers(1, 60), st.none() | st.integers(1, 5))
@settings(max_examples=20)
def test_answers_are_in_input_order_and_equal_those_of_each_text_alone(
    tiny_bert: Path, windows: list[Window], batch_tokens: int, shard_rows: int | None
) -> None:
    session = open_bert(tiny_bert, batch_tokens=batch_tokens)
    texts = [text for window in windows for text in window]
    answers, counts, _ = run_schedule(session, windows, Plan(2, shard_rows and passed(windows, shard_rows)))
    assert [index_of(answer) for answer in answers] == list(range(len(texts)))
    assert counts.done == len(texts)
    for text, answer in zip(texts, answers, strict=True):
        if isinstance(answer, EncodeRecord):
            assert isinstance(text, TextRecord)
            [alone] = answers_of(session, [[text]], lambda batch: encode(session, batch, EncodeOptions()))
            assert isinstance(alone, EncodeRecord)
            np.testing.assert_allclose(answer.embedding, alone.embedding, rtol=0, atol=1e-5)
            assert answer.text == alone.text


@given(st.lists(sentences, min_size=1, max_size=30), st.data())
@settings(max_examples=20)
def test_batches_do_not_depend_on_windows(tiny_bert: Path, texts: list[str], data: st.DataObject) -> None:
    session = open_bert(tiny_bert, batch_tokens=30)
    records: Window = [record(text, index) for index, text in enumerate(texts)]
    cuts = sorted(data.draw(st.sets(st.integers(0, len(texts)))) | {0, len(texts)})
    parts = [records[start:end] for start, end in pairwise(cuts)]
    plan = Plan(2, passed([records], 7))
    whole, in_parts = run_schedule(session, [records], plan), run_schedule(session, parts, plan)
    assert whole[2] == in_parts[2]
    for one, other in zip(whole[0], in_parts[0], strict=True):
        assert isinstance(one, EncodeRecord) and isinstance(other, EncodeRecord)
        np.testing.assert_array_equal(one.embedding, other.embedding)


def test_no_batch_crosses_a_shard_and_resuming_does_not_change_batches(tiny_bert: Path) -> None:
    session = open_bert(tiny_bert, batch_tokens=1000)
    records: Window = [record(WORDS[index % len(WORDS)], index) for index in range(25)]
    plan = Plan(16, passed([records], 10))
    batches = run_schedule(session, [records], plan)[2]
    assert all(len({index // 10 for index in batch}) == 1 for batch in batches)
    resumed = run_schedule(session, [records[10:]], plan)[2]
    assert resumed == [batch for batch in batches if batch[0] >= 10]


def test_the_counts_are_right(tiny_bert: Path) -> None:
    session = open_bert(tiny_bert, "transformers", max_length=6, truncate=True)
    failed = FailedText(1, None, BadText("it is empty"))
    texts: Window = [record("how are you", 0), failed, record("the cat sat on the mat", 2), record("how", 3)]
    _, counts, _ = run_schedule(session, [texts])
    assert (counts.done, counts.tokens, counts.truncated, counts.computed) == (4, 5 + 6 + 3, 1, 14)
    assert counts.positions == 3 * 6
    assert counts.padded_share == pytest.approx(4 / 18)


def test_numpy_and_torch_compute_no_padding(tiny_bert: Path) -> None:
    texts: Window = [record("how are you", 0), record("the cat sat on the mat", 1)]
    for engine in ("numpy", "torch"):
        _, counts, batches = run_schedule(open_bert(tiny_bert, engine), [texts])
        assert batches == [(1, 0)]
        assert counts.positions == counts.computed == 5 + 8


def test_the_counts_of_the_parts_add_up_to_the_whole(tiny_bert: Path) -> None:
    session = open_bert(tiny_bert)
    texts: Window = [record(" ".join(WORDS[: 1 + index % 7]), index) for index in range(20)]
    (_, whole, _), *parts = [run_schedule(session, [part], Plan(1)) for part in (texts, texts[:8], texts[8:])]
    both = RunCounts()
    for _, part, _ in parts:
        both.add(part)
    assert (both.done, both.tokens, both.computed) == (20, whole.tokens, whole.computed)
    summary = both.summary(skipped=3, seconds=2.0)
    assert (summary.texts, summary.skipped, summary.tokens_per_second) == (20, 3, whole.tokens / 2)


def test_a_larger_sort_window_pads_less(tiny_bert: Path) -> None:
    session = open_bert(tiny_bert, "transformers", batch_tokens=100)
    draw = np.random.default_rng(0)
    texts: Window = [record(" ".join(["cat"] * int(draw.integers(1, 40))), index) for index in range(300)]
    shares = [run_schedule(session, [texts], Plan(sort_window))[1].padded_share for sort_window in (1, 32)]
    assert shares[1] < 0.03 < shares[0]


def test_an_error_in_reading_or_computing_ends_the_run(tiny_bert: Path) -> None:
    session = open_bert(tiny_bert)

    def broken() -> Iterator[Window]:
        yield [record("how", 0)]
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        run_schedule(session, broken())  # type: ignore[arg-type]
    with pytest.raises(ZeroDivisionError), Stages() as stages:
        list(
            schedule(
                session, [[record("how", 0)]], lambda batch: [1 // 0], stages, Plan(), RunCounts(), Halving(0, print)
            )
        )


@given(st.lists(st.sampled_from(["how", "are you", "the cat sat", "mat"]), min_size=1, max_size=30))
@settings(max_examples=20)
@pytest.mark.parametrize("capacity", [0, 2, 100])
def test_equal_texts_are_computed_once_while_they_are_cached(
    tiny_bert: Path, tmp_path_factory: pytest.TempPathFactory, capacity: int, texts: list[str]
) -> None:
    session = open_bert(tiny_bert, batch_tokens=20)
    options = EncodeOptions(pooler=True, layers=[0, 2], layer_tokens=False, layer_embeddings=True)
    records: Window = [record(text, index) for index, text in enumerate(texts)]
    with closing(DedupeCache(tmp_path_factory.getbasetemp(), 24, 24, options, capacity)) as dedupe:
        answers, counts, batches = run_schedule(session, [records], Plan(1), dedupe=dedupe, options=options)
    plain, _, _ = run_schedule(session, [records], Plan(1), options=options)
    if capacity == 100:
        assert sum(map(len, batches)) == len(set(texts))
    assert (counts.done, counts.repeated) == (len(texts), len(texts) - sum(map(len, batches)))
    assert counts.tokens == sum(len(answer.text.tokens) for answer in plain if isinstance(answer, EncodeRecord))
    for one, other in zip(answers, plain, strict=True):
        assert isinstance(one, EncodeRecord) and isinstance(other, EncodeRecord)
        assert one.text == other.text
        for name in ("embedding", "pooler_output", "layer_embeddings"):
            np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=0, atol=1e-5, err_msg=name)


def test_texts_with_different_pairs_are_not_equal(tiny_bert: Path, tmp_path: Path) -> None:
    session = open_bert(tiny_bert)
    texts: Window = [record("how", 0), record(("how", "you"), 1), record(("how", "you"), 2), record("how", 3)]
    with closing(DedupeCache(tmp_path, 24, 24, EncodeOptions())) as dedupe:
        answers, _, batches = run_schedule(session, [texts[:2], texts[2:]], Plan(1, passed([texts], 2)), dedupe=dedupe)
    assert sorted(index for batch in batches for index in batch) == [0, 1]
    follows = [answer.next_sentence for answer in answers if isinstance(answer, EncodeRecord)]
    assert follows[0] is follows[3] is None
    assert follows[1] is not None and follows[2] == pytest.approx(follows[1], rel=1e-6)


@given(windows_of_texts(), st.integers(1, 60))
@settings(max_examples=30)
def test_answers_are_in_input_order_for_any_batch_size(
    tiny_bert: Path, windows: list[Window], batch_tokens: int
) -> None:
    session = open_bert(tiny_bert, batch_tokens=batch_tokens)
    texts = [text for window in windows for text in window]
    answers = encoded(session, windows)
    assert [index_of(answer) for answer in answers] == list(range(len(texts)))
    for text, answer in zip(texts, answers, strict=True):
        if isinstance(answer, FailedText):
            assert isinstance(text, FailedText) or text.text.startswith("a a a")
            assert answer.line == text.line
        else:
            assert answer.text.text == text.text


@given(st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=20).map(" ".join), min_size=1, max_size=10))
@settings(max_examples=20)
def test_the_batch_size_does_not_change_embeddings(tiny_bert: Path, texts: list[str]) -> None:
    window: Window = [record(text, index) for index, text in enumerate(texts)]
    one_by_one = encoded(open_bert(tiny_bert, batch_tokens=1), [window])
    for batch_tokens in (30, 10_000):
        for found, wanted in zip(
            encoded(open_bert(tiny_bert, batch_tokens=batch_tokens), [window]), one_by_one, strict=True
        ):
            assert isinstance(found, EncodeRecord)
            assert isinstance(wanted, EncodeRecord)
            assert_close(found.embedding, wanted.embedding)


@pytest.mark.parametrize("prefetch", [0, 1])
def test_a_window_is_answered_before_the_next_one_is_read(tiny_bert: Path, prefetch: int) -> None:
    session = open_bert(tiny_bert)
    has_answer = threading.Event()

    def windows() -> Iterator[Window]:
        for index in range(3):
            yield [record("how are you", index)]
            assert has_answer.wait(60), "the answer waits for the next window"
            has_answer.clear()

    plan = Plan(ends_at_silence=True, prefetch=prefetch)
    answers = answers_of(session, windows(), lambda batch: encode(session, batch, EncodeOptions()), plan)
    for index in range(3):
        assert index_of(next(answers)) == index
        has_answer.set()


def test_a_text_that_fails_the_check_of_a_command_is_not_computed(tiny_bert: Path) -> None:
    session = open_bert(tiny_bert)
    computed: list[str] = []

    def compute(batch: Batch) -> Sequence[str]:
        computed.extend(text.record.text for text in batch.texts)
        return [text.record.text for text in batch.texts]

    def check(text: TokenizedText) -> FailedText | None:
        is_bad = text.record.text == "cat"
        return FailedText(text.record.index, None, BadText("no cats")) if is_bad else None

    window: Window = [record(text, index) for index, text in enumerate(["how", "cat", "you"])]
    answers = list(answers_of(session, [window], compute, check=check))
    assert sorted(computed) == ["how", "you"]
    assert [answers[0], answers[2]] == ["how", "you"]
    assert isinstance(answers[1], FailedText)


def test_the_first_text_of_many_is_answered_after_its_own_batch(tiny_bert: Path) -> None:
    session = open_bert(tiny_bert, batch_tokens=20)
    computed: list[int] = []

    def compute(batch: Batch) -> Sequence[str]:
        computed.append(len(batch.texts))
        return [text.record.text for text in batch.texts]

    window: Window = [record("how are you", index) for index in range(1000)]  # of 5 tokens each
    answers = answers_of(session, [window], compute, Plan(starts_small=True, prefetch=0))
    assert next(answers) == "how are you"
    assert computed == [4]
    assert len(list(answers)) == 999
    assert set(computed) == {4}


def test_the_sort_window_limits_the_answers_in_memory(tiny_bert: Path) -> None:
    session = open_bert(tiny_bert, batch_tokens=20)
    computed: list[int] = []

    def compute(batch: Batch) -> Sequence[str]:
        computed.append(len(batch.texts))
        return [text.record.text for text in batch.texts]

    def most_held(sort_window: int) -> int:
        computed.clear()
        window: Window = [record("how are you", index) for index in range(200)]  # of 5 tokens each
        answers = answers_of(session, [window], compute, Plan(sort_window, prefetch=0))
        return max(sum(computed) - given for given, _ in enumerate(answers))

    assert [most_held(count) for count in (1, 2, 8)] == [4, 8, 32]
