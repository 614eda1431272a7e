"""Variants of texts, in as few runs as the size of a batch allows: what scores, beams and perturbations are made of."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import numpy as np

from bertcli.model.batching import group_for_batches, pad
from bertcli.model.engine import OutputRequest
from bertcli.model.ops.base import Array
from bertcli.model.session import Session
from bertcli.model.tokenizer import TokenizedText

About = TypeVar("About")


@dataclass(frozen=True, slots=True)
class Variant(Generic[About]):
    """A text with other tokens. positions: where the model is asked. about: what its answer is for."""

    text: TokenizedText
    positions: Sequence[int]
    about: About

    def __len__(self) -> int:
        return len(self.text)


def with_masks(text: TokenizedText, positions: Collection[int], mask_token_id: int) -> TokenizedText:
    """The text with a mask at each of the positions."""
    return replace(
        text, input_ids=tuple(mask_token_id if at in positions else id_ for at, id_ in enumerate(text.input_ids))
    )


def with_ids_at(text: TokenizedText, position: int, ids: Sequence[int]) -> TokenizedText:
    """The text with these tokens in place of the one at the position, of the same segment as that one."""
    before, after = slice(None, position), slice(position + 1, None)
    types = text.token_type_ids
    if types:  # some architectures have none
        types = (*types[before], *[types[position]] * len(ids), *types[after])
    return replace(text, input_ids=(*text.input_ids[before], *ids, *text.input_ids[after]), token_type_ids=types)


def mask_positions(session: Session, text: TokenizedText) -> list[int]:
    """Where the text has masks."""
    return [at for at, id_ in enumerate(text.input_ids) if id_ == session.mask_token_id]


def content_positions(session: Session, text: TokenizedText) -> list[int]:
    """Where the text has tokens of its own: all but [CLS] and [SEP]."""
    return [at for at, id_ in enumerate(text.input_ids) if not session.tokenizer.is_cls_sep_or_pad(id_)]


def ask(session: Session, variants: Iterable[Variant[About]]) -> Iterator[tuple[Sequence[Variant[About]], Array]]:
    """Run after run some of the variants, in their order, with the logits at their positions: (positions, vocab).

    The variants are taken as they are needed; those of like length should follow one another.
    """
    for run in group_for_batches(variants, session.batch_tokens):
        batch = pad([variant.text for variant in run], session.tokenizer.pad_token_id)
        rows = np.repeat(np.arange(len(run)), [len(variant.positions) for variant in run])
        columns = np.array([position for variant in run for position in variant.positions])
        yield run, session.run(batch, OutputRequest(logits_at=(rows, columns))).logits
