"""Streaming over pipes: each line is answered at once, in order, and stdin is read only if it is needed."""

import json
import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import IO

import numpy as np
import pytest

from tests.cli.process import LONGEST_RUN, run, start
from tests.forks import forked_command


@contextmanager
def dialogue(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Start bertcli with pipes to the test, and end it with the block."""
    process = start(*arguments, command=forked_command())
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def send(process: subprocess.Popen[bytes], text: str) -> None:
    """Write one line to bertcli."""
    assert process.stdin is not None
    process.stdin.write(f"{text}\n".encode())
    process.stdin.flush()


def receive(process: subprocess.Popen[bytes]) -> str:
    """Read one line from bertcli. If none comes in time, end the process and return an empty line."""
    stream: IO[bytes] | None = process.stdout
    assert stream is not None
    with ThreadPoolExecutor(1) as pool:
        line = pool.submit(stream.readline)
        try:
            return line.result(LONGEST_RUN).decode()
        except TimeoutError:
            process.kill()
            return ""


ROUNDS = ("how [MASK] you", "the [MASK] sat", "the cat sat on the [MASK]")


@pytest.mark.parametrize("command", ["fill-mask", "encode", "attn"])
def test_each_line_is_answered_before_the_next_is_sent(tiny: tuple[str, str], command: str) -> None:
    with dialogue(command, "-", *tiny, "--format", "jsonl") as process:
        for line, text in enumerate(ROUNDS, 1):
            send(process, text)
            record = json.loads(receive(process))
            assert (record["line"], record["text"]) == (line, text)
        assert process.communicate(timeout=LONGEST_RUN) == (b"", b"")
        assert process.returncode == 0


def test_tsv_rows_are_also_answered_line_by_line(tiny: tuple[str, str]) -> None:
    with dialogue("fill-mask", *tiny, "-k", "1", "--format", "tsv") as process:
        send(process, ROUNDS[0])
        assert receive(process).startswith("index\tline\t")
        assert receive(process).startswith(f"0\t1\t{ROUNDS[0]}\t")
        send(process, ROUNDS[1])
        assert receive(process).startswith(f"1\t2\t{ROUNDS[1]}\t")


def test_a_bad_line_ends_the_run_or_is_skipped_at_once(tiny: tuple[str, str]) -> None:
    with dialogue("fill-mask", "-", *tiny, "--format", "jsonl", "--on-error", "skip") as process:
        send(process, "no mask")
        assert process.stderr is not None
        assert process.stderr.readline() == b"bertcli: skipped: line 1: the text has no mask: 'no mask'\n"
        send(process, ROUNDS[0])
        assert json.loads(receive(process))["line"] == 2
    with dialogue("fill-mask", "-", *tiny, "--format", "jsonl") as process:
        send(process, "no mask")
        assert process.wait(LONGEST_RUN) == 1


def test_a_line_that_arrives_in_parts_is_one_text(tiny: tuple[str, str]) -> None:
    with dialogue("encode", "-", *tiny, "--format", "jsonl") as process:
        assert process.stdin is not None
        for part in (b"how ar", b"e you \xc3", b"\xa4\nth", b"e cat\n"):
            process.stdin.write(part)
            process.stdin.flush()
        assert [json.loads(receive(process))["text"] for _ in range(2)] == ["how are you ä", "the cat"]


def test_answers_are_in_input_order(tiny: tuple[str, str]) -> None:
    texts = [" ".join(["cat", "sat", "on"][: 1 + number % 3] * (1 + number * 7 % 11)) for number in range(600)]
    lines = run("encode", "-", *tiny, "--format", "jsonl", "--batch-tokens", "64", stdin="\n".join(texts)).lines()
    assert [line["text"] for line in lines] == texts
    assert [line["index"] for line in lines] == list(range(600))
    alone = run("encode", texts[401], *tiny, "--json").records()
    np.testing.assert_allclose(lines[401]["embedding"], alone[0]["embedding"], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("arguments", [("--batch", "2", "--seq", "8"), ("--seq", "8", "--run"), ("--weights",)])
def test_shapes_without_a_text_does_not_read_standard_input(tiny: tuple[str, str], arguments: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    try:
        os.write(writing, b"untouched\n")
        run("shapes", *arguments, *tiny, stdin=reading).answer()
        assert os.read(reading, 100) == b"untouched\n"
    finally:
        os.close(reading)
        os.close(writing)


def test_texts_as_arguments_do_not_read_standard_input(tiny: tuple[str, str]) -> None:
    reading, writing = os.pipe()
    try:
        os.write(writing, b"untouched\n")
        assert len(run("encode", "how", *tiny, "--format", "jsonl", stdin=reading).lines()) == 1
        assert os.read(reading, 100) == b"untouched\n"
    finally:
        os.close(reading)
        os.close(writing)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_lines(tiny: tuple[str, str]) -> None:
    def peak(lines: int) -> int:
        with start("encode", "-", *tiny, "--format", "jsonl", stdout=subprocess.DEVNULL) as process:
            assert process.stdin is not None
            process.stdin.write(b"how are you\n" * lines)
            process.stdin.close()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0
        return usage.ru_maxrss

    # At most 20 MB more, where keeping the vectors alone would take about 40 MB.
    assert peak(200_000) < peak(20_000) + 20_000


def test_a_wrong_model_is_an_error_before_any_text_is_read() -> None:
    with dialogue("fill-mask", "-", "-m", "no-such-model") as process:
        assert process.wait(LONGEST_RUN) == 1
