"""bertcli attn: a large answer is written, or added to the sums, before many more are computed."""

import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bertcli.commands.attn import command, page
from bertcli.commands.attn.request import AttnRequest
from bertcli.commands.opening import streaming_plan
from bertcli.commands.options import HeadOptions, MapOptions, PageOptions, TextOptions
from bertcli.input.reader import TextReader
from bertcli.input.records import TextSource
from bertcli.model.request import SessionRequest
from bertcli.output.destination import OutputOptions
from bertcli.output.records import RecordWriter
from bertcli.output.sink import Sink

TEXTS = ["the cat sat"] * 9
MANY_TEXTS = TEXTS * 10


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record when each text is computed and written. Each text is a batch of its own."""
    found: list[str] = []

    def record_computed(compute: Any) -> Any:
        def compute_and_record(*arguments: Any, **options: Any) -> Any:
            found.append("computed")
            return compute(*arguments, **options)

        return compute_and_record

    def record_written(answers: Iterator[Any]) -> Iterator[Any]:
        for record in answers:
            yield record
            found.append("written")  # when the next one is asked for

    def write_all(self: Sink, answers: Iterator[Any], writer: RecordWriter) -> Any:
        return whole(self, record_written(answers), writer)

    whole = Sink.write_all
    monkeypatch.setattr(command, "compute_attention", record_computed(command.compute_attention))
    monkeypatch.setattr(page, "compute_page_attention", record_computed(page.compute_page_attention))
    monkeypatch.setattr(Sink, "write_all", write_all)
    return found


def run_attn(model: Path, output: Path, heads: HeadOptions, maps: MapOptions, texts: list[str] = TEXTS) -> None:
    options = SessionRequest(model=str(model), engine="numpy", batch_tokens=5)
    command.attn(
        AttnRequest(TextOptions(texts=texts), options, OutputOptions(output=str(output)), heads, maps, PageOptions())
    )


@pytest.mark.parametrize(
    ("name", "heads", "maps"),
    [
        ("page.html", HeadOptions(), MapOptions()),
        ("weights.npz", HeadOptions(), MapOptions()),
        ("matrix.json", HeadOptions(layer="0", head=1), MapOptions()),
        ("rollout.json", HeadOptions(), MapOptions(rollout=True)),
        ("norms.json", HeadOptions(), MapOptions(value_norms=True)),
    ],
)
def test_matrices_are_written_before_the_next_text_is_computed(
    tiny_bert: Path, tmp_path: Path, events: list[str], name: str, heads: HeadOptions, maps: MapOptions
) -> None:
    run_attn(tiny_bert, tmp_path / name, heads, maps)
    assert events == ["computed", "written"] * len(TEXTS)


def test_statistics_are_sorted_over_several_batches(tiny_bert: Path, tmp_path: Path, events: list[str]) -> None:
    run_attn(tiny_bert, tmp_path / "statistics.json", HeadOptions(), MapOptions())
    assert sorted(events) == ["computed"] * len(TEXTS) + ["written"] * len(TEXTS)
    source = TextSource(TEXTS)
    assert (
        streaming_plan(TextReader(source)).sort_window > streaming_plan(TextReader(source), is_large=True).sort_window
    )


@pytest.mark.parametrize(
    ("maps", "expected"), [(MapOptions(), range(32, 91)), (MapOptions(head_distance=True), range(1, 11))]
)
def test_a_summary_keeps_statistics_of_many_texts_but_distances_of_few(
    tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, maps: MapOptions, expected: range
) -> None:
    found: list[weakref.ref[Any]] = []
    counts = []
    compute = command.compute_statistics

    def compute_and_count(*arguments: Any, **options: Any) -> Any:
        [answer] = compute(*arguments, **options)
        found.append(weakref.ref(answer.values))
        counts.append(sum(one() is not None for one in found))
        return [answer]

    monkeypatch.setattr(command, "compute_statistics", compute_and_count)
    run_attn(tiny_bert, tmp_path / "summary.json", HeadOptions(aggregate=True), maps, MANY_TEXTS)
    assert len(counts) == len(MANY_TEXTS)
    assert max(counts) in expected
