"""CSV and TSV: a header line, the columns that the options fill, and text that cannot break a row."""

import pytest

from tests.cli.process import TEXT, assert_failed, printed, run

TEXT_COLUMNS = ["index", "text"]
COLUMNS = {
    ("encode", TEXT): [*TEXT_COLUMNS, "tokens", "embedding"],
    ("fill-mask", TEXT): [
        *TEXT_COLUMNS, "mask", "position", "rank", "score", "logit", "token", "token_str", "sequence",
    ],
    ("fill-mask", TEXT, "--joint"): [*TEXT_COLUMNS, "rank", "logprob", "tokens", "sequence"],
    ("fill-mask", TEXT, "--score"): [
        *TEXT_COLUMNS, "sum", "mean", "perplexity", "position", "token", "id", "logprob", "surprisal", "rank", "best",
    ],
    ("fill-mask", TEXT, "--lens"): [
        *TEXT_COLUMNS, "mask", "position", "layer", "rank", "score", "logit", "token", "token_str", "lens_method",
    ],
    ("fill-mask", TEXT, "--compare", "bundled", "-q"): [
        *TEXT_COLUMNS, "mask", "position", "token_str", "rank", "other_rank", "change", "score", "other_score",
        "other_model", "jensen_shannon",
    ],
    ("fill-mask", TEXT, "--mutual"): [
        *TEXT_COLUMNS, "position", "token", "masked_position", "masked_token", "distance",
    ],
    ("shapes", TEXT): [
        "class", "parameters", "name", "symbolic", "shape", "count", "dtype", "bytes", "default", "in_checkpoint",
    ],
    ("shapes", "--weights"): ["name", "shape", "dtype", "parameters", "bytes"],
    ("attn", TEXT): [
        *TEXT_COLUMNS, "layer", "head", "entropy", "self", "previous", "next", "cls", "sep", "punctuation",
        "distance", "confidence", "label",
    ],
    ("attn", TEXT, "--layer", "0", "--head", "0"): [
        *TEXT_COLUMNS, "layer", "head", "query_position", "query", "key_position", "key", "weight",
    ],
    ("attn", TEXT, "--from", "you"): [
        *TEXT_COLUMNS, "layer", "head", "query_position", "query", "rank", "key_position", "key", "weight",
    ],
    ("attn", TEXT, "--rollout", "--head-distance"): [
        *TEXT_COLUMNS, "map", "row_position", "row", "column_position", "column", "value",
    ],
}  # fmt: skip
# Number of rows of each on the tiny checkpoint: 5 tokens, 2 layers of 3 heads, 30 and more tensors.
ROWS = {
    ("encode", TEXT): 1,
    ("fill-mask", TEXT): 5,
    ("fill-mask", TEXT, "--joint"): 5,
    ("fill-mask", TEXT, "--score"): 2,
    ("fill-mask", TEXT, "--lens"): 15,
    ("fill-mask", TEXT, "--mutual"): 9,
    ("shapes", TEXT): 7,
    ("attn", TEXT): 6,
}
AWKWARD = 'the\tcat\\sat\non "the", mat\r'
ESCAPED = r'the\tcat\\sat\non "the", mat\r'


@pytest.mark.parametrize("arguments", COLUMNS, ids=" ".join)
def test_the_columns_of_a_command_are_fixed(tiny: tuple[str, str], arguments: tuple[str, ...]) -> None:
    rows = printed(*arguments, *tiny).rows()
    assert rows[0] == COLUMNS[arguments]
    assert {len(row) for row in rows} == {len(rows[0])}
    assert rows == printed(*arguments, *tiny, "--format", "csv").rows(",")
    assert len(rows) - 1 == ROWS.get(arguments, len(rows) - 1) > 0


@pytest.mark.parametrize(
    ("options", "columns"),
    [
        (("--targets", "are"), {"target", "pieces", "logprob", "share", "method"}),
        (("--entropy", "--mass", "0.5"), {"entropy", "mass"}),
        (("--pair", "you", "--truncate"), {"pair", "truncated"}),
    ],
)
def test_an_option_adds_its_columns(tiny: tuple[str, str], options: tuple[str, ...], columns: set[str]) -> None:
    header, *rows = run("fill-mask", TEXT, *tiny, *options).rows()
    assert {*header} == {*COLUMNS["fill-mask", TEXT], *columns}
    assert all(any(row[header.index(name)] for row in rows) for name in header)


