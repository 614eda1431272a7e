"""Minimal pairs against single runs of BertForMaskedLM, CrowS-Pairs' published procedure, and minicons."""

import difflib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bertcli.analysis.masks.minimal_pairs import PairCounter, join_pairs, split_pairs
from bertcli.analysis.masks.predictions import predict_masks
from bertcli.analysis.masks.pseudo_likelihood import score_texts
from bertcli.analysis.masks.scored_tokens import EVERY_TOKEN, ScoredTokens, parse_scored_words
from bertcli.analysis.statistics import Summarizer
from bertcli.choices import ScoreOnly, WithinWord
from bertcli.errors import BadInput, BadText, WrongUsage
from bertcli.input.records import FailedText, TextRecord, Window
from bertcli.model.session import Session
from bertcli.results.masks import FillMaskRecord, TextScore
from bertcli.results.pairs import TIE, PairRecord
from bertcli.results.summaries import PairCounts
from tests.analysis.masks import drawn, slow
from tests.output import samples
from tests.reference import load
from tests.tiny import one_batch, open_bert, tokenize

pairs = st.tuples(drawn.plain_texts, drawn.plain_texts)


def score(
    session: Session,
    rows: Sequence[tuple[str, str]],
    chosen: ScoredTokens = EVERY_TOKEN,
    within_word: WithinWord | None = None,
) -> list[PairRecord]:
    """Return the pairs, through the functions that a run applies to its texts and answers."""
    window: Window = [TextRecord(index, text, versus=versus) for index, (text, versus) in enumerate(rows)]
    (halves,) = split_pairs([window])
    batch = one_batch(session, [half for half in halves if isinstance(half, TextRecord)])
    records = predict_masks(session, batch, 1)
    scores = score_texts(session, batch, within_word, chosen)
    scored = (
        FillMaskRecord(record.text, record.masks, score=each) for record, each in zip(records, scores, strict=True)
    )
    return [pair for pair in join_pairs(scored) if isinstance(pair, PairRecord)]


@given(drawn.engines, st.lists(pairs, min_size=1, max_size=3), st.sampled_from([None, WithinWord.L2R]))
@settings(max_examples=15)
def test_the_difference_is_that_of_two_slow_scores(
    tiny_bert: Path, engine: str, rows: list[tuple[str, str]], within_word: WithinWord | None
) -> None:
    found = score(drawn.session_of(tiny_bert, engine), rows, within_word=within_word)
    assert [(pair.text.index, pair.text.text, pair.versus.text.text) for pair in found] == [
        (index, *row) for index, row in enumerate(rows)
    ]
    for pair, row in zip(found, rows, strict=True):
        first, versus = (
            sum(slow.pseudo_log_likelihoods(tiny_bert, text, within_word or "original").values()) for text in row
        )
        assert pair.difference == pytest.approx(first - versus, rel=1e-5, abs=1e-4)
        if abs(first - versus) > 2 * TIE:
            assert (pair.preferred, pair.is_tie) == (first > versus, False)


@cache
def minicons(folder: Path) -> Any:
    from minicons.scorer import MaskedLMScorer  # slow to import

    return MaskedLMScorer(str(folder), "cpu")


@pytest.mark.parametrize(("within_word", "metric"), [(None, "original"), (WithinWord.L2R, "within_word_l2r")])
@given(pair=pairs)
@settings(max_examples=10)
def test_minicons_has_the_same_difference(
    tiny_bert: Path, pair: tuple[str, str], within_word: WithinWord | None, metric: str
) -> None:
    [found] = score(drawn.session_of(tiny_bert, "numpy"), [pair], within_word=within_word)
    peer = minicons(tiny_bert)
    # Tokenized here: given texts, minicons 0.3 calls a method of tokenizers that transformers 5 has removed.
    batch = peer.tokenizer(list(pair), padding=True)
    first, versus = peer.sequence_score(batch, reduction=lambda each: each.sum(0).item(), PLL_metric=metric)
    assert found.difference == pytest.approx(first - versus, rel=1e-4, abs=1e-4)


