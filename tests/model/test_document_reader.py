"""Documents have the tokens of the whole text, and places in the text as the user wrote it."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertcli.choices import OnLong
from bertcli.input.records import FailedText
from bertcli.model import pieces
from bertcli.model.document_reader import default_overlap, read_document, read_window
from bertcli.model.documents import Document
from bertcli.model.request import EmbeddingRequest
from bertcli.model.session import Session
from bertcli.model.tokenizer import LongText
from bertcli.model.windows import OverlappingWindows
from tests.families import save_family
from tests.tiny import WORDS, open_bert, record

PARTS = st.lists(st.sampled_from([*WORDS, "[MASK]", "caning", "中", "é", " ", "\n"]), min_size=1, max_size=40)


def open_windows(folder: Path, engine: str = "auto", **options: Any) -> Session:
    return open_bert(folder, engine, long=OnLong.WINDOWS, **options)


@pytest.fixture(scope="module")
def roberta(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a checkpoint whose mask is spelled <mask>, and whose tokens begin with a space."""
    return save_family(tmp_path_factory.mktemp("roberta"), "roberta")


@pytest.fixture(scope="module")
def modernbert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a checkpoint whose tokenizer counts the space before a word to it."""
    return save_family(tmp_path_factory.mktemp("modernbert"), "modernbert")


@given(st.sampled_from(["tiny", "roberta"]), PARTS)
@settings(max_examples=40)
def test_places_are_those_of_the_text_as_the_user_wrote_it(
    tiny_bert: Path, roberta: Path, family: str, parts: list[str]
) -> None:
    text = " ".join(["how", *parts, "you"])
    session = open_windows(tiny_bert if family == "tiny" else roberta, max_length=5)
    document = read_document(session.tokenizer, record(text))
    assert isinstance(document, Document)
    mask = session.tokenizer.mask_token_id
    written = [text[start:end] for start, end in zip(document.starts, document.ends, strict=True)]
    # RoBERTa's mask takes the space before it.
    masks = [piece.strip() for piece, id_ in zip(written, document.ids, strict=True) if id_ == mask]
    assert masks == ["[MASK]"] * text.count("[MASK]")
    assert list(document.input_ids) == session.tokenizer.encode(session.tokenizer.prepare(record(text))).ids
    windows = list(OverlappingWindows(is_joined=False).divide(document))
    places = [window.characters for window in windows]
    assert places[0] is not None and places[-1] is not None
    assert text[: places[0][0]].strip() == "" and text[places[-1][1] :].strip() == ""


@given(st.sampled_from(["how are you: ", "the", "query: ", "how"]), PARTS)
@settings(max_examples=40)
def test_places_do_not_count_the_prompt(
    tiny_bert: Path, roberta: Path, modernbert: Path, prompt: str, parts: list[str]
) -> None:
    text = " ".join(["how", *parts, "you"])
    for folder in (tiny_bert, roberta, modernbert):
        session = open_windows(folder, max_length=20, embedding=EmbeddingRequest(prompt=prompt))
        document = read_document(session.tokenizer, record(text))
        assert isinstance(document, Document)
        # As if it had fitted, the prompt and the text are tokenized together.
        assert list(document.input_ids) == session.tokenizer.encode(session.tokenizer.prepare(record(text))).ids
        assert (document.starts[0], document.ends[-1]) == (0, len(text))


def test_a_prompt_is_in_every_window(roberta: Path) -> None:
    # Alone, the prompt ends with a token for its space. Together with a text, the space belongs to the first word.
    session = open_windows(roberta, max_length=16, embedding=EmbeddingRequest(prompt="how: "))
    document = read_document(session.tokenizer, record("how are you " * 10))
    assert isinstance(document, Document)
    prompt = session.tokenizer.encode_bare("how:").ids
    assert list(document.before.ids)[1:] == prompt
    texts = [read_window(session.tokenizer, window) for window in OverlappingWindows().divide(document)]
    assert len(texts) > 1
    for text in texts:
        assert list(text.input_ids[1 : 1 + len(prompt)]) == prompt
        assert len(text) <= 16


def test_a_tokenizer_in_python_reports_no_places(tmp_path: Path) -> None:
    from tests.model.test_slow_tokenizer import save_esm

    session = open_windows(save_esm(tmp_path), max_length=6)
    text = "M K T L " * 5
    [found] = session.tokenizer.tokenize([record(text)])
    assert isinstance(found, LongText)
    document = read_document(session.tokenizer, found.record)
    assert isinstance(document, Document)
    assert list(document.ids) == session.tokenizer.encode_bare(text).ids
    windows = list(OverlappingWindows().divide(document))
    assert windows[0].characters is None
    assert sum(len(window.owned) for window in windows) == len(document)


def test_the_default_overlap_is_64_or_half_a_window() -> None:
    assert [default_overlap(size) for size in (1, 2, 18, 128, 510)] == [0, 1, 9, 64, 64]


@pytest.mark.parametrize("spaces", [60_000, 1_100_000])
def test_a_text_that_begins_with_many_spaces_is_read(tiny_bert: Path, spaces: int) -> None:
    session = open_windows(tiny_bert, max_length=6)
    document = read_document(session.tokenizer, record(" " * spaces + "how are you the cat sat"))
    assert isinstance(document, Document)
    assert (len(document.ids), document.starts[0]) == (6, spaces)


def test_a_text_that_begins_with_many_invisible_characters_is_read(tiny_bert: Path) -> None:
    session = open_windows(tiny_bert, max_length=5)
    document = read_document(session.tokenizer, record("\u200b" * 60_000 + " how are you the cat"))
    assert isinstance(document, Document)
    assert document.ids.tolist() == session.tokenizer.encode_text("how are you the cat")


def test_a_word_that_is_longer_than_the_longest_piece_fails_its_text(
    tiny_bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pieces, "MAX_CHARACTERS", 100_000)
    failed = read_document(open_windows(tiny_bert, max_length=6).tokenizer, record("a" * 120_000))
    assert isinstance(failed, FailedText)
    assert failed.error.message.startswith("the text has 100,000 characters without a place between words")


def test_all_of_a_long_sentence_a_is_in_each_window(tiny_bert: Path) -> None:
    session = open_windows(tiny_bert, max_length=12)
    document = read_document(session.tokenizer, record(("how" + " " * 100_000 + "are", " ".join(WORDS))))
    assert isinstance(document, Document)
    assert [session.tokenizer.token(id_) for id_ in document.before.ids] == ["[CLS]", "how", "are", "[SEP]"]
    failed = read_document(session.tokenizer, record((" " * 1_100_000 + "how", " ".join(WORDS))))
    assert isinstance(failed, FailedText)
    assert failed.error.message == "sentence A has 1,100,003 characters, and the limit is 1,000,000"


def test_unknown_tokens_of_sentence_a_and_of_a_prompt_are_counted(tiny_bert: Path) -> None:
    text = "\u2603 how are you the cat sat \u2603"
    for sentences, prompt, unknown in ((text, "", 2), (("how \u2603", text), "", 3), (text, "\u2603 how", 3)):
        session = open_windows(tiny_bert, max_length=9, embedding=EmbeddingRequest(prompt=prompt))
        document = read_document(session.tokenizer, record(sentences))
        assert isinstance(document, Document)
        assert document.unknown == unknown


def test_a_text_without_tokens_fails(tiny_bert: Path) -> None:
    failed = read_document(open_windows(tiny_bert).tokenizer, record("\u200b" * 10))
    assert isinstance(failed, FailedText)
    assert "the text has no tokens" in failed.error.message


def test_a_word_that_the_tokenizer_cannot_encode_fails_the_whole_text(own_tiny_bert: Path) -> None:
    from tests.tiny import VOCABULARY, write_vocabulary

    write_vocabulary(own_tiny_bert, [token for token in VOCABULARY if token != "[UNK]"])
    session = open_windows(own_tiny_bert, max_length=6)
    failed = read_document(session.tokenizer, record("how are you " * 5_000 + "\u2603"))
    assert isinstance(failed, FailedText)
    assert "Missing [UNK] token" in failed.error.message
