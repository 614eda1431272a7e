"""--mutual: how much masking one token changes what is predicted for another."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bertcli.analysis.masks.mutual import check_has_content, mutual_influence
from bertcli.analysis.masks.predictions import predict_masks
from bertcli.commands.fill_mask.question import Question, check_top_k
from bertcli.commands.fill_mask.request import FillMaskRequest
from bertcli.input.records import FailedText
from bertcli.model.batching import Batch
from bertcli.model.session import Session
from bertcli.model.tokenizer import TokenizedText
from bertcli.output.files.arrays import Column, tensor_writers
from bertcli.output.schemas.mask_questions import mutual_schema
from bertcli.results.masks import FillMaskRecord


def mutual(request: FillMaskRequest, session: Session) -> Question:
    """A matrix for each text; beside it the candidates for masks, where a text has any."""
    top_k = check_top_k(request, session)

    def compute(batch: Batch) -> Sequence[FillMaskRecord]:
        records = predict_masks(session, batch, top_k)
        matrices = mutual_influence(session, batch)
        return [replace(record, mutual=each) for record, each in zip(records, matrices, strict=True)]

    def check(text: TokenizedText) -> FailedText | None:
        return check_has_content(session, text)

    matrix = Column(lambda record: record.mutual, fill=np.nan, missing=np.nan)
    # A text alone fills batches of its own, and its answer should not wait for the next one's.
    return Question(
        compute, check, mutual_schema, batch_tokens=1, array_writers=tensor_writers(session, {"mutual": matrix})
    )
