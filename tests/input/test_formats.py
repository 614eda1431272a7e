"""Texts from JSON lines, CSV, TSV and Parquet, plain and compressed: ids, order and errors of rows."""

import json
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertcli.choices import InputFormat
from bertcli.errors import BadInput, BertcliError, WrongUsage
from bertcli.input.reader import TextReader
from bertcli.input.records import FailedText, TextSource, Window
from tests.input.files import COMPRESSIONS, WRITERS, Entries, write_two_windows

SOME = [(f"n{number}", f"text {number}") for number in range(7)]
# Characters that a TSV cell cannot hold. Besides, a text may not be empty or contain lone surrogates.
letters = st.characters(exclude_categories=["Cs"], exclude_characters="\t\r\n\ufeff")
texts = st.text(letters, min_size=1, max_size=20).filter(str.strip)
any_texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20).filter(str.strip)


def read(*paths: Path, **source: Any) -> Window:
    """Read all texts, with their ids."""
    reader = TextReader(TextSource(file=paths, **{"id_field": "id", **source}))
    return [text for window in reader.windows() for text in window]


def pairs_of(window: Window) -> Entries:
    """Return ids and texts."""
    assert [text.index for text in window] == list(range(len(window)))
    return [(text.id, text.text) for text in window if not isinstance(text, FailedText)]


def problem(text: object) -> tuple[str, str]:
    """Return the place and the message of a failed text."""
    assert isinstance(text, FailedText), text
    return text.place, text.error.message


@pytest.mark.parametrize("suffix", WRITERS)
@given(st.lists(st.tuples(texts, texts), max_size=10))
@settings(max_examples=20)
def test_ids_texts_and_order_are_kept(tmp_path_factory: pytest.TempPathFactory, suffix: str, entries: Entries) -> None:
    path = tmp_path_factory.mktemp("formats") / f"texts{suffix}"
    WRITERS[suffix](path, entries)
    if suffix == ".parquet" and not entries:
        return  # an empty table has no types
    assert pairs_of(read(path)) == entries


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
@given(st.lists(st.tuples(any_texts, any_texts), min_size=1, max_size=5))
@settings(max_examples=20)
def test_a_text_may_span_several_lines(tmp_path_factory: pytest.TempPathFactory, suffix: str, entries: Entries) -> None:
    path = tmp_path_factory.mktemp("formats") / f"texts{suffix}"
    if suffix == ".csv":
        # The csv module takes a lone carriage return inside quotes as a line end.
        entries = [(id_.replace("\r", " r"), text.replace("\r", " r")) for id_, text in entries]
    WRITERS[suffix](path, entries)
    assert pairs_of(read(path)) == entries


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".tsv"])
def test_compressed_files_are_read_by_their_suffix(tmp_path: Path, suffix: str, compression: str) -> None:
    WRITERS[suffix](tmp_path / "plain", SOME)
    path = tmp_path / f"texts{suffix}{compression}"
    path.write_bytes(COMPRESSIONS[compression]((tmp_path / "plain").read_bytes()))
    assert pairs_of(read(path)) == SOME


@pytest.mark.parametrize("compression", [".gz", ".zst"])
def test_a_large_compressed_file_of_plain_text_is_read_whole(tmp_path: Path, compression: str) -> None:
    lines = [f"line {number} of the text" for number in range(20_000)]
    path = tmp_path / f"texts.txt{compression}"
    path.write_bytes(COMPRESSIONS[compression]("\n".join(lines).encode()))
    found = read(path, id_field=None)
    assert [(text.line, text.text) for text in found if not isinstance(text, FailedText)] == list(enumerate(lines, 1))


@pytest.mark.parametrize("compression", [".gz", ".zst"])
@pytest.mark.parametrize("damage", ["cut", "spoilt"])
def test_a_damaged_file_is_an_error_with_its_name_and_its_line(tmp_path: Path, compression: str, damage: str) -> None:
    lines = "".join(f"line {number * number} of the text\n" for number in range(20_000))
    content = COMPRESSIONS[compression](lines.encode())
    middle = len(content) // 2
    spoilt = content[:middle] if damage == "cut" else content[:middle] + b"\xff" * middle
    path = tmp_path / f"texts.txt{compression}"
    path.write_bytes(spoilt)
    with pytest.raises(BadInput, match=rf"texts\.txt\{compression}, line [\d,]+: the compressed data is"):
        read(path, id_field=None)


