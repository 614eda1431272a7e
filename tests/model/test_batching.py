"""Batches hold every text once, padded on the right, and texts of similar length share a batch."""

from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bertcli.input.records import TextRecord
from bertcli.model.batching import batches, pad
from bertcli.model.tokenizer import TokenizedText

PAD = 7


def text_of(index: int, length: int) -> TokenizedText:
    """Make a text whose ids and types identify it. No id is that of padding."""
    ids = tuple(100 * (index + 1) + position for position in range(length))
    types = tuple(position % 2 for position in range(length))
    return TokenizedText(TextRecord(index, "x"), ids, types, ("x",) * length)


texts = st.lists(st.integers(1, 30), min_size=1, max_size=40).map(
    lambda lengths: [text_of(index, length) for index, length in enumerate(lengths)]
)


@given(texts)
def test_padding_is_on_the_right_and_masked(drawn: Sequence[TokenizedText]) -> None:
    batch = pad(drawn, PAD)
    longest = max(map(len, drawn))
    assert batch.shape == (len(drawn), longest)
    assert batch.is_padded == any(len(text) < longest for text in drawn)
    for row, text in enumerate(drawn):
        padding = longest - len(text)
        assert batch.input_ids[row].tolist() == [*text.input_ids, *[PAD] * padding]
        assert batch.token_type_ids[row].tolist() == [*text.token_type_ids, *[0] * padding]
        assert batch.attention_mask[row].tolist() == [True] * len(text) + [False] * padding


def test_ids_and_types_are_int64_and_the_mask_is_boolean() -> None:
    batch = pad([text_of(0, 3), text_of(1, 5)], PAD)
    assert (batch.input_ids.dtype, batch.token_type_ids.dtype) == (np.int64, np.int64)
    assert batch.attention_mask.dtype == np.bool_


@given(texts, st.integers(1, 100))
def test_every_text_is_in_one_batch_within_the_token_budget(drawn: Sequence[TokenizedText], batch_tokens: int) -> None:
    made = list(batches(drawn, batch_tokens, PAD))
    assert sorted(text.record.index for batch in made for text in batch.texts) == list(range(len(drawn)))
    for batch in made:
        rows, columns = batch.shape
        assert rows * columns <= batch_tokens or rows == 1


@given(texts, st.integers(1, 100))
def test_texts_are_sorted_by_length_longest_first(drawn: Sequence[TokenizedText], batch_tokens: int) -> None:
    lengths = [len(text) for batch in batches(drawn, batch_tokens, PAD) for text in batch.texts]
    assert lengths == sorted(lengths, reverse=True)


def test_no_texts_make_no_batch() -> None:
    assert list(batches([], 100, PAD)) == []


@given(st.lists(st.integers(1, 20), max_size=30), st.integers(1, 60), st.integers(1, 5))
def test_batch_size_limits_the_texts_of_a_batch(lengths: list[int], batch_tokens: int, batch_size: int) -> None:
    texts = [text_of(index, length) for index, length in enumerate(lengths)]
    found = list(batches(texts, batch_tokens, 0, batch_size))
    assert all(len(batch.texts) <= batch_size for batch in found)
    assert sorted(text.record.index for batch in found for text in batch.texts) == list(range(len(lengths)))
    unlimited = list(batches(texts, batch_tokens, 0))
    assert [batch.texts for batch in batches(texts, batch_tokens, 0, len(lengths) + 1)] == [
        batch.texts for batch in unlimited
    ]
