"""Explanations of the predictions on the attention page: attributions to tokens, and the effects of heads.

They are the analyses of `fill-mask --attribute` and `fill-mask --head-effects`, for the top prediction of each mask.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from bertcli.choices import AttributionMethod, Baseline, EngineName
from bertcli.commands.options import PageOptions
from bertcli.errors import WrongUsage
from bertcli.input.records import FailedText
from bertcli.model.engine_choice import BYTES_PER_TOKEN
from bertcli.model.requirements import require_head_switches, require_mlm
from bertcli.model.session import Session
from bertcli.results.attention import AttnPageRecord

if TYPE_CHECKING:
    from bertcli.analysis.masks.predictions import MaskAnalysis

# Points on the path of integrated gradients.
_STEPS = 50
# Half of the number of heads of bert-base: each run without a head starts at its layer.
_HEAD_RUNS = 72


def check_explanations(page: PageOptions, engine: EngineName, *, writes_page: bool) -> None:
    """Check that the options of explanations go together and have a page. Raises WrongUsage.

    Args:
        page: The options.
        engine: The engine that the user named, or auto.
        writes_page: True if the output is a page.
    """
    for option, value in {"--baseline": page.baseline, "--steps": page.steps}.items():
        if value is not None and page.attribute != AttributionMethod.IG:
            raise WrongUsage(f"{option} needs --attribute ig", hint=f"use --attribute ig, or leave {option} out")
    explained = explaining_options(page)
    if explained and not writes_page:
        option = explained[0]
        example = f"{option} {page.attribute}" if option == "--attribute" else option
        raise WrongUsage(
            f"{option} explains the predictions on a page, and needs --html FILE",
            hint=f"add --html page.html, or leave {option} out; `bertcli fill-mask {example}` needs no page",
        )
    if page.attribute == AttributionMethod.IG and engine in (EngineName.NUMPY, EngineName.TRANSFORMERS):
        raise WrongUsage(
            f"--attribute ig needs gradients, which the {engine} engine does not compute",
            hint="use --engine torch, or --attribute occlusion",
        )


def explaining_options(page: PageOptions) -> list[str]:
    """Return the options that request explanations."""
    requested = {"--attribute": page.attribute is not None, "--head-effects": page.head_effects}
    return [option for option, is_requested in requested.items() if is_requested]


def explaining_analyses(page: PageOptions, session: Session, layers: Sequence[int]) -> "list[MaskAnalysis]":
    """Return the analyses of masks that the options request. Each is imported only if it is requested.

    Args:
        page: The options.
        session: The open checkpoint.
        layers: Numbers of the layers that the page holds.

    Raises:
        MissingMlmHead: The checkpoint has no MLM head.
        BadCheckpoint: The tokenizer has no mask token.
        WrongUsage: The engine does not compute gradients, or cannot switch heads off.
    """
    if explaining_options(page):
        require_mlm(session)
    analyses: list[MaskAnalysis] = []
    if page.attribute == AttributionMethod.IG:
        _ = session.engine_choice  # fails without torch's gradients
        from bertcli.analysis.masks.attribution import IntegratedGradients

        analyses.append(IntegratedGradients(None, page.baseline or Baseline.MASK, page.steps or _STEPS))
    elif page.attribute == AttributionMethod.OCCLUSION:
        from bertcli.analysis.masks.occlusion import Occlusion

        analyses.append(Occlusion())
    if page.head_effects:
        require_head_switches(session, "--head-effects")
        from bertcli.analysis.masks.head_effects import HeadEffectsAnalysis

        analyses.append(HeadEffectsAnalysis(layers=layers))
    return analyses


def estimate_passes(page: PageOptions, size: int) -> float:
    """Estimate how often a text goes through the model, if it has a mask.

    Args:
        page: The options.
        size: Bytes of the text.
    """
    of_tokens = 0 if page.attribute is None else max(size / BYTES_PER_TOKEN, 1)
    return 1 + of_tokens + (_HEAD_RUNS if page.head_effects else 0)


class MaskWatch:
    """Watches the records of a page for masks, since without any there is nothing to explain."""

    def __init__(self) -> None:
        self._texts = self._masks = 0

    def watch(self, answers: Iterable[AttnPageRecord[Any] | FailedText]) -> Iterator[AttnPageRecord[Any] | FailedText]:
        """Yield the answers as they are."""
        for answer in answers:
            if not isinstance(answer, FailedText):
                self._texts += 1
                self._masks += len(answer.masks)
            yield answer

    @property
    def found_none(self) -> bool:
        """True if there are texts, and none of them has a mask."""
        return bool(self._texts) and not self._masks
