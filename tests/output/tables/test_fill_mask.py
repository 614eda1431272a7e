from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertcli.output.schemas.fill_mask import fill_mask_schema, score_schema
from bertcli.output.tables.fill_mask import common_ends, find_filled, probability
from bertcli.results.masks import FillMaskRecord, MaskPredictions, Prediction
from tests.output import samples
from tests.output.drawing import draw


def _places(template: str, *words: str) -> Sequence[int | None]:
    """Return the position that find_filled returns for each word at {}."""
    sequences = [template.format(word) for word in words]
    ends = common_ends(sequences)
    return [find_filled(sequence, word, ends) for word, sequence in zip(words, sequences, strict=True)]


@pytest.mark.parametrize(
    ("template", "words", "places"),
    [
        ("how {} you", ("are", "about"), [4, 4]),
        ("the {} and the {{}}", ("the", "cat"), [4, 4]),
        ("{} a", ("a", "b"), [0, 0]),
        ("is this {} this", ("this", "that"), [8, 8]),
        ("only {}", ("one",), [5]),
        ("one {}", ("one",), [None]),
        ("x{}x", ("x", "xx"), [None, None]),
    ],
)
def test_the_filled_word_is_found_if_only_one_position_is_possible(
    template: str, words: Sequence[str], places: Sequence[int | None]
) -> None:
    assert _places(template, *words) == places


def test_not_all_texts_need_a_space_before_the_word() -> None:
    sequences = {".": "they are.", "there": "they are there"}
    ends = common_ends(list(sequences.values()))
    found = [find_filled(sequence, word, ends) for word, sequence in sequences.items()]
    assert found == [8, 9]


def test_a_piece_that_the_text_does_not_contain_is_not_found() -> None:
    ends = common_ends(["walking", "walks"])
    assert find_filled("walking", "##ing", ends) is None


WORDS = st.lists(st.text("ab ", min_size=1, max_size=3), min_size=2, max_size=4)


@given(st.text("ab ", max_size=6), st.text("ab ", max_size=6), WORDS)
def test_the_filled_word_is_never_found_at_a_wrong_position(before: str, after: str, words: list[str]) -> None:
    places = _places(f"{before}{{}}{after}", *words)
    assert all(place in (None, len(before)) for place in places)


@pytest.mark.parametrize(
    ("score", "shown"),
    [
        (1.0, "1.0000 ████████"),
        (0.704, "0.7040 █████▋"),
        (0.02, "0.0200 ▏"),
        (0.0061, "0.0061 "),
        (0.001, "0.0010 "),
        (0.00094, "9.4e-4 "),
        (0.000085, "8.5e-5 "),
        (1e-12, "1.0e-12 "),
        (0.0, "0.0000 "),
        (float("nan"), "nan "),
    ],
)
def test_a_small_probability_keeps_two_digits(score: float, shown: str) -> None:
    assert probability(score).plain == shown


def long_record(count: int) -> FillMaskRecord:
    """Return a mask with the given number of words on either side."""
    before, after = (" ".join(f"{side}{at}" for at in range(count)) for side in ("left", "right"))
    found = [
        Prediction(rank, 0.5, 1.0, rank, word, f"{before} {word} {after}") for rank, word in enumerate(("are", "is"), 1)
    ]
    return FillMaskRecord(samples.text_info(["[MASK]"]), [MaskPredictions(1, found)])


def test_a_long_text_is_cut_around_the_candidate() -> None:
    lines = [
        " ".join(draw(fill_mask_schema(samples.info("fill-mask")), long_record(count), width=400).split("\n"))
        for count in (3, 99)
    ]
    assert "left0 left1 left2 are right0 right1 right2" in lines[0]
    assert "left98 are right0" in lines[1] and "left98 is right0" in lines[1]
    assert "left0" not in lines[1] and "right98" not in lines[1]
    assert lines[1].count("…") == 4


def test_candidates_that_do_not_reach_the_mass_are_reported() -> None:
    record = replace(samples.fill_mask_record(), masks=[replace(samples.fill_mask_record().masks[0], mass=0.772)])
    schema = fill_mask_schema(samples.info("fill-mask"), mass=0.9)
    assert "cover 77.20 % (--top-k ends the list before 90 %)" in draw(schema, record, width=120)
    assert "ends" not in draw(fill_mask_schema(samples.info("fill-mask"), mass=0.7), record, width=120)


def test_only_several_targets_have_shares() -> None:
    schema = fill_mask_schema(samples.info("fill-mask"))
    assert "share" in draw(schema, samples.fill_mask_record(), width=120)
    assert "share" not in draw(schema, samples.probe_record(), width=120)


def test_a_score_reports_special_and_unknown_tokens() -> None:
    plain = samples.score_record()
    schema = score_schema(samples.info("fill-mask"))
    assert "not scored" not in draw(schema, plain, width=120) and "[UNK]" not in draw(schema, plain, width=120)
    tokens = [*plain.text.tokens[:-1], "[MASK]", plain.text.tokens[-1]]
    assert "special tokens are not scored: [MASK]" in draw(
        schema, replace(plain, text=replace(plain.text, tokens=tokens)), width=120
    )
    unknown = [replace(plain.score.tokens[0], token="[UNK]"), *plain.score.tokens[1:]]
    assert "[UNK] is scored as itself" in draw(
        schema, replace(plain, score=replace(plain.score, tokens=unknown)), width=120
    )
