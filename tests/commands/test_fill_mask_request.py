"""Valid and invalid combinations of fill-mask's options."""

from dataclasses import replace
from typing import Any

import pytest

from bertcli.choices import (
    AttributionMethod,
    Baseline,
    EngineName,
    FillOrder,
    LensMethod,
    OnLong,
    ScoreOnly,
    TargetScore,
    WithinWord,
    WordRank,
)
from bertcli.commands.fill_mask.analysis import passes_of
from bertcli.commands.fill_mask.request import FillMaskRequest
from bertcli.commands.options import PairOptions, TextOptions
from bertcli.errors import WrongUsage
from bertcli.model.request import SessionRequest
from bertcli.output.destination import OutputOptions


def request(texts: TextOptions | None = None, model: SessionRequest | None = None, **options: Any) -> FillMaskRequest:
    """Return a request. Options of PairOptions may be given beside the others."""
    of_pairs = {name: options.pop(name) for name in PairOptions.__slots__ if name in options}
    return FillMaskRequest(
        texts or TextOptions(), model or SessionRequest(), OutputOptions(), **options, pairs=PairOptions(**of_pairs)
    )


@pytest.mark.parametrize(
    ("options", "analysis"),
    [
        ({}, ""),
        ({"top_k": 3, "mass": 0.5, "entropy": True, "targets": "a", "target_score": TargetScore.MEAN}, ""),
        ({"joint": True, "order": FillOrder.L2R, "top_k": 3}, "--joint"),
        ({"pieces": "1-3", "rank": WordRank.SUM, "top_k": 3}, "--pieces"),
        ({"pieces": "2", "model": SessionRequest(long=OnLong.WINDOWS)}, "--pieces"),
        ({"attribute": AttributionMethod.IG, "words": True, "targets": "a"}, "--attribute"),
        ({"score": True, "within_word": WithinWord.L2R}, "--score"),
        ({"lens": LensMethod.AUTO, "targets": "a", "top_k": 3}, "--lens"),
        ({"lens": LensMethod.RAW, "top_k": 3}, "--lens"),
        ({"lens": LensMethod.AUTO, "lens_file": "lens.safetensors"}, "--lens"),
        ({"lens": LensMethod.TUNED, "lens_file": "lens.safetensors"}, "--lens"),
        ({"compare": "bundled", "targets": "a", "target_score": TargetScore.MEAN, "top_k": 3}, "--compare"),
        ({"mutual": True}, "--mutual"),
        ({"head_effects": True, "targets": "a", "top_k": 3}, "--head-effects"),
        ({"attribute": AttributionMethod.OCCLUSION, "targets": "a", "top_k": 3}, "--attribute"),
        ({"attribute": AttributionMethod.IG, "baseline": Baseline.ZERO, "steps": 5, "targets": "a"}, "--attribute"),
        ({"score": True, "versus": "bad", "aggregate": True, "group_by": "a,b", "only": ScoreOnly.SHARED}, "--score"),
        ({"score": True, "only_words": "is,are"}, "--score"),
        ({"score": True, "words": True, "within_word": WithinWord.WHOLE, "only_words": "is"}, "--score"),
        ({"target_field": "a", "top_k": 3, "target_score": TargetScore.MEAN, "group_by": "b"}, "--target-field"),
        ({"score": True, "only": ScoreOnly.B, "texts": TextOptions(pair="how")}, "--score"),
        ({"score": True, "only": ScoreOnly.B, "texts": TextOptions(pair="how"), "versus": "bad"}, "--score"),
        ({"score": True, "only": ScoreOnly.B, "texts": TextOptions(pairs=True)}, "--score"),
        ({"score": True, "texts": TextOptions(pairs=True), "versus": "B"}, "--score"),
    ],
)
def test_valid_options_choose_one_analysis(options: dict[str, Any], analysis: str) -> None:
    found = request(**options)
    found.check_options()
    assert found.analysis == analysis


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"score": True, "mutual": True}, "--score and --mutual cannot be combined"),
        ({"compare": "bundled", "joint": True}, "--joint and --compare cannot be combined"),
        ({"order": FillOrder.L2R}, "--order needs --joint"),
        ({"within_word": WithinWord.L2R}, "--within-word needs --score"),
        ({"target_score": TargetScore.MEAN}, "--target-score needs --targets or --target-field"),
        ({"target_field": "a", "targets": "b"}, "--targets and --target-field cannot be combined"),
        ({"target_field": "a", "score": True}, "--target-field and --score cannot be combined"),
        (
            {"target_field": "a", "model": SessionRequest(long=OnLong.WINDOWS)},
            "--target-field needs a whole text, and --long windows reads a long text in parts",
        ),
        ({"joint": True, "within_word": WithinWord.L2R}, "--within-word needs --score"),
        ({"joint": True, "targets": "a"}, "--targets and --joint cannot be combined"),
        ({"score": True, "top_k": 3}, "--top-k and --score cannot be combined"),
        ({"mutual": True, "entropy": True}, "--entropy and --mutual cannot be combined"),
        ({"compare": "bundled", "mass": 0.5}, "--mass and --compare cannot be combined"),
        (
            {"lens": LensMethod.AUTO, "targets": "a", "target_score": TargetScore.MEAN},
            "--target-score and --lens cannot be combined",
        ),
        ({"lens_file": "a"}, "--lens-file needs --lens"),
        ({"lens_file": "a", "mutual": True}, "--lens-file needs --lens"),
        ({"lens": LensMethod.RAW, "lens_file": "a"}, "--lens raw and --lens-file cannot be combined"),
        ({"head_effects": True, "score": True}, "--score and --head-effects cannot be combined"),
        (
            {"attribute": AttributionMethod.OCCLUSION, "lens": LensMethod.AUTO},
            "--lens and --attribute cannot be combined",
        ),
        ({"attribute": AttributionMethod.OCCLUSION, "steps": 5}, "--steps needs --attribute ig"),
        ({"baseline": Baseline.PAD}, "--baseline needs --attribute ig"),
        ({"attribute": AttributionMethod.OCCLUSION, "mass": 0.5}, "--mass and --attribute cannot be combined"),
        ({"head_effects": True, "entropy": True}, "--entropy and --head-effects cannot be combined"),
        ({"versus": "bad"}, "--versus needs --score"),
        ({"words": True}, "--words needs --score or --attribute"),
        ({"lens": True, "words": True}, "--words needs --score or --attribute"),
        ({"rank": WordRank.SUM}, "--rank needs --pieces"),
        ({"joint": True, "rank": WordRank.SUM}, "--rank needs --pieces"),
        ({"pieces": "1", "joint": True}, "--joint and --pieces cannot be combined"),
        ({"pieces": "1", "lens": True}, "--pieces and --lens cannot be combined"),
        ({"pieces": "1", "score": True}, "--pieces and --score cannot be combined"),
        ({"pieces": "1", "target_field": "a"}, "--target-field and --pieces cannot be combined"),
        ({"pieces": "1", "targets": "a"}, "--targets and --pieces cannot be combined"),
        ({"pieces": "1", "mass": 0.5}, "--mass and --pieces cannot be combined"),
        ({"pieces": "1", "entropy": True}, "--entropy and --pieces cannot be combined"),
        ({"score": True, "words": True, "versus": "bad"}, "--words and --versus cannot be combined"),
        (
            {"score": True, "words": True, "model": SessionRequest(long=OnLong.WINDOWS)},
            "--words needs a whole text, and --long windows reads a long text in parts",
        ),
        ({"only_words": "is"}, "--only-words needs --score"),
        ({"score": True, "aggregate": True}, "--aggregate needs --versus or --target-field"),
        ({"score": True, "group_by": "kind"}, "--group-by needs --versus or --target-field"),
        ({"score": True, "versus": "bad", "group_by": "a, a"}, "--group-by names a field twice"),
        ({"score": True, "versus": "bad", "group_by": "a,"}, "--group-by has an empty name"),
        ({"score": True, "versus": "bad", "group_by": "a\nb"}, "--group-by has a line end or a word that is too long"),
        ({"score": True, "only": ScoreOnly.SHARED}, "--only shared needs --versus"),
        ({"score": True, "only": ScoreOnly.B}, "--only b needs a sentence B"),
        (
            {"score": True, "only": ScoreOnly.B, "versus": "B", "texts": TextOptions(pairs=True)},
            "--only b needs a sentence B, and --versus B takes it",
        ),
        (
            {"score": True, "versus": "bad", "texts": TextOptions(pairs=True)},
            "with --pairs, each text is compared with its sentence B, not with 'bad'",
        ),
        (
            {"score": True, "only_words": "is", "model": SessionRequest(long=OnLong.WINDOWS)},
            "--only-words needs a whole text, and --long windows reads a long text in parts",
        ),
    ],
)
def test_options_that_cannot_be_combined_are_wrong_usage(options: dict[str, Any], message: str) -> None:
    with pytest.raises(WrongUsage) as raised:
        request(**options).check_options()
    assert raised.value.message == message
    assert raised.value.hint


