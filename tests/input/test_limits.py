"""Lines, rows and texts over the limit, and many files: bounded memory, linear time, few open files."""

import gzip
import os
import resource
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertcli.input import records, streams, tables
from bertcli.input.reader import TextReader
from bertcli.input.records import MAX_TEXT_BYTES, FailedText, TextSource, Window

LIMIT = 1 << 18
LONG = "x" * (LIMIT + 1)


@pytest.fixture
def small_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lower the limit from 16 MiB, so that tests need less time."""
    for module in (records, streams, tables):
        monkeypatch.setattr(module, "MAX_TEXT_BYTES", LIMIT)


def read(path: Path, **source: Any) -> Window:
    return [text for window in TextReader(TextSource(file=path, **source)).windows() for text in window]


def results(window: Window) -> list[tuple[int | None, str]]:
    """Return the line of each text, and the text or its error."""
    assert [text.index for text in window] == list(range(len(window)))
    return [(each.line, each.error.message if isinstance(each, FailedText) else each.text) for each in window]


@pytest.mark.usefixtures("small_limit")
@pytest.mark.parametrize("suffix", [".txt", ".txt.gz", ".jsonl"])
@pytest.mark.parametrize("end", ["\n", "", "\nlast\n", "\r\nlast"])
def test_a_long_line_is_a_failed_text_and_the_lines_around_it_are_read(tmp_path: Path, suffix: str, end: str) -> None:
    path = tmp_path / f"texts{suffix}"
    lines = f"how\n{'x' * LIMIT * 5}\n{'y' * (LIMIT + 1)}{end}"
    if suffix == ".jsonl":
        lines = lines.replace("how", '{"text": "how"}').replace("last", '{"text": "last"}')
    path.write_bytes(gzip.compress(lines.encode()) if suffix.endswith(".gz") else lines.encode())
    too_long = "the line is longer than 0 MiB"
    assert results(read(path)) == [(1, "how"), (2, too_long), (3, too_long), *([(4, "last")] if "last" in end else [])]


@pytest.mark.usefixtures("small_limit")
def test_a_line_at_the_limit_is_read(tmp_path: Path) -> None:
    (tmp_path / "texts.txt").write_text(f"{'x' * LIMIT}\n{'y' * LIMIT}")
    assert [len(text) for _, text in results(read(tmp_path / "texts.txt"))] == [LIMIT, LIMIT]


CELL = "many words\n" * (LIMIT // 8)
TOO_LONG = "the row is longer than 0 MiB"


@pytest.mark.usefixtures("small_limit")
@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (f"{LONG}\nhow\n", [(2, TOO_LONG), (3, "how")]),
        (f'"{LONG}"\nhow\n', [(2, TOO_LONG), (3, "how")]),
        (f'"{LONG}\nmore"\nhow\n', [(2, TOO_LONG), (4, "how")]),
        (f'"a ""quoted""\n{LONG}"\nhow\n', [(2, TOO_LONG), (4, "how")]),
        (f'"a\n{LONG}\nb ""c"""\nhow\n', [(2, TOO_LONG), (5, "how")]),
        (f'"{CELL}"\nhow\n', [(2, TOO_LONG), (3 + CELL.count("\n"), "how")]),
        (f'"{CELL}",","\nhow\n', [(2, TOO_LONG), (3 + CELL.count("\n"), "how")]),
        (f'"{CELL}"x\nhow\n', [(2, TOO_LONG), (3 + CELL.count("\n"), "how")]),
        (f'how\n"{CELL * 3}', [(2, "how"), (3, TOO_LONG)]),
        (f"{LONG}", [(2, TOO_LONG)]),
    ],
)
def test_a_long_row_of_csv_is_one_failed_text(tmp_path: Path, rows: str, expected: list[tuple[int, str]]) -> None:
    (tmp_path / "texts.csv").write_text(f"text\n{rows}")
    assert results(read(tmp_path / "texts.csv")) == expected


