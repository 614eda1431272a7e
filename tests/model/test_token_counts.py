"""Counts of tokens, compared with the tokens themselves."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Encoding

from bertcli.checkpoints.config import read_config
from bertcli.checkpoints.find import BUNDLED_FOLDER, Checkpoint
from bertcli.input.records import FailedText, TextRecord
from bertcli.model import token_counts
from bertcli.model.request import SessionRequest
from bertcli.model.token_counts import TokenCounter
from bertcli.model.tokenizer import TextTokenizer, TokenizedText
from bertcli.model.tokenizer_loading import open_tokenizer
from tests.families import save_family

# Words that repeat, and characters that normalizers treat in special ways.
_WORDS = ("the", "The", "cat", "caf\u00e9", "cafe\u0301", "don't", "[MASK]", "a[SEP]b", "\u4e2d\u56fd", "\u2603", "")
_PARTS = st.one_of(st.sampled_from(_WORDS), st.text("aB \t\u00a0\u0301\u200b\x1c\u4e2d\u2603.", max_size=6))
_TEXTS = st.lists(st.lists(_PARTS, max_size=8).map(" ".join), min_size=1, max_size=8)
_NO_TOKENS = "the text has no tokens: it holds no visible characters"


def bundled() -> TextTokenizer:
    checkpoint = Checkpoint("bundled", BUNDLED_FOLDER)
    return open_tokenizer(checkpoint, read_config(BUNDLED_FOLDER), SessionRequest())


TOKENIZER = bundled()


def counted_slowly(tokenizer: TextTokenizer, records: list[TextRecord]) -> list[tuple[int, int] | str]:
    """Return the number of tokens and of unknown ones, or the error, of each text."""
    found: list[tuple[int, int] | str] = []
    for text in tokenizer.tokenize(records):
        if isinstance(text, TokenizedText):
            ids = list(text.input_ids)
            found.append((len(ids), sum(id_ == tokenizer.unk_token_id for id_ in ids)))
        else:
            assert isinstance(text, FailedText)
            found.append(text.error.message)
    return found


def counted(counter: TokenCounter, records: list[TextRecord]) -> list[tuple[int, int] | str]:
    return [each.error.message if isinstance(each, FailedText) else tuple(each) for each in counter.count(records)]


@given(_TEXTS, _TEXTS)
def test_counts_are_those_of_the_tokens(first: list[str], second: list[str]) -> None:
    counter = TokenCounter(TOKENIZER)
    for texts in (first, second, first):
        records = [TextRecord(index, text) for index, text in enumerate(texts)]
        assert counted(counter, records) == counted_slowly(TOKENIZER, records)


@given(_TEXTS)
def test_pairs_count_both_sentences(texts: list[str]) -> None:
    records = [TextRecord(index, text, pair=texts[0]) for index, text in enumerate(texts)]
    assert counted(TokenCounter(TOKENIZER), records) == counted_slowly(TOKENIZER, records)


@pytest.mark.parametrize("model_type", ["roberta", "xlm-roberta", "esm"])
def test_tokenizers_of_other_kinds(tmp_path: Path, model_type: str) -> None:
    save_family(tmp_path, model_type)
    tokenizer = open_tokenizer(Checkpoint("tiny", tmp_path), read_config(tmp_path), SessionRequest())
    texts = ["how are you", "the cat", "\u2603 \u2603", "how you how you", " ", "Caf\u00e9 how"] * 3
    records = [TextRecord(index, text, pair="you" if index == 4 else None) for index, text in enumerate(texts)]
    counter = TokenCounter(tokenizer)
    for part in (records[:4], records[:7], records):
        assert counted(counter, part) == counted_slowly(tokenizer, part)


def test_repeated_words_are_tokenized_once(monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer = bundled()
    asked: list[list[str]] = []
    encode_together = tokenizer.encode_together

    def watch(texts: list[str], **options: bool) -> Sequence[Encoding]:
        asked.append(list(texts))
        return encode_together(texts, **options)

    monkeypatch.setattr(tokenizer, "encode_together", watch)
    counter = TokenCounter(tokenizer)
    for _ in range(3):
        assert counted(counter, [TextRecord(0, "a a a a a a cat")] * 4) == [(9, 0)] * 4
    assert [sorted(words) for words in asked] == [["a", "cat"], [], []]
    assert counted(counter, [TextRecord(0, "none of these words is known")]) == [(8, 0)]
    assert asked[-1] == ["none of these words is known"]


def test_words_are_forgotten_before_they_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_counts, "_MOST_WORDS", 4)
    monkeypatch.setattr(token_counts, "_LONGEST_WORD", 5)
    counter = TokenCounter(TOKENIZER)
    for texts in (["a a a b b"], ["unbelievable " * 9], ["\u2603 \u2603 c c d d d d d d"], ["a b a b \u2603 \u2603"]):
        records = [TextRecord(0, text) for text in texts]
        assert counted(counter, records) == counted_slowly(TOKENIZER, records)
        assert "unbelievable" not in counter._tokens
        assert len(counter._tokens) <= 4


def test_long_texts_are_counted_in_pieces() -> None:
    texts = ["the cat \u2603 sat. " * 9_000, "a" * 60_000, "\u200b" * 60_000, "short"]
    found = counted(TokenCounter(TOKENIZER), [TextRecord(index, text) for index, text in enumerate(texts)])
    assert found == [(5 * 9_000 + 2, 9_000), (3, 1), _NO_TOKENS, (3, 0)]
    (count,) = TokenCounter(TOKENIZER).count([TextRecord(0, "a cat", pair=texts[0])])
    assert count == (5 * 9_000 + 2 + 3, 9_000)
    (failed,) = TokenCounter(TOKENIZER).count([TextRecord(0, "a", pair="x" * 2_000_000)])
    assert isinstance(failed, FailedText)
