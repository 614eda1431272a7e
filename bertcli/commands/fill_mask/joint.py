"""--joint: all masks of a text filled together."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from bertcli.analysis.masks.joint import NARROWEST_BEAM, fill_jointly
from bertcli.analysis.masks.predictions import predict_masks
from bertcli.choices import FillOrder
from bertcli.commands.fill_mask.question import Question, check_top_k, has_mask
from bertcli.commands.fill_mask.request import FillMaskRequest
from bertcli.model.batching import Batch
from bertcli.model.session import Session
from bertcli.output.schemas.mask_questions import joint_schema
from bertcli.results.masks import FillMaskRecord


def joint(request: FillMaskRequest, session: Session) -> Question:
    """Whole sequences; beside them each mask on its own."""
    top_k = check_top_k(request, session)
    order = request.order or FillOrder.CONFIDENCE

    def compute(batch: Batch) -> Sequence[FillMaskRecord]:
        records = predict_masks(session, batch, top_k)
        filled = fill_jointly(session, batch, top_k, order)
        return [replace(record, sequences=each) for record, each in zip(records, filled, strict=True)]

    batch_tokens = max(session.batch_tokens // NARROWEST_BEAM, 1)
    return Question(compute, partial(has_mask, session), lambda info: joint_schema(info, order), batch_tokens)