@pytest.mark.parametrize("options", [{"aggregate": True}, {"only": ScoreOnly.SHARED}])
def test_a_hint_gives_the_options_that_it_adds_their_values(options: dict[str, Any]) -> None:
    with pytest.raises(WrongUsage) as raised:
        request(score=True, **options).check_options()
    assert str(raised.value.hint).startswith("add --versus FIELD")


@pytest.mark.parametrize(
    ("options", "needs_whole_texts"),
    [({}, False), ({"words": True}, True), ({"only_words": "is"}, True), ({"only": ScoreOnly.B}, True)],
)
def test_windows_are_offered_for_a_long_text_unless_an_option_refuses_them(
    options: dict[str, Any], needs_whole_texts: bool
) -> None:
    assert request(score=True, **options).needs_whole_texts == needs_whole_texts


def test_the_hint_about_sentence_b_does_not_contradict_pairs() -> None:
    texts, pairs = TextOptions(pairs=True), {"versus": "B", "only": ScoreOnly.B}
    with pytest.raises(WrongUsage) as raised:
        request(score=True, texts=texts, **pairs).check_options()
    assert raised.value.hint == "leave one of them out"
    request(score=True, texts=texts, only=ScoreOnly.B).check_options()
    request(score=True, texts=texts, versus="B").check_options()


