"""Texts from arguments, files and pipes: line numbers, no waiting, bounded memory."""

import gzip
import os
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertcli.errors import BadText, WrongUsage
from bertcli.input.reader import TextReader
from bertcli.input.records import FailedText, TextRecord, TextSource, Window
from bertcli.input.streams import WINDOW_BYTES

BOM = b"\xef\xbb\xbf"


def flat(windows: Iterator[Window]) -> Window:
    return [text for window in windows for text in window]


def read_file(path: Path, content: bytes, **source: object) -> Window:
    path.write_bytes(content)
    return flat(TextReader(TextSource(file=path, **source)).windows())


def texts_of(window: Window) -> list[str | None]:
    return [None if isinstance(text, FailedText) else text.text for text in window]


class Pipe:
    """A pipe that replaces standard input."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        reading, self._writing = os.pipe()
        self._stdin = os.fdopen(reading, encoding="utf-8")
        monkeypatch.setattr(sys, "stdin", self._stdin)

    def write(self, content: bytes) -> None:
        os.write(self._writing, content)

    def close(self) -> None:
        if self._writing is not None:
            os.close(self._writing)
            self._writing = None

    def close_both(self) -> None:
        self.close()
        self._stdin.close()


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipe]:
    made = Pipe(monkeypatch)
    yield made
    made.close_both()


@pytest.fixture
def read_pipe(pipe: Pipe) -> Callable[..., Window]:
    """Return a function that reads all texts of a closed pipe with some content."""

    def read(content: bytes, **source: object) -> Window:
        pipe.write(content)
        pipe.close()
        return flat(TextReader(TextSource(["-"], **source)).windows())

    return read


def test_arguments_are_one_window_without_line_numbers() -> None:
    reader = TextReader(TextSource(["one", "two", "-3"]))
    assert list(reader.windows()) == [[TextRecord(0, "one"), TextRecord(1, "two"), TextRecord(2, "-3")]]
    assert reader.estimate_bytes() == 8


def test_a_file_has_a_text_a_line_numbered_from_1(tmp_path: Path) -> None:
    path = tmp_path / "lines.txt"
    assert read_file(path, b"one\ntwo words\n") == [
        TextRecord(0, "one", None, 1),
        TextRecord(1, "two words", None, 2),
    ]
    assert TextReader(TextSource(file=path)).estimate_bytes() == 14


@pytest.mark.parametrize(
    ("content", "texts"),
    [
        (b"", []),
        (b"a", ["a"]),
        (b"a\n", ["a"]),
        (b"a\nb", ["a", "b"]),
        (b"a\r\nb\r\n", ["a", "b"]),
        (b"a\r\nb", ["a", "b"]),
        (b"a\rb\n", ["a\rb"]),
        (b"a\r\r\n", ["a\r"]),
        (BOM + b"a\nb\n", ["a", "b"]),
        (b"a\n" + BOM + b"b\n", ["a", "\ufeffb"]),
        ("ä\n中文\n👩‍🚀\n".encode(), ["ä", "中文", "👩‍🚀"]),
        ("a\u2028b\u0085c\x0cd\n".encode(), ["a\u2028b\u0085c\x0cd"]),
        (b" a \t\n", [" a \t"]),
        (b"\n", []),
        (b"a\n\nb\n", ["a", None, "b"]),
        (b"a\n\n", ["a"]),
        (b"a\n\r\n \n\xe3\x80\x80\n\n", ["a"]),
        (b"\n \n\nb\n\n", [None, None, None, "b"]),
        (b"\r\n", []),
        (b"  \t \n", []),
        (BOM, []),
        (BOM + b"\n", []),
        (b"a\n\xff\nb\n", ["a", None, "b"]),
        (b"a\x00b\n", ["a\x00b"]),
    ],
)
def test_only_newlines_end_lines(
    tmp_path: Path, read_pipe: Callable[..., Window], content: bytes, texts: list[str | None]
) -> None:
    from_file = read_file(tmp_path / "lines.txt", content)
    assert texts_of(from_file) == texts
    assert [(text.index, text.line) for text in from_file] == [(index, index + 1) for index in range(len(texts))]
    assert texts_of(read_pipe(content)) == texts


def test_an_empty_line_is_an_error_in_its_place(tmp_path: Path) -> None:
    found = read_file(tmp_path / "lines.txt", b"a\n\nb")[1]
    assert isinstance(found, FailedText)
    assert isinstance(found.error, BadText)
    assert (found.index, found.line, found.error.message) == (1, 2, "the text is empty")


def test_a_line_that_is_not_utf_8_is_reported_with_byte_and_column(tmp_path: Path) -> None:
    found = read_file(tmp_path / "lines.txt", b"a\ncaf\xe9\nb")[1]
    assert isinstance(found, FailedText)
    assert (found.index, found.line) == (1, 2)
    assert found.error.message == "the text is not UTF-8: byte 0xe9 at column 4"
    assert "iconv" in found.error.hint


@pytest.mark.parametrize("text", ["", " ", "\u3000", "\t\n"])
def test_an_empty_argument_is_an_error_in_its_place(text: str) -> None:
    [first, empty] = flat(TextReader(TextSource(["a", text])).windows())
    assert isinstance(first, TextRecord)
    assert isinstance(empty, FailedText)
    assert (empty.index, empty.line, empty.error.message) == (1, None, "the text is empty")


def test_an_argument_that_is_not_utf_8_is_an_error() -> None:
    [found] = flat(TextReader(TextSource([os.fsdecode(b"caf\xe9")])).windows())
    assert isinstance(found, FailedText)
    assert "not UTF-8" in found.error.message


def test_a_pair_is_added_to_every_text() -> None:
    found = flat(TextReader(TextSource(["a", "b"], pair="c")).windows())
    assert found == [TextRecord(0, "a", "c"), TextRecord(1, "b", "c")]


def test_pairs_are_split_at_the_first_tab(tmp_path: Path) -> None:
    found = read_file(tmp_path / "pairs.tsv", b"a\tb\nc\td\te\nno tab\n\tb\na\t\n", pairs=True)
    assert found[:2] == [TextRecord(0, "a", "b", 1), TextRecord(1, "c", "d\te", 2)]
    messages = [text.error.message for text in found[2:] if isinstance(text, FailedText)]
    assert messages == ["the text has no tab between A and B", "the text is empty", "the text is empty"]
    assert [text.line for text in found] == [1, 2, 3, 4, 5]


def test_without_pairs_a_tab_is_part_of_the_text(tmp_path: Path) -> None:
    assert read_file(tmp_path / "lines.txt", b"a\tb\n") == [TextRecord(0, "a\tb", None, 1)]


def test_an_empty_pair_is_an_error() -> None:
    [found] = flat(TextReader(TextSource(["a"], pair=" ")).windows())
    assert isinstance(found, FailedText)


@pytest.mark.parametrize(
    "source",
    [
        TextSource(["a"], pair="b", pairs=True),
        TextSource(["a"], file=Path("lines.txt")),
        TextSource(["-"], file=Path("lines.txt")),
        TextSource(["-", "a"]),
        TextSource(["a", "-"]),
    ],
)
def test_two_sources_of_texts_are_wrong_usage(source: TextSource) -> None:
    with pytest.raises(WrongUsage) as raised:
        TextReader(source)
    assert raised.value.hint


def test_without_texts_a_terminal_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    parent, child = os.openpty()
    with os.fdopen(child, encoding="utf-8") as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)
        with pytest.raises(WrongUsage, match="no text to read"):
            TextReader(TextSource())
    os.close(parent)


@pytest.mark.parametrize("source", [TextSource(), TextSource(["-"]), TextSource(file=Path("-"))])
def test_standard_input_is_read_for_a_dash_or_by_default(pipe: Pipe, source: TextSource) -> None:
    pipe.write(b"one\ntwo\n")
    pipe.close()
    assert flat(TextReader(source).windows()) == [TextRecord(0, "one", None, 1), TextRecord(1, "two", None, 2)]


def test_standard_input_may_be_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lines.txt").write_bytes(b"one\ntwo")
    with (tmp_path / "lines.txt").open(encoding="utf-8") as opened:
        monkeypatch.setattr(sys, "stdin", opened)
        reader = TextReader(TextSource(["-"]))
        assert reader.estimate_bytes() == 7
        assert texts_of(flat(reader.windows())) == ["one", "two"]


def test_a_missing_file_raises_the_error_of_the_operating_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as raised:
        TextReader(TextSource(file=tmp_path / "nowhere.txt"))
    assert raised.value.filename == str(tmp_path / "nowhere.txt")


def test_a_line_is_passed_on_at_once(pipe: Pipe) -> None:
    started = time.monotonic()
    windows = TextReader(TextSource(["-"])).windows()
    for number, word in enumerate(["one", "two", "three"]):
        pipe.write(f"{word}\n".encode())
        assert next(windows) == [TextRecord(number, word, None, number + 1)]
    pipe.write(b"last")
    pipe.close()
    assert next(windows) == [TextRecord(3, "last", None, 4)]
    assert list(windows) == []
    assert time.monotonic() - started < 5


def test_a_line_is_passed_on_at_once_after_the_work_was_estimated(pipe: Pipe) -> None:
    pipe.write(b"one\n")
    reader = TextReader(TextSource(["-"]))
    started = time.monotonic()
    assert reader.estimate_bytes() == 4
    assert time.monotonic() - started < 5
    windows = reader.windows()
    assert next(windows) == [TextRecord(0, "one", None, 1)]
    pipe.write(b"two\n")
    assert next(windows) == [TextRecord(1, "two", None, 2)]


def test_half_a_line_waits_for_the_rest(pipe: Pipe) -> None:
    pipe.write("one\ncaf\u00e9".encode()[:-1])
    windows = TextReader(TextSource(["-"])).windows()
    assert texts_of(next(windows)) == ["one"]
    writer = threading.Timer(0.05, lambda: (pipe.write("\u00e9\n".encode()[1:]), pipe.close()))
    writer.start()
    assert texts_of(next(windows)) == ["café"]
    writer.join()


def test_available_lines_are_one_window(pipe: Pipe) -> None:
    pipe.write(b"".join(b"%d\n" % number for number in range(1000)))
    windows = TextReader(TextSource(["-"])).windows()
    assert texts_of(next(windows)) == [str(number) for number in range(1000)]


def test_the_estimate_of_a_pipe_reads_to_its_end(pipe: Pipe) -> None:
    pipe.write(b"one\ntwo")
    pipe.close()
    reader = TextReader(TextSource(["-"]))
    assert reader.estimate_bytes() == 7
    assert texts_of(flat(reader.windows())) == ["one", "two"]


def test_the_estimate_of_a_pipe_stops_at_a_window_and_loses_nothing(pipe: Pipe) -> None:
    lines = [f"line {number}" for number in range(40_000)]

    def write() -> None:
        pipe.write("".join(f"{line}\n" for line in lines).encode())
        pipe.close()

    writer = threading.Thread(target=write)
    writer.start()
    reader = TextReader(TextSource(["-"]))
    assert WINDOW_BYTES <= reader.estimate_bytes() < 2 * WINDOW_BYTES
    assert texts_of(flat(reader.windows())) == lines
    writer.join()


def test_a_file_of_any_size_is_read_in_windows_of_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "long.txt"
    path.write_bytes(b"".join(b"%06d %s\n" % (number, b"x" * 192) for number in range(50_000)))
    tracemalloc.start()
    count, largest = 0, 0
    for window in TextReader(TextSource(file=path)).windows():
        assert window[0].line == count + 1
        count += len(window)
        largest = max(largest, len(window))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 50_000
    assert largest <= 2 * WINDOW_BYTES / 200 + 1
    assert peak < 16 * WINDOW_BYTES, "the file has 150 windows"


def test_a_line_longer_than_any_window_is_one_text(tmp_path: Path) -> None:
    found = read_file(tmp_path / "long.txt", b"a\n" + b"word " * 2_000_000 + b"\nb\n")
    assert [len(text.text) for text in found if isinstance(text, TextRecord)] == [1, 10_000_000, 1]


lines = st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\ufeff"), max_size=20))


@given(lines, st.booleans(), st.booleans())
def test_every_line_of_a_file_is_read(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], ends: bool, crlf: bool
) -> None:
    content = ("\r\n" if crlf else "\n").join(lines)
    content += ("\r\n" if crlf else "\n") if ends and lines else ""
    expected = list(lines)
    while expected and not expected[-1].strip():
        expected.pop()
    found = read_file(tmp_path_factory.mktemp("lines") / "lines.txt", content.encode())
    assert texts_of(found) == [line if line.strip() else None for line in expected]


def test_blank_lines_that_a_person_types_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    parent, child = os.openpty()
    with os.fdopen(child, encoding="utf-8") as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)
        windows = TextReader(TextSource(["-"])).windows()
        os.write(parent, b"\none\n\n \ntwo\n\x04")
        assert flat(windows) == [TextRecord(0, "one", None, 2), TextRecord(1, "two", None, 5)]
    os.close(parent)


def test_blank_lines_before_a_text_are_reported_in_windows_of_bounded_size(tmp_path: Path) -> None:
    (tmp_path / "lines.txt").write_bytes(b"\n" * 200_000 + b"how\n" + b"\n" * 200_000)
    windows = list(TextReader(TextSource(file=tmp_path / "lines.txt")).windows())
    assert max(map(len, windows)) <= 1024
    texts = flat(iter(windows))
    assert [text.line for text in texts] == list(range(1, 200_002))
    assert isinstance(texts[-1], TextRecord)


def test_a_compressed_pipe_is_read(tmp_path: Path) -> None:
    path = tmp_path / "texts.txt.gz"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(gzip.compress(b"how\nyou\n"),))
    writer.start()
    assert texts_of(flat(TextReader(TextSource(file=path)).windows())) == ["how", "you"]
    writer.join()


def test_an_error_of_standard_input_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (tmp_path / "out").open("w", encoding="utf-8") as file:
        monkeypatch.setattr(sys, "stdin", file)
        with pytest.raises(OSError, match="standard input"):
            flat(TextReader(TextSource(["-"])).windows())
