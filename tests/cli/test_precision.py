"""Runs in reduced precision report their distance from float32."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from bertcli.output.files.manifest import load_manifest, save_manifest
from tests.cli.process import run

REDUCED = ("--engine", "torch", "--device", "cpu", "--dtype", "bfloat16")
LINE = re.compile(
    r"^bertcli: bfloat16: cosine to float32 mean 0\.99\d+, min 0\.9\d+ over (\d+) texts?(.*)$", re.MULTILINE
)


@pytest.mark.parametrize(("command", "masks"), [("fill-mask", 2), ("encode", None), ("attn", None)])
def test_json_and_stderr_have_the_distance(command: str, masks: int | None) -> None:
    texts = ("how [MASK] you", "the [MASK] sat") if masks else ("how are you", "the cat sat")
    finished = run(command, *texts, *REDUCED, "--json")
    assert finished.exit_code == 0
    found = json.loads(finished.stdout)["precision"]
    assert found["texts"] == 2
    assert 0.99 < found["min_cosine"] <= found["mean_cosine"] < 1
    assert found.get("masks") == masks
    shown = LINE.search(finished.stderr)
    assert shown is not None and shown[1] == "2"
    assert shown[2].startswith("; same top prediction for 2 of 2 masks, " if masks else "") and bool(shown[2]) == bool(
        masks
    )


def test_scores_are_compared_at_a_masked_token_of_each_text() -> None:
    finished = run("fill-mask", "--score", "how are you", "the cat sat", *REDUCED, "--json", "-q")
    assert json.loads(finished.answer().stdout)["precision"]["masks"] == 2


def test_a_page_reports_the_distance_on_stderr(tmp_path: Path) -> None:
    finished = run("attn", "how are you", *REDUCED, "--html", "page.html", cwd=tmp_path)
    assert LINE.search(finished.stderr)


def test_float32_and_quiet_runs_report_nothing() -> None:
    assert "precision" not in json.loads(run("encode", "how are you", "--engine", "torch", "--json").answer().stdout)
    assert run("encode", "how are you", *REDUCED, "-q").answer().stderr == ""


def test_the_manifest_of_a_folder_has_the_distance_also_after_it_is_resumed(tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("how are you\nthe cat sat\n")
    options = ("encode", "-f", "in.txt", "-o", "out/", *REDUCED)
    assert LINE.search(run(*options, cwd=tmp_path).stderr)
    first = json.loads((tmp_path / "out" / "manifest.json").read_bytes())["precision"]
    assert first["texts"] == 2 and first["min_cosine"] > 0.99
    assert LINE.search(run(*options, "--resume", cwd=tmp_path).stderr) is None
    assert json.loads((tmp_path / "out" / "manifest.json").read_bytes())["precision"] == first


@pytest.mark.parametrize("command", [("encode",), ("fill-mask", "--score")])
def test_a_resumed_run_samples_the_texts_of_its_finished_shards_too(tmp_path: Path, command: Sequence[str]) -> None:
    (tmp_path / "in.txt").write_text("how are you\nthe cat sat\nit is late\nwe are here\nyou sat\n")
    options = (*command, "-f", "in.txt", "-o", "out/", "--shard-rows", "2", "-q", *REDUCED)
    folder = tmp_path / "out"
    run(*options, cwd=tmp_path).answer()
    whole, manifest = folder_contents(folder), load_manifest(folder)
    assert manifest is not None and manifest.precision is not None and manifest.precision.texts == 5
    save_manifest(replace(manifest, shards=manifest.shards[:2], is_complete=False, precision=None), folder)
    (folder / manifest.shards[2].file).unlink()
    run(*options, "--resume", cwd=tmp_path).answer()
    assert folder_contents(folder) == whole


def folder_contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
