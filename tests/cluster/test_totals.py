"""Sums of actors: merged, they are those of a single process."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bertcli.analysis.attention.heads import summaries_of
from bertcli.analysis.attention.statistics import Aggregate, TextStatistics
from bertcli.choices import OnError
from bertcli.cluster.collector import TotalCollector
from bertcli.cluster.tasks import TotalResult, cut_into_tasks
from bertcli.cluster.workers import TotalWork, TotalWorker
from bertcli.commands.attn.analysis import prepare
from bertcli.commands.attn.command import attn
from bertcli.commands.attn.corpus import AttnTotalCommand
from bertcli.commands.attn.request import AttnRequest
from bertcli.commands.options import HeadOptions, MapOptions, PageOptions, TextOptions
from bertcli.input.reader import TextReader
from bertcli.model.request import SessionRequest
from bertcli.model.session import open_session
from bertcli.output.destination import OutputOptions
from bertcli.output.display import AttentionDisplay
from bertcli.output.messages import Reporter
from bertcli.output.schemas.attn import summary_schema
from bertcli.results.corpus import Manifest, ShardLimits
from tests.cluster.pickling import unpickled
from tests.output.test_records import INFO
from tests.tiny import WORDS

TEXTS = [" ".join(WORDS[: 1 + index * 5 % 9]) for index in range(23)]


def request(model: Path, texts: TextOptions, output: Path, **maps: bool) -> AttnRequest:
    """Return the request of attn --aggregate."""
    session = SessionRequest(str(model), device="cpu")
    options = OutputOptions(output=str(output), quiet=True)
    return AttnRequest(texts, session, options, HeadOptions(aggregate=True), MapOptions(**maps), PageOptions())


@pytest.mark.parametrize("head_distance", [False, True])
def test_merged_sums_are_those_of_a_single_process(tiny_bert: Path, tmp_path: Path, head_distance: bool) -> None:
    (tmp_path / "in.txt").write_text("".join(f"{text}\n" for text in [*TEXTS[:7], "", *TEXTS[7:]]))
    texts = TextOptions(file=[str(tmp_path / "in.txt")], on_error=OnError.SKIP)
    found = request(tiny_bert, texts, tmp_path / "out.json", head_distance=head_distance)
    assert attn(found) == 1  # a text was skipped
    manifest = Manifest({}, ShardLimits(5))
    work = TotalWork(
        source=texts.source(),
        on_error=OnError.SKIP,
        session=found.session,
        manifest=manifest,
        working_folder=str(Path.cwd()),
        command=AttnTotalCommand(found),
    )
    workers, reader = [TotalWorker(work), TotalWorker(work)], TextReader(texts.source())
    tasks = cut_into_tasks(reader.windows(), manifest, reader.bytes_before)
    results = [unpickled(workers[task.number % 2](task)) for task in tasks]
    assert len(results) == 5 and all(isinstance(result, TotalResult) for result in results)
    collector = TotalCollector(Aggregate(), Reporter(quiet=True), None)
    assert [text.index for text in collector.failed_texts(results)] == [7]
    (summary,) = summaries_of(collector.total, prepare(found, open_session(found.session), "json"))
    display = AttentionDisplay(("entropy", "self", "distance"), "", is_distance=head_distance)
    merged = summary_schema(INFO, display).to_json(summary)
    document = json.loads((tmp_path / "out.json").read_text())
    (single,) = document["records"]
    assert (merged["text_count"], merged["token_count"]) == (single["text_count"], single["token_count"])
    for ours, theirs in zip(merged["heads"], single["heads"], strict=True):
        wanted = {name: theirs[name] for name in ours}
        assert ours == {
            name: pytest.approx(each, rel=0, abs=1e-6) if isinstance(each, float) else each
            for name, each in wanted.items()
        }
    if head_distance:
        np.testing.assert_allclose(merged["head_distance"], single["head_distance"], rtol=0, atol=1e-6)


def test_the_order_of_merging_does_not_matter() -> None:
    draw = np.random.default_rng(0)
    counts = [3, 9, 12, 5]
    texts = [TextStatistics(count, draw.random((2, 2, 9), np.float32), draw.random((4, 4))) for count in counts]
    whole, parts = Aggregate(), [Aggregate(), Aggregate(), Aggregate()]
    for number, text in enumerate(texts):
        whole.add(text)
        parts[number % 2].add(text)
    merged = Aggregate()
    for part in reversed(parts):  # the last one is empty
        merged.merge(part)
    one, other = (each.summary([0, 1], [0, 1]) for each in (whole, merged))
    assert one is not None and other is not None
    assert replace(one, heads=[], head_distance=None) == replace(other, heads=[], head_distance=None)
    np.testing.assert_allclose(one.head_distance, other.head_distance, rtol=1e-12)
    for head, same in zip(one.heads, other.heads, strict=True):
        assert (head.label, head.entropy) == (same.label, pytest.approx(same.entropy, rel=1e-12))
    assert Aggregate().summary([0], [0]) is None
