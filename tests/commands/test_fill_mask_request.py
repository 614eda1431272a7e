"""Which of fill-mask's options go together."""

from typing import Any

import pytest

from bertcli.choices import FillOrder, TargetScore, WithinWord
from bertcli.commands.fill_mask.command import estimate_passes
from bertcli.commands.fill_mask.request import FillMaskRequest
from bertcli.commands.options import TextOptions
from bertcli.errors import WrongUsage
from bertcli.model.request import SessionRequest
from bertcli.output.destination import OutputOptions


def request(**options: Any) -> FillMaskRequest:
    return FillMaskRequest(TextOptions(), SessionRequest(), OutputOptions(), **options)


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
    asked.check_options()
    assert asked.analysis == question


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"score": True, "mutual": True}, "--score and --mutual cannot be combined"),
        ({"compare": "bundled", "joint": True}, "--joint and --compare cannot be combined"),
        ({"order": FillOrder.L2R}, "--order needs --joint"),
        ({"within_word": WithinWord.L2R}, "--within-word needs --score"),
        ({"target_score": TargetScore.MEAN}, "--target-score needs --targets"),
        ({"joint": True, "within_word": WithinWord.L2R}, "--within-word needs --score"),
        ({"joint": True, "targets": "a"}, "--targets and --joint cannot be combined"),
        ({"score": True, "top_k": 3}, "--top-k and --score cannot be combined"),
        ({"mutual": True, "entropy": True}, "--entropy and --mutual cannot be combined"),
        ({"compare": "bundled", "mass": 0.5}, "--mass and --compare cannot be combined"),
        (
            {"lens": True, "targets": "a", "target_score": TargetScore.MEAN},
            "--target-score and --lens cannot be combined",
        ),
    ],
)
def test_what_contradicts_itself_is_wrong_usage(options: dict[str, Any], message: str) -> None:
    with pytest.raises(WrongUsage) as raised:
        request(**options).check_options()
    assert raised.value.message == message
    assert raised.value.hint


def test_a_mass_that_is_no_number_is_wrong_usage() -> None:
    with pytest.raises(WrongUsage, match="--mass nan"):
        request(mass=float("nan")).check_options()


def test_a_question_is_as_much_work_as_it_runs_texts() -> None:
    assert [estimate_passes(question, 400) for question in ("", "--lens", "--score")] == [1, 1, 100]
    assert estimate_passes("--mutual", 400) == 100 * 101 / 2
    assert estimate_passes("--joint", 400) > 1
