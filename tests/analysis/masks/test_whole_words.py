"""Words of one or more pieces, against every possible word and against a plain beam search."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertcli.analysis.masks.predictions import predict_masks
from bertcli.analysis.masks.targets import Target, TargetScores
from bertcli.analysis.masks.whole_words import WordSearch, beam_width, check_word_fits
from bertcli.choices import WordRank
from bertcli.model.session import Session
from bertcli.model.word_pieces import open_word_pieces
from bertcli.results.masks import FillMaskRecord, WordCandidate
from tests.analysis.masks import drawn, slow
from tests.families import save_family
from tests.tiny import SPECIAL_TOKENS, VOCABULARY, one_batch, open_bert, save_bert, tokenize, write_vocabulary

# "c ##a" is "ca", "h ##ow" is "how" and "##t ##s" is "##ts", so these are no words. "." is a word of its own.
SMALL = [*SPECIAL_TOKENS, "how", "the", "ca", "c", "h", "A", ".", "##t", "##ts", "##a", "##s", "##ow"]
WIDE = len(VOCABULARY) ** 2
texts_of_small = st.lists(st.sampled_from(["how", "the cats", ".", "[MASK]"]), max_size=4).map(
    lambda words: " ".join([*words, "[MASK]"])
)
ranks = st.sampled_from(WordRank)


@pytest.fixture(scope="module")
def small_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a checkpoint with few pieces. Tests must not write to it."""
    folder = save_bert(tmp_path_factory.mktemp("small"), vocab_size=len(SMALL))
    write_vocabulary(folder, SMALL)
    return folder


def search(
    session: Session,
    texts: Sequence[Any],
    widths: range = range(1, 4),
    count: int = 5,
    rank: WordRank = WordRank.MEAN,
    beam: int | None = None,
) -> list[FillMaskRecord]:
    pieces = open_word_pieces(session.tokenizer, "tiny")
    found = WordSearch(pieces, widths, count, rank, beam or beam_width(count))
    return predict_masks(session, one_batch(session, texts), 2, analyses=[found])


def candidates(record: FillMaskRecord) -> list[Sequence[WordCandidate]]:
    return [mask.candidates or () for mask in record.masks]


def check_order(
    found: Sequence[WordCandidate], expected: Sequence[tuple[Sequence[str], float]], rank: WordRank
) -> None:
    """Check candidates against the best of the expected pieces with their log-probabilities."""
    scores = {tuple(pieces): logprob / (len(pieces) if rank == "mean" else 1) for pieces, logprob in expected}
    best = sorted(scores.values(), reverse=True)[: len(found)]
    shown = [each.mean if rank == "mean" else each.logprob for each in found]
    assert shown == pytest.approx(best, rel=1e-5, abs=1e-5)
    for each in found:
        assert scores[tuple(each.pieces)] == pytest.approx(each.mean if rank == "mean" else each.logprob, abs=1e-5)


@given(drawn.engines, texts_of_small, ranks)
@settings(max_examples=12)
def test_a_beam_of_all_words_finds_the_best_words(small_bert: Path, engine: str, text: str, rank: WordRank) -> None:
    [record] = search(drawn.session_of(small_bert, engine), [text], count=30, rank=rank, beam=WIDE)
    ids = slow.tokenizer(small_bert)(text).input_ids
    for mask, found in zip(record.masks, candidates(record), strict=True):
        words = {
            pieces: logprob
            for width in (1, 2, 3)
            for pieces, logprob in slow.words_of(small_bert, ids, mask.position, width).items()
        }
        assert len(found) == min(30, len(words))
        check_order(found, [*words.items()], rank)


@given(drawn.engines, st.lists(texts_of_small, min_size=1, max_size=2), ranks, st.integers(1, 4))
@settings(max_examples=12)
def test_a_narrow_beam_equals_a_plain_beam_search(
    small_bert: Path, engine: str, texts: list[str], rank: WordRank, beam: int
) -> None:
    session = drawn.session_of(small_bert, engine)
    for text, record in zip(texts, search(session, texts, count=9, rank=rank, beam=beam), strict=True):
        ids = slow.tokenizer(small_bert)(text).input_ids
        for mask, found in zip(record.masks, candidates(record), strict=True):
            expected = [
                each
                for width in (1, 2, 3)
                for each in slow.words_of(small_bert, ids, mask.position, width, beam).items()
            ]
            check_order(found, expected, rank)


@given(drawn.engines, drawn.masked_texts())
@settings(max_examples=15)
def test_words_of_one_piece_are_the_predictions_that_do_not_continue_a_word(
    tiny_bert: Path, engine: str, text: str
) -> None:
    session = drawn.session_of(tiny_bert, engine)
    [record] = search(session, [text], range(1, 2), count=10)
    [predicted] = predict_masks(session, one_batch(session, [text]))
    for mask, found in zip(predicted.masks, candidates(record), strict=True):
        words = [each for each in mask.predictions if VOCABULARY[each.token][:2] != "##" and each.token > 4][:10]
        assert [(each.word, *each.ids) for each in found] == [(each.token_str, each.token) for each in words]
        assert [each.logprob for each in found] == pytest.approx([np.log(each.score) for each in words], abs=1e-5)
        assert [each.sequence for each in found] == [each.sequence for each in words]


