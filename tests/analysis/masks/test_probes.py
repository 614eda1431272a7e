"""Ranks of expected words, against single runs of BertForMaskedLM, and their summary against numpy."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertcli.analysis.masks.predictions import predict_masks
from bertcli.analysis.masks.probes import ExpectedWords, ProbeCounter
from bertcli.choices import TargetScore
from bertcli.errors import BadText
from bertcli.input.records import FailedText, TextRecord
from bertcli.model.session import Session
from bertcli.results.masks import FillMaskRecord, MaskPredictions, expected_word
from tests.analysis.masks import drawn, slow
from tests.output import samples
from tests.tiny import one_batch, open_bert, tokenize

words = st.sampled_from(["cat", "you", "CAT", "!", *drawn.PIECES])


def probe(
    session: Session, rows: Sequence[tuple[str, str]], method: TargetScore = TargetScore.L2R
) -> list[FillMaskRecord]:
    records = [TextRecord(index, text, target=word) for index, (text, word) in enumerate(rows)]
    return predict_masks(session, one_batch(session, records), 1, analyses=[ExpectedWords(session, method)])


@given(
    drawn.engines,
    st.lists(st.tuples(drawn.masked_texts(1), words), min_size=1, max_size=4),
    st.sampled_from(TargetScore),
)
@settings(max_examples=20)
def test_each_text_has_the_rank_and_score_of_its_own_word(
    tiny_bert: Path, engine: str, rows: list[tuple[str, str]], method: TargetScore
) -> None:
    tokenizer = slow.tokenizer(tiny_bert)
    for (text, word), record in zip(rows, probe(drawn.session_of(tiny_bert, engine), rows, method), strict=True):
        ids, pieces = tokenizer(text).input_ids, tokenizer(word, add_special_tokens=False).input_ids
        position = ids.index(tokenizer.mask_token_id)
        found = expected_word(record)
        assert found.target == word
        expected = slow.target_logprob(tiny_bert, ids, position, pieces, method)
        assert found.logprob == pytest.approx(expected, rel=1e-5, abs=1e-5)
        if len(pieces) > 1:
            assert found.rank is None
            continue
        log_p = slow.log_distribution(tiny_bert, ids, position)
        uncertain = (np.abs(log_p - log_p[pieces[0]]) < 1e-5).sum()
        assert found.rank is not None
        assert abs(found.rank - 1 - (log_p > log_p[pieces[0]]).sum()) < uncertain


@pytest.mark.parametrize(
    ("text", "word", "message"),
    [
        ("a [MASK] [MASK]", "cat", "the text has 2 masks, and its field of --target-field has the word for one"),
        ("a [MASK]", "\u2603", "the target '\u2603' is not in the vocabulary"),
        ("a [MASK]", " ", "the expected word is empty"),
        ("a [MASK]" + " b" * 60, "xyzzy", "the target 'xyzzy' has 5 pieces, and the text has room for 1"),
    ],
)
def test_a_text_whose_word_cannot_be_scored_fails(tiny_bert: Path, text: str, word: str, message: str) -> None:
    session = open_bert(tiny_bert)
    [tokenized] = tokenize(session, [TextRecord(0, text, target=word)])
    failed = ExpectedWords(session, TargetScore.L2R).check(tokenized)
    assert isinstance(failed, FailedText)
    assert isinstance(failed.error, BadText)
    assert failed.error.message.startswith(message)
    assert failed.error.hint


@given(st.lists(st.one_of(st.none(), st.integers(1, 40)), min_size=1, max_size=30))
def test_a_summary_has_the_precisions_and_means_of_the_ranks(ranks: list[int | None]) -> None:
    counter = ProbeCounter()
    for rank in ranks:
        target = replace(samples.target("are", "are", -1.0, 1.0, 1), rank=rank)
        counter.add(FillMaskRecord(samples.text_info(["[MASK]"]), [MaskPredictions(1, [], [target])]))
    counts, known = counter.counts(), np.array([rank for rank in ranks if rank is not None])
    assert (counts.count, counts.unranked) == (len(known), len(ranks) - len(known))
    if not len(known):
        assert (counts.precision_at_1, counts.mean_reciprocal_rank, counts.mean_rank) == (None, None, None)
        return
    found = counts.precision_at_1, counts.precision_at_5, counts.precision_at_10
    assert found == pytest.approx([(known <= limit).mean() for limit in (1, 5, 10)])
    assert counts.mean_reciprocal_rank == pytest.approx((1 / known).mean())
    assert counts.mean_rank == pytest.approx(known.mean())
