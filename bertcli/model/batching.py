"""Token ids in rectangles: which texts run together, and their padded arrays."""

from collections.abc import Iterable, Iterator, Sequence, Sized
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from bertcli.model.ops.base import BoolArray, IntArray
from bertcli.model.tokenizer import TokenizedText

AnyText = TypeVar("AnyText", bound=Sized)
# A text of less than this part of its batch's longest waits for another batch: its padding would cost more than that.
_SHORTEST_PART = 0.8
_UNNOTICED_PADDING = 4  # tokens


@dataclass(frozen=True, slots=True)
class Batch:
    """Texts that run together. input_ids, token_type_ids, attention_mask: (batch, seq); the mask is True at tokens."""

    texts: Sequence[TokenizedText]
    input_ids: IntArray
    token_type_ids: IntArray
    attention_mask: BoolArray

    @property
    def is_padded(self) -> bool:
        """Whether any text is shorter than the rectangle."""
        return not self.attention_mask.all()

    @property
    def shape(self) -> tuple[int, int]:
        """(batch, seq)."""
        batch, seq = self.input_ids.shape
        return batch, seq


def pad(texts: Sequence[TokenizedText], pad_token_id: int) -> Batch:
    """The texts as one rectangle, padded on the right to the longest."""
    shape = len(texts), max(len(text) for text in texts)
    batch = Batch(texts, np.full(shape, pad_token_id), np.zeros(shape, np.int64), np.zeros(shape, np.bool_))
    for row, text in enumerate(texts):
        batch.input_ids[row, : len(text)] = text.input_ids
        batch.token_type_ids[row, : len(text.token_type_ids)] = text.token_type_ids
        batch.attention_mask[row, : len(text)] = True
    return batch


def batches(texts: Sequence[TokenizedText], batch_tokens: int, pad_token_id: int) -> Iterator[Batch]:
    """The texts in batches of at most `batch_tokens` tokens, padding included (or of one text that has more).

    Texts of like length go together, the longest first, so that little is padded; their order is the caller's to
    restore.
    """
    for run in runs(sorted(texts, key=len, reverse=True), batch_tokens):
        yield pad(run, pad_token_id)


def runs(texts: Iterable[AnyText], batch_tokens: int) -> Iterator[list[AnyText]]:
    """The texts in their order, parted into runs that each make a batch of at most `batch_tokens` tokens.

    They are taken one by one, so there may be more of them than memory holds. A run ends where a text of another
    length would have to be padded, or would make the others be padded, by too much.
    """
    run: list[AnyText] = []
    longest = shortest = 0
    for text in texts:
        longest_with, shortest_with = max(longest, len(text)), min(shortest or len(text), len(text))
        shortest_allowed = min(_SHORTEST_PART * longest_with, longest_with - _UNNOTICED_PADDING)
        if run and ((len(run) + 1) * longest_with > batch_tokens or shortest_with < shortest_allowed):
            yield run
            run, longest_with, shortest_with = [], len(text), len(text)
        run.append(text)
        longest, shortest = longest_with, shortest_with
    if run:
        yield run


def position_ids(input_ids: IntArray, first_position: int) -> IntArray:
    """Where each token stands: (seq,), counted from 0, or (batch, seq) where positions follow the padding.

    There the id of padding is the one before the first position. Padding has its own id as its position, also where a
    text spells it out, and is not counted (Ott et al. 2019, as in fairseq's make_positions).
    """
    if not first_position:
        return np.arange(input_ids.shape[-1])
    pad_token_id = first_position - 1
    is_token = input_ids != pad_token_id
    return np.where(is_token, is_token.cumsum(-1) + pad_token_id, pad_token_id)


def any_tokens(batch_size: int, sequence_length: int) -> Batch:
    """A batch of that size whose tokens do not matter."""
    shape = batch_size, sequence_length
    zeros = np.zeros(shape, np.int64)
    return Batch((), zeros, zeros, np.ones(shape, np.bool_))
