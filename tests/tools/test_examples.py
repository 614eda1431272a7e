"""Tests of pairs (true and false ones), of batches, and of the shares of masked tokens."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from tools.bundled_model.batches import NO_PAIR, load_corpus, make_batches, round_documents, round_examples, shorten
from tools.bundled_model.documents import Documents, load_documents, tokenize
from tools.bundled_model.examples import Example, PairMaker, single_examples
from tools.bundled_model.masking import SpecialIds, mask_for_evaluation, mask_for_training
from tools.bundled_model.settings import Masking, Settings

SPECIAL = SpecialIds(cls=1, sep=2, mask=3, pad=0, unknown=4, vocabulary=1000)


def numbered_documents(count: int, sentences: int, rng: np.random.Generator) -> Documents:
    """Return documents whose tokens show their origin: those of sentence s of document d are 100 d + s."""
    lengths = rng.integers(1, 9, count * sentences)
    ids = np.repeat([100 * (i // sentences) + i % sentences for i in range(count * sentences)], lengths)
    return Documents(ids.astype(np.uint16), np.concatenate([[0], np.cumsum(lengths)]), np.arange(count + 1) * sentences)


@pytest.fixture(scope="module")
def pairs(settings: Settings) -> list[Example]:
    rng = np.random.default_rng(0)
    documents = numbered_documents(60, 50, rng)
    maker = PairMaker("talk", documents, settings.examples)
    examples = [example for index in range(len(documents)) for example in maker.examples(index, rng)]
    return [example for example in examples if example.second is not None]


def test_b_follows_a_in_half_of_the_pairs(pairs: list[Example]):
    assert len(pairs) > 500
    assert np.mean([bool(pair.follows) for pair in pairs]) == pytest.approx(0.5, abs=0.06)


def test_a_true_b_begins_where_a_ends(pairs: list[Example]):
    for pair in pairs:
        if pair.follows:
            assert pair.second[0] - pair.first[-1] == 1


def test_a_false_b_comes_from_another_document_of_the_same_source(pairs: list[Example]):
    for pair in pairs:
        if not pair.follows:
            assert pair.second[0] // 100 != pair.first[-1] // 100
            assert len({*(pair.second // 100).tolist()}) == 1
            assert pair.source == "talk"


def test_no_pair_is_longer_than_the_settings_allow(pairs: list[Example], settings: Settings):
    lengths = [len(pair) for pair in pairs]
    assert max(lengths) == settings.examples.long_length
    assert np.mean([length <= settings.examples.length for length in lengths]) > 0.8


def test_lengths_do_not_distinguish_true_pairs_from_false_ones(pairs: list[Example]):
    true, false = ([len(pair.second) for pair in pairs if pair.follows is follows] for follows in (True, False))
    assert np.mean(true) == pytest.approx(np.mean(false), rel=0.1)


def test_single_examples_hold_the_whole_document_in_whole_sentences():
    document = [np.full(length, length, np.uint16) for length in (3, 4, 5, 6, 30, 2)]
    examples = list(single_examples("glosses", document, 16))
    assert [example.first.tolist() for example in examples] == [
        [3] * 3 + [4] * 4 + [5] * 5,
        [6] * 6,
        [30] * 14,
        [2] * 2,
    ]


def test_a_document_without_tokens_gives_no_example(settings: Settings, tokenizer: Tokenizer):
    documents = tokenize([["how are you"], ["\u200b"], ["the cat"]], tokenizer)
    maker = PairMaker("talk", documents, settings.examples)
    assert list(single_examples("glosses", documents[1], 16)) == []
    assert list(maker.examples(1, np.random.default_rng(0))) == []


@pytest.mark.parametrize("length", range(5, 12))
def test_a_pair_is_shortened_to_any_length_that_can_hold_one(length: int):
    for first in range(1, 9):
        pair = Example("talk", np.arange(first), np.arange(10, 22 - first), True)
        short = shorten(pair, min(length, len(pair)))
        assert len(short) == length
        assert short.second[0] == pair.second[0]
        assert short.first[-1] == pair.first[-1]


def test_batches_are_rectangles_close_to_the_requested_size(data: Path, settings: Settings):
    examples = round_examples(load_corpus(data, "train", settings), settings, 0)
    batches = make_batches(examples, 96, SPECIAL, np.random.default_rng(0))
    held = sum(batch.input_ids.size for batch in batches)
    assert sum(map(len, examples)) * 0.9 < held <= sum(map(len, examples))
    assert all(batch.input_ids.size <= 96 for batch in batches)
    assert np.mean([batch.input_ids.size for batch in batches]) > 70


def test_examples_are_short_in_the_beginning_and_some_long_at_the_end(data: Path, settings: Settings):
    corpus = load_corpus(data, "train", settings)
    early, late = ([len(example) for example in round_examples(corpus, settings, number)] for number in (0, 1))
    assert max(early) == settings.examples.early_length
    assert max(late) == settings.examples.long_length


def test_a_batch_marks_where_b_begins_and_if_it_follows(data: Path, settings: Settings):
    examples = round_examples(load_corpus(data, "train", settings), settings, 0)
    for batch in make_batches(examples, 96, SPECIAL, np.random.default_rng(0)):
        assert (batch.input_ids[:, 0] == SPECIAL.cls).all()
        assert (batch.input_ids[:, -1] == SPECIAL.sep).all()
        seps = (batch.input_ids == SPECIAL.sep).sum(1)
        assert ((seps == 2) == (batch.token_type_ids[:, -1] == 1)).all()
        assert ((seps == 2) == (batch.next_labels != NO_PAIR)).all()
        assert "glosses" not in np.array(batch.sources)[batch.next_labels != NO_PAIR]


def test_rounds_read_each_pass_through_a_source_to_its_end(settings: Settings):
    documents = numbered_documents(10, 3, np.random.default_rng(0))
    source = replace(settings.texts.source[0], share=1.0)
    training = replace(settings.training, tokens=3 * len(documents.ids), rounds=4)
    wanted = replace(settings, training=training)
    read = [index for number in range(4) for index in round_documents(documents, source, wanted, number)]
    assert [sorted(read[start : start + 10]) for start in (0, 10, 20)] == [list(range(10))] * 3
    assert read[:10] != read[10:20]


def test_late_rounds_continue_a_source_with_its_late_share(settings: Settings):
    documents = numbered_documents(40, 3, np.random.default_rng(0))
    source = replace(settings.texts.source[0], share=0.5, late_share=1.0)
    training = replace(settings.training, tokens=len(documents.ids), rounds=4, late_from=0.6)
    wanted = replace(settings, training=training)
    rounds = [list(round_documents(documents, source, wanted, number)) for number in range(4)]
    assert [len(each) for each in rounds] == [5, 5, 5, 10]
    assert len({index for each in rounds for index in each}) == 25


def test_masking_follows_the_shares_in_the_settings():
    rng = np.random.default_rng(0)
    input_ids = rng.integers(5, 1000, (100, 128))
    input_ids[:, 0], input_ids[:, -1] = SPECIAL.cls, SPECIAL.sep
    masking = Masking(train=0.2, evaluate=0.15, as_mask=0.9, as_random=0.05)
    masked = mask_for_training(input_ids, SPECIAL, masking, rng)
    seen = masked.input_ids.ravel()[masked.positions]
    assert len(masked.positions) == round(0.2 * 100 * 126)
    assert (input_ids.ravel()[masked.positions] == masked.labels).all()
    assert np.mean(seen == SPECIAL.mask) == pytest.approx(0.9, abs=0.02)
    assert np.mean(seen == masked.labels) == pytest.approx(0.05, abs=0.015)
    others = np.setdiff1d(np.arange(input_ids.size), masked.positions)
    assert (masked.input_ids.ravel()[others] == input_ids.ravel()[others]).all()
    assert not np.isin(masked.labels, SPECIAL.unmaskable).any()


def test_evaluation_replaces_every_hidden_token_by_the_mask():
    input_ids = np.random.default_rng(0).integers(5, 1000, (10, 100))
    masked = mask_for_evaluation(input_ids, SPECIAL, 0.15, np.random.default_rng(0))
    assert len(masked.labels) == 150
    assert (masked.input_ids.ravel()[masked.positions] == SPECIAL.mask).all()


def test_the_only_token_of_a_row_is_masked():
    assert mask_for_evaluation(np.array([[1, 7, 2]]), SPECIAL, 0.15, np.random.default_rng(0)).labels.tolist() == [7]


def test_documents_are_read_as_they_were_saved(tmp_path: Path, tokenizer: Tokenizer):
    texts = [["how are you", "the cat"], ["on the mat"]]
    documents = tokenize(texts, tokenizer)
    documents.save(tmp_path / "a.npz")
    loaded = load_documents(tmp_path / "a.npz")
    assert [[tokenizer.decode(ids.tolist()) for ids in document] for document in loaded] == texts
