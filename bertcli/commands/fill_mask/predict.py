"""The candidates for each mask, with what is asked about them."""

from functools import partial

from bertcli.analysis.masks.predictions import MaskAnalysis, predict_masks
from bertcli.commands.fill_mask.question import Check, Question, check_top_k, has_mask
from bertcli.commands.fill_mask.request import FillMaskRequest
from bertcli.model.session import Session
from bertcli.output.schemas.fill_mask import fill_mask_schema


def predict(request: FillMaskRequest, session: Session) -> Question:
    """Each mask on its own."""
    top_k = None if request.mass is not None and request.top_k is None else check_top_k(request, session)
    analyses: list[MaskAnalysis] = []
    check: Check = partial(has_mask, session)
    if request.targets is not None:
        from bertcli.commands.fill_mask.scored_targets import check_with, scores_of, targets_of

        targets = targets_of(request.targets, session)
        analyses.append(scores_of(request, targets))
        check = check_with(targets, session)
    if request.entropy:
        from bertcli.analysis.masks.distributions import add_entropy

        analyses.append(add_entropy)
    compute = partial(predict_masks, session, top_k=top_k, mass=request.mass, analyses=analyses)
    return Question(compute, check, partial(fill_mask_schema, mass=request.mass))
