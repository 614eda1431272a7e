"""Resumed runs: finished texts are skipped if the input is unchanged, and are an error otherwise."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertcli.errors import BadInput, BadText
from bertcli.input.records import FailedText, TextRecord, Window
from bertcli.pipeline.resume import skip_finished
from bertcli.pipeline.shards import ShardBoundaries
from bertcli.results.corpus import Manifest, Shard, ShardLimits

SHARD_ROWS = 3
LIMITS = ShardLimits(SHARD_ROWS)
EMPTY = BadText("the text is empty")


def texts(words: list[str]) -> Window:
    """Return a text for each word. An empty word is a failed text."""
    return [
        TextRecord(index, word, None, index + 1, f"n{index}") if word else FailedText(index, index + 1, EMPTY)
        for index, word in enumerate(words)
    ]


def started_run(words: list[str], shards: int | None) -> Manifest:
    """Return the manifest of a run over the words with that number of shards. None means a complete run."""
    boundaries = ShardBoundaries(LIMITS)
    list(boundaries.watch([texts(words)]))
    count = -(-len(words) // SHARD_ROWS) if shards is None else shards
    rows = [min(SHARD_ROWS, len(words) - SHARD_ROWS * number) for number in range(count)]
    made = tuple(
        Shard(f"shard-{number}", size, 0, 0, "", boundaries.take(number).sha256) for number, size in enumerate(rows)
    )
    return Manifest({}, LIMITS, made, is_complete=shards is None)


def resume(words: list[str], manifest: Manifest, window: int = 2) -> tuple[Window, Window]:
    """Return the texts that a resumed run skips, and those that it computes."""
    everything, old = texts(words), []
    windows = [everything[start : start + window] for start in range(0, len(everything), window)]
    boundaries = ShardBoundaries(LIMITS)
    new = [
        text for each in skip_finished(boundaries.watch(windows), manifest, boundaries, [old.append]) for text in each
    ]
    return old, new


words = st.lists(st.sampled_from(["how", "are", "you", ""]), max_size=12)


@given(words, st.integers(0, 4), st.integers(1, 5))
def test_an_unchanged_input_is_resumed_after_the_last_shard(words: list[str], shards: int, window: int) -> None:
    shards = min(shards, len(words) // SHARD_ROWS)
    old, new = resume(words, started_run(words, shards), window)
    assert old == texts(words)[: shards * SHARD_ROWS]
    assert new == texts(words)[shards * SHARD_ROWS :]


@given(words, st.integers(1, 5))
def test_a_complete_run_has_nothing_to_compute(words: list[str], window: int) -> None:
    assert resume(words, started_run(words, None), window) == (texts(words), [])


@given(st.lists(st.sampled_from(["how", "are", "you"]), min_size=1, max_size=12), st.data())
def test_a_changed_text_is_found_in_any_shard(words: list[str], data: st.DataObject) -> None:
    manifest = started_run(words, data.draw(st.none() | st.just(len(words) // SHARD_ROWS)))
    changed = list(words)
    position = data.draw(st.integers(0, len(words) - 1))
    changed[position] = data.draw(st.sampled_from(["cat", ""]))
    if position >= manifest.rows:
        assert resume(changed, manifest)[1] == texts(changed)[manifest.rows :]
        return
    with pytest.raises(BadInput, match=f"the texts of shard-{position // SHARD_ROWS} differ"):
        resume(changed, manifest)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5])
def test_fewer_texts_than_the_shards_hold_are_an_error(count: int) -> None:
    words = ["how", "are", "you", "the", "cat", "sat", "on"]
    for shards in (2, None):
        with pytest.raises(BadInput, match="the input has changed since the run was started"):
            resume(words[:count], started_run(words, shards))


@pytest.mark.parametrize("count", [6, 7])
def test_more_texts_than_a_complete_run_had_are_an_error(count: int) -> None:
    words = ["how", "are", "you", "the", "cat", "sat", "on", "mat"]
    with pytest.raises(BadInput, match=r"there are more texts|differ"):
        resume(words, started_run(words[:count], None))


def test_an_id_is_part_of_the_input() -> None:
    manifest = started_run(["how", "are", "you"], 1)
    boundaries = ShardBoundaries(LIMITS)
    others: Window = [TextRecord(index, word, None, index + 1, "x") for index, word in enumerate(["how", "are", "you"])]
    with pytest.raises(BadInput):
        list(skip_finished(boundaries.watch([others]), manifest, boundaries))


@pytest.mark.parametrize("rows", [2, 4])
def test_a_manifest_with_wrong_rows_is_an_error(rows: int) -> None:
    words = ["how", "are", "you", "the", "cat", "sat", "on"]
    manifest = started_run(words, 2)
    first, second = manifest.shards
    wrong = replace(manifest, shards=(replace(first, rows=rows), replace(second, rows=6 - rows)))
    with pytest.raises(BadInput, match="the texts of shard-0 differ"):
        resume(words, wrong)
