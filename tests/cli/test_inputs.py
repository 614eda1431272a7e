"""Texts from files of every format, in every command, and the errors of bad files."""

import json
import os
import shutil
from pathlib import Path

import pytest

from tests.cli.process import assert_failed, environment, run
from tests.input.files import COMPRESSIONS, WRITERS

ENTRIES = [("one", "how [MASK] you"), ("two", "the [MASK] sat")]


@pytest.mark.parametrize("command", ["encode", "fill-mask", "attn"])
@pytest.mark.parametrize("suffix", WRITERS)
def test_a_record_has_the_id_of_its_row(tiny: tuple[str, str], folder: Path, command: str, suffix: str) -> None:
    WRITERS[suffix](folder / f"in{suffix}", ENTRIES)
    records = run(command, "-f", f"in{suffix}", "--id-field", "id", *tiny, "--json", cwd=folder).records()
    assert [(record["index"], record["id"], record["text"]) for record in records] == [
        (0, "one", "how [MASK] you"),
        (1, "two", "the [MASK] sat"),
    ]


@pytest.mark.parametrize("command", ["encode", "fill-mask", "attn"])
def test_the_id_is_the_last_column(tiny: tuple[str, str], folder: Path, command: str) -> None:
    WRITERS[".csv"](folder / "in.csv", ENTRIES)
    header, *rows = run(command, "-f", "in.csv", "--id-column", "id", *tiny, cwd=folder).rows()
    assert header[-1] == "text_id"
    assert dict.fromkeys(row[-1] for row in rows) == dict.fromkeys(["one", "two"])
    assert header[:-1] == run(command, "-", *tiny, stdin="how [MASK] you").rows()[0]


def test_shapes_reads_texts_of_rows(tiny: tuple[str, str], folder: Path) -> None:
    WRITERS[".jsonl"](folder / "in.jsonl", ENTRIES)
    document = run("shapes", "-f", "in.jsonl", *tiny, "--json", cwd=folder).json()
    assert (document["batch_size"], document["sequence_length"]) == (2, 5)


def test_rows_come_from_standard_input_too(tiny: tuple[str, str]) -> None:
    lines = "".join(json.dumps({"text": text}) + "\n" for _, text in ENTRIES)
    records = run("encode", "-", "--input-format", "jsonl", *tiny, "--json", stdin=lines).records()
    assert [record["text"] for record in records] == [text for _, text in ENTRIES]


def test_several_files_are_named_in_json(tiny: tuple[str, str], folder: Path) -> None:
    (folder / "a.txt").write_text("how\n")
    (folder / "b.txt").write_text("you\n")
    for files in (("-f", "a.txt", "-f", "b.txt"), ("-f", "*.txt")):
        records = run("encode", *files, *tiny, "--json", cwd=folder).records()
        assert [(record["file"], record["line"], record["text"]) for record in records] == [
            ("a.txt", 1, "how"),
            ("b.txt", 1, "you"),
        ]


def test_a_bad_line_names_its_file_and_leaves_no_output(tiny: tuple[str, str], folder: Path) -> None:
    (folder / "in.jsonl").write_text('{"text": "how"}\n{"text": "you"\n')
    assert_failed(run("encode", "-f", "in.jsonl", *tiny, "-o", "out.npy", cwd=folder), 1, "in.jsonl, line 2: ", "JSON")
    assert [path.name for path in folder.iterdir()] == ["in.jsonl"]


def test_a_missing_column_names_its_file_and_leaves_no_output(tiny: tuple[str, str], folder: Path) -> None:
    (folder / "in.csv").write_text("id,body\n1,how\n")
    assert_failed(run("encode", "-f", "in.csv", *tiny, "-o", "out.npy", cwd=folder), 1, "in.csv, line 1: ", "'text'")
    assert [path.name for path in folder.iterdir()] == ["in.csv"]


def test_a_truncated_gzip_names_its_file_and_leaves_no_output(tiny: tuple[str, str], folder: Path) -> None:
    (folder / "in.txt.gz").write_bytes(COMPRESSIONS[".gz"](b"how are you\n" * 100)[:-10])
    assert_failed(
        run("encode", "-f", "in.txt.gz", *tiny, "-o", "out.npy", cwd=folder), 1, "in.txt.gz, line ", "cut off"
    )
    assert [path.name for path in folder.iterdir()] == ["in.txt.gz"]


