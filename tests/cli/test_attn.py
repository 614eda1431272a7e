"""Tests of attn from the command line: selection of heads, maps beside their statistics, and wrong usage."""

import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from bertcli.analysis.attention import statistics
from bertcli.choices import HeadLabel, Statistic
from bertcli.results.attention import HeadStatistics
from tests.cli.process import assert_failed, environment, run

TEXT = "the cat sat on the mat"
STATISTICS = ["entropy", "self", "previous", "next", "cls", "sep", "punctuation", "distance", "confidence"]


def test_aggregate_gives_one_record(tiny: tuple[str, str], tmp_path: Path) -> None:
    lines = tmp_path / "lines.txt"
    lines.write_text("how are you\nthe cat\n" * 50, encoding="utf-8")
    [record] = run("attn", "-f", lines, *tiny, "--aggregate", "--json").records()
    assert list(record) == ["text_count", "token_count", "heads"]
    assert (record["text_count"], record["token_count"]) == (100, 50 * (5 + 4))
    assert len(record["heads"]) == 6
    header, *rows = run("attn", "-f", lines, *tiny, "--aggregate").rows()
    assert header == ["text_count", "token_count", "layer", "head", *STATISTICS, "label"]
    assert {row[0] for row in rows} == {"100"}
    drawn = run("attn", "-f", lines, *tiny, "--aggregate", "--format", "table").answer().text
    assert drawn.startswith("100 texts, 450 tokens\n")


def test_aggregate_leaves_out_failed_texts(tiny: tuple[str, str]) -> None:
    finished = run("attn", "-", *tiny, "--aggregate", "--on-error", "skip", "--json", stdin="how\n\nyou\n")
    assert finished.exit_code == 1
    assert "line 2: the text is empty" in finished.stderr
    assert '"text_count": 2,' in finished.text


def test_statistics_are_chosen_by_name(tiny: tuple[str, str]) -> None:
    header, *_ = run("attn", TEXT, *tiny, "--stat", "cls,entropy").rows()
    assert header[-5:] == ["layer", "head", "cls", "entropy", "label"]
    [record] = run("attn", TEXT, *tiny, "--stat", "cls", "--json").records()
    assert {tuple(head) for head in record["heads"]} == {("layer", "head", "cls", "label")}
    assert_failed(run("attn", TEXT, *tiny, "--stat", "cls,mood"), 2, "'mood'")


def test_heads_are_sorted_and_grouped_by_their_statistics(tiny: tuple[str, str]) -> None:
    [record] = run("attn", TEXT, *tiny, "--top", "2", "--by", "-entropy", "--json").records()
    [every] = run("attn", TEXT, *tiny, "--json").records()
    smallest = sorted(every["heads"], key=lambda head: head["entropy"])[:2]
    assert record["heads"] == smallest
    assert_failed(run("attn", TEXT, *tiny, "--top", "2"), 2, "--top")
    assert_failed(run("attn", TEXT, *tiny, "--by", "mood"), 2, "'mood'")
    [grouped] = run("attn", TEXT, *tiny, "--group", "layer", "--json").records()
    assert [(head["layer"], head["head"]) for head in grouped["heads"]] == [(0, None), (1, None)]


def test_a_grid_has_a_line_for_each_layer(tiny: tuple[str, str]) -> None:
    drawn = run("attn", TEXT, *tiny, "--grid", "entropy", "--format", "table").answer().text
    assert [line.split()[0] for line in drawn.splitlines() if line[:1] in ("0", "1")] == ["0", "1"]
    assert run("attn", TEXT, *tiny, "--grid", "entropy").rows()[0][-4:] == ["layer", "head", "entropy", "label"]


def test_json_holds_maps_by_name(tiny: tuple[str, str]) -> None:
    asked = ("--rollout", "--value-norms", "--head-distance", "--words")
    [record] = run("attn", "making the cat", *tiny, *asked, "--json").records()
    assert record["words"] == ["[CLS]", "making", "the", "cat", "[SEP]"]
    assert [sum(row) for row in record["rollout"]] == pytest.approx([1] * 5, abs=1e-5)
    assert len(record["value_norms"]) == len(record["head_distance"]) == len(record["heads"]) == 6
    assert {len(matrix) for matrix in record["value_norms"]} == {5}


