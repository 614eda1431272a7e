"""Tests of encode --ray: it writes the same folder as a run without Ray, even if actors are killed, also on S3."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pyarrow.parquet
import pytest

from tests.cli.process import assert_failed, environment, run, start
from tests.object_store import BUCKET, S3, RayCluster, ray_cluster, s3_server

WORDS = ["how", "are", "you", "the", "cat", "sat", "on", "the", "mat"]
TEXTS = [" ".join(WORDS[: 1 + index * 5 % 9] * (1 + index % 4)) for index in range(900)]
LONGEST_RUN = 300.0


@pytest.fixture
def lines(folder: Path) -> Path:
    """Return a file of 900 texts of many lengths."""
    (folder / "in.txt").write_text("".join(f"{text}\n" for text in TEXTS))
    return folder / "in.txt"


@pytest.fixture(scope="module")
def s3() -> Iterator[S3]:
    with s3_server() as server:
        yield server


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, s3: S3) -> Iterator[RayCluster]:
    with ray_cluster(tmp_path_factory.mktemp("ray"), s3.env) as found:
        yield found


def rows(folder: Path) -> list[dict[str, Any]]:
    """Return the rows of a folder's shards, in order."""
    return [row for path in sorted(folder.glob("shard-*")) for row in pyarrow.parquet.read_table(path).to_pylist()]


def manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a folder."""
    content: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return content


def assert_like(found: Path, wanted: Path) -> None:
    """Check that a folder written by Ray equals the other, apart from its column `index`, with vectors to 1e-5."""
    ours, theirs = rows(found), rows(wanted)
    assert [row.pop("index") for row in ours] == list(range(len(theirs)))
    vectors = [[row.pop("embedding") for row in each] for each in (ours, theirs)]
    assert ours == theirs
    np.testing.assert_allclose(np.array(vectors[0]), np.array(vectors[1]), rtol=0, atol=1e-5)
    mine, other = manifest(found), manifest(wanted)
    assert (mine["options"].pop("ray"), other["options"].pop("ray")) == (True, False)
    assert list(mine) == list(other)
    digests = [[(shard["rows"], shard["input_sha256"]) for shard in each["shards"]] for each in (mine, other)]
    assert digests[0] == digests[1]
    for each in (mine, other):
        each.pop("shards"), each.pop("threads"), each.pop("engine")
    assert mine == other


@pytest.mark.parametrize(
    ("options", "exit_code", "words"),
    [
        (("-f", "in.txt", "-o", "out.npy", "--ray"), 2, "--ray needs a folder (-o out/), not .npy"),
        (("-f", "in.txt", "-o", "out/", "--actors", "2"), 2, "--actors needs --ray"),
        (("-f", "in.txt", "-o", "out/", "--gpus-per-actor", "1"), 2, "--gpus-per-actor needs --ray"),
        (("-f", "in.txt", "-o", "out/", "--ray", "--dedupe"), 2, "--dedupe"),
        (("-", "-o", "out/", "--ray"), 2, "standard input"),
        (("-o", "out/", "--ray"), 2, "standard input"),
        (("-f", "/dev/stdin", "-o", "out/", "--ray"), 2, "--ray cannot read the stream /dev/stdin"),
        (("-f", ".", "-o", "out/", "--ray"), 1, "is a directory"),
        (("-f", "fifo", "-o", "out/", "--ray"), 2, "--ray cannot read the stream fifo"),
        (("-f", "none.txt", "-o", "out/", "--ray"), 1, "none.txt: no such file"),
        (("-f", "in.txt", "-o", "out/", "--ray", "--device", "cuda"), 2, "--device cuda"),
        (("-f", "in.txt", "-o", "out/", "--ray", "--gpus-per-actor", "1", "--engine", "numpy"), 2, "contradict"),
        (
            ("-f", "in.txt", "-o", "out/", "--ray", "--gpus-per-actor", "1.5"),
            2,
            "neither a fraction of a GPU nor a whole",
        ),
        (
            ("-f", "in.txt", "-o", "out/", "--ray", "--gpus-per-actor", "nan"),
            2,
            "neither a fraction of a GPU nor a whole",
        ),
        (("-f", "in.txt", "-o", "out/", "--ray", "-m", "none/at-all"), 1, "none/at-all"),
        (("-f", "in.txt", "-o", "out/", "--ray-address", "ray://a..b:1"), 1, "no Ray at ray://a..b:1"),
        (("-f", "in.txt", "-o", "out/", "--ray-address", "ray://127.0.0.1:9"), 1, "no Ray at ray://127.0.0.1:9"),
    ],
)
def test_wrong_usage_is_reported_before_ray_starts(
    lines: Path, options: tuple[str, ...], exit_code: int, words: str
) -> None:
    os.mkfifo(lines.with_name("fifo"))
    assert_failed(run("encode", *options, cwd=lines.parent), exit_code, words)
    assert sorted(path.name for path in lines.parent.iterdir()) == ["fifo", "in.txt"]


@pytest.mark.slow
def test_ray_on_this_machine_writes_the_same_folder(tiny: tuple[str, str], lines: Path) -> None:
    options = ("-f", "in.txt", *tiny, "--shard-rows", "400", "--keep-text", "-q")
    run("encode", *options, "-o", "out/", "--ray", cwd=lines.parent, timeout=LONGEST_RUN).answer()
    run("encode", *options, "-o", "wanted/", cwd=lines.parent).answer()
    assert_like(lines.parent / "out", lines.parent / "wanted")
    assert sorted(path.name for path in (lines.parent / "out").iterdir()) == [
        "manifest.json", "shard-00000.parquet", "shard-00001.parquet", "shard-00002.parquet",
    ]  # fmt: skip


@pytest.mark.slow
def test_scores_and_attention_on_ray_are_those_without_it(
    tiny: tuple[str, str], folder: Path, cluster: RayCluster
) -> None:
    (folder / "in.txt").write_text("".join(f"{text}\n" for text in [*TEXTS[:60], "", *TEXTS[60:90]]))
    options = ("-f", "in.txt", *tiny, "--on-error", "skip")
    on_ray = ("--ray-address", cluster.address)
    for command in (("fill-mask", "--score"), ("attn", "--stat", "entropy")):
        folders = ("--shard-rows", "40", "-o", f"{command[0]}/")
        found = run(*command, *options, *folders, *on_ray, cwd=folder, env=cluster.env, timeout=LONGEST_RUN)
        assert found.exit_code == 1 and "skipped 1 failed text" in found.stderr, found.stderr
        run(*command, *options, "-o", "wanted.json", "--force", cwd=folder)
        wanted = json.loads((folder / "wanted.json").read_text())["records"]
        written = {row["index"]: row for row in rows(folder / command[0])}
        assert [*written] == list(range(91)) and written[60]["tokens"] is None
        for record in wanted:
            row, key = written[record["index"]], "score" if "score" in record else "heads"
            assert row["tokens"] == record["tokens"]
            value, other = ((each[key]["sum"] if key == "score" else each[key][0]["entropy"]) for each in (row, record))
            assert value == pytest.approx(other, rel=1e-5, abs=1e-5)
        assert manifest(folder / command[0])["skipped"] == 1


@pytest.mark.slow
def test_sums_of_actors_are_merged(tiny: tuple[str, str], folder: Path, cluster: RayCluster) -> None:
    (folder / "in.txt").write_text("".join(f"{text}\n" for text in [*TEXTS[:60], "", *TEXTS[60:90]]))
    options = ("attn", "--aggregate", "-f", "in.txt", *tiny, "--on-error", "skip", "--json")
    on_ray = run(*options, "--ray-address", cluster.address, cwd=folder, env=cluster.env, timeout=LONGEST_RUN)
    alone = run(*options, cwd=folder)
    assert (on_ray.exit_code, alone.exit_code) == (1, 1)
    assert "skipped: line 61: the text is empty" in on_ray.stderr.replace("in.txt, ", "")
    ((ours,), (theirs,)) = (json.loads(each.stdout)["records"] for each in (on_ray, alone))
    assert (ours["text_count"], ours["token_count"]) == (theirs["text_count"], theirs["token_count"])
    for head, other in zip(ours["heads"], theirs["heads"], strict=True):
        numbers = {name: value for name, value in other.items() if isinstance(value, float)}
        assert {name: head[name] for name in numbers} == pytest.approx(numbers, rel=0, abs=1e-6)


@pytest.mark.slow
def test_an_actor_that_is_killed_is_replaced(tiny: tuple[str, str], lines: Path) -> None:
    options = ("-f", "in.txt", *tiny, "--shard-rows", "5", "-q")
    process = start("encode", *options, "-o", "out/", "--ray", "--actors", "2", cwd=lines.parent)
    killed = None
    end = time.monotonic() + LONGEST_RUN
    while killed is None and process.poll() is None and time.monotonic() < end:
        if len(list(lines.parent.glob("out/shard-*"))) >= 2:
            killed = next(iter(actors(process.pid)), None)
            if killed is not None:
                os.kill(killed, signal.SIGKILL)
        time.sleep(0.02)
    assert killed is not None
    _, said = process.communicate(timeout=LONGEST_RUN)
    assert process.returncode == 0, said.decode()
    run("encode", *options, "-o", "wanted/", cwd=lines.parent).answer()
    assert_like(lines.parent / "out", lines.parent / "wanted")
    assert len(list((lines.parent / "out").iterdir())) == 180 + 1


@pytest.mark.slow
def test_an_interrupted_run_can_be_resumed(tiny: tuple[str, str], lines: Path) -> None:
    options = ("-f", "in.txt", *tiny, "--shard-rows", "5", "-q", "--ray")
    process = start("encode", *options, "-o", "out/", cwd=lines.parent)
    end = time.monotonic() + LONGEST_RUN
    while not (lines.parent / "out" / "manifest.json").exists() and time.monotonic() < end:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=LONGEST_RUN)
    assert process.returncode == 130
    broken_off = manifest(lines.parent / "out")
    assert not broken_off["complete"]
    assert {path.name for path in (lines.parent / "out").iterdir()} == {
        "manifest.json", *(shard["file"] for shard in broken_off["shards"]),
    }  # fmt: skip
    run("encode", *options, "-o", "out/", "--resume", cwd=lines.parent, timeout=LONGEST_RUN).answer()
    run("encode", *options[:-1], "-o", "wanted/", cwd=lines.parent).answer()
    assert_like(lines.parent / "out", lines.parent / "wanted")


@pytest.mark.slow
def test_a_cluster_encodes_from_s3_to_s3(tiny: tuple[str, str], folder: Path, s3: S3, cluster: RayCluster) -> None:
    """Skip a failed text, by the address of the cluster and by the address for drivers outside it."""
    for number in range(3):
        texts = "".join(
            json.dumps({"id": f"{number}-{row}", "text": text}) + "\n" for row, text in enumerate(TEXTS[:90])
        )
        s3.put(f"in/{number}.jsonl", texts.encode())
    s3.put("in/3.jsonl", b'{"id": "last", "text": ""}\n')
    options = (
        "-f",
        f"s3://{BUCKET}/in/*.jsonl",
        "--id-field",
        "id",
        *tiny,
        "--shard-rows",
        "100",
        "--on-error",
        "skip",
    )
    env = {**s3.env, **cluster.env}
    for name, address in {"out": cluster.address, "client": cluster.client_address}.items():
        target = f"s3://{BUCKET}/{name}/"
        finished = run("encode", *options, "-o", target, "--ray-address", address, env=env, timeout=LONGEST_RUN)
        assert finished.exit_code == 1
        assert f"skipped: s3://{BUCKET}/in/3.jsonl, line 1: the text is empty" in finished.stderr
        assert "bertcli: error: skipped 1 failed text\n" in finished.stderr
    assert run("encode", *options, "-o", f"s3://{BUCKET}/wanted/", env=env).exit_code == 1
    wanted = s3.download("wanted", folder / "wanted")
    assert len(rows(wanted)) == 271
    for name in ("out", "client"):
        found = s3.download(name, folder / name)
        skipped = rows(found)[-1]
        assert (skipped["id"], skipped["index"], skipped["embedding"]) == ("last", 270, None)
        assert [row["id"] for row in rows(found)] == [row["id"] for row in rows(wanted)]
        for row, other in zip(rows(found)[:-1], rows(wanted)[:-1], strict=True):
            np.testing.assert_allclose(row["embedding"], other["embedding"], rtol=0, atol=1e-5)
        assert (manifest(found)["complete"], manifest(found)["skipped"]) == (True, 1)


@pytest.mark.slow
def test_a_failed_text_ends_the_run_as_without_ray(tiny: tuple[str, str], folder: Path, cluster: RayCluster) -> None:
    (folder / "in.txt").write_text("how\n\nyou\n")
    options = ("encode", "-f", "in.txt", *tiny, "-o", "out/", "-q")
    wanted = run(*options, cwd=folder)
    found = run(*options, "--ray-address", cluster.address, cwd=folder, env=cluster.env, timeout=LONGEST_RUN)
    assert_failed(found, 1, "line 2: the text is empty")
    assert found.stderr == wanted.stderr
    assert [path.name for path in folder.iterdir()] == ["in.txt"]
    too_many = run(*options, "--ray-address", cluster.address, "--actors", "3", cwd=folder, env=cluster.env)
    assert_failed(too_many, 2, "3 actors do not fit: there is room for 2 with a CPU each")


def actors(driver: int) -> list[int]:
    """Return the processes of the actors that a driver has started."""
    found = []
    for process in psutil.Process(driver).children(recursive=True):
        try:
            if "_WorkerActor" in " ".join(process.cmdline()):
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


def test_a_missing_pyarrow_is_an_error_with_its_install_command_before_ray_starts(lines: Path) -> None:
    script = "import sys; sys.modules['pyarrow'] = None; from bertcli.__main__ import main; sys.exit(main())"
    command = [sys.executable, "-c", script, "attn", "-f", lines, "--aggregate", "--ray"]
    finished = subprocess.run(command, capture_output=True, text=True, check=False, env=environment())
    assert finished.returncode == 1
    assert finished.stderr.endswith("error: --ray needs pyarrow, which is not installed\nhint: pip install pyarrow\n")
    assert "starting Ray" not in finished.stderr
