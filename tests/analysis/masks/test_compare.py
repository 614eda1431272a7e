"""Comparison of two models, against the distributions of both."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertcli.analysis.masks.compare import ModelComparison
from bertcli.analysis.masks.predictions import predict_masks
from bertcli.analysis.masks.targets import TargetScores, parse_targets
from bertcli.choices import TargetScore
from bertcli.model.session import Session
from bertcli.results.masks import FillMaskRecord
from tests.analysis.masks import drawn, slow
from tests.tiny import VOCABULARY, one_batch, open_bert, save_bert, tokenize, write_vocabulary


@pytest.fixture(scope="module")
def other_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return another random model with the same vocabulary."""
    return save_bert(tmp_path_factory.mktemp("other"), seed=1)


@pytest.fixture(scope="module")
def strange_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a random model whose vocabulary has the words in another order, and neither cat nor mat."""
    folder = save_bert(tmp_path_factory.mktemp("strange"), seed=2, max_position_embeddings=12)
    words = [word for word in reversed(VOCABULARY[5:]) if word not in ("cat", "mat")]
    write_vocabulary(folder, [*VOCABULARY[:5], *words, "dog", "mouse"])
    return folder


def compare(
    session: Session, other: Session, texts: Sequence[str], top_k: int = 4, words: Sequence[str] = ()
) -> list[FillMaskRecord]:
    targets, of_other = (parse_targets(each.tokenizer, words) for each in (session, other))
    analyses = [TargetScores(targets), ModelComparison(session, other, top_k, of_other, TargetScore.L2R)]
    return predict_masks(session, one_batch(session, texts), top_k, analyses=analyses)


@given(drawn.engines, drawn.engines, st.lists(drawn.masked_texts(), min_size=1, max_size=3))
@settings(max_examples=20)
def test_distance_and_ranks_follow_from_both_distributions(
    tiny_bert: Path, other_bert: Path, engine: str, other_engine: str, texts: list[str]
) -> None:
    sessions = drawn.session_of(tiny_bert, engine), drawn.session_of(other_bert, other_engine)
    for text, record in zip(texts, compare(*sessions, texts), strict=True):
        ids = slow.tokenizer(tiny_bert)(text).input_ids
        for mask in record.masks:
            log_p, log_q = (slow.log_distribution(folder, ids, mask.position) for folder in (tiny_bert, other_bert))
            found = mask.comparison
            assert found.jensen_shannon == pytest.approx(slow.jensen_shannon(log_p, log_q), abs=1e-5)
            assert found.model == str(other_bert)
            scores = [prediction.score for prediction in found.predictions]
            assert scores == pytest.approx(np.exp(sorted(log_q)[:-5:-1]), abs=1e-5)
            tokens = [each.token_str for each in (*mask.predictions, *found.predictions)]
            assert [change.token_str for change in found.changes] == list(dict.fromkeys(tokens))
            for change in found.changes:
                id_ = VOCABULARY.index(change.token_str)
                assert change.score == pytest.approx(np.exp(log_p[id_]), abs=1e-5)
                assert change.other_score == pytest.approx(np.exp(log_q[id_]), abs=1e-5)
                for rank, of_all in ((change.rank, log_p), (change.other_rank, log_q)):
                    near = np.abs(of_all - of_all[id_]) < 1e-5
                    assert abs(rank - 1 - (of_all > of_all[id_]).sum()) < near.sum()
                assert change.change == change.rank - change.other_rank


def test_a_model_has_distance_0_from_itself(tiny_bert: Path) -> None:
    session = open_bert(tiny_bert)
    for record in compare(session, session, ["how [MASK] you", "[MASK] [MASK]"]):
        for mask in record.masks:
            assert mask.comparison.jensen_shannon == pytest.approx(0, abs=1e-7)
            assert mask.comparison.predictions == mask.predictions
            assert {change.change for change in mask.comparison.changes} == {0}


def test_different_vocabularies_have_no_distance_and_tokens_match_by_spelling(
    tiny_bert: Path, strange_bert: Path
) -> None:
    session, strange = open_bert(tiny_bert), open_bert(strange_bert)
    [record] = compare(session, strange, ["the [MASK] sat"], top_k=len(VOCABULARY))
    [mask] = record.masks
    assert mask.comparison.jensen_shannon is None
    changes = {change.token_str: change for change in mask.comparison.changes}
    assert changes.keys() == {*VOCABULARY, "dog", "mouse"}
    own, other = (
        {each.token_str: each for each in predictions}
        for predictions in (mask.predictions, mask.comparison.predictions)
    )
    for word, change in changes.items():
        assert (change.rank, change.score) == ((own[word].rank, own[word].score) if word in own else (None, None))
        if word in other:
            assert (change.other_rank, change.other_score) == (other[word].rank, other[word].score)
        else:
            assert (change.other_rank, change.other_score, change.change) == (None, None, None)


def test_each_model_scores_a_target_with_its_own_pieces(tiny_bert: Path, strange_bert: Path) -> None:
    session, strange = open_bert(tiny_bert), open_bert(strange_bert)
    [record] = compare(session, strange, ["the [MASK] sat"], words=["cat"])
    [mask] = record.masks
    assert [list(each.targets[0].pieces) for each in (mask, mask.comparison)] == [["cat"], ["c", "##a", "##t"]]
    ids = slow.tokenizer(strange_bert)("the [MASK] sat").input_ids
    pieces = slow.tokenizer(strange_bert)("cat", add_special_tokens=False).input_ids
    expected = slow.target_logprob(strange_bert, ids, 2, pieces, "l2r")
    assert mask.comparison.targets[0].logprob == pytest.approx(expected, rel=1e-5, abs=1e-5)


def test_a_text_that_fails_in_the_second_model_names_it(tiny_bert: Path, strange_bert: Path) -> None:
    session, strange = open_bert(tiny_bert), open_bert(strange_bert)
    comparing = ModelComparison(session, strange, 1, parse_targets(strange.tokenizer, ["xyzzy"]), TargetScore.L2R)
    fits, long, crowded = tokenize(session, ["a [MASK]", "cat cat cat cat [MASK]", "how are you the [MASK] on how are"])
    assert comparing.check(fits) is None
    message = comparing.check(long).error.message
    assert message.startswith(f"{strange_bert}: the text has 15 tokens")
    message = comparing.check(crowded).error.message
    assert message.startswith(f"{strange_bert}: the target 'xyzzy' has 5 pieces")


def test_a_mask_that_only_one_model_sees_is_an_error(tiny_bert: Path, own_tiny_bert: Path) -> None:
    session, other = open_bert(tiny_bert), open_bert(own_tiny_bert, max_length=4, truncate=True)
    [text] = tokenize(session, ["how are you [MASK]"])
    message = ModelComparison(session, other, 1, None, TargetScore.L2R).check(text).error.message
    assert message == f"the models do not see the same masks: the first sees 1, and {own_tiny_bert} sees 0"
