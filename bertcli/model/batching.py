"""Batches of token ids: grouping texts of similar length, and padding them."""

from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import TypeVar

import numpy as np

from bertcli.lazy_dataclass import dataclass
from bertcli.model.ops.base import BoolArray, IntArray
from bertcli.model.tokenizer import TokenizedText

SizedText = TypeVar("SizedText", bound=Sized)
# A text shorter than this fraction of its batch's longest goes to another batch: padding it would cost more.
_MIN_LENGTH_RATIO = 0.8
_NEGLIGIBLE_PADDING = 4  # tokens


@dataclass(frozen=True, slots=True)
class Batch:
    """Texts that run together.

    input_ids, token_type_ids and attention_mask are (batch, seq). attention_mask is True at tokens, False at padding.
    """

    texts: Sequence[TokenizedText]
    input_ids: IntArray
    token_type_ids: IntArray
    attention_mask: BoolArray

    @property
    def is_padded(self) -> bool:
        """True if at least one text has padding."""
        return not self.attention_mask.all()

    @property
    def shape(self) -> tuple[int, int]:
        """(batch, seq)."""
        batch, seq = self.input_ids.shape
        return batch, seq


def pad(texts: Sequence[TokenizedText], pad_token_id: int) -> Batch:
    """Make one batch of the texts, in their order, padded on the right to the longest."""
    shape = len(texts), max(len(text) for text in texts)
    batch = Batch(texts, np.full(shape, pad_token_id), np.zeros(shape, np.int64), np.zeros(shape, np.bool_))
    for row, text in enumerate(texts):
        batch.input_ids[row, : len(text)] = text.input_ids
        batch.token_type_ids[row, : len(text.token_type_ids)] = text.token_type_ids
        batch.attention_mask[row, : len(text)] = True
    return batch


def batches(
    texts: Sequence[TokenizedText], batch_tokens: int, pad_token_id: int, batch_size: int | None = None
) -> Iterator[Batch]:
    """Sort the texts by length, longest first, and yield them in batches with little padding.

    The caller restores the order of the texts.

    Args:
        texts: The texts.
        batch_tokens: Token budget of a batch, padding included. A longer text gets a batch of its own.
        pad_token_id: Id of the padding token.
        batch_size: Largest number of texts in a batch, None for no limit.
    """
    for group in group_for_batches(sorted(texts, key=len, reverse=True), batch_tokens, batch_size):
        yield pad(group, pad_token_id)


def group_for_batches(
    texts: Iterable[SizedText], batch_tokens: int, batch_size: int | None = None
) -> Iterator[list[SizedText]]:
    """Split the texts, in their order, into groups that each make one batch.

    A group ends when the token budget is spent, or when the next text would need too much padding or cause the others
    to be padded too much. The texts are read one at a time, so they need not fit in memory.

    Args:
        texts: Texts, or other items whose len() is a number of tokens.
        batch_tokens: Token budget of a batch, padding included. A longer text gets a group of its own.
        batch_size: Largest number of texts in a group, None for no limit.
    """
    group: list[SizedText] = []
    longest = shortest = 0
    for text in texts:
        longest_with, shortest_with = max(longest, len(text)), min(shortest or len(text), len(text))
        shortest_allowed = min(_MIN_LENGTH_RATIO * longest_with, longest_with - _NEGLIGIBLE_PADDING)
        is_full = (len(group) + 1) * longest_with > batch_tokens or len(group) == batch_size
        if group and (is_full or shortest_with < shortest_allowed):
            yield group
            group, longest_with, shortest_with = [], len(text), len(text)
        group.append(text)
        longest, shortest = longest_with, shortest_with
    if group:
        yield group


def position_ids(input_ids: IntArray, first_position: int) -> IntArray:
    """Compute the position of each token.

    Positions normally count from 0. In architectures whose positions follow the padding (RoBERTa's), they count from
    first_position, and padding is not counted: its position is its own id, first_position - 1, even where a text
    contains the padding token (Ott et al. 2019, as in fairseq's make_positions).

    Args:
        input_ids: (batch, seq).
        first_position: Position of a text's first token. 0 means that positions do not depend on padding.

    Returns:
        (seq,) if first_position is 0, else (batch, seq).
    """
    if not first_position:
        return np.arange(input_ids.shape[-1])
    pad_token_id = first_position - 1
    is_token = input_ids != pad_token_id
    return np.where(is_token, is_token.cumsum(-1) + pad_token_id, pad_token_id)


def dummy_batch(batch_size: int, sequence_length: int) -> Batch:
    """Make a batch of the given size without texts. All ids are 0, and nothing is padding."""
    shape = batch_size, sequence_length
    zeros = np.zeros(shape, np.int64)
    return Batch((), zeros, zeros, np.ones(shape, np.bool_))
