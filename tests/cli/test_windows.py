"""Long texts on the command line: --long, --overlap and --per-window, in every command and format."""

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest

from tests.cli.process import TEXT, Finished, assert_failed, run
from tests.tiny import WORDS

WINDOWS = ("--long", "windows", "--overlap", "5", "--max-length", "20")
LONG = " ".join(WORDS * 5)


@pytest.fixture
def corpus(folder: Path) -> Path:
    """Return a file of short and long texts, some of them more than once."""
    draw = random.Random(0)
    texts = [" ".join(draw.choices(WORDS, k=draw.choice((3, 8, 15, 40, 130)))) for _ in range(60)]
    (folder / "in.txt").write_text("".join(f"{text}\n" for text in [*texts, *texts[:10]]))
    return folder / "in.txt"


@pytest.mark.parametrize(
    "arguments",
    [
        ("encode", "--json"),
        ("encode", "--tokens", "--layers", "0,1", "--pooler", "-o", "out.parquet"),
        ("encode", "-o", "out.npy"),
        ("fill-mask", "--json"),
        ("attn", "--json"),
        ("fill-mask", "--score", "--format", "csv"),
        ("attn", "--html", "out.html"),
        ("shapes", "--json"),
    ],
    ids=" ".join,
)
def test_a_text_that_fits_gives_the_same_bytes(tiny: tuple[str, str], folder: Path, arguments: tuple[str, ...]) -> None:
    def output(*more: str) -> tuple[bytes, dict[str, bytes]]:
        done = run(*arguments, TEXT, f"{TEXT} the cat", *tiny, "--force", *more, cwd=folder).answer()
        return done.stdout, {path.name: path.read_bytes() for path in folder.iterdir()}

    assert output("--long", "windows") == output()


def test_every_option_works_together_in_json(tiny: tuple[str, str]) -> None:
    short, long = run("encode", "how", LONG, *tiny, *WINDOWS, "--tokens", "--pooler", "--json").records()
    assert "windows" not in short
    assert (long["text"], long["truncated"]) == (LONG, False)
    assert list(long) == [
        *("index", "text", "tokens", "truncated", "unknown", "windows", "embedding", "token_vectors", "pooler_output"),
    ]
    spans = [(window["start"], window["end"]) for window in long["windows"]]
    assert spans[:2] == [(0, 18), (13, 31)]
    assert spans[-1][1] == len(long["tokens"]) - 2
    np.testing.assert_allclose(np.mean(long["token_vectors"], axis=0), long["embedding"], atol=1e-5)


@pytest.mark.parametrize("texts", [("how", LONG), (LONG, "how")], ids=["short first", "long first"])
def test_the_ids_in_a_file_of_tensors_are_int64(tiny: tuple[str, str], folder: Path, texts: tuple[str, str]) -> None:
    run("encode", *texts, *tiny, *WINDOWS, "-o", "out.npz", cwd=folder).answer()
    with np.load(folder / "out.npz") as arrays:
        assert arrays["input_ids"].dtype == arrays["attention_mask"].dtype == np.int64


def place(record: Any) -> tuple[Any, ...]:
    """Return the index, number, start and end of a window."""
    return tuple(record[name] for name in ("index", "window", "start", "end"))


def test_per_window_writes_a_row_for_each_window_with_its_characters(tiny: tuple[str, str], folder: Path) -> None:
    arguments = ("encode", "how", LONG, *tiny, *WINDOWS, "--per-window")
    records = run(*arguments, "--json").records()
    assert place(records[0]) == (0, 0, 0, 3)
    assert [place(record)[:2] for record in records[1:]] == [(1, number) for number in range(len(records) - 1)]
    for record in records:
        whole = (("how", LONG)[record["index"]])[record["start"] : record["end"]]
        assert record["text"] == whole
    header, *rows = run(*arguments, "--format", "tsv").rows()
    assert header[-3:] == ["window", "start", "end"]
    assert [tuple(map(int, (row[0], *row[-3:]))) for row in rows] == [place(record) for record in records]
    run(*arguments, "--keep-text", "-o", "out.parquet", cwd=folder).answer()
    table = pyarrow.parquet.read_table(folder / "out.parquet")
    assert table.column("id").to_pylist() == [record["index"] for record in records]
    for name in ("window", "start", "end", "text"):
        assert table.column(name).to_pylist() == [record[name] for record in records]
    run(*arguments, "-o", "out.npy", cwd=folder).answer()
    found = np.load(folder / "out.npy")
    np.testing.assert_allclose(found, [record["embedding"] for record in records], atol=1e-5)


