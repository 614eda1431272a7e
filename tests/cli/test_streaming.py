"""Texts that come and go one by one: a dialogue over pipes, the order of answers, and an input left alone."""

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


@contextmanager
def dialogue(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A bertcli that reads from the test and writes to it, ended at the latest with the test."""
    process = start(*arguments)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def say(process: subprocess.Popen[bytes], text: str) -> None:
    """Write one line, and no more."""
    assert process.stdin is not None
    process.stdin.write(f"{text}\n".encode())
    process.stdin.flush()


def hear(process: subprocess.Popen[bytes]) -> str:
    """One line of the answer; a process that keeps silent is ended, and the line is empty."""
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
def test_each_line_is_answered_before_the_next_is_written(tiny: tuple[str, str], command: str) -> None:
    with dialogue(command, "-", *tiny, "--format", "jsonl") as process:
        for line, text in enumerate(ROUNDS, 1):
            say(process, text)
            record = json.loads(hear(process))
            assert (record["line"], record["text"]) == (line, text)
        assert process.communicate(timeout=LONGEST_RUN) == (b"", b"")
        assert process.returncode == 0


def test_rows_are_answered_line_by_line_too(tiny: tuple[str, str]) -> None:
    with dialogue("fill-mask", *tiny, "-k", "1", "--format", "tsv") as process:
        say(process, ROUNDS[0])
        assert hear(process).startswith("index\tline\t")
        assert hear(process).startswith(f"0\t1\t{ROUNDS[0]}\t")
        say(process, ROUNDS[1])
        assert hear(process).startswith(f"1\t2\t{ROUNDS[1]}\t")


def test_a_bad_line_ends_a_dialogue_or_is_skipped_at_once(tiny: tuple[str, str]) -> None:
    with dialogue("fill-mask", "-", *tiny, "--format", "jsonl", "--on-error", "skip") as process:
        say(process, "no mask")
        assert process.stderr is not None
        assert process.stderr.readline() == b"bertcli: skipped: line 1: the text has no mask: 'no mask'\n"
        say(process, ROUNDS[0])
        assert json.loads(hear(process))["line"] == 2
    with dialogue("fill-mask", "-", *tiny, "--format", "jsonl") as process:
        say(process, "no mask")
        assert process.wait(LONGEST_RUN) == 1


def test_a_line_that_comes_in_parts_is_one_text(tiny: tuple[str, str]) -> None:
    with dialogue("encode", "-", *tiny, "--format", "jsonl") as process:
        assert process.stdin is not None
        for part in (b"how ar", b"e you \xc3", b"\xa4\nth", b"e cat\n"):
            process.stdin.write(part)
            process.stdin.flush()
        assert [json.loads(hear(process))["text"] for _ in range(2)] == ["how are you ä", "the cat"]


def test_answers_come_in_the_order_of_the_texts(tiny: tuple[str, str]) -> None:
    texts = [" ".join(["cat", "sat", "on"][: 1 + number % 3] * (1 + number * 7 % 11)) for number in range(600)]
    lines = run("encode", "-", *tiny, "--format", "jsonl", "--batch-tokens", "64", stdin="\n".join(texts)).lines()
    assert [line["text"] for line in lines] == texts
    assert [line["index"] for line in lines] == list(range(600))
    alone = run("encode", texts[401], *tiny, "--json").records()
    np.testing.assert_allclose(lines[401]["embedding"], alone[0]["embedding"], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("arguments", [("--batch", "2", "--seq", "8"), ("--seq", "8", "--run"), ("--weights",)])
def test_what_needs_no_text_leaves_standard_input_alone(tiny: tuple[str, str], arguments: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    try:
        os.write(writing, b"untouched\n")
        run("shapes", *arguments, *tiny, stdin=reading).answer()
        assert os.read(reading, 100) == b"untouched\n"
    finally:
        os.close(reading)
        os.close(writing)


def test_texts_as_arguments_leave_standard_input_alone(tiny: tuple[str, str]) -> None:
    reading, writing = os.pipe()
    try:
        os.write(writing, b"untouched\n")
        assert len(run("encode", "how", *tiny, "--format", "jsonl", stdin=reading).lines()) == 1
        assert os.read(reading, 100) == b"untouched\n"
    finally:
        os.close(reading)
        os.close(writing)


@pytest.mark.slow
def test_many_lines_flow_in_bounded_memory(tiny: tuple[str, str]) -> None:
    def peak(lines: int) -> int:
        with start("encode", "-", *tiny, "--format", "jsonl", stdout=subprocess.DEVNULL) as process:
            assert process.stdin is not None
            process.stdin.write(b"how are you\n" * lines)
            process.stdin.close()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0
        return usage.ru_maxrss

    # Some MB more at the most, where holding the vectors alone would take 40.
    assert peak(200_000) < peak(20_000) + 20_000


def test_a_wrong_model_is_an_error_before_any_text_comes() -> None:
    with dialogue("fill-mask", "-", "-m", "no-such-model") as process:
        assert process.wait(LONGEST_RUN) == 1
