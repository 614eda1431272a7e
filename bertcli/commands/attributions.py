"""Options, set-up and work of --attribute and --head-effects, for fill-mask and for the page of attn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bertcli.choices import AttributionMethod, Baseline, EngineName
from bertcli.errors import WrongUsage

# Passes of --head-effects, half of the number of heads of bert-base: each pass without a head starts at its layer.
HEAD_PASSES = 72

if TYPE_CHECKING:
    from bertcli.analysis.masks.predictions import MaskAnalysis
    from bertcli.analysis.masks.targets import Target
    from bertcli.model.session import Session


def check_attribution(
    method: AttributionMethod | None, baseline: Baseline | None, steps: int | None, engine: EngineName
) -> None:
    """Check that the options of --attribute go together.

    Args:
        method: The value of --attribute, or None without it.
        baseline: The value of --baseline, or None without it.
        steps: The value of --steps, or None without it.
        engine: The engine that the user named, or auto.

    Raises:
        WrongUsage: --baseline or --steps without integrated gradients, or an engine that computes no gradients.
    """
    for option, value in {"--baseline": baseline, "--steps": steps}.items():
        if value is not None and method != AttributionMethod.IG:
            raise WrongUsage(f"{option} needs --attribute ig", hint=f"use --attribute ig, or leave {option} out")
    if method == AttributionMethod.IG and engine in (EngineName.NUMPY, EngineName.TRANSFORMERS):
        raise WrongUsage(
            f"--attribute ig needs gradients, which the {engine} engine does not compute",
            hint="use --engine torch, or --attribute occlusion",
        )


def attribution_analysis(
    session: Session,
    method: AttributionMethod,
    baseline: Baseline | None,
    steps: int | None,
    targets: Sequence[Target] | None = None,
    *,
    has_words: bool = False,
) -> MaskAnalysis:
    """Return the analysis that attributes the prediction for each mask. Only its own method is imported.

    Args:
        session: The open checkpoint.
        method: Occlusion or integrated gradients.
        baseline: Baseline of integrated gradients, or None for the mask.
        steps: Number of points on their path, or None for 50.
        targets: Targets of one piece, or None for the top prediction.
        has_words: True if occlusion masks all tokens of a word together.

    Raises:
        WrongUsage: The engine does not compute gradients.
    """
    if method == AttributionMethod.IG:
        _ = session.engine_choice  # fails without torch's gradients
        from bertcli.analysis.masks.attribution import STEPS, IntegratedGradients

        return IntegratedGradients(targets, baseline or Baseline.MASK, steps or STEPS)
    from bertcli.analysis.masks.occlusion import Occlusion

    return Occlusion(targets, has_words)
