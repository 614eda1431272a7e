"""Ends of shards: they depend on the texts alone, and the default keeps a shard to about 30 seconds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertcli.checkpoints.config import BertConfig, ModelConfig
from bertcli.errors import BadText
from bertcli.input.records import FailedText, TextRecord, Window
from bertcli.pipeline.shards import PartBoundaries, ShardBoundaries, default_limits
from bertcli.results.corpus import ShardLimits


def texts(words: list[str]) -> Window:
    """Return a text for each word. An empty word is a failed text."""
    return [
        TextRecord(index, word) if word else FailedText(index, None, BadText("the text is empty"))
        for index, word in enumerate(words)
    ]


def ends(window: Window, limits: ShardLimits, size: int = 100) -> list[int]:
    """Return the indices of the last texts of the full shards, for windows of that size."""
    boundaries = ShardBoundaries(limits)
    list(boundaries.watch(window[start : start + size] for start in range(0, len(window), size)))
    return [index for index in range(len(window)) if boundaries.ends_after(index)]


def test_a_shard_ends_with_the_text_that_reaches_a_limit() -> None:
    # Each text counts for 12 bytes more than it has.
    window = texts(["a" * 38, "a" * 100, "a" * 10, "a" * 10, "a" * 10, "", ""])
    assert ends(window, ShardLimits(100, 50, 1000)) == [0, 1, 4]
    assert ends(window, ShardLimits(2, 50, 1000)) == [0, 1, 3, 5]
    assert ends(window, ShardLimits(2)) == [1, 3, 5]


def test_characters_count_as_utf8_and_both_sentences_count() -> None:
    limits = ShardLimits(100, 32, 1000)
    assert ends([TextRecord(0, "é" * 10)], limits) == [0]
    assert ends([TextRecord(0, "e" * 10)], limits) == []
    assert ends([TextRecord(0, "e" * 10, "b" * 10)], limits) == [0]


def test_a_long_text_counts_only_as_far_as_the_model_can_see_it() -> None:
    window = texts(["a" * 100_000] * 4)
    assert ends(window, ShardLimits(100, 1000, 488)) == [1, 3]


@given(st.lists(st.text(max_size=30), max_size=40), st.integers(1, 8), st.integers(1, 200), st.integers(1, 7))
def test_shards_do_not_depend_on_windows_and_hold_every_text_once(
    words: list[str], rows: int, text_bytes: int, size: int
) -> None:
    window, limits = texts(words), ShardLimits(rows, text_bytes, 20)
    found = ends(window, limits, size)
    assert found == ends(window, limits)
    boundaries = ShardBoundaries(limits)
    list(boundaries.watch([window]))
    inputs = [boundaries.take(number) for number in range(len(found) + 1)]
    assert sum(each.rows for each in inputs) == len(words)
    assert all(1 <= each.rows <= rows for each in inputs[:-1])


@pytest.mark.parametrize(
    ("config", "device"),
    [(BertConfig(), "cpu"), (BertConfig(hidden_size=384, num_hidden_layers=6, intermediate_size=1536), "cpu")],
)
def test_the_default_size_of_a_shard_is_about_30_seconds_of_two_cores(config: ModelConfig, device: str) -> None:
    limits = default_limits(config, device, 512)
    assert limits.text_bytes is not None
    parameters = config.num_hidden_layers * 12 * config.hidden_size**2
    seconds = 2 * parameters * limits.text_bytes / 4 / 1e11  # 4 bytes a token, 50 billion operations a second of a core
    assert 25 < seconds < 35
    assert (limits.rows, limits.max_text_bytes) == (20_000, 4096)


def test_a_gpu_gets_larger_shards_and_every_family_has_a_size() -> None:
    on_cpu, on_gpu = (default_limits(BertConfig(), device, 512).text_bytes for device in ("cpu", "cuda:1"))
    assert on_cpu is not None and on_gpu is not None
    assert on_gpu == pytest.approx(50 * on_cpu, rel=1e-3)
    other = default_limits(ModelConfig(model_type="electra"), "cpu", 512).text_bytes
    assert other == pytest.approx(on_cpu, rel=0.01)


def test_the_hash_of_a_shard_covers_all_that_is_read_of_a_text() -> None:
    record = TextRecord(0, "how")
    others = [
        TextRecord(0, "how", versus="who"),
        TextRecord(0, "how", versus="you"),
        TextRecord(0, "how", group={"kind": "a"}),
        TextRecord(0, "how", target="are"),
        TextRecord(0, "how", "you"),
        TextRecord(0, "how", id="x"),
    ]
    hashes = set()
    for each in (record, *others):
        boundaries = ShardBoundaries(ShardLimits(1))
        list(boundaries.watch([[each]]))
        hashes.add(boundaries.take(0).sha256)
    assert len(hashes) == len(others) + 1


@pytest.mark.parametrize("parts", [1, 2])
def test_a_shard_ends_with_the_last_part_of_a_text(parts: int) -> None:
    boundaries = ShardBoundaries(ShardLimits(2))
    list(boundaries.watch([texts(["a"] * 5)]))
    of_parts = PartBoundaries(boundaries, parts)
    assert [index for index in range(5 * parts) if of_parts.ends_after(index)] == [2 * parts - 1, 4 * parts - 1]
