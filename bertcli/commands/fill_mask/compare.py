"""--compare: the same question put to a second model."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from bertcli.analysis.masks.compare import ModelComparison
from bertcli.analysis.masks.predictions import MaskAnalysis, predict_masks
from bertcli.analysis.masks.targets import Target
from bertcli.checkpoints.hub_cache import Download
from bertcli.commands.fill_mask.question import Question, check_top_k
from bertcli.commands.fill_mask.request import FillMaskRequest
from bertcli.commands.fill_mask.scored_targets import check_with, method_of, scores_of, targets_of
from bertcli.errors import WrongUsage
from bertcli.input.records import FailedText
from bertcli.model.session import Session, open_session
from bertcli.model.tokenizer import TokenizedText
from bertcli.output.schemas.mask_questions import compare_schema

_SAME = "Jensen-Shannon distance: 0 where A and B say the same, 0.833 where they have nothing in common"
_OTHER = "the vocabularies differ: tokens are matched by their spelling, and there is no distance"


def compare(request: FillMaskRequest, session: Session, announce: Callable[[Download], bool]) -> Question:
    """The candidates of both models, side by side. announce: says what of the second one is about to be downloaded."""
    top_k = check_top_k(request, session)
    asked = replace(session.request, model=request.compare, revision=None)  # which is the first one's
    other = open_session(asked, session.text_bytes, announce)
    other.require_mlm_head()
    other.require_mask_token()
    targets = None if request.targets is None else targets_of(request.targets, session)
    scores: list[MaskAnalysis] = [] if targets is None else [scores_of(request, targets)]
    of_other = None if request.targets is None else _targets_of_other(request.targets, other)
    comparing = ModelComparison(session, other, min(top_k, other.config.vocab_size), of_other, method_of(request))
    fits = check_with(targets or (), session)

    def check(text: TokenizedText) -> FailedText | None:
        return fits(text) or comparing.check(text)

    compute = partial(predict_masks, session, top_k=top_k, analyses=[*scores, comparing])
    explanation = _SAME if comparing.is_one_vocabulary else _OTHER
    return Question(
        compute,
        check,
        lambda info: compare_schema(info, explanation),
        notes=() if comparing.is_one_vocabulary else (_OTHER,),
    )


def _targets_of_other(words: str, other: Session) -> Sequence[Target]:
    try:
        return targets_of(words, other)
    except WrongUsage as error:
        raise error.at(other.checkpoint.name) from None
