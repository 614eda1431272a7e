"""Tokenizers that fail: on loading, on any text, or on some texts. None is a bug, and none fails other texts."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bertcli.checkpoints.required_files import find_tokenizer_files
from bertcli.errors import BadCheckpoint, BadText
from bertcli.input.records import FailedText
from bertcli.model.request import EmbeddingRequest
from bertcli.model.tokenizer import TokenizedText
from bertcli.model.tokenizer_errors import TokenizerError, TokenizerPanic, catch_tokenizer_errors, silence_panics
from bertcli.model.tokenizer_loading import load_tokenizer
from tests.tiny import VOCABULARY, open_bert, record, write_json, write_vocabulary

Tokenizer = dict[str, Any]


def rewrite(folder: Path, change: Callable[[Tokenizer], object]) -> Path:
    """Write the folder's tokenizer as a tokenizer.json with a change, and return the folder."""
    tokenizer = json.loads(load_tokenizer(find_tokenizer_files(folder)).to_str())
    change(tokenizer)
    write_json(folder / "tokenizer.json", tokenizer)
    return folder


def setting(name: str, value: object) -> Callable[[Tokenizer], object]:
    """Return a change of one part of a tokenizer."""
    return lambda tokenizer: tokenizer.update({name: value})


def template(*ids: int) -> dict[str, Any]:
    """Return a post-processor whose special token has these ids. Without ids the token is unknown."""
    special = {"[X]": {"id": "[X]", "ids": ids, "tokens": ["[X]"] * len(ids)}} if ids else {}
    pieces = [{"SpecialToken": {"id": "[X]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]
    pair = [*pieces, {"Sequence": {"id": "B", "type_id": 1}}]
    return {"type": "TemplateProcessing", "single": pieces, "pair": pair, "special_tokens": special}


# The regular expression gives up on a long run of "a" before another letter.
SLOW_SPLIT = {"type": "Split", "pattern": {"Regex": "(a+)+$"}, "behavior": "Isolated", "invert": False}
UNUSABLE: dict[str, tuple[Callable[[Tokenizer], object], str]] = {
    "a damaged normalizer": (
        setting("normalizer", {"type": "Precompiled", "precompiled_charsmap": "AAAA"}),
        "tokenizer.json is not a tokenizer: Precompiled",
    ),
    "an unknown special token": (setting("post_processor", template()), "fails on any text: no entry found for key"),
    "a word length of zero": (
        setting("pre_tokenizer", {"type": "FixedLength", "length": 0}),
        "fails on any text: chunk size must be non-zero",
    ),
    "a special token beyond the embeddings": (
        setting("post_processor", template(99_999)),
        f"a token of id 99,999, but the model has embeddings for {len(VOCABULARY)}",
    ),
    "a padding token beyond the embeddings": (
        lambda tokenizer: tokenizer["model"]["vocab"].update({"[PAD]": 99_999}),
        "a token of id 99,999",
    ),
}


@pytest.mark.parametrize("damage", UNUSABLE)
def test_a_tokenizer_that_fails_on_any_text_is_refused_on_loading(
    own_tiny_bert: Path, damage: str, capfd: pytest.CaptureFixture[str]
) -> None:
    change, words = UNUSABLE[damage]
    folder = rewrite(own_tiny_bert, change)
    with pytest.raises(BadCheckpoint) as raised:
        open_bert(folder)
    assert words in raised.value.message
    assert raised.value.hint
    assert capfd.readouterr().err == ""


def test_without_unk_only_the_texts_that_need_it_fail(own_tiny_bert: Path) -> None:
    write_vocabulary(own_tiny_bert, [token for token in VOCABULARY if token != "[UNK]"])
    tokenizer = open_bert(own_tiny_bert).tokenizer
    found = tokenizer.tokenize([record("how"), record("\u2603", 1), record(("you", "\u2603"), 2), record("cat", 3)])
    assert [type(text) for text in found] == [TokenizedText, FailedText, FailedText, TokenizedText]
    assert isinstance(found[1], FailedText)
    assert found[1].error.message.endswith("because it fails: WordPiece error: Missing [UNK] token from the vocabulary")
    assert "--on-error skip" in found[1].error.hint
    assert [text.tokens[1] for text in found if isinstance(text, TokenizedText)] == ["how", "cat"]
    with pytest.raises(BadText, match="Missing"):
        tokenizer.encode_word("\u2603")


def test_a_text_that_fails_without_the_prompt_before_it_fails_alone(own_tiny_bert: Path) -> None:
    # Together, prompt and text are one known word.
    write_vocabulary(own_tiny_bert, [token for token in VOCABULARY if token not in ("[UNK]", "r", "re")])
    tokenizer = open_bert(own_tiny_bert, embedding=EmbeddingRequest(prompt="a")).tokenizer
    found = tokenizer.tokenize([record("re"), record(" cat", 1)])
    assert [type(text) for text in found] == [FailedText, TokenizedText]


def test_a_text_that_makes_the_tokenizer_panic_does_not_fail_the_others(own_tiny_bert: Path) -> None:
    tokenizer = open_bert(rewrite(own_tiny_bert, setting("pre_tokenizer", SLOW_SPLIT))).tokenizer
    found = tokenizer.tokenize([record("how"), record("a" * 40 + "b", 1), record("you", 2)])
    assert [type(text) for text in found] == [TokenizedText, FailedText, TokenizedText]
    assert isinstance(found[1], FailedText)
    assert "retry-limit-in-match" in found[1].error.message


def test_an_id_beyond_the_embeddings_fails_only_its_text(own_tiny_bert: Path) -> None:
    folder = rewrite(own_tiny_bert, lambda tokenizer: tokenizer["model"]["vocab"].update({"how": 2**32 - 1}))
    found = open_bert(folder).tokenizer.tokenize([record("how"), record("you", 1)], ids_only=True)
    assert [type(text) for text in found] == [FailedText, TokenizedText]


def test_a_huge_text_with_few_tokens_fails_before_it_is_tokenized(tiny_bert: Path) -> None:
    [found] = open_bert(tiny_bert).tokenizer.tokenize([record("a" * 1_000_001)])
    assert isinstance(found, FailedText)
    assert found.error.message == "the text has 1,000,001 characters, and the limit is 1,000,000"


def test_a_decoder_that_panics_is_a_bad_checkpoint(own_tiny_bert: Path) -> None:
    tokenizer = open_bert(own_tiny_bert).tokenizer

    class Panicking:
        def decode(self, *_: object, **__: object) -> str:
            raise type("PanicException", (BaseException,), {})("index out of bounds")

    tokenizer._tokenizer = Panicking()
    with pytest.raises(BadCheckpoint, match="fails to decode the model's tokens: index out of bounds"):
        tokenizer.decode([1])


@pytest.mark.parametrize("token", ["", "\ud800", 3])
def test_a_special_token_that_no_vocabulary_can_hold_is_ignored(own_tiny_bert: Path, token: object) -> None:
    write_json(own_tiny_bert / "tokenizer_config.json", {"mask_token": token, "cls_token": {"content": token}})
    assert open_bert(own_tiny_bert).tokenizer.special_tokens.mask == "[MASK]"


@pytest.mark.parametrize("bug", [TypeError("a bug"), KeyboardInterrupt()])
def test_other_exceptions_pass(bug: BaseException) -> None:
    with pytest.raises(type(bug)), catch_tokenizer_errors():
        raise bug


def test_an_error_is_told_from_a_panic_and_its_message_is_one_line() -> None:
    with pytest.raises(TokenizerError, match=r"^one two$"), catch_tokenizer_errors():
        raise Exception("one\n  two")
    with pytest.raises(TokenizerPanic, match=r"^it gives no reason$"), catch_tokenizer_errors():
        raise type("PanicException", (BaseException,), {})


def test_stderr_is_restored_after_a_silence(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyError), silence_panics():
        os.write(2, b"a panic")
        raise KeyError
    os.write(2, b"a note")
    assert capfd.readouterr().err == "a note"
