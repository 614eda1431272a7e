"""Ten megabytes on one line are cut, or are an error, within seconds."""

import time
from pathlib import Path

import pytest

from tests.cli.process import assert_failed, run

# With spaces, and in a script that is tokenised a character at a time.
LINES = {"words": b"the cat sat " * 850_000, "characters": "中".encode() * 3_400_000}
# Seconds for the whole process on a busy machine. The model itself takes a tenth of a second.
SOON = 10.0


@pytest.fixture(scope="module", params=LINES)
def long_line(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with one line of ten megabytes."""
    path = tmp_path_factory.mktemp("long") / "line.txt"
    path.write_bytes(LINES[request.param] + b"\n")
    return path


def test_ten_megabytes_on_a_line_are_cut_to_the_limit(tiny: tuple[str, str], long_line: Path) -> None:
    began = time.monotonic()
    (record,) = run("encode", "-f", long_line, *tiny, "--truncate", "--max-length", "16", "--json").records()
    assert time.monotonic() - began < SOON
    assert (record["truncated"], len(record["tokens"])) == (True, 16)


def test_ten_megabytes_on_a_line_are_too_long_for_the_model(tiny: tuple[str, str]) -> None:
    began = time.monotonic()
    finished = run("encode", "-", *tiny, stdin=LINES["words"])
    assert time.monotonic() - began < SOON
    assert_failed(finished, 1, "line 1: the text has more than", "the limit is 64")


def test_a_mask_after_ten_megabytes_would_be_cut_off(tiny: tuple[str, str]) -> None:
    finished = run("fill-mask", "-", *tiny, "--truncate", stdin=LINES["words"] + b"[MASK]")
    assert_failed(finished, 1, "line 1: 1 of the text's masks would be cut away")


def test_ten_megabytes_in_one_word_are_not_tokenized(tiny: tuple[str, str]) -> None:
    finished = run("encode", "-", *tiny, "--json", stdin=b"x" * 10_000_000)
    assert_failed(finished, 1, "line 1: the text has 10,000,000 characters, and the limit is 1,000,000")
