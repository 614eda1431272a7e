"""bertcli attn: large answers are written before the next are computed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bertcli.cli.options import AttentionMapOptions, HeadOptions, ModelOptions, OutputOptions, PageOptions, TextOptions
from bertcli.commands.attn import answer, page
from bertcli.commands.attn.request import AttnRequest
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

    def pass_on(self: Sink, answers: Iterator[Any], writer: RecordWriter) -> Any:
        return whole(self, watched(answers), writer)

    whole = Sink.pass_on
    monkeypatch.setattr(answer, "compute_attention", noted(answer.compute_attention))
    monkeypatch.setattr(page, "compute_page_attention", noted(page.compute_page_attention))
    monkeypatch.setattr(Sink, "pass_on", pass_on)
    return found


def ask(model: Path, output: Path, heads: HeadOptions, maps: AttentionMapOptions) -> None:
    options = ModelOptions(model=str(model), engine="numpy", batch_tokens=5)
    answer.attn(
        AttnRequest(TextOptions(texts=TEXTS), options, OutputOptions(output=str(output)), heads, maps, PageOptions())
    )


@pytest.mark.parametrize(
    ("name", "heads", "maps"),
    [
        ("page.html", HeadOptions(), AttentionMapOptions()),
        ("weights.npz", HeadOptions(), AttentionMapOptions()),
        ("matrix.json", HeadOptions(layer=0, head=1), AttentionMapOptions()),
        ("rollout.json", HeadOptions(), AttentionMapOptions(rollout=True)),
        ("norms.json", HeadOptions(), AttentionMapOptions(value_norms=True)),
    ],
)
def test_a_text_with_its_matrices_is_written_before_the_next_is_computed(
    tiny_bert: Path, tmp_path: Path, events: list[str], name: str, heads: HeadOptions, maps: AttentionMapOptions
) -> None:
    ask(tiny_bert, tmp_path / name, heads, maps)
    assert events == ["computed", "written"] * len(TEXTS)


def test_statistics_alone_are_computed_ahead_so_that_less_is_padded(
    tiny_bert: Path, tmp_path: Path, events: list[str]
) -> None:
    ask(tiny_bert, tmp_path / "statistics.json", HeadOptions(), AttentionMapOptions())
    assert events[:6] == ["computed", "written", "computed", "computed", "written", "written"]
