"""--score: how probable each text is."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from bertcli.analysis.masks.predictions import predict_masks
from bertcli.analysis.masks.pseudo_likelihood import check_scorable, score_texts
from bertcli.commands.fill_mask.question import Question, check_top_k
from bertcli.commands.fill_mask.request import FillMaskRequest
from bertcli.model.batching import Batch
from bertcli.model.session import Session
from bertcli.output.schemas.mask_questions import score_schema
from bertcli.results.masks import FillMaskRecord

# Each token makes a text of its own, so that this part of a batch fills several.
_PART = 8


def score(request: FillMaskRequest, session: Session) -> Question:
    """Pseudo-log-likelihoods; beside them the candidates for masks, where a text has any."""
    top_k = check_top_k(request, session)

    def compute(batch: Batch) -> Sequence[FillMaskRecord]:
        records = predict_masks(session, batch, top_k)
        scores = score_texts(session, batch, request.within_word)
        return [replace(record, score=each) for record, each in zip(records, scores, strict=True)]

    return Question(compute, partial(check_scorable, session), score_schema, max(session.batch_tokens // _PART, 1))
