"""-o FILE: what each suffix holds, and that a file is never replaced unasked."""

import os
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from tests.cli.process import COMMANDS, TEXT, assert_failed, printed, run
from tests.pictures import read_picture

TEXTS = (TEXT, "the cat sat on the mat")
LENGTHS = (5, 8)


def load_npz(path: Path) -> dict[str, Any]:
    """The arrays of an npz."""
    with np.load(path) as arrays:
        return dict(arrays)


LOADERS: dict[str, Callable[[Path], dict[str, Any]]] = {".npz": load_npz, ".safetensors": load_file}


def as_float32(nested: Any) -> Any:
    """The numbers of JSON as the float32 that they were printed from."""
    return np.array(nested, np.float32)


@pytest.mark.parametrize(
    ("command", "suffix"),
    [
        *(("encode", suffix) for suffix in ("json", "jsonl", "csv", "tsv")),
        ("fill-mask", "jsonl"),
        ("shapes", "json"),
        ("attn", "csv"),
    ],
)
def test_a_text_file_equals_the_printed_format_of_its_suffix(
    tiny: tuple[str, str], folder: Path, command: str, suffix: str
) -> None:
    path = folder / f"out.{suffix}"
    assert run(command, TEXT, *tiny, "-o", path).answer().stdout == b""
    assert path.read_bytes() == printed(command, TEXT, *tiny, "--format", suffix).stdout
    assert list(folder.iterdir()) == [path]


def test_npy_is_the_matrix_of_embeddings(tiny: tuple[str, str], folder: Path) -> None:
    run("encode", *TEXTS, *tiny, "--pool", "max", "-o", folder / "out.npy").answer()
    matrix = np.load(folder / "out.npy")
    assert (matrix.dtype, matrix.shape) == (np.float32, (2, 24))
    records = run("encode", *TEXTS, *tiny, "--pool", "max", "--json").records()
    np.testing.assert_array_equal(matrix, as_float32([record["embedding"] for record in records]))


@pytest.mark.parametrize("suffix", LOADERS)
def test_tensor_files_of_encode_hold_the_padded_states(tiny: tuple[str, str], folder: Path, suffix: str) -> None:
    path = folder / f"out{suffix}"
    options = ("--pooler", "--layers", "all")
    run("encode", *TEXTS, *tiny, *options, "-o", path).answer()
    arrays = LOADERS[suffix](path)
    assert {name: array.shape for name, array in arrays.items()} == {
        "embedding": (2, 24),
        "last_hidden_state": (2, 8, 24),
        "attention_mask": (2, 8),
        "input_ids": (2, 8),
        "pooler_output": (2, 24),
        "hidden_states": (3, 2, 8, 24),
        "layers": (3,),
    }
    assert arrays["attention_mask"].sum(1).tolist() == list(LENGTHS)
    assert arrays["layers"].tolist() == [0, 1, 2]
    records = run("encode", *TEXTS, *tiny, *options, "--tokens", "--json").records()
    for row, (record, length) in enumerate(zip(records, LENGTHS, strict=True)):
        np.testing.assert_array_equal(arrays["embedding"][row], as_float32(record["embedding"]))
        np.testing.assert_array_equal(arrays["last_hidden_state"][row, :length], as_float32(record["token_vectors"]))
        np.testing.assert_array_equal(arrays["hidden_states"][:, row, :length], as_float32(record["hidden_states"]))
        np.testing.assert_array_equal(arrays["pooler_output"][row], as_float32(record["pooler_output"]))
        assert not arrays["last_hidden_state"][row, length:].any()
        assert not arrays["input_ids"][row, length:].any()  # [PAD] is token 0


@pytest.mark.parametrize("suffix", LOADERS)
def test_tensor_files_hold_only_the_requested_arrays(tiny: tuple[str, str], folder: Path, suffix: str) -> None:
    run("encode", TEXT, *tiny, "-o", folder / f"out{suffix}").answer()
    names = {"embedding", "last_hidden_state", "attention_mask", "input_ids"}
    assert set(LOADERS[suffix](folder / f"out{suffix}")) == names


