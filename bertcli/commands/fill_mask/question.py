"""What each question consists of, and what they have in common."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bertcli.analysis.masks.predictions import check_masks
from bertcli.commands.fill_mask.request import TOP_K, FillMaskRequest
from bertcli.errors import WrongUsage
from bertcli.input.records import FailedText
from bertcli.model.batching import Batch
from bertcli.model.session import Session
from bertcli.model.tokenizer import TokenizedText
from bertcli.output.schema import Schema
from bertcli.output.sink import ArrayWriters
from bertcli.results.masks import FillMaskRecord
from bertcli.results.texts import RunInfo

Check = Callable[[TokenizedText], FailedText | None]


@dataclass(frozen=True, slots=True)
class Question:
    """compute: the records of a batch of texts. check: what is wrong with a text. view: how the records look.

    batch_tokens: how much text goes to compute at once, where that is less than what is run at once. notes: what the
    user should know of the answers, and a table tells itself.
    """

    compute: Callable[[Batch], Sequence[FillMaskRecord]]
    check: Check
    view: Callable[[RunInfo], Schema[FillMaskRecord]]
    batch_tokens: int | None = None
    array_writers: ArrayWriters = field(default_factory=dict)
    notes: Sequence[str] = ()


def has_mask(session: Session, text: TokenizedText) -> FailedText | None:
    """What is wrong with a text that is to have a mask."""
    return check_masks(text, session.mask_token_id)


def check_top_k(request: FillMaskRequest, session: Session) -> int:
    """How many candidates are wanted. Raises WrongUsage for more than there are tokens."""
    top_k, vocab_size = request.top_k or TOP_K, session.config.vocab_size
    if top_k > vocab_size and request.top_k is None:
        return vocab_size
    if top_k > vocab_size:
        raise WrongUsage(
            f"--top-k {top_k:,} is more than the {vocab_size:,} tokens of the vocabulary",
            hint=f"use a number from 1 to {vocab_size:,}",
        )
    return top_k