def crows_pairs_score(folder: Path, first: str, versus: str) -> tuple[float, float]:
    """Return the scores of two sentences as metric.py of CrowS-Pairs computes them (Nangia et al. 2020).

    difflib aligns the ids of the tokens, [CLS] and [SEP] included. Each shared token but the first and the last is
    masked in turn in both sentences, and its log-probability is added.
    """
    tokenizer = slow.tokenizer(folder)
    ids = [tokenizer.encode(text, return_tensors="pt") for text in (first, versus)]
    matcher = difflib.SequenceMatcher(None, *([str(id_) for id_ in each[0].tolist()] for each in ids))
    spans: tuple[list[int], list[int]] = ([], [])
    for operation, start, end, other_start, other_end in matcher.get_opcodes():
        if operation == "equal":
            spans[0].extend(range(start, end))
            spans[1].extend(range(other_start, other_end))
    assert len(spans[0]) == len(spans[1])
    sums = [0.0, 0.0]
    for number in range(1, len(spans[0]) - 1):
        for side in range(2):
            masked = ids[side].clone()
            masked[0, spans[side][number]] = tokenizer.mask_token_id
            with torch.no_grad():
                logits = load("AutoModelForMaskedLM", folder)(masked).logits[0, spans[side][number]]
            sums[side] += float(logits.log_softmax(0)[ids[side][0, spans[side][number]]])
    return sums[0], sums[1]


@given(drawn.engines, pairs)
@example("numpy", ("how are", "are how"))  # difflib aligns another token if the two change places
@settings(max_examples=25)
def test_only_shared_tokens_are_scored_as_in_crows_pairs(tiny_bert: Path, engine: str, pair: tuple[str, str]) -> None:
    [found] = score(drawn.session_of(tiny_bert, engine), [pair], ScoredTokens(ScoreOnly.SHARED))
    expected = crows_pairs_score(tiny_bert, *pair)
    assert [each.sum for each in found.scores] == pytest.approx(expected, rel=1e-5, abs=1e-5)
    assert {each.only for each in found.scores} == {"shared"}


@given(drawn.engines, pairs)
@settings(max_examples=15)
def test_sentence_b_is_scored_given_a(tiny_bert: Path, engine: str, pair: tuple[str, str]) -> None:
    session = drawn.session_of(tiny_bert, engine)
    [found] = score_pair(session, pair, ScoredTokens(ScoreOnly.B))
    encoding = slow.tokenizer(tiny_bert)(*pair)
    in_b = [at for at, sentence in enumerate(encoding.sequence_ids()) if sentence == 1]
    model, mask = load("AutoModelForMaskedLM", tiny_bert), slow.tokenizer(tiny_bert).mask_token_id
    total = 0.0
    for at in in_b:
        ids = [mask if other == at else id_ for other, id_ in enumerate(encoding.input_ids)]
        with torch.no_grad():
            logits = model(torch.tensor([ids]), token_type_ids=torch.tensor([encoding.token_type_ids])).logits
        total += float(logits[0, at].log_softmax(0)[encoding.input_ids[at]])
    assert [token.position for token in found.tokens] == in_b
    assert found.sum == pytest.approx(total, rel=1e-5, abs=1e-5)


def score_pair(session: Session, pair: tuple[str, str], chosen: ScoredTokens) -> list[TextScore]:
    return score_texts(session, one_batch(session, [pair]), None, chosen)


def test_only_the_named_words_are_scored_with_all_of_their_pieces(tiny_bert: Path) -> None:
    session = open_bert(tiny_bert)
    words = ["CATS", "on the"]
    chosen = ScoredTokens(None, words, parse_scored_words(session.tokenizer, words))
    [pair] = score(session, [("the cats sat on the mat", "the cat sat on cats")], chosen)
    first, versus = pair.scores
    assert [(token.position, token.token) for token in first.tokens] == [(2, "cat"), (3, "##s"), (5, "on"), (6, "the")]
    assert [(token.position, token.token) for token in versus.tokens] == [(5, "cat"), (6, "##s")]
    every = slow.pseudo_log_likelihoods(tiny_bert, "the cats sat on the mat")
    assert first.sum == pytest.approx(sum(every[at] for at in (2, 3, 5, 6)), abs=1e-5)
    assert first.only_words == words


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        (ScoredTokens(ScoreOnly.SHARED), "the two texts share no token"),
        (ScoredTokens(ScoreOnly.B), "the text has no sentence B"),
        (
            ScoredTokens(None, ["mat"], [("mat",)]),
            "the text has no token to score in the words of --only-words: mat",
        ),
    ],
)
def test_a_text_without_a_token_to_score_fails(tiny_bert: Path, chosen: ScoredTokens, message: str) -> None:
    session = open_bert(tiny_bert)
    [text] = tokenize(session, [TextRecord(0, "how", versus="you are")])
    failed = chosen.check(session, text)
    assert isinstance(failed, FailedText)
    assert failed.error.message == message


def test_the_other_text_s_failure_is_the_reason_if_it_cannot_be_aligned(tiny_bert: Path) -> None:
    session = open_bert(tiny_bert)
    [text] = tokenize(session, [TextRecord(0, "how", versus="\u200b")])
    failed = ScoredTokens(ScoreOnly.SHARED).check(session, text)
    assert isinstance(failed, FailedText)
    assert "no tokens" in failed.error.message