@pytest.mark.parametrize("options", [("--pooling", "cls", "--normalize"), ("--pooling", "lexical")])
@pytest.mark.parametrize("suffix", LOADERS)
def test_the_embeddings_of_tensor_files_are_those_of_npy(
    tiny: tuple[str, str], folder: Path, suffix: str, options: tuple[str, ...]
) -> None:
    for path in (folder / "out.npy", folder / f"out{suffix}"):
        run("encode", *TEXTS, *tiny, *options, "-o", path).answer()
    expected = np.load(folder / "out.npy")
    assert expected.any()
    np.testing.assert_array_equal(LOADERS[suffix](folder / f"out{suffix}")["embedding"], expected)


@pytest.mark.parametrize("suffix", LOADERS)
def test_tensor_files_of_attn_hold_every_layer_and_head(tiny: tuple[str, str], folder: Path, suffix: str) -> None:
    path = folder / f"out{suffix}"
    run("attn", *TEXTS, *tiny, "-o", path).answer()
    arrays = LOADERS[suffix](path)
    assert set(arrays) == {"attentions", "attention_mask", "input_ids", "layers", "heads"}
    assert arrays["attentions"].shape == (2, 2, 3, 8, 8)
    assert (arrays["layers"].tolist(), arrays["heads"].tolist()) == ([0, 1], [0, 1, 2])
    matrices = run("attn", *TEXTS, *tiny, "--layer", "1", "--head", "2", "--json").records()
    for row, (record, length) in enumerate(zip(matrices, LENGTHS, strict=True)):
        weights = arrays["attentions"][1, row, 2]
        np.testing.assert_array_equal(weights[:length, :length], as_float32(record["attention"]))
        assert not weights[length:].any() and not weights[:, length:].any()


def test_an_existing_file_is_refused(tiny: tuple[str, str], folder: Path) -> None:
    (folder / "out.npy").write_text("precious")
    assert_failed(run("encode", TEXT, *tiny, "-o", "out.npy", cwd=folder), 1, "out.npy already exists")
    assert (folder / "out.npy").read_text() == "precious"


def test_force_replaces_a_file_and_keeps_its_permissions(tiny: tuple[str, str], folder: Path) -> None:
    path = folder / "out.json"
    path.write_text("old")
    path.chmod(0o640)
    run("encode", TEXT, *tiny, "-o", path, "--force").answer()
    assert path.read_bytes() == printed("encode", TEXT, *tiny, "--json").stdout
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_symbolic_link_is_followed(tiny: tuple[str, str], folder: Path) -> None:
    target, link = folder / "elsewhere.json", folder / "link.json"
    link.symlink_to("elsewhere.json")
    run("encode", TEXT, *tiny, "-o", link).answer()
    assert link.is_symlink()
    first = target.read_bytes()
    assert first == printed("encode", TEXT, *tiny, "--json").stdout
    assert_failed(run("encode", TEXT, *tiny, "-o", link), 1, "already exists")
    run("encode", "the cat", *tiny, "-o", link, "--force").answer()
    assert link.is_symlink()
    assert target.read_bytes() != first


@pytest.mark.parametrize("name", ["out.tsv", "out.npy", "out"])
def test_a_fifo_is_written_and_stays_a_fifo(tiny: tuple[str, str], folder: Path, name: str) -> None:
    path = folder / name
    os.mkfifo(path)
    received: list[bytes] = []
    reader = threading.Thread(target=lambda: received.append(path.read_bytes()), daemon=True)
    reader.start()
    run("encode", TEXT, *tiny, "-o", path).answer()
    reader.join(10)
    assert path.is_fifo()
    run("encode", TEXT, *tiny, "-o", folder / f"file{path.suffix or '.tsv'}").answer()
    assert received == [(folder / f"file{path.suffix or '.tsv'}").read_bytes()]