def test_whole_numbers_stay_numbers(tmp_path: Path) -> None:
    for suffix in (".jsonl", ".parquet"):
        WRITERS[suffix](tmp_path / f"texts{suffix}", [(3, "a"), (1, "b")])
        assert pairs_of(read(tmp_path / f"texts{suffix}")) == [(3, "a"), (1, "b")]
    WRITERS[".csv"](tmp_path / "texts.csv", [("007", "a")])
    assert pairs_of(read(tmp_path / "texts.csv")) == [("007", "a")]


def test_fields_are_chosen_by_name(tmp_path: Path) -> None:
    path = tmp_path / "texts.jsonl"
    path.write_text('{"key": 1, "body": "how", "text": "no"}\n')
    assert pairs_of(read(path, field="body", id_field="key")) == [(1, "how")]
    assert pairs_of(read(path, field="body", id_field=None)) == [(None, "how")]


def test_the_format_may_be_given(tmp_path: Path) -> None:
    path = tmp_path / "texts.txt"
    path.write_text('{"text": "how"}\n')
    assert pairs_of(read(path, id_field=None)) == [(None, '{"text": "how"}')]
    assert pairs_of(read(path, id_field=None, format=InputFormat.JSONL)) == [(None, "how")]


def test_several_files_and_patterns_are_one_run(tmp_path: Path) -> None:
    for name, word in {"b.txt": "second", "a.txt": "first", "c.jsonl": "third"}.items():
        content = json.dumps({"text": word}) if name.endswith("jsonl") else word
        (tmp_path / name).write_text(f"\n{content}\n\n")
    found = read(tmp_path / "*.txt", tmp_path / "c.jsonl", id_field=None)
    names = [str(tmp_path / name) for name in ("a.txt", "a.txt", "b.txt", "b.txt", "c.jsonl")]
    assert [text.file for text in found] == names
    assert [text.line for text in found] == [1, 2, 1, 2, 2]
    assert [problem(found[0]), problem(found[2])] == [
        (f"{tmp_path}/a.txt, line 1", "the text is empty"),
        (f"{tmp_path}/b.txt, line 1", "the text is empty"),
    ]
    assert pairs_of(found) == [(None, word) for word in ("first", "second", "third")]


