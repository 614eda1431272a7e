"""Variants of texts, run in batches: the building blocks of scores, beam search and perturbation."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Generic, TypeVar

import numpy as np

from bertcli.lazy_dataclass import dataclass
from bertcli.model.batching import group_for_batches, pad
from bertcli.model.engine import OutputRequest
from bertcli.model.ops.base import Array
from bertcli.model.session import Session
from bertcli.model.tokenizer import TokenizedText

About = TypeVar("About")


@dataclass(frozen=True, slots=True)
class Variant(Generic[About]):
    """A text with some tokens replaced.

    Attributes:
        text: The text with the replacements.
        positions: Positions to compute logits at.
        about: Anything that the caller needs to know about the logits.
    """

    text: TokenizedText
    positions: Sequence[int]
    about: About

    def __len__(self) -> int:
        return len(self.text)


def with_masks(text: TokenizedText, positions: Collection[int], mask_token_id: int) -> TokenizedText:
    """Return the text with a mask at each of the positions."""
    return replace(
        text,
        input_ids=tuple(mask_token_id if position in positions else id_ for position, id_ in enumerate(text.input_ids)),
    )


def with_ids_at(text: TokenizedText, position: int, ids: Sequence[int]) -> TokenizedText:
    """Return the text with one token replaced by others, which get the token type of the replaced one."""
    before, after = slice(None, position), slice(position + 1, None)
    types = text.token_type_ids
    if types:  # some architectures have none
        types = (*types[before], *[types[position]] * len(ids), *types[after])
    return replace(text, input_ids=(*text.input_ids[before], *ids, *text.input_ids[after]), token_type_ids=types)


def mask_positions(session: Session, text: TokenizedText) -> list[int]:
    """Return the positions of the masks of a text."""
    return [position for position, id_ in enumerate(text.input_ids) if id_ == session.mask_token_id]


def content_positions(session: Session, text: TokenizedText) -> list[int]:
    """Return the positions of all tokens but [CLS] and [SEP]."""
    return [position for position, id_ in enumerate(text.input_ids) if not session.tokenizer.is_cls_sep_or_pad(id_)]


def run_variants(
    session: Session, variants: Iterable[Variant[About]]
) -> Iterator[tuple[Sequence[Variant[About]], Array]]:
    """Run variants in batches, in their order.

    Args:
        session: The open checkpoint.
        variants: The variants. They are taken as they are needed. Neighbours of similar length need less padding.

    Yields:
        The variants of a batch, and the logits at all their positions, (positions, vocab).
    """
    for run in group_for_batches(variants, session.batch_tokens, session.request.batch_size):
        batch = pad([variant.text for variant in run], session.tokenizer.pad_token_id)
        rows = np.repeat(np.arange(len(run)), [len(variant.positions) for variant in run])
        columns = np.array([position for variant in run for position in variant.positions])
        yield run, session.run(batch, OutputRequest(logits_at=(rows, columns))).logits
