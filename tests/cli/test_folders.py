"""Folders of fill-mask and attn: their rows are the records of JSON, also in a resumed run and in actors."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from bertcli.choices import OnError
from bertcli.cluster.tasks import ShardResult, ShardTask
from bertcli.cluster.workers import ShardEncoder, ShardWork
from bertcli.commands.attn.corpus import corpus_run as attn_run
from bertcli.commands.attn.request import AttnRequest
from bertcli.commands.corpus import CorpusRun
from bertcli.commands.fill_mask.corpus import corpus_run as fill_mask_run
from bertcli.commands.fill_mask.request import FillMaskRequest
from bertcli.commands.options import HeadOptions, MapOptions, PageOptions, PairOptions, TextOptions
from bertcli.input.records import TextRecord
from bertcli.model.request import SessionRequest
from bertcli.model.session import open_session
from bertcli.output.destination import OutputOptions
from bertcli.output.files.manifest import load_manifest, save_manifest
from bertcli.results.corpus import Manifest, ShardLimits
from tests.cli.process import assert_failed, run
from tests.tiny import WORDS

TEXTS = [" ".join(["how", "[MASK]", "are", *WORDS[: 1 + index * 3 % 7]]) for index in range(7)]
# Questions to ask of texts in rows with a text, one to compare with, a group and an expected word.
QUESTIONS = {
    "predictions": ("fill-mask", "--entropy", "--mass", "0.5", "--targets", "how,you"),
    "joint": ("fill-mask", "--joint"),
    "pieces": ("fill-mask", "--pieces", "1-2", "-k", "2"),
    "expected": ("fill-mask", "--target-field", "word", "--group-by", "group"),
    "score": ("fill-mask", "--score"),
    "words": ("fill-mask", "--score", "--words"),
    "pairs": ("fill-mask", "--score", "--versus", "versus", "--group-by", "group"),
    "lens": ("fill-mask", "--lens", "raw", "--targets", "how"),
    "mutual": ("fill-mask", "--mutual"),
    "head effects": ("fill-mask", "--head-effects"),
    "occlusion": ("fill-mask", "--attribute", "occlusion", "--words"),
    "windows": ("fill-mask", "--score", "--long", "windows", "--max-length", "8", "--overlap", "2"),
    "heads": ("attn",),
    "grouped heads": ("attn", "--group", "layer", "--stat", "entropy"),
    "one head": ("attn", "--layer", "0", "--head", "1", "--rows", "1-2"),
    "maps": ("attn", "--rollout", "--value-norms", "--words"),
    "strongest keys": ("attn", "--from", "how", "-k", "2"),
    "distances": ("attn", "--head-distance"),
}


@pytest.fixture
def lines(folder: Path) -> Path:
    """Return a file of rows with texts."""
    rows = [
        {"text": text, "versus": f"{text} the", "word": "you", "group": "ab"[number % 2], "id": f"t{number}"}
        for number, text in enumerate(TEXTS)
    ]
    (folder / "in.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return folder / "in.jsonl"


def rows(folder: Path) -> list[dict[str, Any]]:
    """Return the rows of a folder's shards, in order."""
    return [row for path in sorted(folder.glob("shard-*")) for row in pyarrow.parquet.read_table(path).to_pylist()]


def assert_like(row: Any, wanted: Any, *, rel: float = 1e-6, abs_: float = 1e-12) -> None:
    """Check that a row has the keys and values of a JSON object. A key that is missing there is null in the row."""
    if isinstance(row, dict):
        assert {key for key, value in wanted.items() if value is not None} <= {*row}
        for key, value in row.items():
            assert_like(value, wanted.get(key), rel=rel, abs_=abs_)
    elif isinstance(row, list):
        assert len(row) == len(wanted)
        for one, other in zip(row, wanted, strict=True):
            assert_like(one, other, rel=rel, abs_=abs_)
    elif row is None:
        assert wanted in (None, {}, False)
    else:
        assert row == (pytest.approx(wanted, rel=rel, abs=abs_) if isinstance(row, float) else wanted)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.mark.parametrize("question", QUESTIONS)
def test_rows_are_the_records_of_json(tiny: tuple[str, str], lines: Path, question: str) -> None:
    command, *options = QUESTIONS[question]
    options += [*tiny, "-f", "in.jsonl", "--id-field", "id", "-q"]
    run(command, *options, "-o", "out/", "--keep-text", "--shard-rows", "3", cwd=lines.parent).answer()
    wanted = run(command, *options, "--json", cwd=lines.parent).records()
    found = rows(lines.parent / "out")
    assert len(found) == len(TEXTS)
    for row, record in zip(found, wanted, strict=True):
        # Batches of other shapes are computed here.
        assert_like(row, {**record, "truncated": row.get("truncated")}, rel=1e-4, abs_=2e-5)
    content = json.loads((lines.parent / "out" / "manifest.json").read_text())
    assert (content["command"], content["rows"], content["complete"]) == (command, len(TEXTS), True)
    assert [shard["rows"] for shard in content["shards"]] == [3, 3, 1]


@pytest.mark.parametrize("question", ["pairs", "score", "heads", "maps"])
def test_a_resumed_run_ends_with_the_same_bytes(tiny: tuple[str, str], lines: Path, question: str) -> None:
    arguments = [*QUESTIONS[question], *tiny, "-f", "in.jsonl", "-o", "out/", "--shard-rows", "2", "-q"]
    folder = lines.parent / "out"
    run(*arguments, cwd=lines.parent).answer()
    whole, manifest = contents(folder), load_manifest(folder)
    assert manifest is not None
    save_manifest(replace(manifest, shards=manifest.shards[:2], is_complete=False), folder)
    (folder / manifest.shards[3].file).unlink()
    run(*arguments, "--resume", cwd=lines.parent).answer()
    assert contents(folder) == whole


