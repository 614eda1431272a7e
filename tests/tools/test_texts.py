"""Tests of cleaning, splitting by blocks, and removing near-duplicates of held-out lines."""

import doctest
import gzip
from pathlib import Path

import numpy as np

from tools.bundled_model import duplicates, vectors
from tools.bundled_model import texts as texts_module
from tools.bundled_model.duplicates import HeldoutIndex, without_duplicates
from tools.bundled_model.settings import DEFAULT_FILE, Settings, read_settings
from tools.bundled_model.texts import cut_blocks, hold_out, limit_repetition, read_lines, split_sentences, split_source


def test_the_examples_in_docstrings_pass():
    assert not any(doctest.testmod(module).failed for module in (duplicates, texts_module, vectors))


def test_the_default_shares_of_the_sources_sum_to_one():
    sources = read_settings(DEFAULT_FILE).texts.source
    assert np.isclose(sum(source.share for source in sources), 1)
    assert {source.name for source in sources if not source.has_pairs} >= {"wordnet", "wikisplit", "onestop"}


def test_gzipped_and_plain_texts_read_alike(tmp_path: Path):
    text = "one  line\n\n12 34\nsee https://example.org\nanother\n"
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(text.encode()))
    assert read_lines(tmp_path / "a.txt") == read_lines(tmp_path / "a.txt.gz") == ["one line", "another"]


def test_whole_blocks_are_held_out_and_nothing_is_lost():
    lines = [f"line {number}" for number in range(100)]
    blocks = cut_blocks(lines, 7)
    split = hold_out(blocks, 0.2, np.random.default_rng(0))
    assert len(split.heldout) == 3
    assert all(block in blocks for block in split.heldout)
    assert sorted(line for block in (*split.train, *split.heldout) for line in block) == sorted(lines)


def test_at_least_one_block_is_held_out():
    assert len(hold_out(cut_blocks(["a", "b", "c"], 1), 0.01, np.random.default_rng(0)).heldout) == 1


def test_the_same_seed_holds_out_the_same_blocks(texts: Path, settings: Settings):
    splits = [split_source(texts, settings.texts.source[0], settings.texts, seed).heldout for seed in (1, 1, 2)]
    assert splits[0] == splits[1] != splits[2]


def test_near_duplicates_are_removed_and_cut_their_block():
    heldout = HeldoutIndex(["The old cat sat on the mat and slept all day long"], 5, 0.5)
    block = [
        "Something else was said before, by somebody else.",
        "the old cat sat on the mat and slept all night, too!",
        "The old cat, he said, had never been seen on any mat.",
        "The old cat",
    ]
    assert without_duplicates([block], heldout) == [block[:1], block[2:]]


def test_a_long_line_that_contains_a_held_out_line_is_a_near_duplicate():
    heldout = HeldoutIndex(["the cat sat on the mat today"], 5, 0.5)
    assert heldout.has_near("He wrote to me at last that the cat sat on the mat today, and that it was to stay there.")


def test_sentences_end_at_full_stops_but_not_at_abbreviations():
    assert split_sentences('ok sure. 3 persons! "Why?" Mr. O. N. Lee asked. It\'s 3.5 miles') == [
        "ok sure.",
        "3 persons!",
        '"Why?"',
        "Mr. O. N. Lee asked.",
        "It's 3.5 miles",
    ]


def test_a_sentence_is_kept_up_to_the_limit():
    talk = [["Bye.", "I see."], ["bye."], ["Bye.", "Well."]]
    assert limit_repetition(talk, 2) == [["Bye.", "I see."], ["bye."], ["Well."]]