def test_expansion_takes_no_text_and_never_reads_one(tiny: tuple[str, str]) -> None:
    document = run("attn", "--expansion", *tiny, "--json", stdin="never read").json()
    assert document["records"] == []
    assert len(document["expansion"]) == 2
    assert run("attn", "--expansion", *tiny, "--layer", "1").rows() == [
        ["layer", "expansion"],
        ["1", f"{document['expansion'][1]:.9g}"],
    ]
    assert_failed(run("attn", "--expansion", TEXT, *tiny), 2, "--expansion")
    assert_failed(run("attn", "--expansion", "--rollout", *tiny), 2, "--expansion")


def test_rows_and_cols_select_a_part_of_a_matrix(tiny: tuple[str, str]) -> None:
    asked = ("--layer", "0", "--head", "1", "--rows", "1-2", "--cols", "3")
    header, *rows = run("attn", TEXT, *tiny, *asked).rows()
    places = header.index("query_position"), header.index("key_position")
    assert [[row[place] for place in places] for row in rows] == [["1", "3"], ["2", "3"]]
    drawn = run("attn", TEXT, *tiny, *asked, "--format", "table").answer().text
    assert [line.split()[:2] for line in drawn.splitlines() if line[:1].isdigit()] == [["1", "the"], ["2", "cat"]]
    for wrong in ("2-1", "x", "-3", "1-2-3", "", "1" * 5000, f"1-{'1' * 5000}"):
        assert_failed(run("attn", TEXT, *tiny, *asked[:4], f"--rows={wrong}"), 2, "--rows")


def test_maps_in_bfloat16_are_close_to_float32(tiny: tuple[str, str]) -> None:
    half = ("--engine", "torch", "--device", "cpu", "--dtype", "bfloat16", "-q")
    whole = run("attn", TEXT, *tiny, "--value-norms", "--json").records()[0]["value_norms"]
    found = run("attn", TEXT, *tiny, *half, "--value-norms", "--json").records()[0]["value_norms"]
    assert sum(map(sum, found[0])) == pytest.approx(sum(map(sum, whole[0])), rel=0.05)
    rates = [run("attn", "--expansion", *tiny, *dtype, "--json").json()["expansion"] for dtype in ((), half)]
    assert rates[1] == pytest.approx(rates[0], rel=1e-6)


def test_option_values_match_the_statistics_and_labels() -> None:
    assert [str(name) for name in Statistic] == STATISTICS
    assert [field.name for field in fields(HeadStatistics)] == ["layer", "head", *STATISTICS, "label"]
    labels = {
        statistics.head_label(head(**numbers), normalized_entropy=0.9)
        for numbers in ({"previous": 0.6}, {"next": 0.6}, {"self": 0.6}, {"cls": 0.7}, {})
    }
    assert {str(name) for name in HeadLabel} == labels