def test_a_device_is_written_in_the_requested_format(tiny: tuple[str, str]) -> None:
    as_json = printed("encode", TEXT, *tiny, "--json")
    assert run("encode", TEXT, *tiny, "--json", "-o", "/dev/stdout") == as_json
    assert run("encode", TEXT, *tiny, "-o", "/dev/stdout") == printed("encode", TEXT, *tiny)


def test_dev_stdout_that_is_a_file_is_written_in_place(tiny: tuple[str, str], folder: Path) -> None:
    path = folder / "redirected"
    with path.open("wb") as redirected:
        inode = os.fstat(redirected.fileno()).st_ino
        run("encode", TEXT, *tiny, "--json", "-o", "/dev/stdout", stdout=redirected).answer()
    assert path.stat().st_ino == inode
    assert path.read_bytes() == printed("encode", TEXT, *tiny, "--json").stdout
    assert list(folder.iterdir()) == [path]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("encode", TEXT, "-o", "out.foo"), ("out.foo: encode cannot write .foo files",)),
        (("encode", TEXT, "-o", "out"), ("out", "without a suffix")),
        (("encode", TEXT, "-o", "out.pkl"), ("encode cannot write .pkl files",)),
        (("fill-mask", TEXT, "-o", "out.npy"), ("fill-mask cannot write .npy files",)),
        (("fill-mask", TEXT, "-o", "out.npz", "--json"), ("fill-mask cannot write .npz files",)),
        (("fill-mask", TEXT, "-o", "-"), ("-o needs a file, not -",)),
        (("shapes", TEXT, "-o", "out.safetensors"), ("shapes cannot write .safetensors files",)),
        (("attn", TEXT, "-o", "out.npy"), ("attn cannot write .npy files",)),
        (("encode", TEXT, "-o", "out.npy", "--json"), ("--format json", "out.npy", "contradict")),
        (("encode", TEXT, "-o", "out.json", "--format", "csv"), ("--format csv", "out.json", "contradict")),
        (("encode", TEXT, "--json", "--format", "csv"), ("--json", "--format csv", "contradict")),
        (("encode", TEXT, "--json", "--svg", "out.svg"), ("--json", "--svg", "contradict")),
        (("encode", TEXT, "--format", "csv", "-o", "out.svg"), ("--format csv", "out.svg", "contradict")),
        (("encode", TEXT, "--svg", "out.json"), ("--svg", "out.json", "contradict")),
        (("encode", TEXT, "--svg", "out.png"), ("encode cannot write .png files",)),
        (("encode", TEXT, "-o", "out.json", "--svg", "out.svg"), ("-o and --svg",)),
    ],
)
def test_unknown_and_contradictory_formats_are_wrong_usage(
    tiny: tuple[str, str], folder: Path, arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    assert_failed(run(*arguments, *tiny, cwd=folder), 2, *words)
    assert list(folder.iterdir()) == []


def test_format_works_with_a_file_without_a_suffix(tiny: tuple[str, str], folder: Path) -> None:
    run("encode", TEXT, *tiny, "-o", "out", "--json", cwd=folder).answer()
    assert (folder / "out").read_bytes() == printed("encode", TEXT, *tiny, "--json").stdout


def test_json_and_its_suffix_agree(tiny: tuple[str, str], folder: Path) -> None:
    run("encode", TEXT, *tiny, "-o", folder / "out.json", "--json").answer()
    assert (folder / "out.json").read_bytes() == printed("encode", TEXT, *tiny, "--json").stdout


def test_a_folder_is_refused_as_an_output_file(tiny: tuple[str, str], folder: Path) -> None:
    (folder / "out.json").mkdir()
    assert_failed(run("encode", TEXT, *tiny, "-o", "out.json", "--force", cwd=folder), 1, "'out.json' is a folder")


def test_a_missing_folder_is_named_before_any_work_is_done(folder: Path) -> None:
    finished = run("encode", TEXT, "-m", "no-such-model", "-o", "missing/out.npy", cwd=folder)
    assert_failed(finished, 1, "there is no folder 'missing'")
    assert list(folder.iterdir()) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_an_error(tiny: tuple[str, str], folder: Path) -> None:
    folder.chmod(0o500)
    assert_failed(run("encode", TEXT, *tiny, "-o", folder / "out.npy"), 1, "permission denied")


def test_the_path_in_a_message_cannot_drive_the_terminal(tiny: tuple[str, str], folder: Path) -> None:
    finished = run("encode", TEXT, *tiny, "-o", "\x1b[31m.npy/out.npy", cwd=folder)
    assert_failed(finished, 1, r"\x1b[31m.npy")
    assert "\x1b" not in finished.stderr


def test_a_new_file_gets_the_permissions_of_the_umask(tiny: tuple[str, str], folder: Path) -> None:
    run("encode", TEXT, *tiny, "-o", folder / "out.json", umask=0o027).answer()
    assert (folder / "out.json").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("command", COMMANDS)
def test_a_picture_shows_the_table(tiny: tuple[str, str], folder: Path, command: str) -> None:
    run(command, TEXT, TEXT, *tiny, "-o", folder / "out.svg", "--width", "70").answer()
    picture = read_picture((folder / "out.svg").read_text(encoding="utf-8"))
    table = run(command, TEXT, TEXT, *tiny, "--format", "table", "--width", "70").answer().text
    assert picture.lines == [line.rstrip() for line in table.rstrip().split("\n")]
    assert picture.title == f"bertcli {command}"


def test_svg_writes_the_same_picture_under_any_name(tiny: tuple[str, str], folder: Path) -> None:
    run("encode", TEXT, *tiny, "-o", folder / "one.svg").answer()
    run("encode", TEXT, *tiny, "--svg", folder / "two.SVG").answer()
    run("encode", TEXT, *tiny, "--svg", folder / "three").answer()
    assert len({path.read_bytes() for path in folder.iterdir()}) == 1
    assert run("encode", TEXT, *tiny, "--svg", "/dev/stdout").answer().stdout == (folder / "one.svg").read_bytes()
    assert_failed(run("encode", TEXT, *tiny, "--svg", folder / "one.svg"), 1, "already exists")


def test_a_picture_shows_similarities(tiny: tuple[str, str], folder: Path) -> None:
    run("encode", *TEXTS, *tiny, "--similarity", "-o", folder / "out.svg").answer()
    lines = read_picture((folder / "out.svg").read_text(encoding="utf-8")).lines
    assert any("1.000" in line for line in lines)


def test_dev_null_takes_any_format(tiny: tuple[str, str]) -> None:
    assert run("encode", TEXT, *tiny, "-o", os.devnull, stdout=subprocess.DEVNULL).answer().stdout == b""


def test_an_empty_name_is_not_the_current_folder(tiny: tuple[str, str], tmp_path: Path) -> None:
    finished = run("encode", TEXT, *tiny, "-o", "", cwd=tmp_path)
    assert_failed(finished, 2, "-o needs a name")
    assert list(tmp_path.iterdir()) == []


def test_a_file_name_that_is_not_utf_8_is_escaped_in_the_output(tiny: tuple[str, str], folder: Path) -> None:
    for name in ("p\udcff.txt", "q.txt"):
        (folder / name).write_text(TEXT)
    finished = run("encode", "-f", "p\udcff.txt", "-f", "q.txt", *tiny, "--json", cwd=folder)
    assert [record["file"] for record in finished.records()] == [r"p\xff.txt", "q.txt"]


@pytest.mark.parametrize(("name", "better"), [(".", "attention.html"), ("a", "a/attention.html"), ("b.txt", "b.html")])
def test_the_hint_for_a_page_names_a_file_that_can_be_written(
    tiny: tuple[str, str], folder: Path, name: str, better: str
) -> None:
    (folder / "a").mkdir()
    finished = run("attn", TEXT, *tiny, "--html", name, cwd=folder)
    assert_failed(finished, 2, "the name does not end in .html")
    assert finished.stderr.endswith(f"hint: use {better}\n")
    run("attn", TEXT, *tiny, "--html", better, cwd=folder).answer()
