"""Texts are the same when they have been packed, cut into the shards that the manifest speaks of."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertcli.cluster.tasks import ShardResult, packed_error, parcel_of, shard_tasks
from bertcli.errors import BadInput, BadText, BertcliError
from bertcli.input.records import FailedText, TextRecord, Window
from bertcli.output.files.manifest import Manifest, Shard
from bertcli.pipeline.resume import InputDigests
from bertcli.pipeline.scheduler import Tally

SHARD_ROWS = 3
ids = st.none() | st.integers(-(1 << 63), (1 << 63) - 1) | st.text(max_size=3)


def window(texts: list[tuple[str, str | int | None]]) -> Window:
    """A text of each; an empty one has no answer."""
    return [
        TextRecord(index, text, "B" if index % 2 else None, index + 1, id_, "in.txt")
        if text
        else FailedText(index, None, BadText("empty", hint="leave it out"), id_)
        for index, (text, id_) in enumerate(texts)
    ]


def spelt(texts: Window) -> list[object]:
    return [
        text if isinstance(text, TextRecord) else (text.index, text.id, text.place, text.error.message, text.error.hint)
        for text in texts
    ]


@given(st.lists(st.tuples(st.text(max_size=5), ids), max_size=11), st.integers(1, 4))
def test_every_text_is_in_one_parcel_in_its_place(texts: list[tuple[str, str | int | None]], size: int) -> None:
    everything = window(texts)
    windows = [everything[start : start + size] for start in range(0, len(texts), size)]
    found = [parcel_of(each.packed()) for each in shard_tasks(windows, Manifest({}, SHARD_ROWS), lambda: 7)]
    assert [each.number for each in found] == list(range(max(1, -(-len(texts) // SHARD_ROWS))))
    assert all(len(each.texts) == SHARD_ROWS for each in found[:-1])
    assert spelt([text for each in found for text in each.texts]) == spelt(everything)
    digests = InputDigests(SHARD_ROWS)
    list(digests.watch([everything]))
    assert [each.input_sha256 for each in found] == [digests.of(each.number) for each in found]
    assert found[-1].read_bytes in (0, 7) and all(each.read_bytes <= 7 for each in found)
    first = next((id_ for _, id_ in texts if id_ is not None), None)
    wanted = None if first is None else "int64" if isinstance(first, int) else "string"
    assert found[-1].id_type == wanted


def test_half_a_character_goes_along_as_utf_8() -> None:
    (parcel,) = shard_tasks([window([("a\ud800", "\udfff")])], Manifest({}, SHARD_ROWS), lambda: 7)
    packed = parcel.packed().encode()
    assert spelt(parcel_of(packed.decode()).texts) == spelt(parcel.texts)


def test_what_a_shard_has_is_passed_over() -> None:
    everything = window([(word, None) for word in "abcdefg"])
    digests = InputDigests(SHARD_ROWS)
    list(digests.watch([everything]))
    begun = Manifest({}, SHARD_ROWS, (Shard("shard-0", 3, 0, 0, "", digests.of(0)),))
    assert [(each.number, len(each.texts)) for each in shard_tasks([everything], begun, int)] == [(1, 3), (2, 1)]
    with pytest.raises(BadInput, match="the texts of shard-0 are others"):
        list(shard_tasks([everything[1:]], begun, int))


def test_what_has_come_of_a_shard_is_the_same_when_packed() -> None:
    (missing,) = (text for text in window([("", "x")]) if isinstance(text, FailedText))
    encoded = ShardResult(Shard("shard-0", 1, 1, 9, "a", "b"), "string", (missing,), Tally(done=1), 5, ("halved",))
    found = ShardResult.of(encoded.packed())
    assert (found.shard, found.id_type, found.tally, found.read_bytes) == (encoded.shard, "string", Tally(done=1), 5)
    assert (spelt(list(found.unanswered)), found.notes) == (spelt([missing]), ("halved",))


@pytest.mark.parametrize(
    "error", [BadInput("damaged", hint="copy it"), OSError(28, "No space left on device", "x"), OSError("odd")]
)
def test_an_error_in_the_place_of_a_result_is_raised(error: BertcliError | OSError) -> None:
    for opened in (ShardResult.of, parcel_of):
        with pytest.raises(type(error)) as raised:
            opened(packed_error(error))
        assert str(raised.value) == str(error)
        assert getattr(raised.value, "hint", None) == getattr(error, "hint", None)
