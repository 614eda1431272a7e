"""--lens: how the predictions form, layer by layer."""

from functools import partial

from bertcli.analysis.masks.lens import LogitLens, check_single_piece
from bertcli.analysis.masks.predictions import MaskAnalysis, predict_masks
from bertcli.commands.fill_mask.question import Question, check_top_k, has_mask
from bertcli.commands.fill_mask.request import FillMaskRequest
from bertcli.commands.fill_mask.scored_targets import scores_of, targets_of
from bertcli.model.session import Session
from bertcli.output.schemas.mask_questions import lens_schema


def lens(request: FillMaskRequest, session: Session) -> Question:
    """The candidates of each layer."""
    top_k = check_top_k(request, session)
    targets = None if request.targets is None else targets_of(request.targets, session)
    check_single_piece(targets or ())
    scores: list[MaskAnalysis] = [] if targets is None else [scores_of(request, targets)]
    analyses: list[MaskAnalysis] = [*scores, LogitLens(top_k, targets)]
    every_layer = range(session.config.num_hidden_layers + 1)
    compute = partial(predict_masks, session, top_k=top_k, analyses=analyses, hidden_states=every_layer)
    return Question(compute, partial(has_mask, session), lens_schema)