@pytest.mark.parametrize(
    ("pieces", "widths"), [("1", range(1, 2)), ("1-3", range(1, 4)), ("2-2", range(2, 3)), ("10", range(10, 11))]
)
def test_pieces_are_a_number_or_a_range(pieces: str, widths: range) -> None:
    assert request(pieces=pieces).widths == widths


@pytest.mark.parametrize("pieces", ["", "0", "11", "3-1", "1-", "-1", "1-2-3", "a", "1 - 2", "²", "9" * 5000])
def test_other_numbers_of_pieces_are_wrong_usage(pieces: str) -> None:
    with pytest.raises(WrongUsage, match="--pieces cannot be") as raised:
        request(pieces=pieces).check_options()
    assert raised.value.hint == "use a number of pieces or a range, from 1 to 10, such as --pieces 1-3"


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        ({"rank": WordRank.MEAN}, "add --pieces 1-3, or leave --rank out"),
        ({"words": True}, "add --score or --attribute occlusion, or leave --words out"),
        (
            {"target_score": TargetScore.MEAN},
            "add --targets are,is or --target-field FIELD, or leave --target-score out",
        ),
        ({"aggregate": True}, "add --score --versus FIELD or --target-field FIELD, or leave --aggregate out"),
        ({"group_by": "a"}, "add --score --versus FIELD or --target-field FIELD, or leave --group-by out"),
        ({"only": ScoreOnly.SHARED}, "add --score --versus FIELD, or leave --only shared out"),
        ({"score": True, "aggregate": True}, "add --versus FIELD, or leave --aggregate out"),
        ({"joint": True, "aggregate": True}, "leave --aggregate out"),
        ({"joint": True, "only": ScoreOnly.SHARED}, "leave --only shared out"),
        ({"score": True, "target_score": TargetScore.MEAN}, "leave --target-score out"),
    ],
)
def test_a_hint_names_an_option_with_a_value(options: dict[str, Any], hint: str) -> None:
    with pytest.raises(WrongUsage) as raised:
        request(**options).check_options()
    assert raised.value.hint == hint


@pytest.mark.parametrize("engine", ["numpy", "transformers"])
def test_integrated_gradients_need_torch(engine: str) -> None:
    on_engine = replace(request(attribute=AttributionMethod.IG), model=SessionRequest(engine=EngineName(engine)))
    with pytest.raises(WrongUsage, match=f"needs gradients, which the {engine} engine does not compute") as raised:
        on_engine.check_options()
    assert raised.value.hint == "use --engine torch, or --attribute occlusion"
    assert not request(attribute=AttributionMethod.OCCLUSION).session.with_gradients
    assert request(attribute=AttributionMethod.IG).session.with_gradients


def test_words_imply_l2r() -> None:
    assert request(score=True).score_method == WithinWord.ORIGINAL
    assert request(score=True, words=True).score_method == WithinWord.L2R
    assert request(score=True, words=True, within_word=WithinWord.ORIGINAL).score_method == WithinWord.ORIGINAL


def test_a_mass_of_nan_is_wrong_usage() -> None:
    with pytest.raises(WrongUsage, match="--mass nan"):
        request(mass=float("nan")).check_options()


def test_an_analysis_is_estimated_by_the_texts_that_it_runs() -> None:
    passes = {
        name: passes_of(request(**options))(400)
        for name, options in {
            "predictions": {},
            "lens": {"lens": LensMethod.RAW},
            "score": {"score": True},
            "some words": {"score": True, "only_words": "how"},
            "mutual": {"mutual": True},
            "pieces": {"pieces": "1-3"},
            "head effects": {"head_effects": True},
            "attribution": {"attribute": AttributionMethod.OCCLUSION},
        }.items()
    }
    assert passes == {
        "predictions": 1, "lens": 1, "score": 100, "some words": 1, "mutual": 100 * 101 / 2, "pieces": 80,
        "head effects": 72, "attribution": 100,
    }  # fmt: skip
    assert passes_of(request(joint=True))(400) > 1