@pytest.mark.parametrize("word", ["", "\u2603", "\udcff", "\u200b"])
def test_words_that_cannot_be_scored_are_wrong_usage(tiny_bert: Path, word: str) -> None:
    with pytest.raises(WrongUsage) as raised:
        parse_scored_words(open_bert(tiny_bert).tokenizer, ["cat", word])
    assert raised.value.hint


# Splitting, joining and counting


def record(index: int, total: float, group: dict[str, str] | None = None) -> FillMaskRecord:
    text = samples.text_info(["how"], index=index, group=group)
    return FillMaskRecord(text, [], score=TextScore("PLL-original", total, total, 1.0, []))


def test_a_row_is_divided_into_two_texts_and_a_failed_row_fails_once() -> None:
    failed = FailedText(1, 2, BadText("broken"))
    (halves,) = split_pairs([[TextRecord(0, "how", "b", 1, "x", versus="are"), failed]])
    assert [half.index for half in halves] == [0, 1, 2, 3]
    assert [half.text for half in halves[:2] if isinstance(half, TextRecord)] == ["how", "are"]
    assert [half.pair for half in halves[:2] if isinstance(half, TextRecord)] == ["b", "b"]
    failures = [half for half in halves[2:] if isinstance(half, FailedText)]
    assert len(failures) == 2
    assert list(join_pairs(failures)) == [failed]


def test_a_pair_fails_if_its_second_text_does() -> None:
    error = FailedText(3, 7, BadText("the text is too long"))
    [failed] = join_pairs([record(2, -1.0), error])
    assert isinstance(failed, FailedText)
    assert (failed.index, failed.line) == (1, 7)
    assert failed.error.message == "the text to compare with: the text is too long"


def summarizer(differences: Sequence[float], groups: Sequence[str] | None = None) -> Summarizer[PairRecord, PairCounts]:
    """Return a summarizer that has counted pairs with these differences."""
    names: Sequence[str | None] = [None] * len(differences) if groups is None else groups
    found: Summarizer[PairRecord, PairCounts] = Summarizer(PairCounter, has_groups=groups is not None)
    answers: list[Any] = [
        PairRecord(record(0, difference, None if name is None else {"kind": name}), record(0, 0.0))
        for difference, name in zip(differences, names, strict=True)
    ]
    assert list(found.count(answers)) == answers
    return found


@given(st.lists(st.sampled_from([-3.5, -1.0, 0.0, 5e-5, 0.25, 2.0, 40.0]), min_size=1, max_size=30))
def test_a_summary_counts_preferences_ties_and_differences(differences: list[float]) -> None:
    summary = summarizer(differences).summary
    assert summary is not None
    counts, count = summary.counts, len(differences)
    preferred = sum(each > TIE for each in differences)
    assert (counts.count, counts.ties) == (count, sum(abs(each) <= TIE for each in differences))
    assert counts.accuracy == preferred / count
    assert counts.mean_difference == pytest.approx(sum(differences) / count)
    assert (counts.mean_difference_interval is None) == (count == 1)


def test_a_group_has_a_summary_and_the_mean_is_over_groups() -> None:
    summary = summarizer([1, 1, -1, 2], ["b", "b", "b", "a"]).summary
    assert summary is not None
    assert summary.groups is not None
    assert [(each.group, each.counts.count) for each in summary.groups] == [({"kind": "b"}, 3), ({"kind": "a"}, 1)]
    assert summary.mean("accuracy") == pytest.approx((2 / 3 + 1) / 2)
    assert summary.mean("mean_difference") == pytest.approx((1 / 3 + 2) / 2)
    assert summary.counts.accuracy == 3 / 4


def test_too_many_groups_are_an_error_with_the_field(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bertcli.analysis.statistics.MAX_GROUPS", 2)
    with pytest.raises(BadInput, match="more than 2 groups by kind"):
        summarizer([1, 1, 1], ["a", "b", "c"])


def test_an_aggregate_passes_failed_pairs_on_and_ends_with_the_summary() -> None:
    failed = FailedText(1, 2, BadText("broken"))
    found: Summarizer[PairRecord, PairCounts] = Summarizer(PairCounter, has_groups=False)
    first, summary = found.aggregate([PairRecord(record(0, 1.0), record(0, 0.0)), failed])
    assert first == failed
    assert summary == found.summary
    assert list(Summarizer(PairCounter, has_groups=False).aggregate([failed])) == [failed]


def test_the_same_tokens_are_a_tie(tiny_bert: Path) -> None:
    rows = [("the cat sat on the mat", "The CAT sat on the mat"), ("how are you", "how are you, you")]
    tie, _ = score(open_bert(tiny_bert), rows)
    assert (tie.is_tie, tie.preferred) == (True, False)