def head(**numbers: float) -> HeadStatistics:
    return HeadStatistics(layer=0, head=0, **{**dict.fromkeys(STATISTICS, 0.0), **numbers}, label=None)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--words",), "--words"),
        (("--rows", "1-2"), "--rows"),
        (("--aggregate", "--rollout"), "--rollout"),
        (("--aggregate", "--from", "cat"), "--from"),
        (("--group", "layer", "--head-distance", "--json"), "--group"),
        (("--value-norms", "--format", "table"), "value norms of one head"),
        (("--aggregate", "-o", "x.npz"), "--aggregate"),
        (("--aggregate", "--layer", "0", "--head", "0"), "--aggregate"),
        (("--by", "entropy,cls"), "--by"),
        (("--group", "layer", "--head", "1"), "--group"),
        (("--group", "layer", "--label", "broad"), "--group"),
        (("--from", "cat", "--rollout", "--json"), "--from"),
        (("--grid", "cls", "--rollout", "--json"), "--rollout"),
        (("--grid", "cls", "--stat", "sep"), "--grid"),
        (("--words", "--layer", "0", "--head", "0", "-o", "x.npz"), "--words is not available in .npz"),
        (("--label", "next", "-o", "x.npz"), "--label is not available in .npz"),
        (("--value-norms", "--json", "--engine", "transformers"), "--value-norms and --expansion need value vectors"),
        (("--png", "x.png"), "matrix"),
        (("--layer", "0", "--head", "0", "--stat", "cls"), "--stat cannot be combined with --layer and --head"),
        (("--layer", "0", "--head", "0", "--label", "next"), "--label cannot be combined with --layer and --head"),
        (
            ("--layer", "0", "--head", "0", "--value-norms", "--top", "1", "--by", "cls"),
            "--top cannot be combined with --layer and --head",
        ),
        (("--from", "cat", "--label", "next"), "--label cannot be combined with --from"),
        (("--from", "cat", "--layer", "0", "--head", "0", "--rows", "1"), "--rows"),
        (("--rollout", "--label", "next"), "--label cannot be combined with --rollout"),
        (("--rollout", "-o", "x.npz"), "--rollout is not available in .npz"),
        (("--png", "x.svg", "--grid", "cls"), "does not end in .png"),
        (("--png", "x.png", "-o", "x.json"), "-o and --png"),
    ],
    ids=str,
)
def test_options_that_do_not_fit_are_wrong_usage(
    tiny: tuple[str, str], tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    assert_failed(run("attn", TEXT, *tiny, *arguments, cwd=tmp_path), 2, words)


@pytest.mark.parametrize(
    "asked", [("--layer", "0", "--head", "1"), ("--grid", "entropy"), ("--rollout",), ("--head-distance",)], ids=str
)
def test_a_matrix_can_be_drawn(tiny: tuple[str, str], tmp_path: Path, asked: tuple[str, ...]) -> None:
    assert run("attn", TEXT, *tiny, *asked, "--png", tmp_path / "one.png").answer().text == ""
    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")
    run("attn", TEXT, *tiny, *asked, "--svg", tmp_path / "one.svg").answer()
    assert b"QuadMesh" in (tmp_path / "one.svg").read_bytes()


def test_a_missing_matplotlib_is_an_error_with_its_install_command(tiny: tuple[str, str], tmp_path: Path) -> None:
    script = "import sys; sys.modules['matplotlib'] = None; from bertcli.__main__ import main; sys.exit(main())"
    command = [sys.executable, "-c", script, "attn", TEXT, *tiny, "--grid", "cls", "--png", tmp_path / "x.png"]
    finished = subprocess.run(command, capture_output=True, text=True, check=False, env=environment())
    assert finished.returncode == 1
    assert "needs matplotlib" in finished.stderr and "pip install matplotlib" in finished.stderr
    assert list(tmp_path.iterdir()) == []


def test_rows_and_cols_apply_to_json_too(tiny: tuple[str, str]) -> None:
    asked = ("--layer", "1", "--head", "2", "--rollout", "--json")
    [whole] = run("attn", TEXT, *tiny, *asked).records()
    [part] = run("attn", TEXT, *tiny, *asked, "--rows", "2-3", "--cols", "5-").records()
    assert (part["rows"], part["columns"]) == ([2, 3], [5, 6, 7])
    for name in ("attention", "rollout"):
        assert part[name] == [row[5:] for row in whole[name][2:4]]
    assert "rows" not in whole


@pytest.mark.parametrize("form", [("--json",), (), ("--format", "table")], ids=str)
def test_rows_beyond_the_text_are_an_error(tiny: tuple[str, str], form: tuple[str, ...]) -> None:
    head = ("--layer", "0", "--head", "0", *form)
    failed = run("attn", TEXT, *tiny, *head, "--rows", "8-9")
    assert_failed(failed, 1, "no position 8 for --rows: the text has 8 tokens")
    assert_failed(run("attn", TEXT, *tiny, *head, "--cols", "50"), 1, "--cols")
    run("attn", TEXT, *tiny, *head, "--rows", "7-90").answer()


def test_tsv_holds_maps_as_rows(tiny: tuple[str, str]) -> None:
    asked = ("--value-norms", "--rollout", "--head-distance", "--top", "2", "--by", "cls", "--rows", "1-2")
    header, *rows = run("attn", TEXT, *tiny, *asked).rows()
    [record] = run("attn", TEXT, *tiny, *asked, "--json").records()
    assert header[2:] == ["map", "layer", "head", "row_position", "row", "column_position", "column", "value"]
    heads = [(str(head["layer"]), str(head["head"])) for head in record["heads"]]
    tokens = record["tokens"]
    wanted = [["rollout", "", "", str(i), tokens[i], str(j), tokens[j]] for i in (1, 2) for j in range(8)]
    wanted += [
        ["value_norms", *head, str(i), tokens[i], str(j), tokens[j]] for head in heads for i in (1, 2) for j in range(8)
    ]
    names = [".".join(head) for head in heads]
    wanted += [["head_distance", "", "", str(i), names[i], str(j), names[j]] for i in (0, 1) for j in (0, 1)]
    assert [row[2:9] for row in rows] == wanted
    values = [float(row[9]) for row in rows]
    matrices = (record["rollout"], *record["value_norms"], record["head_distance"])
    assert values == pytest.approx([value for matrix in matrices for row in matrix for value in row], rel=1e-6)
    header, *rows = run("attn", TEXT, *tiny, "--aggregate", "--head-distance", "--layer", "0").rows()
    assert header == ["text_count", "token_count", "map", "row_position", "row", "column_position", "column", "value"]
    assert len(rows) == 9 and rows[0][-1] == "0"


def test_maps_are_empty_if_no_head_has_the_label(tiny: tuple[str, str]) -> None:
    asked = ("--value-norms", "--head-distance", "--label", "previous")
    [record] = run("attn", TEXT, *tiny, *asked, "--json").records()
    assert (record["heads"], record["value_norms"], record["head_distance"]) == ([], [], [])
    drawn = run("attn", TEXT, *tiny, *asked[1:], "--format", "table").answer().text
    assert "no head has this label" in drawn


def test_column_names_work_as_names_of_statistics(tiny: tuple[str, str]) -> None:
    short, whole = (
        run("attn", TEXT, *tiny, "--stat", names, "--by", names.partition(",")[0]).answer().text
        for names in ("dist,prev,punct,conf", "distance,previous,punctuation,confidence")
    )
    assert short == whole


def test_a_table_of_one_head_shows_weights_and_value_norms(tiny: tuple[str, str]) -> None:
    drawn = run("attn", TEXT, *tiny, "--layer", "1", "--head", "2", "--value-norms", "--format", "table").answer().text
    assert "attentions[1][:, 2]" in drawn and "||a f(x)||" in drawn


def test_a_range_without_an_end_goes_to_the_last_token(tiny: tuple[str, str]) -> None:
    _, *rows = run("attn", TEXT, *tiny, "--layer", "0", "--head", "0", "--rows", "5-", "--cols", "0").rows()
    assert [(row[4], row[6]) for row in rows] == [("5", "0"), ("6", "0"), ("7", "0")]


@pytest.mark.parametrize(
    ("layers", "found"), [("-1", [1]), ("0,1", [0, 1]), ("1,0", [1, 0]), ("-1,0", [1, 0]), ("all", [0, 1])]
)
def test_layers_are_chosen_as_in_encode(tiny: tuple[str, str], layers: str, found: list[int]) -> None:
    [record] = run("attn", TEXT, *tiny, "--layer", layers, "--json").records()
    assert list(dict.fromkeys(head["layer"] for head in record["heads"])) == found
    [one_head] = run("attn", TEXT, *tiny, "--layer", layers, "--head", "2", "--json").records()
    assert [(head["layer"], head["head"]) for head in one_head["heads"]] == [(layer, 2) for layer in found]
    assert ("attention" in one_head) == (len(found) == 1)


def test_the_page_opens_with_a_layer_counted_from_the_end(tiny: tuple[str, str], tmp_path: Path) -> None:
    run("attn", TEXT, *tiny, "--layer", "-1", "--html", tmp_path / "page.html").answer()
    assert '"layer": 1' in (tmp_path / "page.html").read_text(encoding="utf-8").replace('"layer":1', '"layer": 1')


@pytest.mark.parametrize(("short", "full"), [("prev", "previous"), ("dist", "distance"), ("conf", "confidence")])
def test_the_names_in_tables_are_accepted_for_statistics(tiny: tuple[str, str], short: str, full: str) -> None:
    for options in (("--stat", "{}"), ("--top", "2", "--by", "-{}"), ("--grid", "{}")):
        names = ([word.format(name) for word in options] for name in (short, full))
        one, other = (run("attn", TEXT, *tiny, *given).answer().text for given in names)
        assert one == other
    assert (
        run("attn", TEXT, *tiny, "--label", "prev").answer().text
        == run("attn", TEXT, *tiny, "--label", "previous").answer().text
    )


@pytest.mark.parametrize(
    ("option", "name", "right"), [("--png", "x.jpg", "x.png"), ("--html", "page.htm", "page.html")]
)
def test_a_wrong_suffix_gets_the_name_with_the_right_one(
    tiny: tuple[str, str], option: str, name: str, right: str
) -> None:
    finished = run("attn", TEXT, *tiny, option, name)
    assert_failed(finished, 2, f"{option} {name}")
    assert finished.stderr.endswith(f"hint: use {right}\n")
