"""Valid and invalid combinations of fill-mask's options."""

from dataclasses import replace
from typing import Any

import pytest

from bertcli.choices import AttributionMethod, Baseline, EngineName, FillOrder, TargetScore, WithinWord
from bertcli.commands.fill_mask.command import estimate_passes
from bertcli.commands.fill_mask.request import FillMaskRequest
from bertcli.commands.options import TextOptions
from bertcli.errors import WrongUsage
from bertcli.model.request import SessionRequest
from bertcli.output.destination import OutputOptions


def request(**options: Any) -> FillMaskRequest:
    return FillMaskRequest(TextOptions(), SessionRequest(), OutputOptions(), **options)


@pytest.mark.parametrize(
    ("options", "analysis"),
    [
        ({}, ""),
        ({"top_k": 3, "mass": 0.5, "entropy": True, "targets": "a", "target_score": TargetScore.MEAN}, ""),
        ({"joint": True, "order": FillOrder.L2R, "top_k": 3}, "--joint"),
        ({"score": True, "within_word": WithinWord.L2R}, "--score"),
        ({"lens": True, "targets": "a", "top_k": 3}, "--lens"),
        ({"compare": "bundled", "targets": "a", "target_score": TargetScore.MEAN, "top_k": 3}, "--compare"),
        ({"mutual": True}, "--mutual"),
        ({"head_effects": True, "targets": "a", "top_k": 3}, "--head-effects"),
        ({"attribute": AttributionMethod.OCCLUSION, "targets": "a", "top_k": 3}, "--attribute"),
        ({"attribute": AttributionMethod.IG, "baseline": Baseline.ZERO, "steps": 5, "targets": "a"}, "--attribute"),
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
        ({"head_effects": True, "score": True}, "--score and --head-effects cannot be combined"),
        ({"attribute": AttributionMethod.OCCLUSION, "lens": True}, "--lens and --attribute cannot be combined"),
        ({"attribute": AttributionMethod.OCCLUSION, "steps": 5}, "--steps needs --attribute ig"),
        ({"baseline": Baseline.PAD}, "--baseline needs --attribute ig"),
        ({"attribute": AttributionMethod.OCCLUSION, "mass": 0.5}, "--mass and --attribute cannot be combined"),
        ({"head_effects": True, "entropy": True}, "--entropy and --head-effects cannot be combined"),
    ],
)
def test_options_that_cannot_be_combined_are_wrong_usage(options: dict[str, Any], message: str) -> None:
    with pytest.raises(WrongUsage) as raised:
        request(**options).check_options()
    assert raised.value.message == message
    assert raised.value.hint


@pytest.mark.parametrize("engine", ["numpy", "transformers"])
def test_integrated_gradients_need_torch(engine: str) -> None:
    on_engine = replace(request(attribute=AttributionMethod.IG), model=SessionRequest(engine=EngineName(engine)))
    with pytest.raises(WrongUsage, match=f"needs gradients, which the {engine} engine does not compute") as raised:
        on_engine.check_options()
    assert raised.value.hint == "use --engine torch, or --attribute occlusion"
    assert not request(attribute=AttributionMethod.OCCLUSION).session.with_gradients
    assert request(attribute=AttributionMethod.IG).session.with_gradients


def test_a_mass_of_nan_is_wrong_usage() -> None:
    with pytest.raises(WrongUsage, match="--mass nan"):
        request(mass=float("nan")).check_options()


def test_an_analysis_is_estimated_by_the_texts_that_it_runs() -> None:
    assert [estimate_passes(analysis, 400) for analysis in ("", "--lens", "--score")] == [1, 1, 100]
    assert estimate_passes("--mutual", 400) == 100 * 101 / 2
    assert estimate_passes("--joint", 400) > 1
    assert estimate_passes("--head-effects", 400) == 72
    assert estimate_passes("--attribute", 400) == 100