@given(drawn.engines, drawn.masked_texts(2), ranks, st.integers(1, 3), st.integers(0, 2))
@settings(max_examples=15)
def test_a_word_has_the_probability_that_it_has_as_a_target(
    tiny_bert: Path, engine: str, text: str, rank: WordRank, least: int, more: int
) -> None:
    session = drawn.session_of(tiny_bert, engine)
    widths = range(least, least + more + 1)
    [record] = search(session, [text], widths, rank=rank)
    for mask, found in zip(record.masks, candidates(record), strict=True):
        assert [each.rank for each in found] == [1, 2, 3, 4, 5]
        scores = [each.mean if rank == "mean" else each.logprob for each in found]
        assert scores == sorted(scores, reverse=True)
        targets = [Target(each.word, tuple(each.ids), tuple(each.pieces)) for each in found]
        [scored] = predict_masks(session, one_batch(session, [text]), 1, analyses=[TargetScores(targets)])
        [of_mask] = [each.targets or () for each in scored.masks if each.position == mask.position]
        for each, target in zip(found, of_mask, strict=True):
            assert each.width == len(each.pieces) == len(each.ids)
            assert each.width in widths
            assert each.mean * each.width == pytest.approx(each.logprob)
            assert each.logprob == pytest.approx(target.logprob, abs=2e-5)
            assert each.sequence == target.sequence


@pytest.mark.parametrize("batch_tokens", [1, 40, None])
def test_texts_of_a_batch_have_the_words_that_they_have_alone(tiny_bert: Path, batch_tokens: int | None) -> None:
    texts = ["how [MASK] you", "the [MASK] sat on [MASK] mat", ("the cat", "was it a [MASK]?"), "[MASK]"]
    session = open_bert(tiny_bert, batch_tokens=batch_tokens)
    for together, text in zip(search(session, texts), texts, strict=True):
        [alone] = search(open_bert(tiny_bert), [text])
        for one, other in zip(candidates(together), candidates(alone), strict=True):
            assert [each.pieces for each in one] == [each.pieces for each in other]
            assert [each.logprob for each in one] == pytest.approx([each.logprob for each in other], abs=2e-5)


def test_beams_of_all_texts_run_in_batches(tiny_bert: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session = open_bert(tiny_bert, batch_tokens=100_000)
    sizes: list[int] = []
    run = Session.run

    def counted(self: Session, batch: Any, request: Any) -> Any:
        sizes.append(len(batch.texts))
        return run(self, batch, request)

    monkeypatch.setattr(Session, "run", counted)
    search(session, ["how [MASK] you", "the [MASK] sat on [MASK] mat"])
    # The masks alone; the first pieces of words of two and three pieces; the second ones; and the third ones.
    assert sizes == [2, 2 * 3, 2 * 3 * 25, 3 * 25]


def test_the_beam_is_five_times_as_wide_as_the_list_and_at_least_25() -> None:
    assert [beam_width(count) for count in (1, 5, 6, 100)] == [25, 25, 30, 500]


def test_a_text_needs_a_mask_and_room_for_the_widest_word(tiny_bert: Path) -> None:
    session = open_bert(tiny_bert, max_length=6)
    [text, full, unmasked] = tokenize(session, ["how [MASK]", "how are [MASK] you", "how"])
    assert check_word_fits(session, 3, text) is None
    assert check_word_fits(session, 1, full) is None
    failed = check_word_fits(session, 3, full)
    assert failed is not None
    assert str(failed.error) == "a word of 3 pieces makes the text too long: it has 6 tokens, and the limit is 6"
    assert "has no mask" in str(check_word_fits(session, 1, unmasked).error)


@pytest.mark.parametrize("family", ["roberta", "xlm-roberta", "albert", "distilbert", "modernbert"])
def test_words_of_other_families_are_those_of_their_tokenizers(tmp_path: Path, family: str) -> None:
    session = open_bert(save_family(tmp_path, family), "auto")
    tokenizer = slow.tokenizer(tmp_path)
    ids = tokenizer(f"the cat {tokenizer.mask_token} you").input_ids
    records = [search(session, ["the cat [MASK] you"], range(width, width + 1))[0] for width in (1, 2, 3)]
    found = [each for record in records for each in record.masks[0].candidates or ()]
    assert {each.width for each in found} == {1, 2, 3}
    [mask] = records[0].masks
    for each in found:
        expected = slow.target_logprob(tmp_path, ids, mask.position, each.ids, "l2r")
        assert each.logprob == pytest.approx(expected, rel=1e-5, abs=1e-5)
        assert list(each.pieces) == tokenizer.convert_ids_to_tokens(list(each.ids))
        if each.width > 1:
            encoding = tokenizer(f" {each.word}", add_special_tokens=False)
            assert (encoding.input_ids, set(encoding.word_ids())) == (list(each.ids), {0})


def test_a_word_at_the_beginning_of_a_byte_level_text_has_no_space(tmp_path: Path) -> None:
    session = open_bert(save_family(tmp_path, "roberta"), "auto")
    [record] = search(session, ["[MASK] you (how [MASK]) [MASK] ([MASK])"], count=20)
    marked = [
        {piece.startswith("Ġ") for each in of_mask for piece in each.pieces[:1]} for of_mask in candidates(record)
    ]
    assert marked == [{False}, {True}, {True}, {False}]


def test_the_bundled_model_finds_words_of_several_pieces() -> None:
    session = open_bert("bundled")
    [record] = search(session, ["I bought a [MASK]."], range(2, 3), rank=WordRank.SUM)
    [found] = candidates(record)
    for each in found:
        assert session.tokenizer.encode_word(each.word) == list(each.ids)
        assert (len(each.pieces), each.pieces[1][:2]) == (2, "##")
    [record] = search(session, ["I bought a [MASK]."], range(1, 3))
    assert candidates(record)[0][0].word == "ticket"
