"""encode over many texts: Parquet, folders of shards, what is refused, and the line that sums up."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest
from safetensors.numpy import load_file

from tests.cli.process import Finished, assert_failed, environment, run
from tests.input.files import WRITERS

WORDS = ["how", "are", "you", "the", "cat", "sat", "on", "the", "mat"]
LINES = [" ".join(WORDS[: 1 + index * 5 % 9]) for index in range(23)]
SUMMARY = re.compile(
    r"bertcli: ([\d,]+) rows?, ([\d,]+) tokens, (\d+) truncated, (\d+) skipped(?:, ([\d,]+) repeated)?\n"
    r"bertcli: [\d.,]+ s, [\d,]+ tokens/s, [\d.]+% padding\n"
)


@pytest.fixture
def lines(folder: Path) -> Path:
    """A file of 23 texts of nine lengths."""
    (folder / "in.txt").write_text("".join(f"{line}\n" for line in LINES))
    return folder / "in.txt"


def rows(*paths: Path) -> list[dict[str, Any]]:
    """The rows of Parquet files, one after another."""
    return [row for path in paths for row in pyarrow.parquet.read_table(path).to_pylist()]


def shards(folder: Path) -> list[Path]:
    """The files of a folder that hold rows."""
    return sorted(folder.glob("shard-*.parquet"))


def summed_up(finished: Finished) -> list[int]:
    """Rows, tokens, truncated, skipped, and repeated if any, of the lines that sum up, which are all that it says."""
    assert finished.exit_code == 0, finished
    found = SUMMARY.fullmatch(finished.stderr)
    assert found is not None, finished.stderr
    return [int(number.replace(",", "")) for number in found.groups() if number is not None]


def test_parquet_has_what_json_has(tiny: tuple[str, str], lines: Path) -> None:
    records = run("encode", "-f", lines, *tiny, "--json").records()
    run("encode", "-f", lines, *tiny, "-o", lines.with_name("out.parquet")).answer()
    found = rows(lines.with_name("out.parquet"))
    assert [list(row) for row in found] == [["id", "n_tokens", "truncated", "embedding"]] * len(LINES)
    for row, record in zip(found, records, strict=True):
        assert (row["id"], row["n_tokens"], row["truncated"]) == (record["index"], len(record["tokens"]), False)
        np.testing.assert_allclose(row["embedding"], record["embedding"], rtol=0, atol=1e-5)


def test_parquet_has_further_columns_as_asked(tiny: tuple[str, str], folder: Path) -> None:
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


def test_pairs_have_both_sentences_and_whether_b_follows(tiny: tuple[str, str], folder: Path) -> None:
    run("encode", "how", "--pair", "you", *tiny, "--keep-text", "-o", "out.parquet", cwd=folder).answer()
    [row] = rows(folder / "out.parquet")
    assert (row["text"], row["pair"]) == ("how", "you")
    assert 0 < row["next_sentence"] < 1


@pytest.mark.parametrize("name", ["out.npy", "out.safetensors", "out.npz", "out.parquet"])
def test_vectors_may_be_written_in_half_precision(tiny: tuple[str, str], lines: Path, name: str) -> None:
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
    assert summed_up(finished)[0] == len(LINES)
    assert [path.name for path in sorted(folder.iterdir())] == [
        "manifest.json", "shard-00000.parquet", "shard-00001.parquet", "shard-00002.parquet",
    ]  # fmt: skip
    manifest = json.loads((folder / "manifest.json").read_text())
    assert [shard["rows"] for shard in manifest["shards"]] == [10, 10, 3]
    assert (manifest["complete"], manifest["rows"], manifest["model"]) == (True, 23, tiny[1])
    assert (manifest["engine"], manifest["options"]["pool"]) == ("numpy", "mean")
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
        assert "skipped 1 text without an answer" in finished.stderr
    for path in (folder / "out.parquet", folder / "out" / "shard-00000.parquet"):
        found = rows(path)
        assert [row["id"] for row in found] == [0, 1, 2]
        assert found[1] == {"id": 1, "n_tokens": None, "truncated": None, "embedding": None}
    assert json.loads((folder / "out" / "manifest.json").read_text())["skipped"] == 1


def test_a_bad_text_leaves_neither_a_file_nor_a_folder(tiny: tuple[str, str], folder: Path) -> None:
    (folder / "in.jsonl").write_text('{"text": "how"}\n{"text": \n')
    for name in ("out/", "out.parquet"):
        finished = run("encode", "-f", "in.jsonl", *tiny, "-o", name, cwd=folder)
        assert_failed(finished, 1, "in.jsonl, line 2", "not JSON")
    assert [path.name for path in folder.iterdir()] == ["in.jsonl"]


def test_equal_texts_have_equal_vectors_and_are_computed_once(tiny: tuple[str, str], folder: Path) -> None:
    (folder / "in.txt").write_text("how are you\nthe cat\n" * 600)
    for name in ("once.npy", "each.npy"):
        options = ("--dedupe",) if name == "once.npy" else ()
        finished = run("encode", "-f", "in.txt", *tiny, *options, "-o", name, cwd=folder)
        assert summed_up(finished) == [1200, 600 * 9, 0, 0, *([1198] if options else [])]
    once, each = (np.load(folder / name) for name in ("once.npy", "each.npy"))
    assert len(np.unique(once, axis=0)) == 2
    np.testing.assert_allclose(once, each, rtol=0, atol=1e-5)


def test_only_a_long_run_or_a_folder_is_summed_up(tiny: tuple[str, str], folder: Path) -> None:
    (folder / "short.txt").write_text("how\n" * 999)
    (folder / "long.txt").write_text("how\n" * 1000)
    assert run("encode", "-f", "short.txt", *tiny, "-o", "short.npy", cwd=folder).answer()
    assert summed_up(run("encode", "-f", "long.txt", *tiny, "-o", "long.npy", cwd=folder)) == [1000, 3000, 0, 0]
    assert run("encode", "-f", "long.txt", *tiny, "-o", "quiet.npy", "-q", cwd=folder).answer()
    assert summed_up(run("encode", "how", *tiny, "-o", "out/", cwd=folder)) == [1, 3, 0, 0]
    truncated = run("encode", "-f", "long.txt", *tiny, "-o", "cut/", "--max-length", "3", cwd=folder)
    assert summed_up(truncated)[2] == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("-o", "out.npy", "--keep-text"), ("--keep-text", ".parquet")),
        (("-o", "out.npy", "--resume"), ("--resume", "a folder (-o out/)")),
        (("-o", "out.parquet", "--shard-rows", "5"), ("--shard-rows", "a folder (-o out/)")),
        (("--json", "--dtype-out", "float16"), ("json has no place for --dtype-out",)),
        (("--dedupe",), ("tsv has no place for --dedupe",)),
        (("-o", "out.parquet", "--similarity"), ("--similarity",)),
        (("-o", "out.parquet", "--tokens", "--dedupe"), ("--dedupe keeps a vector for each text",)),
        (("-o", "out.safetensors", "--dedupe"), ("--dedupe keeps a vector for each text",)),
        (("-o", "out/", "--layers", "0", "--pool", "pooler"), ("--layers in Parquet",)),
        (("-o", "out/", "--json"), ("--format json", "out")),
    ],
)
def test_what_has_no_place_or_no_meaning_is_wrong_usage(
    tiny: tuple[str, str], folder: Path, arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    assert_failed(run("encode", "how", *tiny, *arguments, cwd=folder), 2, *words)
    assert list(folder.iterdir()) == []


def test_a_file_that_is_there_is_not_what_is_wrong_first(tiny: tuple[str, str], folder: Path) -> None:
    (folder / "out.parquet").write_bytes(b"of an earlier run")
    finished = run("encode", "how", *tiny, "-o", "out.parquet", "--resume", cwd=folder)
    assert_failed(finished, 2, "parquet has no place for --resume")
    assert "--force" not in finished.stderr


@pytest.mark.parametrize("option", ["--pooler", "--tokens"])
def test_where_a_file_has_no_place_another_file_is_named(tiny: tuple[str, str], folder: Path, option: str) -> None:
    finished = run("encode", "how", *tiny, "-o", "out.npy", option, cwd=folder)
    assert_failed(finished, 2, f".npy has no place for {option}")
    assert f"hint: use -o out.parquet, or leave {option} out" in finished.stderr


def test_other_commands_write_no_folder(tiny: tuple[str, str], folder: Path) -> None:
    assert_failed(run("attn", "how", *tiny, "-o", "out/", cwd=folder), 2, "writes no file without a suffix")


def test_a_name_without_a_suffix_is_told_how_to_be_a_folder(tiny: tuple[str, str], folder: Path) -> None:
    finished = run("encode", "how", *tiny, "-o", "out", cwd=folder)
    assert_failed(finished, 2, "out: this command writes no file without a suffix")
    assert finished.stderr.endswith(", or out/ for a folder\n")


def test_a_folder_in_a_folder_that_is_not_there_is_an_error(folder: Path) -> None:
    finished = run("encode", "how", "-m", "no-such-model", "-o", "missing/out/", cwd=folder)
    assert_failed(finished, 1, "there is no folder 'missing'")


def test_without_pyarrow_parquet_is_an_error_that_says_what_to_install(tiny: tuple[str, str], folder: Path) -> None:
    (folder / "pyarrow.py").write_text("raise ModuleNotFoundError(\"No module named 'pyarrow'\", name='pyarrow')\n")
    path = ":".join([str(folder), *filter(None, [environment().get("PYTHONPATH")])])
    for name in ("out.parquet", "out/"):
        finished = run("encode", "how", *tiny, "-o", name, cwd=folder, env={"PYTHONPATH": path})
        assert_failed(finished, 1, "pyarrow, which is not installed")
        assert finished.stderr.splitlines()[1] == "hint: pip install pyarrow"
    assert [path.name for path in folder.iterdir() if path.name != "__pycache__"] == ["pyarrow.py"]


def test_an_array_has_no_place_for_ids(tiny: tuple[str, str], folder: Path) -> None:
    WRITERS[".jsonl"](folder / "in.jsonl", [("b", "the cat sat"), ("a", "how")])
    for name in ("out.npy", "out.safetensors"):
        finished = run("encode", "-f", "in.jsonl", "--id-field", "id", *tiny, "-o", name, cwd=folder)
        assert_failed(finished, 2, "no place for --id-field", ".parquet")
