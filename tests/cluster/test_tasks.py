"""Tasks and results of a run on Ray: a task for each shard, unchanged by pickling."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertcli.cluster.tasks import Failure, ShardResult, ShardTask, cut_into_tasks
from bertcli.errors import BadInput, BadText, BertcliError
from bertcli.input.reader import TextReader
from bertcli.input.records import FailedText, TextRecord, Window
from bertcli.pipeline.progress import RunCounts
from bertcli.pipeline.shards import ShardBoundaries
from bertcli.results.corpus import Manifest, Shard, ShardLimits
from tests.cluster.pickling import unpickled
from tests.input.files import write_two_windows

SHARD_ROWS = 3
LIMITS = ShardLimits(SHARD_ROWS)
ids = st.none() | st.integers(-(1 << 63), (1 << 63) - 1) | st.text(max_size=3)


def window(texts: list[tuple[str, str | int | None]]) -> Window:
    """Return a window of the texts. An empty one is a failed text."""
    return [
        TextRecord(index, text, "B" if index % 2 else None, index + 1, id_, "in.txt")
        if text
        else FailedText(index, None, BadText("empty", hint="leave it out"), id_)
        for index, (text, id_) in enumerate(texts)
    ]


def fields_of(texts: Window) -> list[object]:
    return [
        text if isinstance(text, TextRecord) else (text.index, text.id, text.place, text.error.message, text.error.hint)
        for text in texts
    ]


@given(st.lists(st.tuples(st.text(max_size=5), ids), max_size=11), st.integers(1, 4))
def test_every_text_is_in_one_task_in_input_order(texts: list[tuple[str, str | int | None]], size: int) -> None:
    everything = window(texts)
    windows = [everything[start : start + size] for start in range(0, len(texts), size)]
    found = [unpickled(each) for each in cut_into_tasks(windows, Manifest({}, LIMITS), lambda left: 7)]
    assert all(isinstance(each, ShardTask) for each in found)
    tasks = [each for each in found if isinstance(each, ShardTask)]
    assert [each.number for each in tasks] == list(range(max(1, -(-len(texts) // SHARD_ROWS))))
    assert all(len(each.texts) == SHARD_ROWS for each in tasks[:-1])
    assert fields_of([text for each in tasks for text in each.texts]) == fields_of(everything)
    boundaries = ShardBoundaries(LIMITS)
    list(boundaries.watch([everything]))
    assert [each.input_sha256 for each in tasks] == [boundaries.take(each.number).sha256 for each in tasks]
    assert {each.read_bytes for each in tasks} == {7}
    first = next((id_ for _, id_ in texts if id_ is not None), None)
    expected = None if first is None else "int64" if isinstance(first, int) else "string"
    assert tasks[-1].id_type == expected


def test_tasks_end_where_the_shards_of_a_run_without_ray_end() -> None:
    everything = window([(word * 40, None) for word in "abcdefg"])
    limits = ShardLimits(100, text_bytes=120, max_text_bytes=1000)
    boundaries = ShardBoundaries(limits)
    list(boundaries.watch([everything]))
    ends = [text.index for text in everything if boundaries.ends_after(text.index)]
    tasks = list(cut_into_tasks([everything[:2], everything[2:]], Manifest({}, limits), int))
    assert ends == [2, 5] == [each.texts[-1].index for each in tasks[:-1]]
    assert [each.number for each in tasks] == [0, 1, 2]


def test_the_progress_of_a_task_is_interpolated_within_a_window(tmp_path: Path) -> None:
    reader = TextReader(write_two_windows(tmp_path))
    tasks = cut_into_tasks(reader.windows(), Manifest({}, LIMITS), reader.bytes_before)
    assert [(len(each.texts), each.read_bytes) for each in tasks] == [(3, 30), (3, 70), (2, 100)]


def test_the_progress_of_a_resumed_run_begins_behind_the_finished_shards(tmp_path: Path) -> None:
    source, boundaries = write_two_windows(tmp_path), ShardBoundaries(LIMITS)
    list(boundaries.watch(TextReader(source).windows()))
    started = Manifest({}, LIMITS, (Shard("shard-0", 3, 0, 0, "", boundaries.take(0).sha256),))
    reader = TextReader(source)
    tasks = cut_into_tasks(reader.windows(), started, reader.bytes_before)
    assert [(len(each.texts), each.read_bytes) for each in tasks] == [(3, 70), (2, 100)]


def test_a_lone_surrogate_survives_pickling() -> None:
    (task,) = cut_into_tasks([window([("a\ud800", "\udfff")])], Manifest({}, LIMITS), lambda left: 7)
    found = unpickled(task)
    assert isinstance(found, ShardTask)
    assert fields_of(found.texts) == fields_of(task.texts)


def test_texts_of_finished_shards_are_skipped() -> None:
    everything = window([(word, None) for word in "abcdefg"])
    boundaries = ShardBoundaries(LIMITS)
    list(boundaries.watch([everything]))
    started = Manifest({}, LIMITS, (Shard("shard-0", 3, 0, 0, "", boundaries.take(0).sha256),))
    assert [(each.number, len(each.texts)) for each in cut_into_tasks([everything], started, int)] == [(1, 3), (2, 1)]
    with pytest.raises(BadInput, match="the texts of shard-0 differ"):
        list(cut_into_tasks([everything[1:]], started, int))


def test_a_result_is_the_same_after_pickling() -> None:
    (failed,) = (text for text in window([("", "x")]) if isinstance(text, FailedText))
    result = ShardResult(
        shard=Shard("shard-0", 1, 1, 9, "a", "b"),
        id_type="string",
        failed=(failed,),
        counts=RunCounts(done=1),
        read_bytes=5,
        notes=("halved",),
    )
    found = unpickled(result)
    assert isinstance(found, ShardResult)
    assert (found.shard, found.id_type, found.counts, found.read_bytes) == (
        result.shard,
        "string",
        RunCounts(done=1),
        5,
    )
    assert (fields_of(list(found.failed)), found.notes) == (fields_of([failed]), ("halved",))


@pytest.mark.parametrize(
    "error", [BadInput("damaged", hint="copy it"), OSError(28, "No space left on device", "x"), OSError("odd")]
)
def test_a_pickled_error_keeps_its_message_and_hint(error: BertcliError | OSError) -> None:
    found = unpickled(Failure(error))
    assert isinstance(found, Failure) and type(found.error) is type(error)
    assert str(found.error) == str(error)
    assert getattr(found.error, "hint", None) == getattr(error, "hint", None)
