"""Tests of runs into a folder that end early (Ctrl-C, SIGKILL, a full disk), and of --resume, to the same bytes."""

import fcntl
import json
import random
import re
import resource
import shutil
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.process import LONGEST_RUN, assert_failed, run, start

WORDS = ["how", "are", "you", "the", "cat", "sat", "on", "the", "mat"]
SHARD_ROWS = "40"


@pytest.fixture
def lines(folder: Path) -> Path:
    """Return a file of texts of different lengths, some of them more than once."""
    draw = random.Random(0)
    texts = [" ".join(draw.choices(WORDS, k=draw.randint(1, 20))) for _ in range(400)]
    (folder / "in.txt").write_text("".join(f"{text}\n" for text in [*texts, *texts[:100]]))
    return folder / "in.txt"


def contents(folder: Path) -> dict[str, bytes]:
    """Return the content of every file of a folder, partial files too."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())} if folder.is_dir() else {}


def options(lines: Path, tiny: tuple[str, str], name: str, *more: str) -> list[str]:
    """Return the arguments to encode into a folder beside the texts, in small shards."""
    return ["encode", "-f", str(lines), *tiny, "--shard-rows", SHARD_ROWS, "-o", f"{lines.parent / name}/", *more]


def first_shards(whole: Path, parted: Path, count: int) -> None:
    """Make `parted` look like a run that ended after `count` shards."""
    parted.mkdir()
    manifest = json.loads((whole / "manifest.json").read_text())
    manifest["shards"] = manifest["shards"][:count]
    manifest |= {"rows": sum(shard["rows"] for shard in manifest["shards"]), "complete": False}
    (parted / "manifest.json").write_text(json.dumps(manifest))
    for shard in manifest["shards"]:
        shutil.copy(whole / shard["file"], parted)


def test_resume_starts_a_new_run_and_accepts_a_complete_one(tiny: tuple[str, str], lines: Path) -> None:
    run(*options(lines, tiny, "whole", "-q")).answer()
    whole = contents(lines.parent / "whole")
    run(*options(lines, tiny, "new", "-q", "--resume")).answer()
    assert contents(lines.parent / "new") == whole
    again = run(*options(lines, tiny, "new", "--resume"))
    assert again.exit_code == 0
    assert "bertcli: note: resumed: 500 rows were already done" in again.stderr
    assert contents(lines.parent / "new") == whole


@pytest.mark.parametrize("more", [(), ("--dedupe",), ("--dtype-out", "float16", "--dedupe", "--pooler")])
def test_a_resumed_run_writes_the_same_bytes(tiny: tuple[str, str], lines: Path, more: tuple[str, ...]) -> None:
    run(*options(lines, tiny, "whole", "-q", *more)).answer()
    first_shards(lines.parent / "whole", lines.parent / "parted", 5)
    # A killed run may leave these: a partial file, and a shard that the manifest does not name yet.
    (lines.parent / "parted" / ".shard-00005.parquet.x.part").write_bytes(b"half")
    (lines.parent / "parted" / "shard-00005.parquet").write_bytes(b"whole")
    run(*options(lines, tiny, "parted", "-q", "--resume", *more)).answer()
    assert contents(lines.parent / "parted") == contents(lines.parent / "whole")


def test_a_run_interrupted_after_two_short_texts_is_resumed_to_the_same_bytes(folder: Path) -> None:
    # The first two texts make the first batch of a whole run, and the last two that of a resumed run. The weights of
    # the bundled model are in bfloat16, and its first batch converts them.
    (folder / "in.txt").write_text("the cat sat on the mat\nhow are you\nwhere is the big dog now\nyes\n")
    arguments = ("encode", "-f", "in.txt", "-q", "--shard-rows", "2", "-o")
    run(*arguments, "whole/", cwd=folder).answer()
    first_shards(folder / "whole", folder / "parted", 1)
    run(*arguments, "parted/", "--resume", cwd=folder).answer()
    assert contents(folder / "parted") == contents(folder / "whole")


def test_a_resumed_run_keeps_its_engine(tiny: tuple[str, str], lines: Path) -> None:
    run(*options(lines, tiny, "whole", "-q", "--engine", "torch")).answer()
    first_shards(lines.parent / "whole", lines.parent / "parted", 3)
    # By itself so little text would be given to numpy, and to as many threads as there are.
    run(*options(lines, tiny, "parted", "-q", "--resume"), env={"OMP_NUM_THREADS": "1"}).answer()
    assert contents(lines.parent / "parted") == contents(lines.parent / "whole")


def test_resume_refuses_other_options_models_and_inputs(
    tiny: tuple[str, str], own_tiny_bert: Path, lines: Path
) -> None:
    own = ("-m", str(own_tiny_bert))
    run(*options(lines, own, "whole", "-q")).answer()
    out = lines.parent / "out"
    first_shards(lines.parent / "whole", out, 2)
    before = contents(out)
    for more, words in {
        ("--pool", "max"): ("was started with --pooling auto, not max",),
        ("--engine", "torch"): ("was started with --engine numpy, not torch",),
        ("--batch-tokens", "100"): ("was started with --batch-tokens ", ", not 100"),
        ("--dedupe",): ("was started without --dedupe",),
        ("--shard-rows", "7"): ("was started with --shard-rows 40, not 7",),
        ("-m", "bundled"): (f"was started with --model {own[1]}, not bundled",),
    }.items():
        assert_failed(run(*options(lines, own, "out", "--resume", *more)), 1, *words)
    content = lines.read_text()
    for changed in (content.replace("how", "cat", 1), content[: len(content) // 20]):
        lines.write_text(changed)
        assert_failed(
            run(*options(lines, own, "out", "--resume")), 1, "the input has changed since the run was started"
        )
    lines.write_text(content)
    weights = own_tiny_bert / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x01")
    assert_failed(run(*options(lines, own, "out", "--resume")), 1, "was started with other files of the model")
    assert contents(out) == before


def test_an_existing_folder_is_kept_without_force_or_resume(tiny: tuple[str, str], lines: Path) -> None:
    run(*options(lines, tiny, "out", "-q")).answer()
    before = contents(lines.parent / "out")
    finished = run(*options(lines, tiny, "out"))
    assert_failed(finished, 1, "out/ holds the shards of a complete run")
    assert "--resume" not in finished.stderr and "--force" in finished.stderr
    run(*options(lines, tiny, "out", "-q", "--force", "--pool", "max")).answer()
    assert contents(lines.parent / "out").keys() == before.keys()
    (lines.parent / "notes").mkdir()
    (lines.parent / "notes" / "mine.txt").write_text("precious")
    for more in ((), ("--resume",)):
        assert_failed(run(*options(lines, tiny, "notes", *more)), 1, "already exists and is not empty")
    assert contents(lines.parent / "notes") == {"mine.txt": b"precious"}


def test_a_second_run_into_a_folder_is_refused_and_changes_nothing(tiny: tuple[str, str], lines: Path) -> None:
    run(*options(lines, tiny, "out", "-q")).answer()
    out = lines.parent / "out"
    before = contents(out)
    with (out / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for more in ((), ("--force",), ("--resume",)):
            refused = run(*options(lines, tiny, "out", *more))
            assert_failed(refused, 1, "out/ is being written by another run")
            assert "hint: wait for that run to end" in refused.stderr
        assert contents(out) == {**before, ".lock": b""}
    run(*options(lines, tiny, "out", "-q", "--force")).answer()
    assert contents(out) == before


def test_shards_end_by_the_amount_of_text_and_a_resumed_run_cuts_the_same(tiny: tuple[str, str], lines: Path) -> None:
    arguments = ["encode", "-f", str(lines), *tiny, "-q", "-o"]
    whole, parted = lines.parent / "whole", lines.parent / "parted"
    run(*arguments, f"{whole}/").answer()
    manifest = json.loads((whole / "manifest.json").read_text())
    assert manifest["shard_rows"] == 20_000 and manifest["shard_bytes"] > 1e6
    # As if the model were large: the sizes of a run are those that its manifest records.
    first_shards(whole, parted, 0)
    small = json.loads((parted / "manifest.json").read_text())
    small |= {"shard_bytes": 5000, "id_type": None, "bertcli": "0.1.0-begun"}
    (parted / "manifest.json").write_text(json.dumps(small))
    run(*arguments, f"{parted}/", "--resume").answer()
    found = json.loads((parted / "manifest.json").read_text())
    assert len(found["shards"]) > 4 and len({shard["rows"] for shard in found["shards"]}) > 2
    assert (found["shard_bytes"], found["rows"], found["bertcli"]) == (5000, 500, "0.1.0-begun")
    for count in (1, 3):
        again = lines.parent / f"again{count}"
        first_shards(parted, again, count)
        run(*arguments, f"{again}/", "--resume").answer()
        assert contents(again) == contents(parted)
    refused = run(*arguments, f"{parted}/", "--resume", "--shard-rows", "40")
    assert_failed(refused, 1, "was started without --shard-rows")


def test_a_damaged_manifest_or_shard_is_an_expected_error(tiny: tuple[str, str], lines: Path) -> None:
    run(*options(lines, tiny, "whole", "-q")).answer()
    out = lines.parent / "out"
    first_shards(lines.parent / "whole", out, 4)
    content = (out / "manifest.json").read_text()
    for damaged, words in {
        content.replace('"threads"', '"thread"'): "manifest.json is damaged: threads is missing",
        content.replace('"rows": 40', '"rows": 39', 1): "damaged: the rows of the shards do not add up",
        "[" * 100_000: "manifest.json is damaged: it is not valid JSON",
        content.replace('"schema": 2', '"schema": 9'): "was written in format 9 by bertcli",
    }.items():
        (out / "manifest.json").write_text(damaged)
        assert_failed(run(*options(lines, tiny, "out", "--resume")), 1, words)
    (out / "manifest.json").write_text(content)
    shard = bytearray((out / "shard-00001.parquet").read_bytes())
    shard[len(shard) // 2] ^= 1
    (out / "shard-00001.parquet").write_bytes(shard)
    assert_failed(run(*options(lines, tiny, "out", "--resume")), 1, "shard-00001.parquet differs from its entry")
    assert_failed(run(*options(lines, tiny, "out", "--resume", "--force")), 2, "--resume keeps", "--force replaces")


def test_resume_refuses_a_missing_shard(tiny: tuple[str, str], lines: Path) -> None:
    run(*options(lines, tiny, "out", "-q")).answer()
    (lines.parent / "out" / "shard-00003.parquet").unlink()
    assert_failed(run(*options(lines, tiny, "out", "--resume")), 1, "shard-00003.parquet is missing")


def test_a_run_can_be_resumed_after_a_full_disk(tiny: tuple[str, str], lines: Path) -> None:
    run(*options(lines, tiny, "whole", "-q", "--layers", "all")).answer()
    size = max(len(content) for name, content in contents(lines.parent / "whole").items())
    limited = {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size - 1, size - 1))}
    finished = run(*options(lines, tiny, "out", "--layers", "all"), **limited)
    note, _, error = finished.stderr.partition("\n")
    assert re.fullmatch(
        r"bertcli: note: [1-9]\d* rows are saved in .*out/; continue with the same command and --resume", note
    )
    assert_failed(replace(finished, stderr=error), 1, "file too large")
    left = contents(lines.parent / "out")
    assert not [name for name in left if name.endswith(".part")]
    run(*options(lines, tiny, "out", "-q", "--layers", "all", "--resume")).answer()
    assert contents(lines.parent / "out") == contents(lines.parent / "whole")


@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_keeps_its_shards_and_leaves_no_part(
    tiny: tuple[str, str], folder: Path, number: signal.Signals, exit_code: int
) -> None:
    arguments = ("encode", "-", *tiny, "-o", "out/", "--shard-rows", "10")
    texts = "".join(f"{' '.join(WORDS[: 1 + index % 9])}\n" for index in range(25)).encode()
    with start(*arguments, cwd=folder) as process:
        assert process.stdin is not None and process.stderr is not None
        process.stdin.write(texts)
        process.stdin.flush()
        deadline = time.monotonic() + LONGEST_RUN
        while not (folder / "out" / "shard-00001.parquet").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(number)
        assert process.wait(LONGEST_RUN) == exit_code
        stderr = process.stderr.read().decode()
    # On a busy machine the watch over signals may end the process before the rows are counted.
    assert re.fullmatch(
        r"(bertcli: stopping\n)?bertcli: note: interrupted: "
        r"([12]0 rows|any complete shards) are saved in out/; continue with (the same command and )?--resume\n",
        stderr,
    ), stderr
    assert [name for name in contents(folder / "out") if name.endswith(".part")] == []
    run(*arguments, "--resume", "-q", stdin=texts, cwd=folder).answer()
    run(*arguments[:4], "-o", "whole/", *arguments[-2:], "-q", stdin=texts, cwd=folder).answer()
    assert contents(folder / "out") == contents(folder / "whole")


@pytest.mark.slow
def test_a_run_killed_thirty_times_writes_the_same_bytes(tiny: tuple[str, str], folder: Path) -> None:
    draw = random.Random(1)
    texts = [" ".join(draw.choices(WORDS, k=draw.randint(1, 20))) for _ in range(4000)]
    (folder / "in.txt").write_text("".join(f"{text}\n" for text in texts))

    def arguments(name: str) -> list[str]:
        # A batch of one text, so that it takes a while.
        return ["encode", "-f", "in.txt", *tiny, "-o", name, "--shard-rows", "100", "--batch-tokens", "40", "--dedupe"]

    started = time.monotonic()
    run(*arguments("whole/"), "-q", cwd=folder).answer()
    whole_run = time.monotonic() - started
    killed = 0
    while killed < 30:
        with start(*arguments("out/"), "-q", "--resume", cwd=folder) as process:
            time.sleep(draw.uniform(0, whole_run))
            process.kill()
            code = process.wait()
            assert code in (0, -signal.SIGKILL), process.stderr and process.stderr.read()
        killed += code == -signal.SIGKILL
        if code == 0:
            assert contents(folder / "out") == contents(folder / "whole")
            shutil.rmtree(folder / "out")
    run(*arguments("out/"), "-q", "--resume", cwd=folder).answer()
    assert contents(folder / "out") == contents(folder / "whole")


@pytest.mark.slow
def test_memory_does_not_grow_with_the_corpus(tiny: tuple[str, str], folder: Path) -> None:
    import os

    def peak(count: int) -> int:
        draw = random.Random(2)
        with (folder / "in.txt").open("w") as file:
            file.writelines(" ".join(draw.choices(WORDS, k=draw.randint(3, 12))) + "\n" for _ in range(count))
        more = ("--shard-rows", "2000", "--batch-tokens", "256", "--engine", "numpy", "--force", "-q")
        with start("encode", "-f", "in.txt", *tiny, "-o", "out/", *more, cwd=folder) as process:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0
        return usage.ru_maxrss

    assert peak(50_000) < 1.05 * peak(5_000)