def test_attn_has_a_record_for_each_window(tiny: tuple[str, str]) -> None:
    records = run("attn", LONG, *tiny, *WINDOWS, "--layer", "0", "--head", "1", "--json").records()
    assert [record["window"] for record in records] == list(range(len(records)))
    for record in records:
        assert record["text"] == LONG[record["start"] : record["end"]]
        assert len(record["attention"]) == len(record["tokens"])


def test_rows_of_attn_name_their_window(tiny: tuple[str, str]) -> None:
    header, *rows = run("attn", "how", LONG, *tiny, *WINDOWS, "--layer", "0", "--format", "csv").rows(",")
    records = run("attn", "how", LONG, *tiny, *WINDOWS, "--layer", "0", "--json").records()
    assert header[-3:] == ["window", "start", "end"]
    found = dict.fromkeys((row[0], *row[-3:]) for row in rows)
    assert list(found)[1:] == [tuple(map(str, place(record))) for record in records[1:]]
    assert ("0", "0", "0", "3") in found


def test_attn_from_a_token_leaves_out_windows_without_it(tiny: tuple[str, str]) -> None:
    text = f"{'cat ' * 40}mat {'cat ' * 40}"
    (record,) = run("attn", text, *tiny, *WINDOWS, "--overlap", "0", "--from", "mat", "--json").records()
    assert record["window"] == 2
    assert_failed(run("attn", text, *tiny, *WINDOWS, "--from", "you"), 1, "the text has no token 'you'")


def test_shapes_counts_each_window_as_a_text(tiny: tuple[str, str]) -> None:
    document = run("shapes", "how", LONG, *tiny, *WINDOWS, "--run", "--json").json()
    (record,) = run("encode", LONG, *tiny, *WINDOWS, "--json").records()
    assert (document["batch_size"], document["sequence_length"]) == (1 + len(record["windows"]), 20)


def test_long_truncate_is_what_truncate_does(tiny: tuple[str, str]) -> None:
    first, second = (
        run("encode", LONG, *tiny, *option, "--json").answer().stdout
        for option in (("--truncate",), ("--long", "truncate"))
    )
    assert first == second
    assert run("encode", LONG, *tiny, "--truncate", "--long", "truncate", "--json").stdout == first


def test_the_hint_for_a_long_text_works(tiny: tuple[str, str]) -> None:
    finished = run("encode", LONG, *tiny, "--max-length", "20")
    assert_failed(finished, 1, "tokens, and the limit is 20")
    assert "cut it with --long truncate, or read all of it with --long windows" in finished.stderr
    for option in ("truncate", "windows"):
        run("encode", LONG, *tiny, "--max-length", "20", "--long", option).answer()


@pytest.mark.parametrize(
    "arguments",
    [
        ("fill-mask", "--joint"),
        ("attn", "--aggregate"),
        ("encode", "--words"),
        ("encode", "how", "--similarity", "tokens", "--json"),
        ("shapes", "--tokens"),
    ],
    ids=" ".join,
)
def test_the_hint_for_a_long_text_names_only_what_the_command_can_do(
    tiny: tuple[str, str], arguments: tuple[str, ...]
) -> None:
    finished = run(*arguments, f"[MASK] {LONG}", *tiny, "--max-length", "20")
    assert_failed(finished, 1, "tokens, and the limit is 20")
    assert finished.stderr.endswith("hint: cut it with --long truncate\n")


def test_the_hint_for_a_text_that_is_too_long_for_the_other_model_names_no_windows(tiny: tuple[str, str]) -> None:
    finished = run("fill-mask", f"[MASK] {'a ' * 100}", "--compare", tiny[1], "-q")
    assert_failed(finished, 1, "the text has 103 tokens, and the limit is 64")
    assert finished.stderr.endswith("hint: cut it with --long truncate\n")


