"""Runs in reduced precision report their distance from float32."""

import json
import re
from pathlib import Path

import pytest

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
    assert ("equal top predictions of 2 masks" in shown[2]) == (masks is not None)


def test_float32_and_quiet_runs_report_nothing() -> None:
    assert "precision" not in json.loads(run("encode", "how are you", "--engine", "torch", "--json").answer().stdout)
    assert run("encode", "how are you", *REDUCED, "-q").answer().stderr == ""


def test_the_manifest_of_a_folder_has_the_distance_also_after_it_is_resumed(tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("how are you\nthe cat sat\n")
    options = ("encode", "-f", "in.txt", "-o", "out/", *REDUCED)
    assert LINE.search(run(*options, cwd=tmp_path).stderr)
    first = json.loads((tmp_path / "out" / "manifest.json").read_bytes())["precision"]
    assert first["texts"] == 2 and first["min_cosine"] > 0.99
    assert run(*options, "--resume", cwd=tmp_path).exit_code == 0
    assert json.loads((tmp_path / "out" / "manifest.json").read_bytes())["precision"] == first
