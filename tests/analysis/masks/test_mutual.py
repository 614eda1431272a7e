"""Mutual influence of tokens, against two runs for each pair of them."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertcli.analysis.masks.mutual import check_has_content, mutual_influence
from bertcli.errors import BadText
from tests.analysis.masks import drawn, slow
from tests.tiny import one_batch, open_bert, tokenize


@given(drawn.engines, st.lists(st.one_of(drawn.plain_texts, drawn.masked_texts(2)), min_size=1, max_size=2))
@settings(max_examples=15)
def test_influence_is_the_distance_between_one_masked_and_both_masked(
    tiny_bert: Path, engine: str, texts: list[str]
) -> None:
    session = drawn.session_of(tiny_bert, engine)
    batch = one_batch(session, texts)
    for text, tokenized, found in zip(texts, batch.texts, mutual_influence(session, batch), strict=True):
        expected = slow.mutual(tiny_bert, text)
        assert found.shape == (len(tokenized), len(tokenized))
        assert {(int(i), int(j)) for i, j in np.argwhere(~np.isnan(found))} == set(expected)
        assert {place: float(found[place]) for place in expected} == pytest.approx(expected, abs=1e-5)


def test_a_token_has_no_influence_on_itself(tiny_bert: Path) -> None:
    session = open_bert(tiny_bert)
    [found] = mutual_influence(session, one_batch(session, [("how are", "you")]))
    assert np.diag(found)[[1, 2, 4]].tolist() == [0, 0, 0]
    assert np.isnan(found[[0, 3, 5]]).all()
    assert np.isnan(found[:, [0, 3, 5]]).all()
    assert 0 < np.nanmax(found) <= np.sqrt(np.log(2))


def test_a_text_of_special_tokens_alone_fails(tiny_bert: Path) -> None:
    session = open_bert(tiny_bert)
    word, none = tokenize(session, ["how", "[SEP]"])
    assert check_has_content(session, word) is None
    assert isinstance(check_has_content(session, none).error, BadText)
