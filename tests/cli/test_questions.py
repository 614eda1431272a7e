"""Tests of the analyses of fill-mask beside its predictions, through the process."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from tests.cli.process import TEXT, assert_failed, run
from tests.tiny import save_bert

WHOLE = "the cat sat on the mat"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--score", "--mutual"), "--score and --mutual cannot be combined"),
        (("--lens", "--targets", "cats"), "--lens is for a single piece in each mask"),
        (("--joint", "-k", "999999"), "--top-k 999,999 is more than"),
        (("--png", "x.png"), "there is no matrix to draw"),
        (("--score", "--png", "x.png"), "there is no matrix to draw"),
        (("--mutual", "--png", "x.jpg"), "--png x.jpg: the name does not end in .png"),
        (("--mutual", "--png", "x.png", "-o", "x.json"), "-o and --png both name an output file"),
    ],
)
def test_options_that_cannot_be_combined_are_wrong_usage(
    tiny: tuple[str, str], options: tuple[str, ...], words: str
) -> None:
    assert_failed(run("fill-mask", TEXT, *tiny, *options), 2, words)


@pytest.mark.parametrize("analysis", [("--attribute", "occlusion"), ("--head-effects",), ("--mutual",)], ids=str)
def test_a_matrix_can_be_drawn(tiny: tuple[str, str], folder: Path, analysis: tuple[str, ...]) -> None:
    assert run("fill-mask", TEXT, *tiny, *analysis, "--png", folder / "one.png").answer().text == ""
    assert (folder / "one.png").read_bytes().startswith(b"\x89PNG")
    run("fill-mask", TEXT, *tiny, *analysis, "-o", folder / "two.png").answer()
    assert (folder / "two.png").read_bytes() == (folder / "one.png").read_bytes()


def test_a_target_that_the_second_model_does_not_know_is_wrong_usage(tiny: tuple[str, str]) -> None:
    finished = run("fill-mask", TEXT, "--compare", tiny[1], "--targets", "—")
    assert_failed(finished, 2, f"{tiny[1]}: the target '—' is not in the vocabulary")


def test_arrays_are_for_mutual_influence_only(tiny: tuple[str, str], folder: Path) -> None:
    refused = run("fill-mask", TEXT, *tiny, "--score", "-o", str(folder / "out.npz"))
    assert_failed(refused, 2, "fill-mask cannot write .npz files")


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_mutual_influence_is_written_as_an_array(tiny: tuple[str, str], folder: Path, suffix: str) -> None:
    path = folder / f"mutual{suffix}"
    run("fill-mask", WHOLE, "how", *tiny, "--mutual", "-o", path).answer()
    if suffix == ".npz":
        arrays = np.load(path)
    else:
        from safetensors.numpy import load_file

        arrays = load_file(path)
    assert arrays["mutual"].shape == (2, 8, 8)
    record, _ = run("fill-mask", WHOLE, "how", *tiny, "--mutual", "--json").records()
    expected = np.array(record["mutual"], np.float32)
    np.testing.assert_allclose(arrays["mutual"][0], expected, atol=1e-6, equal_nan=True)
    assert np.isnan(arrays["mutual"][1][1, 2:]).all()
    assert arrays["attention_mask"].sum(1).tolist() == [8, 3]


def test_the_engine_of_the_second_model_is_chosen_before_the_texts_are_read(
    own_tiny_bert: Path, tiny: tuple[str, str], folder: Path
) -> None:
    # The engine of a pickled checkpoint does not depend on the size of the input, that of the second model does.
    torch.save(load_file(own_tiny_bert / "model.safetensors"), own_tiny_bert / "pytorch_model.bin")
    (own_tiny_bert / "model.safetensors").unlink()
    options = ("-m", own_tiny_bert, "--compare", tiny[1], "--fields", "text,masks", "--format", "jsonl")
    (folder / "texts.txt").write_text(f"{TEXT}\n{TEXT}\n")
    expected = run("fill-mask", TEXT, TEXT, *options).answer().stdout
    assert run("fill-mask", "-", *options, stdin=f"{TEXT}\n{TEXT}\n".encode()).answer().stdout == expected
    assert run("fill-mask", "-f", folder / "texts.txt", *options).answer().stdout == expected


@pytest.mark.parametrize("option", ["--joint", "--lens", "--compare=bundled"])
def test_analyses_of_masks_need_a_mask(tiny: tuple[str, str], option: str) -> None:
    assert_failed(run("fill-mask", WHOLE, *tiny, option, "-q"), 1, "the text has no mask")


def test_a_text_that_cannot_be_scored_is_skipped(tiny: tuple[str, str]) -> None:
    finished = run(
        "fill-mask", "-", *tiny, "--score", "--on-error", "skip", "--json", stdin=f"how\n\n[MASK]\n{WHOLE}\n"
    )
    assert finished.exit_code == 1
    assert "line 2" in finished.stderr
    assert "line 3: the text has no token to score" in finished.stderr
    assert [record["line"] for record in json.loads(finished.stdout)["records"]] == [1, 4]


def test_a_target_that_does_not_fit_is_an_error_of_its_text(tiny: tuple[str, str]) -> None:
    finished = run("fill-mask", "a [MASK]", *tiny, "--targets", "xyzzy", "--max-length", "6")
    assert_failed(finished, 1, "text 1: the target 'xyzzy' has 5 pieces, and the text has room for 3")


def test_order_changes_how_masks_are_filled(tiny: tuple[str, str]) -> None:
    text = "[MASK] are [MASK] you [MASK]"
    surest, leftmost = (
        run("fill-mask", text, *tiny, "--joint", *order, "--json").records()[0]["sequences"]
        for order in ((), ("--order", "l2r"))
    )
    assert [filled["logprob"] for filled in surest] != [filled["logprob"] for filled in leftmost]
    for sequences in (surest, leftmost):
        logprobs = [filled["logprob"] for filled in sequences]
        assert logprobs == sorted(logprobs, reverse=True)


def test_within_word_masks_more_of_a_word(tiny: tuple[str, str]) -> None:
    plain, within = (
        run("fill-mask", "xyzzy", *tiny, "--score", *options, "--json").records()[0]["score"]
        for options in ((), ("--within-word", "l2r"))
    )
    assert (plain["method"], within["method"]) == ("PLL-original", "PLL-word-l2r")
    assert plain["tokens"][-1] == within["tokens"][-1]
    assert plain["tokens"][0]["logprob"] != within["tokens"][0]["logprob"]


def test_a_batch_gives_the_same_scores_as_single_texts(tiny: tuple[str, str]) -> None:
    lines = [" ".join(["the cat sat"] * count) for count in (1, 7, 2, 9, 3, 1, 5)] * 4
    together = run(
        "fill-mask", "-", *tiny, "--score", "--batch-tokens", "90", "--json", stdin="\n".join(lines)
    ).records()
    assert [record["text"] for record in together] == lines
    alone = {
        line: run("fill-mask", line, *tiny, "--score", "--json").records()[0]["score"]["sum"] for line in set(lines)
    }
    found = [record["score"]["sum"] for record in together]
    assert found == pytest.approx([alone[line] for line in lines], rel=1e-5)


def test_every_analysis_reads_standard_input(tiny: tuple[str, str]) -> None:
    for option in ("--score", "--mutual", "--joint"):
        records = run("fill-mask", "-", *tiny, option, "--json", stdin="how [MASK] you\na [MASK]\n").records()
        assert [record["line"] for record in records] == [1, 2]


def test_two_models_of_the_same_vocabulary_have_a_distance(tiny: tuple[str, str], tmp_path: Path) -> None:
    other = save_bert(tmp_path / "other", seed=3)
    finished = run("fill-mask", TEXT, *tiny, "--compare", other, "--format", "table").answer()
    assert "Jensen-Shannon distance 0." in finished.text
    assert f"B: {other}" in finished.text.replace("\n", "")


def test_two_models_of_different_vocabularies_give_one_note_and_no_distance(tiny: tuple[str, str]) -> None:
    asked = ("fill-mask", TEXT, TEXT, *tiny, "--compare", "bundled", "--format")
    rows, table = run(*asked, "tsv"), run(*asked, "table", "--width", "200")
    assert rows.exit_code == table.exit_code == 0
    assert (
        rows.stderr
        == "bertcli: note: the vocabularies differ: tokens are matched by spelling, and there is no distance\n"
    )
    assert table.stderr == ""
    assert "there is no distance" in table.text


def test_another_engine_gives_the_same_scores(tiny: tuple[str, str]) -> None:
    own, torchs = (
        run("fill-mask", WHOLE, *tiny, "--score", "--json", "--engine", engine, "--device", "cpu").records()[0]["score"]
        for engine in ("numpy", "torch")
    )
    assert [token["logprob"] for token in torchs["tokens"]] == pytest.approx(
        [token["logprob"] for token in own["tokens"]], rel=1e-5, abs=1e-5
    )


def test_a_target_in_quotes_may_have_commas(tiny: tuple[str, str]) -> None:
    [record] = run("fill-mask", TEXT, *tiny, "--targets", 'cat, "the, cat", mat', "--json").records()
    assert [target["target"] for target in record["masks"][0]["targets"]] == ["cat", "the, cat", "mat"]


def test_a_line_end_in_targets_is_wrong_usage(tiny: tuple[str, str]) -> None:
    assert_failed(run("fill-mask", TEXT, *tiny, "--targets", "cat\rmat"), 2, "--targets has a line end")


def test_tsv_holds_all_numbers_of_the_targets_of_a_comparison(tiny: tuple[str, str]) -> None:
    asked = ("fill-mask", TEXT, *tiny, "--compare", tiny[1], "--targets", "cat,the mat")
    header, *rows = run(*asked).rows()
    [record] = run(*asked, "--json").records()
    own, other = record["masks"][0]["targets"], record["masks"][0]["comparison"]["targets"]
    found = [dict(zip(header, row, strict=True)) for row in rows if row[header.index("target")]]
    assert [row["pieces"] for row in found] == ["cat", "the mat"]
    for row, target, of_other in zip(found, own, other, strict=True):
        numbers = {"logprob": target, "share": target, "other_logprob": of_other, "other_share": of_other}
        for name, of_model in numbers.items():
            assert float(row[name]) == pytest.approx(of_model[name.removeprefix("other_")], rel=1e-6)
        assert row["method"] == "l2r"


def test_a_rise_in_rank_is_positive(tiny: tuple[str, str]) -> None:
    asked = ("fill-mask", "how [MASK] you", *tiny, "--compare", "bundled", "--targets", "are", "-q", "--json")
    [record] = run(*asked).records()
    [own], [other] = record["masks"][0]["targets"], record["masks"][0]["comparison"]["targets"]
    assert own["rank"] > other["rank"] == 1
    header, *rows = run(*asked[:-1]).rows()
    [row] = [dict(zip(header, row, strict=True)) for row in rows if row[header.index("target")]]
    assert int(row["change"]) == own["rank"] - 1 > 0
