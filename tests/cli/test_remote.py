"""Tests of commands that read texts from S3 and write folders to it."""

import gzip
import io
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from tests.cli.process import assert_failed, run
from tests.object_store import BUCKET, S3, s3_server

LINES = ["how are you", "the cat", "sat on the mat"] * 5


@pytest.fixture(scope="module")
def s3() -> Iterator[S3]:
    with s3_server() as server:
        yield server


def parquet(texts: list[str]) -> bytes:
    file = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table({"text": texts}), file)
    return file.getvalue()


def test_every_format_is_read(tiny: tuple[str, str], folder: Path, s3: S3) -> None:
    text = "".join(f"{line}\n" for line in LINES).encode()
    for name, content in {
        "a.txt": text,
        "b.txt.gz": gzip.compress(text),
        "c.jsonl": "".join(json.dumps({"text": line}) + "\n" for line in LINES).encode(),
        "d.csv": b"text\n" + text,
        "e.parquet": parquet(LINES),
    }.items():
        s3.put(f"in/{name}", content)
    found = run("encode", "-f", f"s3://{BUCKET}/in/*", *tiny, "--format", "jsonl", env=s3.env).lines()
    assert [record["text"] for record in found] == 5 * LINES
    assert found[0]["file"] == f"s3://{BUCKET}/in/a.txt"


def test_a_remote_folder_equals_the_local_one(tiny: tuple[str, str], folder: Path, s3: S3) -> None:
    (folder / "in.txt").write_text("".join(f"{line}\n" for line in LINES))
    options = ("-f", "in.txt", *tiny, "--shard-rows", "4", "-q")
    run("encode", *options, "-o", "wanted/", cwd=folder).answer()
    target = f"s3://{BUCKET}/vectors"
    run("encode", *options, "-o", target, cwd=folder, env=s3.env).answer()
    wanted = {path.name: path.read_bytes() for path in (folder / "wanted").iterdir()}
    assert {name: s3.get(f"vectors/{name}") for name in s3.names("vectors")} == wanted

    refused = run("encode", *options, "-o", target, cwd=folder, env=s3.env)
    assert_failed(refused, 1, "holds the shards of a complete run")
    holder = {"host": "elsewhere", "pid": 7, "started": time.time(), "refreshed": time.time(), "token": "x"}
    s3.put("vectors/.lock", json.dumps(holder).encode())
    locked = run("encode", *options, "-o", target, "--force", cwd=folder, env=s3.env)
    assert_failed(locked, 1, f"{target}/ is being written by another run: process 7 on elsewhere")
    s3.put("vectors/.lock", json.dumps(holder | {"refreshed": 0}).encode())
    interrupted = json.loads(wanted["manifest.json"])
    interrupted |= {"shards": interrupted["shards"][:2], "rows": 8, "complete": False}
    s3.put("vectors/manifest.json", json.dumps(interrupted).encode())
    run("encode", *options, "-o", target, "--resume", cwd=folder, env=s3.env).answer()
    assert {name: s3.get(f"vectors/{name}") for name in s3.names("vectors")} == wanted


def test_an_error_names_the_remote_file(tiny: tuple[str, str], folder: Path, s3: S3) -> None:
    s3.put("wrong/cut.txt.gz", gzip.compress(b"how\n" * 10_000)[:-20])
    for source, target, words in [
        (f"s3://{BUCKET}/none.txt", "out/", f"s3://{BUCKET}/none.txt: no such file"),
        (f"s3://{BUCKET}/none/*.txt", "out/", f"no file matches the pattern s3://{BUCKET}/none/*.txt"),
        (f"s3://{BUCKET}/wrong/cut.txt.gz", "out/", "cut.txt.gz, line"),
        ("in.txt", "s3://no-such-bucket/out/", "there is no bucket s3://no-such-bucket"),
    ]:
        (folder / "in.txt").write_text("how\n")
        finished = run("encode", "-f", source, *tiny, "-o", target, cwd=folder, env=s3.env)
        assert_failed(finished, 1, words)
        assert [path.name for path in folder.iterdir()] == ["in.txt"]


def test_a_single_file_is_written_only_locally(folder: Path) -> None:
    finished = run("encode", "how", "-o", "s3://bucket/out.npy", cwd=folder)
    assert_failed(finished, 2, "s3://bucket/out.npy: single files are written on this machine only")
    assert_failed(
        run("shapes", "how", "-o", "s3://bucket/out.json"),
        2,
        "s3://bucket/out.json: single files are written on this machine only",
    )
    assert_failed(run("encode", "how", "-o", "foo://bucket/"), 2, "neither pyarrow nor fsspec supports foo://")
