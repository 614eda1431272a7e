"""Tests of encode over many texts: Parquet, folders of shards, wrong usage, and the summary."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest
from safetensors.numpy import load_file

from tests.cli.process import WRITTEN, Finished, assert_failed, environment, run
from tests.input.files import WRITERS

WORDS = ["how", "are", "you", "the", "cat", "sat", "on", "the", "mat"]
LINES = [" ".join(WORDS[: 1 + index * 5 % 9]) for index in range(23)]
SUMMARY = re.compile(
    r"bertcli: ([\d,]+) rows?, ([\d,]+) tokens, (\d+) truncated, (\d+) skipped(?:, ([\d,]+) repeated)?\n"
    r"bertcli: [\d.,]+ s, [\d,]+ tokens/s, [\d.]+ % padding\n"
)


@pytest.fixture
def lines(folder: Path) -> Path:
    """Return a file of 23 texts of nine lengths."""
    (folder / "in.txt").write_text("".join(f"{line}\n" for line in LINES))
    return folder / "in.txt"


def rows(*paths: Path) -> list[dict[str, Any]]:
    """Return the rows of Parquet files, one file after another."""
    return [row for path in paths for row in pyarrow.parquet.read_table(path).to_pylist()]


def shards(folder: Path) -> list[Path]:
    """Return the shards of a folder."""
    return sorted(folder.glob("shard-*.parquet"))


def summary(finished: Finished) -> list[int]:
    """Return rows, tokens, truncated, skipped, and repeated if any, of the summary, the end of stderr."""
    assert finished.exit_code == 0, finished
    found = SUMMARY.fullmatch(WRITTEN.sub("", finished.stderr))
    assert found is not None, finished.stderr
    return [int(number.replace(",", "")) for number in found.groups() if number is not None]


def test_parquet_holds_the_same_values_as_json(tiny: tuple[str, str], lines: Path) -> None:
    records = run("encode", "-f", lines, *tiny, "--json").records()
    run("encode", "-f", lines, *tiny, "-o", lines.with_name("out.parquet")).answer()
    found = rows(lines.with_name("out.parquet"))
    assert [list(row) for row in found] == [["id", "n_tokens", "truncated", "embedding"]] * len(LINES)
    for row, record in zip(found, records, strict=True):
        assert (row["id"], row["n_tokens"], row["truncated"]) == (record["index"], len(record["tokens"]), False)
        np.testing.assert_allclose(row["embedding"], record["embedding"], rtol=0, atol=1e-5)


def test_options_add_columns_to_parquet(tiny: tuple[str, str], folder: Path) -> None:
    WRITERS[".jsonl"](folder / "in.jsonl", [("b", "the cat sat"), ("a", "how")])
    options = ("-f", "in.jsonl", "--id-field", "id", "--layers", "0,-1", "--pooler", "--tokens", *tiny)
    run("encode", *options, "--keep-text", "--normalize", "-o", "out.parquet", cwd=folder).answer()
    records = run("encode", *options, "--normalize", "--json", cwd=folder).records()
    found = rows(folder / "out.parquet")
    assert list(found[0]) == [
        "id", "text", "n_tokens", "truncated", "embedding", "pooler_output", "layer_0", "layer_2",
        "tokens", "token_vectors", "layer_0_token_vectors", "layer_2_token_vectors",
    ]  # fmt: skip
    for row, record in zip(found, records, strict=True):
        assert {name: row[name] for name in ("id", "text", "tokens")} == {
            name: record[name] for name in ("id", "text", "tokens")
        }
        for name, wanted in {
            "embedding": record["embedding"],
            "layer_2": record["embedding"],
            "pooler_output": record["pooler_output"],
            "token_vectors": record["token_vectors"],
            "layer_0_token_vectors": record["hidden_states"][0],
            "layer_2_token_vectors": record["hidden_states"][1],
        }.items():
            np.testing.assert_allclose(row[name], wanted, rtol=1e-5, atol=1e-5, err_msg=name)
        first = np.mean(record["hidden_states"][0], axis=0)
        np.testing.assert_allclose(row["layer_0"], first / np.linalg.norm(first), rtol=1e-4, atol=1e-5)


def test_pairs_have_both_sentences_and_the_next_sentence_probability(tiny: tuple[str, str], folder: Path) -> None:
    run("encode", "how", "--pair", "you", *tiny, "--keep-text", "-o", "out.parquet", cwd=folder).answer()
    [row] = rows(folder / "out.parquet")
    assert (row["text"], row["pair"]) == ("how", "you")
    assert 0 < row["next_sentence"] < 1


@pytest.mark.parametrize("name", ["out.npy", "out.safetensors", "out.npz", "out.parquet"])
def test_vectors_can_be_written_in_float16(tiny: tuple[str, str], lines: Path, name: str) -> None:
    path = lines.with_name(name)
    run("encode", "-f", lines, *tiny, "--dtype-out", "float16", "-o", path).answer()
    if path.suffix == ".parquet":
        assert str(pyarrow.parquet.read_schema(path).field("embedding").type).startswith(
            "fixed_size_list<element: half"
        )
        return
    loaded = load_file(path) if path.suffix == ".safetensors" else np.load(path)
    array = loaded if path.suffix == ".npy" else loaded["last_hidden_state"]
    assert array.dtype == np.float16
    if path.suffix == ".npy":
        run("encode", "-f", lines, *tiny, "-o", lines.with_name("whole.npy")).answer()
        np.testing.assert_array_equal(array, np.load(lines.with_name("whole.npy")).astype(np.float16))


@pytest.mark.parametrize("name", ["out/", "out"])
def test_a_folder_has_shards_and_a_manifest(tiny: tuple[str, str], lines: Path, name: str) -> None:
    folder = lines.parent / "out"
    if not name.endswith("/"):
        folder.mkdir()
    finished = run("encode", "-f", lines, *tiny, "-o", name, "--shard-rows", "10", "--keep-text", cwd=lines.parent)
    assert summary(finished)[0] == len(LINES)
    assert [path.name for path in sorted(folder.iterdir())] == [
        "manifest.json", "shard-00000.parquet", "shard-00001.parquet", "shard-00002.parquet",
    ]  # fmt: skip
    manifest = json.loads((folder / "manifest.json").read_text())
    assert [shard["rows"] for shard in manifest["shards"]] == [10, 10, 3]
    assert (manifest["complete"], manifest["rows"], manifest["model"]) == (True, 23, tiny[1])
    assert (manifest["engine"], manifest["options"]["pool"]) == ("numpy", "auto")
    found = rows(*shards(folder))
    assert [(row["id"], row["text"]) for row in found] == list(enumerate(LINES))
    run("encode", "-f", lines, *tiny, "-o", lines.with_name("out.npy")).answer()
    np.testing.assert_allclose(
        [row["embedding"] for row in found], np.load(lines.with_name("out.npy")), rtol=0, atol=1e-5
    )


def test_a_skipped_text_is_a_row_without_a_vector(tiny: tuple[str, str], folder: Path) -> None:
    (folder / "in.txt").write_text("how\n\nyou\n")
    for name in ("out.parquet", "out/"):
        finished = run("encode", "-f", "in.txt", *tiny, "-o", name, "--on-error", "skip", cwd=folder)
        assert finished.exit_code == 1
        assert "bertcli: error: skipped 1 failed text\n" in finished.stderr
    for path in (folder / "out.parquet", folder / "out" / "shard-00000.parquet"):
        found = rows(path)
        assert [row["id"] for row in found] == [0, 1, 2]
        assert found[1] == {"id": 1, "n_tokens": None, "truncated": None, "embedding": None}
    assert json.loads((folder / "out" / "manifest.json").read_text())["skipped"] == 1


def test_a_malformed_row_leaves_no_file_and_no_folder(tiny: tuple[str, str], folder: Path) -> None:
    (folder / "in.jsonl").write_text('{"text": "how"}\n{"text": \n')
    for name in ("out/", "out.parquet"):
        finished = run("encode", "-f", "in.jsonl", *tiny, "-o", name, cwd=folder)
        assert_failed(finished, 1, "in.jsonl, line 2", "not JSON")
    assert [path.name for path in folder.iterdir()] == ["in.jsonl"]


def test_dedupe_computes_equal_texts_once(tiny: tuple[str, str], folder: Path) -> None:
    (folder / "in.txt").write_text("how are you\nthe cat\n" * 600)
    for name in ("once.npy", "each.npy"):
        options = ("--dedupe",) if name == "once.npy" else ()
        finished = run("encode", "-f", "in.txt", *tiny, *options, "-o", name, cwd=folder)
        assert summary(finished) == [1200, 600 * 9, 0, 0, *([1198] if options else [])]
    once, each = (np.load(folder / name) for name in ("once.npy", "each.npy"))
    assert len(np.unique(once, axis=0)) == 2
    np.testing.assert_allclose(once, each, rtol=0, atol=1e-5)


def test_only_a_long_run_or_a_folder_has_a_summary(tiny: tuple[str, str], folder: Path) -> None:
    (folder / "short.txt").write_text("how\n" * 999)
    (folder / "long.txt").write_text("how\n" * 1000)
    assert run("encode", "-f", "short.txt", *tiny, "-o", "short.npy", cwd=folder).answer()
    assert summary(run("encode", "-f", "long.txt", *tiny, "-o", "long.npy", cwd=folder)) == [1000, 3000, 0, 0]
    assert run("encode", "-f", "long.txt", *tiny, "-o", "quiet.npy", "-q", cwd=folder).answer()
    assert summary(run("encode", "how", *tiny, "-o", "out/", cwd=folder)) == [1, 3, 0, 0]
    truncated = run("encode", "-f", "long.txt", *tiny, "-o", "cut/", "--max-length", "3", cwd=folder)
    assert summary(truncated)[2] == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("-o", "out.npy", "--keep-text"), ("--keep-text is not available in .npy",)),
        (("-o", "out.npy", "--resume"), ("--resume needs a folder (-o out/), not .npy",)),
        (("-o", "out.parquet", "--shard-rows", "5"), ("--shard-rows needs a folder (-o out/), not .parquet",)),
        (("--json", "--dtype-out", "float16"), ("--dtype-out is not available in JSON",)),
        (("--dedupe",), ("--dedupe is not available in TSV",)),
        (("-o", "out.parquet", "--similarity"), ("--similarity",)),
        (("-o", "out.parquet", "--tokens", "--dedupe"), ("--dedupe keeps one vector for each text",)),
        (("-o", "out.safetensors", "--dedupe"), ("--dedupe keeps one vector for each text",)),
        (("-o", "out/", "--layers", "0", "--pool", "pooler"), ("--layers in Parquet",)),
        (("-o", "out/", "--json"), ("--format json", "out")),
    ],
)
def test_options_that_do_not_fit_the_output_are_wrong_usage(
    tiny: tuple[str, str], folder: Path, arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    assert_failed(run("encode", "how", *tiny, *arguments, cwd=folder), 2, *words)
    assert list(folder.iterdir()) == []


def test_wrong_usage_is_reported_before_an_existing_file(tiny: tuple[str, str], folder: Path) -> None:
    (folder / "out.parquet").write_bytes(b"of an earlier run")
    finished = run("encode", "how", *tiny, "-o", "out.parquet", "--resume", cwd=folder)
    assert_failed(finished, 2, "--resume needs a folder (-o out/), not .parquet")
    assert "--force" not in finished.stderr


@pytest.mark.parametrize("option", ["--pooler", "--tokens"])
def test_the_hint_names_a_file_that_can_hold_the_option(tiny: tuple[str, str], folder: Path, option: str) -> None:
    finished = run("encode", "how", *tiny, "-o", "out.npy", option, cwd=folder)
    assert_failed(finished, 2, f"{option} is not available in .npy")
    assert f"hint: use -o out.parquet instead of -o out.npy, or leave {option} out" in finished.stderr


def test_shapes_cannot_write_a_folder(tiny: tuple[str, str], folder: Path) -> None:
    assert_failed(run("shapes", "how", *tiny, "-o", "out/", cwd=folder), 2, "out: shapes cannot write a folder")


def test_the_hint_shows_how_to_name_a_folder(tiny: tuple[str, str], folder: Path) -> None:
    finished = run("encode", "how", *tiny, "-o", "out", cwd=folder)
    assert_failed(finished, 2, "out: encode cannot write a file without a suffix")
    assert finished.stderr.endswith(", or out/ for a folder\n")


def test_a_folder_in_a_missing_folder_is_an_error(folder: Path) -> None:
    finished = run("encode", "how", "-m", "no-such-model", "-o", "missing/out/", cwd=folder)
    assert_failed(finished, 1, "there is no folder 'missing'")


def test_a_missing_pyarrow_is_an_error_with_its_install_command(tiny: tuple[str, str], folder: Path) -> None:
    (folder / "pyarrow.py").write_text("raise ModuleNotFoundError(\"No module named 'pyarrow'\", name='pyarrow')\n")
    path = ":".join([str(folder), *filter(None, [environment().get("PYTHONPATH")])])
    for name in ("out.parquet", "out/"):
        finished = run("encode", "how", *tiny, "-o", name, cwd=folder, env={"PYTHONPATH": path})
        assert_failed(finished, 1, "pyarrow, which is not installed")
        assert finished.stderr.splitlines()[1] == "hint: pip install pyarrow"
    assert [path.name for path in folder.iterdir() if path.name != "__pycache__"] == ["pyarrow.py"]


def test_arrays_cannot_hold_ids(tiny: tuple[str, str], folder: Path) -> None:
    WRITERS[".jsonl"](folder / "in.jsonl", [("b", "the cat sat"), ("a", "how")])
    for name in ("out.npy", "out.safetensors"):
        finished = run("encode", "-f", "in.jsonl", "--id-field", "id", *tiny, "-o", name, cwd=folder)
        assert_failed(finished, 2, f"--id-field is not available in {Path(name).suffix}")
        assert f"hint: use -o out.parquet instead of -o {name}, or leave --id-field out" in finished.stderr