def test_a_pattern_without_match_is_an_error_but_a_file_of_that_name_is_read(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no file matches the pattern") as raised:
        read(tmp_path / "*.txt")
    assert str(tmp_path / "*.txt") in raised.value.message
    (tmp_path / "[a].txt").write_text("how\n")
    assert pairs_of(read(tmp_path / "[a].txt", id_field=None)) == [(None, "how")]


def test_read_bytes_reach_total_bytes(tmp_path: Path) -> None:
    paths = []
    for suffix in WRITERS:
        paths.append(tmp_path / f"texts{suffix}")
        WRITERS[suffix](paths[-1], SOME)
    (tmp_path / "texts.jsonl.gz").write_bytes(COMPRESSIONS[".gz"](paths[0].read_bytes()))
    reader = TextReader(TextSource(file=[*paths, tmp_path / "texts.jsonl.gz"]))
    seen = [reader.read_bytes for _ in reader.windows()]
    assert seen == sorted(seen)
    assert seen[-1] == reader.total_bytes == sum(path.stat().st_size for path in tmp_path.iterdir())


def test_the_bytes_before_a_text_are_interpolated_within_its_window(tmp_path: Path) -> None:
    reader = TextReader(write_two_windows(tmp_path))
    assert reader.bytes_before(0) == 0
    found = [[reader.bytes_before(left) for left in (len(window), 1, 0)] for window in reader.windows()]
    assert found == [[0, 30, 40], [40, 85, 100]]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"id": 1, "text": "how"', "the line is not JSON: Expecting ',' delimiter, at column 24"),
        ("how", "the line is not JSON: Expecting value, at column 1"),
        ('["how"]', "the line is a list, not an object"),
        ("null", "the line is null, not an object"),
        ('{"id": 1}', "the object has no field 'text'"),
        ('{"text": "how"}', "the object has no field 'id'"),
        ('{"id": 1, "text": 5}', "'text' is a number, not a string"),
        ('{"id": 1, "text": null}', "'text' is empty (null)"),
        ('{"id": 1, "text": " "}', "the text is empty"),
        ('{"id": 1, "text": "\\ud800"}', "'text' has half of a surrogate pair, such as \\ud83d"),
        ('{"id": 1.5, "text": "how"}', "'id' is neither a 64-bit whole number nor a string: 1.5"),
        ('{"id": true, "text": "how"}', "'id' is neither a 64-bit whole number nor a string: True"),
        ("[" * 100_000, "the line is not JSON: "),
    ],
)
def test_a_bad_line_of_json_is_reported_and_the_others_are_read(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "texts.jsonl"
    path.write_text(f'{{"id": 0, "text": "how"}}\n\n{line}\n{{"id": 2, "text": "you"}}\n')
    first, bad, last = read(path)
    assert pairs_of([first]) == [(0, "how")]
    assert (last.index, last.line) == (2, 4)
    place, told = problem(bad)
    assert place == f"{path}, line 3"
    assert told.startswith(message)


def test_json_that_is_not_utf_8_is_reported_with_its_column(tmp_path: Path) -> None:
    path = tmp_path / "texts.jsonl"
    path.write_bytes(b'{"text": "caf\xe9"}\n')
    [bad] = read(path, id_field=None)
    assert problem(bad)[1] == "the text is not UTF-8: byte 0xe9 at column 14"


def test_a_bad_row_of_csv_is_reported_and_the_others_are_read(tmp_path: Path) -> None:
    path = tmp_path / "texts.csv"
    path.write_bytes(b'id,text\r\n1,"a\nb"\r\n2\r\n\r\n3,"c"d\r\n4,caf\xe9\r\n5,e\r\n6,"open\n')
    found = read(path)
    assert pairs_of(found) == [("1", "a\nb"), ("5", "e")]
    assert [problem(text) for text in found if isinstance(text, FailedText)] == [
        (f"{path}, line 4", "'text' is cell 2, but the row has only 1"),
        (f"{path}, line 6", "the row is not valid CSV: ',' expected after '\"'"),
        (f"{path}, line 7", "the text is not UTF-8, in column 'text'"),
        (f"{path}, line 9", "the row is not valid CSV: unexpected end of data"),
    ]
    assert found[0].line == 2


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet"])
def test_a_missing_column_is_an_error_that_lists_the_columns(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"texts{suffix}"
    WRITERS[suffix](path, SOME)
    for source in ({"field": "body"}, {"id_field": "body"}):
        with pytest.raises(BadInput, match=f"{path.name}.*there is no column 'body'") as raised:
            read(path, **source)
        assert "the columns are id, text" in raised.value.hint


def test_a_file_that_is_not_parquet_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "texts.parquet"
    WRITERS[".parquet"](path, SOME)
    whole = path.read_bytes()
    for content in (b"", b"how are you\n" * 10, whole[:-20], whole[: len(whole) // 2]):
        path.write_bytes(content)
        with pytest.raises(BadInput, match=r"texts\.parquet cannot be read as Parquet"):
            read(path)


def test_a_parquet_column_without_texts_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "texts.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"id": ["a"], "text": [1.5]}), path)
    with pytest.raises(BadInput, match="column 'text' holds double, not texts"):
        read(path)


def test_a_parquet_date_that_python_does_not_have_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "texts.parquet"
    times = pyarrow.array([0, 1 << 60]).cast(pyarrow.timestamp("us"))
    pyarrow.parquet.write_table(pyarrow.table({"time": times, "text": ["how", "are"]}), path)
    with pytest.raises(BadInput, match=r"texts\.parquet: a value in text, time cannot be read: "):
        read(path, id_field="time")


def test_a_parquet_row_without_a_text_is_reported_by_its_number(tmp_path: Path) -> None:
    path = tmp_path / "texts.parquet"
    categories = pyarrow.array(["how", None, "you"]).dictionary_encode()
    pyarrow.parquet.write_table(pyarrow.table({"id": [1, 2, None], "text": categories}), path)
    found = read(path)
    assert pairs_of(found) == [(1, "how")]
    assert [problem(text) for text in found[1:]] == [
        (f"{path}, text 2", "'text' is empty (null)"),
        (f"{path}, text 3", "'id' is neither a 64-bit whole number nor a string: None"),
    ]


@pytest.mark.parametrize(
    "source",
    [
        {"texts": ["how"], "field": "body"},
        {"texts": ["how"], "id_field": "id"},
        {"texts": ["how"], "format": InputFormat.CSV},
    ],
)
def test_arguments_have_no_fields(source: Any) -> None:
    with pytest.raises(WrongUsage, match="for texts in files"):
        TextReader(TextSource(**source))


def test_lines_have_no_fields_and_parquet_needs_a_file(tmp_path: Path) -> None:
    (tmp_path / "texts.txt").write_text("how\n")
    with pytest.raises(WrongUsage, match="no fields for --id-field"):
        read(tmp_path / "texts.txt")
    with pytest.raises(WrongUsage, match="from a stream"):
        TextReader(TextSource(["-"], format=InputFormat.PARQUET))


def test_pairs_in_a_tsv_file_need_no_header(tmp_path: Path) -> None:
    (tmp_path / "pairs.tsv").write_text("how\tyou\n")
    [found] = read(tmp_path / "pairs.tsv", id_field=None, pairs=True)
    assert not isinstance(found, FailedText)
    assert (found.text, found.pair) == ("how", "you")


def test_every_problem_has_a_hint(tmp_path: Path) -> None:
    path = tmp_path / "texts.jsonl"
    path.write_text('{"text": 1}\n{}\n[]\n!\n{"text": ""}\n')
    errors: list[BertcliError] = [text.error for text in read(path, id_field=None) if isinstance(text, FailedText)]
    assert len(errors) == 5
    assert all(error.hint for error in errors)


def test_a_damaged_header_of_csv_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "texts.csv"
    for header, reason in (('"te"xt,b', "',' expected after '\"'"), ('text,"b', "unexpected end of data")):
        path.write_text(f"\n{header}\nhow,1\n")
        with pytest.raises(BadInput) as raised:
            read(path)
        assert raised.value.message == f"{path}, line 2, the header: the row is not valid CSV: {reason}"
        assert raised.value.hint


def test_a_parquet_string_that_is_not_utf_8_is_a_failed_text(tmp_path: Path) -> None:
    bad = pyarrow.array([b"how", b"caf\xe9", None]).cast(pyarrow.binary())
    text = pyarrow.Array.from_buffers(pyarrow.string(), 3, bad.buffers())
    pyarrow.parquet.write_table(pyarrow.table({"id": [1, 2, 3], "text": text}), tmp_path / "texts.parquet")
    found = read(tmp_path / "texts.parquet")
    assert pairs_of(found) == [(1, "how")]
    assert problem(found[1])[1] == "the text is not UTF-8"


def test_standard_input_is_read_once() -> None:
    with pytest.raises(WrongUsage, match="only once"):
        TextReader(TextSource(file=[Path("-"), Path("-")]))


def test_a_message_lists_the_first_columns_only(tmp_path: Path) -> None:
    path = tmp_path / "texts.csv"
    path.write_text(",".join(f"column{number}" for number in range(10_000)) + "\n")
    with pytest.raises(BadInput) as raised:
        read(path)
    assert "column29, ..." in raised.value.hint
    assert "column30" not in raised.value.hint


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_two_columns_of_the_same_name_are_an_error(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"texts{suffix}"
    path.write_text("text,id,text\nhow,1,you\n")
    if suffix == ".parquet":
        columns = [pyarrow.array(["how"])] * 3
        pyarrow.parquet.write_table(pyarrow.Table.from_arrays(columns, ["text", "id", "text"]), path)
    with pytest.raises(BadInput, match="there are 2 columns 'text'"):
        read(path)


@pytest.mark.parametrize("suffix", [".csv", ".tsv"])
def test_carriage_returns_alone_do_not_end_rows(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"texts{suffix}"
    path.write_bytes(b"text\nhow\rare\nyou\n")
    found = read(path, id_field=None)
    assert problem(found[0])[1].endswith("it has a carriage return within a line and outside of quotes")
    assert pairs_of(found) == [(None, "you")]
