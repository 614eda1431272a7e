"""bertcli attn: large answers are written before the next are computed."""

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


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What happens to each text, each of which is a batch of its own."""
    found: list[str] = []

    def noted(compute: Any) -> Any:
        def compute_and_note(*arguments: Any, **options: Any) -> Any:
            found.append("computed")
            return compute(*arguments, **options)

        return compute_and_note

    def watched(answers: Iterator[Any]) -> Iterator[Any]:
        for record in answers:
            yield record
            found.append("written")  # when the next one is asked for

    def write_all(self: Sink, answers: Iterator[Any], writer: RecordWriter) -> Any:
        return whole(self, watched(answers), writer)

    whole = Sink.write_all
    monkeypatch.setattr(command, "compute_attention", noted(command.compute_attention))
    monkeypatch.setattr(page, "compute_page_attention", noted(page.compute_page_attention))
    monkeypatch.setattr(Sink, "write_all", write_all)
    return found


def ask(model: Path, output: Path, heads: HeadOptions, maps: MapOptions) -> None:
    options = SessionRequest(model=str(model), engine="numpy", batch_tokens=5)
    command.attn(
        AttnRequest(TextOptions(texts=TEXTS), options, OutputOptions(output=str(output)), heads, maps, PageOptions())
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
def test_a_text_with_its_matrices_is_written_before_the_next_is_computed(
    tiny_bert: Path, tmp_path: Path, events: list[str], name: str, heads: HeadOptions, maps: MapOptions
) -> None:
    ask(tiny_bert, tmp_path / name, heads, maps)
    assert events == ["computed", "written"] * len(TEXTS)


def test_statistics_are_computed_for_several_batches_together(
    tiny_bert: Path, tmp_path: Path, events: list[str]
) -> None:
    ask(tiny_bert, tmp_path / "statistics.json", HeadOptions(), MapOptions())
    assert sorted(events) == ["computed"] * len(TEXTS) + ["written"] * len(TEXTS)
    source = TextSource(TEXTS)
    assert (
        streaming_plan(TextReader(source)).sort_window > streaming_plan(TextReader(source), is_large=True).sort_window
    )