@pytest.mark.parametrize("option", ["--tokens", "--pooler", "--layers=all"])
@pytest.mark.parametrize("output_format", ["tsv", "csv"])
def test_options_that_do_not_fit_rows_are_an_error(tiny: tuple[str, str], option: str, output_format: str) -> None:
    finished = run("encode", TEXT, *tiny, option, "--format", output_format)
    assert_failed(finished, 2, f"{option.partition('=')[0]} is not available in {output_format.upper()}")


@pytest.mark.parametrize("command", ["encode", "fill-mask", "attn"])
def test_a_row_says_whether_its_text_was_cut(tiny: tuple[str, str], command: str) -> None:
    header, *rows = run(command, TEXT, f"{TEXT} the cat sat", *tiny, "--max-length", "5", "--truncate").rows()
    assert list(dict.fromkeys((row[0], row[header.index("truncated")]) for row in rows)) == [
        ("0", "false"),
        ("1", "true"),
    ]


def test_a_pipe_gets_tsv_by_default(tiny: tuple[str, str]) -> None:
    assert printed("encode", TEXT, *tiny) == printed("encode", TEXT, *tiny, "--format", "tsv")


def test_tabs_line_ends_and_backslashes_are_escaped_in_tsv(tiny: tuple[str, str]) -> None:
    header, *rows = run("encode", AWKWARD, "you", *tiny, "-q").rows()
    quoted = ESCAPED.replace('"', '""')
    assert [row[header.index("text")] for row in rows] == [f'"{quoted}"', "you"]


def test_csv_keeps_the_text_as_it_is(tiny: tuple[str, str]) -> None:
    header, *rows = run("encode", AWKWARD, "you", *tiny, "-q", "--format", "csv").rows(",")
    assert [row[header.index("text")] for row in rows] == [AWKWARD, "you"]


def test_nothing_is_cut_in_a_pipe_however_narrow(tiny: tuple[str, str]) -> None:
    text = " ".join(["how are you"] * 15)
    header, row = run("encode", text, *tiny, "--width", "20", env={"COLUMNS": "20"}).rows()
    cells = dict(zip(header, row, strict=True))
    assert cells["text"] == text
    assert cells["tokens"] == f"[CLS] {text} [SEP]"
    assert len(cells["embedding"].split()) == 24


def test_the_numbers_are_those_of_the_json(tiny: tuple[str, str]) -> None:
    header, *rows = printed("fill-mask", TEXT, *tiny).rows()
    (record,) = printed("fill-mask", TEXT, *tiny, "--json").records()
    cells = [dict(zip(header, row, strict=True)) for row in rows]
    for row, prediction in zip(cells, record["masks"][0]["predictions"], strict=True):
        assert (row["index"], row["mask"], row["position"]) == ("0", "0", "2")
        assert {name: type(value)(row[name]) for name, value in prediction.items()} == prediction


def test_target_columns_are_empty_in_rows_of_candidates(tiny: tuple[str, str]) -> None:
    header, *rows = run("fill-mask", TEXT, *tiny, "-k", "1", "--targets", "are,cats", "--target-score", "mean").rows()
    own = ("rank", "logit", "token", "pieces", "method")
    cells = [[dict(zip(header, row, strict=True))[name] for name in own] for row in rows]
    assert [[bool(cell) for cell in row[:3]] for row in cells] == [[True] * 3, [True] * 3, [False] * 3]
    assert [row[3:] for row in cells] == [["", ""], ["are", "mean"], ["cat ##s", "mean"]]


def test_targets_are_rows_that_name_their_target(tiny: tuple[str, str]) -> None:
    header, *rows = run("fill-mask", TEXT, *tiny, "-k", "1", "--targets", "are,sat").rows()
    assert [row[header.index("target")] for row in rows] == ["", "are", "sat"]


def test_each_row_has_its_line_number(tiny: tuple[str, str]) -> None:
    header, *rows = run("encode", "-", *tiny, stdin="how\nare\nyou").rows()
    assert [(row[0], row[header.index("line")]) for row in rows] == [("0", "1"), ("1", "2"), ("2", "3")]
