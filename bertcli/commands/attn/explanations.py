"""Explanations of the predictions on the attention page: attributions to tokens, and the effects of heads.

They are the analyses of `fill-mask --attribute` and `fill-mask --head-effects`, for the top prediction of each mask.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from bertcli.choices import EngineName
from bertcli.commands.attributions import HEAD_PASSES, attribution_analysis, check_attribution
from bertcli.commands.options import PageOptions
from bertcli.errors import WrongUsage
from bertcli.input.records import FailedText
from bertcli.model.engine_choice import BYTES_PER_TOKEN
from bertcli.model.requirements import require_head_switches, require_mlm
from bertcli.model.session import Session
from bertcli.results.attention import AttnPageRecord

if TYPE_CHECKING:
    from bertcli.analysis.masks.predictions import MaskAnalysis


def check_explanations(page: PageOptions, engine: EngineName, *, writes_page: bool) -> None:
    """Check that the options of explanations go together and have a page. Raises WrongUsage.

    Args:
        page: The options.
        engine: The engine that the user named, or auto.
        writes_page: True if the output is a page.
    """
    check_attribution(page.attribute, page.baseline, page.steps, engine)
    explained = explaining_options(page)
    if explained and not writes_page:
        option = explained[0]
        example = f"{option} {page.attribute}" if option == "--attribute" else option
        raise WrongUsage(
            f"{option} explains the predictions on a page, and needs --html FILE",
            hint=f"add --html page.html, or leave {option} out; `bertcli fill-mask {example}` needs no page",
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
    if page.attribute is not None:
        analyses.append(attribution_analysis(session, page.attribute, page.baseline, page.steps))
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
    return 1 + of_tokens + (HEAD_PASSES if page.head_effects else 0)


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
