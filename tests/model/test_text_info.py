"""The places of tokens in their sentences, as JavaScript counts."""

from pathlib import Path

import pytest

from bertcli.choices import OnLong
from bertcli.model.document_reader import read_document, read_window
from bertcli.model.documents import Document
from bertcli.model.request import SessionRequest
from bertcli.model.session import Session, open_session
from bertcli.model.text_info import text_info, utf16_spans
from bertcli.model.tokenizer import TokenizedText
from bertcli.model.windows import OverlappingWindows
from tests.families import save_family
from tests.tiny import open_bert, record, tokenize


def spellings(session: Session, text: TokenizedText) -> list[str | None]:
    """Return each token as the user wrote it, found in the sentence as a browser would; None without a place."""
    info = text_info(text)
    sentences = [(sentence or "").encode("utf-16-le") for sentence in (info.text, info.pair)]
    found: list[str | None] = []
    for word, span in zip(text.words, utf16_spans(text, session.tokenizer), strict=True):
        if span is None or word is None:
            assert span is None
            found.append(None)
        else:
            start, end = span
            found.append(sentences[word[0]][2 * start : 2 * end].decode("utf-16-le"))
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("How ARE  you", ["How", "ARE", "you"]),
        ("👩\u200d🚀 the 🙂 Cat", ["👩\u200d🚀", "the", "🙂", "Cat"]),
        ("𝐀𝐁 [MASK] you", ["𝐀𝐁", "[MASK]", "you"]),
        ("Cafe\u0301 CAFÉ you", ["Caf", "e\u0301", "CAF", "É", "you"]),
        ("❤\ufe0f you", ["❤\ufe0f", "you"]),
        ("zażółć", ["zażółć"]),
    ],
)
def test_a_token_is_found_as_the_user_wrote_it(tiny_bert: Path, text: str, expected: list[str]) -> None:
    session = open_bert(tiny_bert)
    [found] = tokenize(session, [text])
    assert spellings(session, found) == [None, *expected, None]


def test_the_places_of_a_pair_count_in_each_sentence(tiny_bert: Path) -> None:
    session = open_bert(tiny_bert)
    [found] = tokenize(session, [("🙂 How", "👍🏽 the 🙂 MAT")])
    assert spellings(session, found) == [None, "🙂", "How", None, "👍🏽", "the", "🙂", "MAT", None]


def test_a_truncated_text_has_the_places_of_the_tokens_that_are_left(tiny_bert: Path) -> None:
    session = open_bert(tiny_bert, max_length=4, truncate=True)
    [found] = tokenize(session, ["🙂 Cat sat"])
    assert found.truncated
    assert spellings(session, found) == [None, "🙂", "Cat", None]


def test_bytes_of_a_character_share_its_place(tmp_path: Path) -> None:
    session = open_bert(save_family(tmp_path, "roberta"))
    [found] = tokenize(session, ["🙂 [MASK] you"])
    assert [each for each in spellings(session, found) if each] == ["🙂"] * 4 + ["[MASK]", "you"]


def test_a_tokenizer_that_reports_no_places_has_none(tmp_path: Path) -> None:
    session = open_bert(save_family(tmp_path, "roberta"))
    [found] = tokenize(session, ["how are you"])
    session.tokenizer.has_offsets = False
    assert utf16_spans(found, session.tokenizer) == [None] * len(found)


@pytest.mark.parametrize("pair", [None, "🙂 Cat [MASK] 👍🏽 SAT on the 🙂 mat"])
def test_a_window_has_places_in_its_part_of_the_text(tiny_bert: Path, pair: str | None) -> None:
    session = open_session(SessionRequest(str(tiny_bert), long=OnLong.WINDOWS, max_length=9, overlap=1))
    text = "🙂 Cat [MASK] 👍🏽 SAT on the 🙂 mat and How" if pair is None else "🙂 How"
    document = read_document(session.tokenizer, record(text) if pair is None else record((text, pair)))
    assert isinstance(document, Document)
    windows = [read_window(session.tokenizer, each) for each in OverlappingWindows().divide(document)]
    assert len(windows) > 1
    for window in windows:
        found = spellings(session, window)
        assert [each is None for each in found] == [word is None for word in window.words]
        for spelling, token in zip(found, window.tokens, strict=True):
            if spelling is not None and token == "[UNK]":
                assert spelling in ("🙂", "👍🏽")
            elif spelling is not None:
                assert spelling.lower() == token.removeprefix("##").lower()
    if pair is not None:
        assert all(spellings(session, window)[:4] == [None, "🙂", "How", None] for window in windows)
