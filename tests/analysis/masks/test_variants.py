"""Variants of texts: run in batches of a bounded size, taken when needed, and returned in order."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bertcli.analysis.masks.variants import Variant, run_variants, with_ids_at, with_masks
from bertcli.model.batching import group_for_batches
from tests.analysis.masks import drawn, slow
from tests.tiny import open_bert, tokenize


@given(st.lists(st.integers(1, 30).map(range), max_size=40), st.integers(1, 100))
def test_runs_keep_the_order_and_the_size(texts: list[range], batch_tokens: int) -> None:
    made = list(group_for_batches(texts, batch_tokens))
    assert [text for run in made for text in run] == texts
    for run in made:
        lengths = list(map(len, run))
        assert len(run) * max(lengths) <= batch_tokens or len(run) == 1
        assert min(lengths) >= min(0.8 * max(lengths), max(lengths) - 4)


def test_variants_are_taken_as_they_are_needed(tiny_bert: Path) -> None:
    session = open_bert(tiny_bert, batch_tokens=20)
    [text] = tokenize(session, ["how are you"])
    taken = []

    def endless() -> Iterator[Variant[int]]:
        while True:
            taken.append(len(taken))
            yield Variant(text, (1,), taken[-1])

    answers = run_variants(session, endless())
    first, logits = next(answers)
    assert [variant.about for variant in first] == [0, 1, 2, 3]
    assert logits.shape[0] == 4
    assert len(taken) == 5


@given(drawn.engines, drawn.plain_texts, st.data())
@settings(max_examples=10)
def test_a_variant_has_logits_at_each_of_its_positions(
    tiny_bert: Path, engine: str, text: str, data: st.DataObject
) -> None:
    session = drawn.session_of(tiny_bert, engine)
    [tokenized] = tokenize(session, [text])
    positions = st.lists(st.integers(0, len(tokenized) - 1), min_size=1, unique=True)
    drawn_positions = data.draw(st.lists(positions, min_size=1, max_size=4))
    mask = session.tokenizer.mask_token_id
    variants = [Variant(with_masks(tokenized, masked, mask), masked, None) for masked in drawn_positions]
    found = np.concatenate([session.to_numpy(logits) for _, logits in run_variants(session, variants)])
    expected = [
        slow.log_distribution(tiny_bert, slow.with_masks(tiny_bert, tokenized.input_ids, masked), at)
        for masked in drawn_positions
        for at in masked
    ]
    for row, log_p in zip(found.astype(np.float64), expected, strict=True):
        np.testing.assert_allclose(row - np.log(np.exp(row).sum()), log_p, 1e-5, 1e-5)


def test_a_token_is_replaced_by_several_of_its_segment(tiny_bert: Path) -> None:
    [text] = tokenize(open_bert(tiny_bert), [("how are", "you")])
    wider = with_ids_at(text, 4, [7, 8])
    assert wider.input_ids == (*text.input_ids[:4], 7, 8, text.input_ids[5])
    assert wider.token_type_ids == (0, 0, 0, 0, 1, 1, 1)