@pytest.mark.usefixtures("small_limit")
def test_quotes_do_not_join_lines_of_tsv(tmp_path: Path) -> None:
    (tmp_path / "texts.tsv").write_text(f'text\n"{LONG}\n"how\n')
    assert results(read(tmp_path / "texts.tsv")) == [(2, TOO_LONG), (3, '"how')]


@pytest.mark.usefixtures("small_limit")
def test_a_long_text_is_a_failed_text_wherever_it_is_from(tmp_path: Path) -> None:
    table = pyarrow.table({"text": ["how", "ä" * (LIMIT // 2 + 1), "y" * LIMIT]})
    pyarrow.parquet.write_table(table, tmp_path / "texts.parquet")
    too_long = "the text is longer than 0 MiB"
    assert [text[:30] for _, text in results(read(tmp_path / "texts.parquet"))] == ["how", too_long, "y" * 30]
    for source in (TextSource([LONG]), TextSource(["how"], pair=LONG)):
        [window] = TextReader(source).windows()
        assert results(window) == [(None, too_long)]


def test_a_line_of_any_length_takes_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "texts.txt.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        for _ in range(10):
            file.write(b"a" * MAX_TEXT_BYTES)
    tracemalloc.start()
    [(line, message)] = results(read(path))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (line, message) == (1, "the line is longer than 16 MiB")
    assert peak < 3 * MAX_TEXT_BYTES


def test_an_endless_line_is_reported_before_its_end() -> None:
    windows = TextReader(TextSource(file=Path("/dev/zero"))).windows()
    assert results(next(windows)) == [(1, "the line is longer than 16 MiB")]


@contextmanager
def few_descriptors(count: int) -> Iterator[None]:
    """Allow only that many open files."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (count, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


@pytest.mark.parametrize("suffix", [".txt", ".txt.gz", ".parquet"])
def test_many_files_are_open_one_at_a_time(tmp_path: Path, suffix: str) -> None:
    paths = [tmp_path / f"{number}{suffix}" for number in range(100)]
    for path in paths:
        if suffix == ".parquet":
            pyarrow.parquet.write_table(pyarrow.table({"text": ["how"]}), path)
        else:
            path.write_bytes(gzip.compress(b"how\n") if suffix.endswith(".gz") else b"how\n")
    before = set(os.listdir("/proc/self/fd"))  # noqa: PTH208 - the numbers are needed
    with few_descriptors(max(map(int, before)) + 10):
        windows = TextReader(TextSource(file=paths)).windows()
        assert sum(len(window) for window in windows) == 100
    assert len(list(Path("/proc/self/fd").iterdir())) <= len(before) + 1


def test_a_descriptor_above_1023_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "texts.txt").write_text("how\nyou\n")
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limits[1] != resource.RLIM_INFINITY and limits[1] < 1100:
        pytest.skip("the system allows no more open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (1100, limits[1]))
    try:
        with (tmp_path / "texts.txt").open("rb") as file:
            stream = streams.ByteStream(os.dup2(file.fileno(), 1050), "texts.txt", owns_descriptor=True)
            assert list(stream.lines()) == [[b"how", b"you"]]
            stream.close()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


@given(st.text(st.sampled_from('\n\r"ab'), max_size=60), st.integers(1, 8))
def test_lines_do_not_depend_on_the_blocks_that_they_arrive_in(text: str, block: int) -> None:
    content, lines = text.encode(), list[streams.Line]()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streams, "MAX_TEXT_BYTES", 8)
        splitter = streams.LineSplitter()
        for start in range(0, len(content), block):
            splitter.add(content[start : start + block])
            lines += splitter.take(has_ended=False)
        lines += splitter.take(has_ended=True)
    assert [line if isinstance(line, bytes) else line.quotes for line in lines] == [
        line if len(line) <= 8 else line.count(b'"') for line in content.removesuffix(b"\n").split(b"\n") if content
    ]