def test_a_bad_line_of_plain_text_names_its_file(tiny: tuple[str, str], folder: Path) -> None:
    (folder / "in.txt").write_text("how\n\nyou\n")
    assert_failed(run("encode", "-f", "in.txt", *tiny, cwd=folder), 1, "in.txt, line 2: the text is empty")


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_compressed_data_without_the_suffix_is_an_error(tiny: tuple[str, str], folder: Path, suffix: str) -> None:
    content = COMPRESSIONS[suffix](b"how are you\n" * 100)
    (folder / "in.txt").write_bytes(content)
    program = {".gz": "gzip", ".zst": "zstd"}[suffix]
    for skipping in ((), ("--on-error", "skip")):
        piped = run("encode", "-", *tiny, *skipping, stdin=content)
        assert_failed(piped, 1, f"standard input is compressed with {program}")
        assert piped.stderr.endswith(f"pipe it through {program} -dc\n")
        named = run("encode", "-f", "in.txt", *tiny, *skipping, cwd=folder)
        assert_failed(named, 1, f"in.txt is compressed with {program}")
        assert named.stderr.endswith(f": {program} -dc < in.txt > in.plain.txt\n")


def test_a_pattern_without_a_match_is_an_error(tiny: tuple[str, str], folder: Path) -> None:
    (folder / "in.txt").write_text("how\n")
    assert_failed(run("encode", "-f", "*.jsonl", *tiny, cwd=folder), 1, "no file matches the pattern *.jsonl")


def test_a_bad_row_may_be_skipped(tiny: tuple[str, str], folder: Path) -> None:
    (folder / "in.jsonl").write_text('{"text": "how"}\n{}\n{"text": "you"}\n')
    finished = run("encode", "-f", "in.jsonl", *tiny, "--on-error", "skip", "--format", "jsonl", cwd=folder)
    assert finished.exit_code == 1
    assert [json.loads(line)["index"] for line in finished.text.splitlines()] == [0, 2]
    assert finished.stderr.splitlines()[-1] == "bertcli: error: skipped 1 failed text"


@pytest.mark.parametrize("name", ["in.parquet", "in.txt.zst"])
def test_without_pyarrow_the_hint_installs_it(tiny: tuple[str, str], folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"whatever")
    shadow = folder / "shadow"
    shadow.mkdir()
    (shadow / "pyarrow.py").write_text("raise ModuleNotFoundError(\"No module named 'pyarrow'\", name='pyarrow')\n")
    path = ":".join([str(shadow), *filter(None, [environment().get("PYTHONPATH")])])
    finished = run("encode", "-f", name, *tiny, cwd=folder, env={"PYTHONPATH": path})
    assert_failed(finished, 1, "pyarrow, which is not installed")
    assert finished.stderr.splitlines()[1] == "hint: pip install pyarrow"


LATIN = os.fsdecode(b"caf\xe9")


@pytest.mark.parametrize("suffix", WRITERS)
def test_a_name_that_is_not_utf_8_is_shown_with_escapes(tiny: tuple[str, str], folder: Path, suffix: str) -> None:
    WRITERS[suffix](folder / "plain", ENTRIES)
    (folder / "plain").rename(folder / f"{LATIN}{suffix}")
    records = run("encode", "-f", f"{LATIN}{suffix}", "-f", f"{LATIN}{suffix}", *tiny, "--json", cwd=folder).records()
    assert {record["file"] for record in records} == {f"caf\\xe9{suffix}"}


def test_a_model_and_an_output_may_have_names_that_are_not_utf_8(tiny_bert: Path, folder: Path) -> None:
    shutil.copytree(tiny_bert, folder / LATIN)
    for command in ("encode", "fill-mask", "attn", "shapes"):
        assert run(command, "how [MASK] you", "-m", LATIN, "--json", cwd=folder).json()["model"] == "caf\\xe9"
    for output in (f"{LATIN}.npy", f"{LATIN}.safetensors", f"{LATIN}.parquet", f"{LATIN}.svg", f"{LATIN}-shards/"):
        run("encode", "how", "-m", LATIN, "-o", output, "-q", cwd=folder).answer()
        again = run("encode", "how", "-m", LATIN, "-o", output, cwd=folder)
        assert_failed(again, 1, f"caf\\xe9{output.removeprefix(LATIN)}")
    assert json.loads((folder / f"{LATIN}-shards" / "manifest.json").read_text())["model"] == "caf\\xe9"


def test_an_error_shows_a_name_that_is_not_utf_8_with_escapes(tiny: tuple[str, str], folder: Path) -> None:
    assert_failed(run("encode", "-f", f"{LATIN}.txt", *tiny, cwd=folder), 1, "caf\\xe9.txt: no such file or directory")
    assert_failed(run("encode", "-f", f"{LATIN}*", *tiny, cwd=folder), 1, "no file matches the pattern caf\\xe9*")
    assert_failed(run("encode", "how", *tiny, "-o", f"{LATIN}/x.npy", cwd=folder), 1, "there is no folder 'caf\\xe9'")
