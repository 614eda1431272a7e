"""Pieces of vocabularies: those that begin words, those that continue them, and words that they make."""

from pathlib import Path

import pytest

from bertcli.errors import WrongUsage
from bertcli.model.word_pieces import WordPieces, open_word_pieces
from tests.families import save_family
from tests.tiny import SPECIAL_TOKENS, VOCABULARY, open_bert, save_bert, write_vocabulary


def pieces_of(folder: Path) -> WordPieces:
    return open_word_pieces(open_bert(folder, "auto").tokenizer, "tiny")


def spelled(folder: Path, pieces: WordPieces) -> tuple[set[str], set[str]]:
    token = open_bert(folder, "auto").tokenizer.token
    return {*map(token, pieces.starting(after_space=True))}, {*map(token, pieces.continuing)}


def test_pieces_of_bert_are_divided_by_their_mark(tiny_bert: Path) -> None:
    starting, continuing = spelled(tiny_bert, pieces_of(tiny_bert))
    assert continuing == {token for token in VOCABULARY if token.startswith("##")}
    assert starting == {*VOCABULARY} - continuing - {*SPECIAL_TOKENS}


@pytest.mark.parametrize(
    ("family", "mark"), [("roberta", "Ġ"), ("modernbert", "Ġ"), ("xlm-roberta", "▁"), ("albert", "▁")]
)
def test_pieces_of_other_vocabularies_begin_with_a_space(tmp_path: Path, family: str, mark: str) -> None:
    starting, continuing = spelled(save_family(tmp_path, family), pieces_of(tmp_path))
    assert starting
    assert continuing
    assert all(token.startswith(mark) for token in starting)
    assert not any(token.startswith((mark, "<", "[MASK")) and len(token) > 1 for token in continuing)
    assert ("." in continuing) == (mark == "Ġ")  # whose tokenizers separate punctuation from words


@pytest.mark.parametrize(
    ("pieces", "is_word"),
    [
        (["cat"], True),
        (["cat", "##s"], True),
        (["c", "##ing"], True),
        (["c", "##a", "##t"], False),  # cat
        (["x", "##i", "##n", "##g"], False),  # x ##ing
        ([".", "##s"], False),  # two words
        (["A", "##b"], False),  # the tokenizer lower-cases
    ],
)
def test_a_word_has_the_pieces_that_the_tokenizer_makes_of_it(
    tiny_bert: Path, pieces: list[str], is_word: bool
) -> None:
    ids = tuple(map(VOCABULARY.index, pieces))
    assert pieces_of(tiny_bert).is_word(ids, after_space=True) == is_word


@pytest.mark.parametrize(
    ("piece", "begins"), [("cat", True), ("中", True), ("A", False), (".", False), ("¿", False), ("é", False)]
)
def test_a_longer_word_begins_with_letters_of_the_tokenizer(tiny_bert: Path, piece: str, begins: bool) -> None:
    ids = (VOCABULARY.index(piece),)
    assert pieces_of(tiny_bert).is_word(ids, after_space=True)
    assert pieces_of(tiny_bert).begin_word(ids, after_space=True) == begins


def test_a_vocabulary_without_marks_is_refused(tmp_path: Path) -> None:
    vocabulary = [token for token in VOCABULARY if not token.startswith("##")]
    write_vocabulary(save_bert(tmp_path, vocab_size=len(vocabulary)), vocabulary)
    with pytest.raises(WrongUsage, match="--pieces needs a vocabulary that marks the pieces of words") as raised:
        pieces_of(tmp_path)
    assert raised.value.hint == "leave --pieces out"


def test_other_marks_of_a_wordpiece_vocabulary_work(tmp_path: Path) -> None:
    tokenizer = open_bert(save_bert(tmp_path)).tokenizer
    assert tokenizer.continuing_prefix == "##"
