"""Scores of words of any number of pieces, against single runs of BertForMaskedLM."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertcli.analysis.masks.predictions import predict_masks
from bertcli.analysis.masks.targets import Target, TargetScores, check_one_piece, check_targets_fit, parse_targets
from bertcli.checkpoints.find import BUNDLED_FOLDER
from bertcli.choices import TargetScore
from bertcli.errors import BadText, WrongUsage
from bertcli.model.session import Session
from bertcli.results.masks import FillMaskRecord
from tests.analysis.masks import drawn, slow
from tests.tiny import VOCABULARY, one_batch, open_bert, tokenize


def predict(
    session: Session,
    texts: Sequence[str | tuple[str, str]],
    words: Sequence[str],
    method: TargetScore = TargetScore.L2R,
    top_k: int = 1,
) -> list[FillMaskRecord]:
    targets = parse_targets(session.tokenizer, words)
    return predict_masks(session, one_batch(session, texts), top_k, analyses=[TargetScores(targets, method)])


@given(
    drawn.engines, st.lists(drawn.masked_texts(2), min_size=1, max_size=3), drawn.targets, st.sampled_from(TargetScore)
)
@settings(max_examples=25)
def test_a_target_has_the_probability_of_its_pieces(
    tiny_bert: Path, engine: str, texts: list[str], words: list[str], method: TargetScore
) -> None:
    session = drawn.session_of(tiny_bert, engine)
    tokenizer = slow.tokenizer(tiny_bert)
    for text, record in zip(texts, predict(session, texts, words, method), strict=True):
        ids = tokenizer(text).input_ids
        for mask in record.masks:
            pieces = {word: tokenizer(word, add_special_tokens=False).input_ids for word in words}
            expected = {
                word: slow.target_logprob(tiny_bert, ids, mask.position, pieces[word], method) for word in words
            }
            total = sum(np.exp(list(expected.values())))
            assert [target.target for target in mask.targets] == words
            for target in mask.targets:
                wanted = expected[target.target]
                assert target.logprob == pytest.approx(wanted, rel=1e-5, abs=1e-5)
                assert target.score == pytest.approx(np.exp(wanted), abs=1e-5)
                assert target.share == pytest.approx(np.exp(wanted) / total, abs=1e-5)
                assert list(target.pieces) == tokenizer.convert_ids_to_tokens(pieces[target.target])
                assert target.method == method


@given(drawn.engines, drawn.masked_texts(2))
@settings(max_examples=15)
def test_only_a_target_of_one_piece_has_a_rank(tiny_bert: Path, engine: str, text: str) -> None:
    [record] = predict(drawn.session_of(tiny_bert, engine), [text], ["cat", "cats"])
    ids = slow.tokenizer(tiny_bert)(text).input_ids
    for mask in record.masks:
        one, several = mask.targets
        log_p = slow.log_distribution(tiny_bert, ids, mask.position)
        larger = log_p > log_p[one.token]
        # Tokens that are as near as this may change places.
        uncertain = np.abs(log_p - log_p[one.token]) < 1e-5
        assert abs(one.rank - 1 - larger.sum()) < uncertain.sum()
        assert (several.rank, several.logit, several.token) == (None, None, None)
        assert "cats" in several.sequence


@pytest.mark.parametrize("engine", drawn.ENGINES)
def test_targets_have_the_score_and_rank_of_their_predictions(tiny_bert: Path, engine: str) -> None:
    session = open_bert(tiny_bert, engine)
    [answer] = predict(session, ["the [MASK] sat on [MASK] mat"], ["cat", " you"], top_k=len(VOCABULARY))
    for mask in answer.masks:
        assert [scored.target for scored in mask.targets] == ["cat", "you"]
        by_token = {prediction.token_str: prediction for prediction in mask.predictions}
        for found in mask.targets:
            expected = by_token[found.target]
            assert (found.token, found.rank, found.sequence) == (expected.token, expected.rank, expected.sequence)
            assert (found.score, found.logit) == (expected.score, expected.logit)


def test_a_word_of_several_pieces_is_widened_in_its_own_segment(tiny_bert: Path) -> None:
    session = open_bert(tiny_bert)
    [record] = predict(session, [("how are you", "the [MASK] sat")], ["cats"])
    [target] = record.masks[0].targets
    expected = predict(session, [("how are you", "the cat [MASK] sat")], ["##s"])[0].masks[0].targets[0].logprob
    first = predict(session, [("how are you", "the [MASK] [MASK] sat")], ["cat"])[0].masks[0].targets[0].logprob
    assert target.logprob == pytest.approx(first + expected, abs=1e-5)
    assert target.sequence == "how are you the cats sat"


def test_words_with_the_same_number_of_pieces_share_their_first_step(
    tiny_bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = open_bert(tiny_bert)
    rows = []
    run = Session.run
    monkeypatch.setattr(
        Session, "run", lambda self, batch, wanted: rows.append(batch.shape[0]) or run(self, batch, wanted)
    )
    predict(session, ["a [MASK]"], ["cats", "mating", "the cat", "you"])
    # The text itself; one step that the three share, and one of each.
    assert sum(rows) == 1 + 1 + 3


def test_targets_in_the_bundled_model() -> None:
    [record] = predict(open_bert(BUNDLED_FOLDER), ["I live in [MASK]."], ["Paris", "New York", "York"])
    paris, new_york, york = record.masks[0].targets
    assert new_york.pieces == ("new", "york")
    assert new_york.sequence == "i live in new york."
    assert paris.share + new_york.share + york.share == pytest.approx(1)
    assert new_york.logprob > york.logprob


def test_targets_are_none_if_not_requested_and_empty_if_there_are_none(tiny_bert: Path) -> None:
    session = open_bert(tiny_bert)
    assert predict_masks(session, one_batch(session, ["a [MASK]"]), 1)[0].masks[0].targets is None
    assert predict(session, ["a [MASK]"], [])[0].masks[0].targets == []


def test_a_target_is_looked_up_in_the_vocabulary_before_it_is_tokenized(tiny_bert: Path) -> None:
    tokenizer = open_bert(tiny_bert).tokenizer
    spelt = {"CAT": ["cat"], "Caf": ["Caf"], "##ing": ["##ing"], "[UNK]": ["[UNK]"], "!": ["!"], "Cats": ["cat", "##s"]}
    assert parse_targets(tokenizer, list(spelt)) == [
        Target(word, tuple(map(VOCABULARY.index, pieces)), tuple(pieces)) for word, pieces in spelt.items()
    ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["cat", ""], "one of the targets is empty"),
        (["cat", "\u200b"], "the tokenizer makes no token of the target '\\u200b'"),
        (["cat", "\udcff"], "the target '\\udcff' is not UTF-8"),
        (["cat", "☃"], "the target '☃' is not in the vocabulary"),
        (["the ☃"], "the target 'the ☃' is not in the vocabulary"),
        (["cat", "mat", " cat"], "the target 'cat' is given twice"),
        (["cat", "Cat"], "the targets 'cat' and 'Cat' are the same word to this model"),
    ],
)
def test_targets_that_cannot_be_scored_are_wrong_usage(tiny_bert: Path, words: list[str], message: str) -> None:
    with pytest.raises(WrongUsage) as raised:
        parse_targets(open_bert(tiny_bert).tokenizer, words)
    assert raised.value.message == message
    assert raised.value.hint


def test_a_target_that_does_not_fit_fails_with_the_room_that_is_left(tiny_bert: Path) -> None:
    session = open_bert(tiny_bert, max_length=8)
    targets = parse_targets(session.tokenizer, ["cat", "xyzzy"])
    fits, full = tokenize(session, ["a [MASK]", "a [MASK] b"])
    assert check_targets_fit(fits, targets, 8) is None
    found = check_targets_fit(full, targets, 8)
    assert isinstance(found.error, BadText)
    assert found.error.message == (
        "the target 'xyzzy' has 5 pieces, and the text has room for 4: it has 5 tokens, and the limit is 8"
    )


def test_a_target_of_several_pieces_is_refused_where_one_piece_is_needed(tiny_bert: Path) -> None:
    tokenizer = open_bert(tiny_bert).tokenizer
    check_one_piece("--lens", parse_targets(tokenizer, ["cat", "sat"]))
    with pytest.raises(WrongUsage, match=r"^--lens is for a single piece .* 'cats' has 2 \(cat ##s\)"):
        check_one_piece("--lens", parse_targets(tokenizer, ["cat", "cats"]))
