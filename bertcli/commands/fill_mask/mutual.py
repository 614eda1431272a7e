"""--mutual: how much masking one token changes what is predicted for another."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bertcli.commands.array_files import tensor_writers
from bertcli.commands.fill_mask.question import Question, check_top_k
from bertcli.commands.fill_mask.request import FillMaskRequest
from bertcli.core.batches import Batch
from bertcli.core.masks.mutual import check_content, mutual_influence
from bertcli.core.masks.predictions import predict_masks
from bertcli.core.session import Session
from bertcli.core.tokens import TokenizedText
from bertcli.render.views.mask_questions import mutual_view
from bertcli.results.masks import FillMaskRecord
from bertcli.texts import Unanswered
from bertcli.writers.arrays import Column


def mutual(request: FillMaskRequest, session: Session) -> Question:
    """A matrix for each text; beside it the candidates for masks, where a text has any."""
    top_k = check_top_k(request, session)

    def compute(batch: Batch) -> Sequence[FillMaskRecord]:
        records = predict_masks(session, batch, top_k)
        matrices = mutual_influence(session, batch)
        return [replace(record, mutual=each) for record, each in zip(records, matrices, strict=True)]

    def check(text: TokenizedText) -> Unanswered | None:
        return check_content(session, text)

    matrix = Column(lambda record: record.mutual, fill=np.nan, missing=np.nan)
    # A text alone fills batches of its own, and its answer should not wait for the next one's.
    return Question(
        compute, check, mutual_view, batch_tokens=1, array_writers=tensor_writers(session, {"mutual": matrix})
    )
