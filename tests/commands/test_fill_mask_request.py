"""Which of fill-mask's options go together."""

from typing import Any

import pytest
from bertcli.commands.fill_mask.answer import _runs

from bertcli.choices import FillOrder, TargetScore, WithinWord
from bertcli.cli.options import ModelOptions, OutputOptions, TextOptions
from bertcli.commands.fill_mask.request import FillMaskRequest
from bertcli.errors import WrongUsage


def request(**options: Any) -> FillMaskRequest:
    return FillMaskRequest(TextOptions(), ModelOptions(), OutputOptions(), **options)


@pytest.mark.parametrize(
    ("options", "question"),
    [
        ({}, ""),
        ({"top_k": 3, "mass": 0.5, "entropy": True, "targets": "a", "target_score": TargetScore.MEAN}, ""),
        ({"joint": True, "order": FillOrder.L2R, "top_k": 3}, "--joint"),
        ({"score": True, "within_word": WithinWord.L2R}, "--score"),
        ({"lens": True, "targets": "a", "top_k": 3}, "--lens"),
        ({"compare": "bundled", "targets": "a", "target_score": TargetScore.MEAN, "top_k": 3}, "--compare"),
        ({"mutual": True}, "--mutual"),
    ],
)
def test_what_goes_together_asks_one_question(options: dict[str, Any], question: str) -> None:
    asked = request(**options)
    asked.check()
    assert asked.question == question


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"score": True, "mutual": True}, "--score and --mutual ask two questions"),
        ({"compare": "bundled", "joint": True}, "--joint and --compare ask two questions"),
        ({"order": FillOrder.L2R}, "--order says how --joint goes"),
        ({"within_word": WithinWord.L2R}, "--within-word says how --score goes"),
        ({"target_score": TargetScore.MEAN}, "--target-score says how --targets goes"),
        ({"joint": True, "within_word": WithinWord.L2R}, "--within-word says how --score goes"),
        ({"joint": True, "targets": "a"}, "--joint has no place for --targets"),
        ({"score": True, "top_k": 3}, "--score has no place for --top-k"),
        ({"mutual": True, "entropy": True}, "--mutual has no place for --entropy"),
        ({"compare": "bundled", "mass": 0.5}, "--compare has no place for --mass"),
        (
            {"lens": True, "targets": "a", "target_score": TargetScore.MEAN},
            "--lens has no place for --target-score",
        ),
    ],
)
def test_what_contradicts_itself_is_wrong_usage(options: dict[str, Any], message: str) -> None:
    with pytest.raises(WrongUsage) as raised:
        request(**options).check()
    assert raised.value.message == message
    assert raised.value.hint


def test_a_mass_that_is_no_number_is_wrong_usage() -> None:
    with pytest.raises(WrongUsage, match="--mass nan"):
        request(mass=float("nan")).check()


def test_a_question_is_as_much_work_as_it_runs_texts() -> None:
    assert [_runs(question, 400) for question in ("", "--lens", "--score")] == [1, 1, 100]
    assert _runs("--mutual", 400) == 100 * 101 / 2
    assert _runs("--joint", 400) > 1