def test_a_run_with_other_options_is_not_resumed(tiny: tuple[str, str], lines: Path) -> None:
    (lines.parent / "words").write_text("how\nyou\n")
    arguments = ["fill-mask", *tiny, "-f", "in.jsonl", "-o", "out/", "-q", "--targets", "@words"]
    run(*arguments, cwd=lines.parent).answer()
    other_k = run(*arguments, "-k", "2", "--resume", cwd=lines.parent)
    assert_failed(other_k, 1, "out/ was started without --top-k")
    (lines.parent / "words").write_text("how\nare\n")
    other_words = run(*arguments, "--resume", cwd=lines.parent)
    assert_failed(other_words, 1, "out/ was started with other words in the file of --targets")


def test_failed_texts_have_rows(tiny: tuple[str, str], folder: Path) -> None:
    (folder / "in.txt").write_text("how are you\n\nyou\n")
    arguments = ["-f", "in.txt", *tiny, "-o", "out/"]
    finished = run("fill-mask", "--score", *arguments, "--on-error", "skip", cwd=folder)
    assert (finished.exit_code, "line 2: the text is empty" in finished.stderr) == (1, True)
    assert [(row["index"], row["line"], row["score"] is None) for row in rows(folder / "out")] == [
        (0, 1, False), (1, 2, True), (2, 3, False),
    ]  # fmt: skip


def test_chosen_fields_are_the_columns(tiny: tuple[str, str], folder: Path) -> None:
    (folder / "in.txt").write_text("how are you\nyou\n")
    arguments = ("fill-mask", "--score", "-f", "in.txt", *tiny, "-o", "out/", "-q", "--fields", "index,perplexity")
    run(*arguments, cwd=folder).answer()
    first, _ = rows(folder / "out")
    assert (list(first), list(first["score"])) == (["index", "score"], ["perplexity"])
    run(*arguments, "--resume", cwd=folder).answer()
    wrong = run("fill-mask", "--mutual", "how are you", *tiny, "-o", "new/", "--fields", "distance", cwd=folder)
    assert_failed(wrong, 2, "--fields has distance, a column of TSV and CSV that a folder does not have")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("fill-mask", "--target-field", "word", "--aggregate", "-f", "in.jsonl", "-o", "out/"), "--aggregate shows"),
        (("attn", "--aggregate", "-f", "in.jsonl", "-o", "out/"), "--aggregate shows one summary"),
        (("attn", "--long", "windows", "-f", "in.jsonl", "-o", "out/"), "--long windows shows each window"),
        (("attn", "how", "--shard-rows", "2"), "--shard-rows needs a folder (-o out/), not TSV"),
        (("fill-mask", "how", "--resume", "-o", "out.json"), "--resume needs a folder (-o out/), not JSON"),
        (("fill-mask", "how", "--keep-text"), "--keep-text needs a folder"),
        (("fill-mask", "-f", "in.jsonl", "--ray"), "--ray needs a folder"),
        (("fill-mask", "-", "-o", "out/", "--ray"), "--ray cannot read standard input"),
        (("attn", "how", "--actors", "2"), "--actors needs --ray"),
        (("attn", "--aggregate", "-", "--ray"), "--ray cannot read standard input"),
        (("attn", "--aggregate", "-f", "in.jsonl", "--shard-rows", "2"), "--shard-rows needs a folder"),
        (("attn", "--expansion", "-o", "out/"), "attn cannot write a folder"),
    ],
)
def test_what_is_no_row_is_refused(lines: Path, arguments: Sequence[str], words: str) -> None:
    assert_failed(run(*arguments, cwd=lines.parent), 2, words)
    assert [path.name for path in lines.parent.iterdir()] == ["in.jsonl"]


def actor_rows(found: CorpusRun, texts: Sequence[TextRecord], folder: Path) -> list[dict[str, Any]]:
    """Return the rows that an actor writes for one shard."""
    work = ShardWork(
        source=found.source,
        on_error=OnError.STOP,
        session=found.session,
        manifest=Manifest({}, ShardLimits(len(texts))),
        working_folder=str(Path.cwd()),
        command=found.command,
        info=found.info(open_session(found.session)),
        folder=folder,
    )
    folder.mkdir()
    result = ShardEncoder(work)(ShardTask(0, list(texts), "", None, 0))
    assert isinstance(result, ShardResult)
    assert result.counts.done == len(texts)
    return rows(folder)


def test_an_actor_writes_the_rows_of_a_run_without_ray(tiny: tuple[str, str], lines: Path) -> None:
    texts, model = TextOptions(), SessionRequest(tiny[1], device="cpu")
    pairs = FillMaskRequest(texts, model, OutputOptions(), score=True, pairs=PairOptions(versus="versus"))
    heads = AttnRequest(texts, model, OutputOptions(), HeadOptions(), MapOptions(), PageOptions())
    records = [TextRecord(index, text, versus=f"{text} the") for index, text in enumerate(TEXTS)]
    options = ("-f", "in.jsonl", *tiny, "-q")
    for command, request in {
        ("fill-mask", "--score", "--versus", "versus"): fill_mask_run(pairs),
        ("attn",): attn_run(heads),
    }.items():
        folder = lines.parent / command[0]
        run(*command, *options, "-o", f"{folder.name}/", cwd=lines.parent).answer()
        found = actor_rows(request, records, folder.with_name(f"{folder.name}-actor"))
        for row, wanted in zip(found, rows(folder), strict=True):
            assert_like(row, {**wanted, "line": None}, rel=1e-4, abs_=2e-5)