def test_the_hint_for_a_long_text_in_a_folder_of_attn_names_no_windows(tiny: tuple[str, str], tmp_path: Path) -> None:
    arguments = ("attn", LONG, *tiny, "--max-length", "20", "-o", f"{tmp_path}/out/")
    finished = run(*arguments)
    assert_failed(finished, 1, "tokens, and the limit is 20")
    assert finished.stderr.endswith("hint: cut it with --long truncate\n")
    run(*arguments, "--long", "truncate", "-q").answer()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("encode", "--truncate", "--long", "windows"), "--truncate is short for --long truncate"),
        (("shapes", "--truncate", "--long", "error"), "contradicts --long error"),
        (("encode", "--overlap", "3"), "--overlap needs --long windows"),
        (("attn", "--overlap", "3", "--long", "truncate"), "--overlap needs --long windows"),
        (("encode", "--overlap", "-1", "--long", "windows"), "--overlap cannot be '-1'"),
        (("encode", "--overlap", "62", "--long", "windows"), "--overlap 62 is not smaller than a window"),
        (("fill-mask", "--overlap", "1", "--max-length", "3", "--long", "windows"), "--overlap 1 is not smaller"),
        (("encode", "--per-window"), "--per-window needs --long windows"),
        (("encode", "--per-window", "--long", "windows", "-o", "out/"), "--per-window is not available in a folder"),
        (
            ("encode", "--per-window", "--long", "windows", "--dedupe", "-o", "out.npy"),
            "--dedupe compares whole texts",
        ),
        (("fill-mask", "--joint", "--long", "windows"), "--joint needs a whole text"),
        (("fill-mask", "--mutual", "--long", "windows"), "--mutual needs a whole text"),
        (("fill-mask", "--compare", "x", "--long", "windows"), "--compare needs a whole text"),
        (("attn", "--aggregate", "--long", "windows"), "--aggregate averages over whole texts"),
    ],
)
def test_options_that_contradict_each_other_are_refused(
    tiny: tuple[str, str], folder: Path, arguments: tuple[str, ...], message: str
) -> None:
    assert_failed(run(arguments[0], TEXT, *tiny, *arguments[1:], cwd=folder), 2, message)
    assert list(folder.iterdir()) == []


def test_a_sentence_a_that_leaves_no_room_fails_its_pair(tiny: tuple[str, str]) -> None:
    finished = run("encode", "how " * 20, "--pair", LONG, *tiny, *WINDOWS)
    assert_failed(finished, 1, "sentence A takes 22 tokens of a window, which leaves no room for sentence B")
    assert_failed(run("encode", "how " * 12, "--pair", LONG, *tiny, *WINDOWS), 1, "an overlap of 5 tokens")
    run("encode", "how " * 12, "--pair", LONG, *tiny, "--long", "windows", "--max-length", "20").answer()


def encode_into(corpus: Path, tiny: tuple[str, str], name: str, *more: str) -> Finished:
    options = ("--shard-rows", "9", "-q", *WINDOWS, *more)
    return run("encode", "-f", "in.txt", *tiny, *options, "-o", f"{name}/", cwd=corpus.parent)


def test_a_folder_of_long_texts_is_resumed_to_the_same_bytes(tiny: tuple[str, str], corpus: Path) -> None:
    from tests.cli.test_resume import contents, first_shards

    encode_into(corpus, tiny, "whole", "--dedupe").answer()
    whole = corpus.parent / "whole"
    manifest = json.loads((whole / "manifest.json").read_text())
    assert (manifest["options"]["long"], manifest["options"]["overlap"]) == ("windows", 5)
    assert (manifest["rows"], len(manifest["shards"])) == (70, 8)
    rows = [row for path in sorted(whole.glob("shard-*")) for row in pyarrow.parquet.read_table(path).to_pylist()]
    expected = run("encode", "-f", "in.txt", *tiny, *WINDOWS, "--json", cwd=corpus.parent).records()
    assert [row["n_tokens"] for row in rows] == [len(record["tokens"]) for record in expected]
    np.testing.assert_allclose(
        [row["embedding"] for row in rows], [record["embedding"] for record in expected], atol=1e-5
    )
    first_shards(whole, corpus.parent / "parted", 3)
    encode_into(corpus, tiny, "parted", "--dedupe", "--resume").answer()
    assert contents(corpus.parent / "parted") == contents(whole)
    first_shards(whole, corpus.parent / "other", 3)
    refused = encode_into(corpus, tiny, "other", "--dedupe", "--resume", "--overlap", "6")
    assert_failed(refused, 1, "other/ was started with --overlap 5, not 6")


def test_a_text_of_several_pieces_is_read_in_windows(tiny: tuple[str, str], folder: Path) -> None:
    (folder / "in.txt").write_text("the cat sat on the mat " * 4_000)
    options = (*tiny, "--long", "windows", "--overlap", "0", "--pooling", "cls")
    run("encode", "-f", "in.txt", *options, "-o", "out.parquet", "-q", cwd=folder).answer()
    assert pyarrow.parquet.read_table(folder / "out.parquet").column("n_tokens").to_pylist() == [24_002]
