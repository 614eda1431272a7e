"""Joint filling of masks, against every possible filling and against a plain beam search."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertcli.analysis.masks.joint import fill_jointly
from bertcli.choices import FillOrder
from bertcli.model.session import Session
from bertcli.results.masks import FilledSequence
from tests.analysis.masks import drawn, slow
from tests.tiny import VOCABULARY, one_batch, open_bert

orders = st.sampled_from(FillOrder)


def fill(
    session: Session,
    texts: Sequence[str],
    count: int = 5,
    order: FillOrder = FillOrder.CONFIDENCE,
    beam: int | None = None,
) -> list[list[FilledSequence]]:
    return fill_jointly(session, one_batch(session, texts), count, order, beam)


@given(drawn.engines, drawn.masked_texts(2), orders)
@settings(max_examples=10)
def test_a_beam_of_the_whole_vocabulary_finds_the_best_fillings(
    tiny_bert: Path, engine: str, text: str, order: str
) -> None:
    ids = slow.tokenizer(tiny_bert)(text).input_ids
    expected = slow.every_filling(tiny_bert, ids, order)
    [found] = fill(drawn.session_of(tiny_bert, engine), [text], 8, order, beam=len(VOCABULARY))
    best = sorted(expected.values(), reverse=True)[:8]
    assert [filled.logprob for filled in found] == pytest.approx(best, rel=1e-5, abs=1e-5)
    for filled in found:
        key = tuple(map(VOCABULARY.index, filled.tokens))
        assert filled.logprob == pytest.approx(expected[key], rel=1e-5, abs=1e-5)


@given(drawn.engines, st.lists(drawn.masked_texts(3), min_size=1, max_size=3), orders, st.integers(1, 4))
@settings(max_examples=15)
def test_a_narrow_beam_equals_a_plain_beam_search(
    tiny_bert: Path, engine: str, texts: list[str], order: str, beam: int
) -> None:
    for text, found in zip(texts, fill(drawn.session_of(tiny_bert, engine), texts, beam, order, beam), strict=True):
        ids = slow.tokenizer(tiny_bert)(text).input_ids
        expected = slow.beam_search(tiny_bert, ids, beam, order)
        assert [filled.logprob for filled in found] == pytest.approx(
            [logprob for logprob, _ in expected], rel=1e-5, abs=1e-5
        )
        masks = [at for at, id_ in enumerate(ids) if VOCABULARY[id_] == "[MASK]"]
        tokens = [[VOCABULARY[filled[at]] for at in masks] for _, filled in expected]
        gaps = np.diff([logprob for logprob, _ in expected])
        if not len(gaps) or gaps.max() < -1e-4:  # those nearer than that may change places
            assert [list(filled.tokens) for filled in found] == tokens


def test_texts_with_different_numbers_of_masks_are_filled_in_one_batch(tiny_bert: Path) -> None:
    session = open_bert(tiny_bert)
    texts = ["[MASK] [MASK] [MASK]", "how [MASK] you", "the [MASK] sat on [MASK] mat"]
    for text, together in zip(texts, fill(session, texts), strict=True):
        [alone] = fill(session, [text])
        assert [filled.tokens for filled in together] == [filled.tokens for filled in alone]
        assert [filled.logprob for filled in together] == pytest.approx([filled.logprob for filled in alone], abs=1e-5)
        assert {len(filled.tokens) for filled in together} == {text.count("[MASK]")}


def test_a_sequence_has_its_tokens_in_place_of_the_masks(tiny_bert: Path) -> None:
    [found] = fill(open_bert(tiny_bert), ["how [MASK] you, [MASK] cat"], count=20)
    assert len(found) == 20
    assert len({tuple(filled.tokens) for filled in found}) == 20
    for filled in found:
        first, second = filled.tokens
        if not any(token.startswith(("#", "[")) or not token.isalpha() for token in filled.tokens):
            assert filled.sequence == f"how {first} you, {second} cat"


@pytest.mark.parametrize("order", list(FillOrder))
def test_one_mask_is_filled_as_without_joint(tiny_bert: Path, order: str) -> None:
    [found] = fill(open_bert(tiny_bert), ["a [MASK]"], 3, order)
    log_p = slow.log_distribution(tiny_bert, slow.tokenizer(tiny_bert)("a [MASK]").input_ids, 2)
    assert [filled.logprob for filled in found] == pytest.approx(sorted(log_p)[:-4:-1], abs=1e-5)


def test_the_beam_keeps_ten_sequences_if_fewer_are_requested(tiny_bert: Path) -> None:
    session = open_bert(tiny_bert)
    texts = ["[MASK] [MASK] the [MASK]", "how [MASK] you, [MASK] [MASK] cat", "[MASK] a [MASK] sat [MASK]"]
    by_default, of_ten, of_one = (fill(session, texts, 1, beam=beam) for beam in (None, 10, 1))
    assert by_default == of_ten
    assert by_default != of_one
