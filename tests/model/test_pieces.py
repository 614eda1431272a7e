"""A long text that is tokenized in pieces has the tokens of the whole text."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertcli.checkpoints.find import BUNDLED_FOLDER
from bertcli.model import pieces
from bertcli.model.pieces import encode_in_pieces
from bertcli.model.tokenizer import TextTokenizer
from tests.families import save_family
from tests.tiny import VOCABULARY, WORDS, open_bert

# BERT's own, byte-level BPE, and two of SentencePiece's kind.
FAMILIES = ("bundled", "roberta", "xlm-roberta", "albert", "modernbert")
PARTS = st.one_of(
    st.sampled_from(
        [*VOCABULARY, *WORDS, " ", " ", " ", "\n", "  \t", "\u00a0", "e\u0301", "👩‍🚀", "中文中文", "é", "<mask>"]
    ),
    st.text(max_size=12),
    st.sampled_from(["a" * 120, "x" * 250, "ab" * 700, " " * 900, "\u0301" * 400, "\u200b" * 300]),
)


@pytest.fixture(scope="module", params=FAMILIES)
def tokenizer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> TextTokenizer:
    """Return the tokenizer of a family."""
    name: str = request.param
    folder = BUNDLED_FOLDER if name == "bundled" else save_family(tmp_path_factory.mktemp(name), name)
    engine = "numpy" if name in ("bundled", "roberta", "xlm-roberta") else "transformers"
    return open_bert(folder, engine).tokenizer


def assert_same_as_whole(tokenizer: TextTokenizer, text: str) -> None:
    found, whole = encode_in_pieces(tokenizer.encode_bare, text), tokenizer.encode_bare(text)
    assert found is not None
    assert list(found.ids) == whole.ids
    assert list(zip(found.starts, found.ends, strict=True)) == whole.offsets
    words: list[Any] = whole.word_ids
    is_start = [at == 0 or words[at] is None or words[at] != words[at - 1] for at in range(len(words))]
    assert [at == 0 or found.words[at] != found.words[at - 1] for at in range(len(words))] == is_start


@given(st.data())
@settings(max_examples=12)
def test_pieces_have_the_tokens_of_the_whole(tokenizer: TextTokenizer, data: st.DataObject) -> None:
    parts = data.draw(st.lists(PARTS, min_size=20, max_size=60))
    text = "".join(parts) if data.draw(st.booleans()) else " ".join(parts)
    with small_pieces(data.draw(st.integers(450, 900))):
        assert_same_as_whole(tokenizer, text)


class small_pieces(pytest.MonkeyPatch):  # noqa: N801
    """Context in which pieces are small, so that a short text has many."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self._size = size

    def __enter__(self) -> None:
        self.setattr(pieces, "PIECE_CHARACTERS", self._size)

    def __exit__(self, *error: object) -> None:
        self.undo()


def test_a_text_of_several_pieces_has_the_tokens_of_the_whole(tokenizer: TextTokenizer) -> None:
    draw = random.Random(0)
    assert_same_as_whole(
        tokenizer, " ".join(draw.choice([*WORDS, "internationalization", "a.b,c"]) for _ in range(15_000))
    )


def counted(encode: Callable[[str], Any], lengths: list[int]) -> Callable[[str], Any]:
    """Return the function, which then also lists the number of characters of each call."""

    def call(text: str) -> Any:
        lengths.append(len(text))
        return encode(text)

    return call


def test_no_piece_is_much_longer_than_needed(tiny_bert: Path) -> None:
    lengths: list[int] = []
    encode = counted(open_bert(tiny_bert).tokenizer.encode_bare, lengths)
    found = encode_in_pieces(encode, "the cat sat " * 15_000)
    assert found is not None
    assert len(found.ids) == 45_000
    assert max(lengths) <= pieces.PIECE_CHARACTERS + pieces.UNCERTAIN_CHARACTERS
    assert sum(lengths) < 1.05 * 180_000


def test_spaces_are_no_reason_for_a_longer_piece(tiny_bert: Path) -> None:
    lengths: list[int] = []
    encode = counted(open_bert(tiny_bert).tokenizer.encode_bare, lengths)
    found = encode_in_pieces(encode, "how" + " " * 600_000 + "are you")
    assert found is not None
    assert len(found.ids) == 3
    assert max(lengths) <= pieces.PIECE_CHARACTERS + pieces.UNCERTAIN_CHARACTERS


def test_a_word_that_is_longer_than_the_longest_piece_cannot_be_cut(
    tiny_bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pieces, "MAX_CHARACTERS", 100_000)
    encode = open_bert(tiny_bert).tokenizer.encode_bare
    assert encode_in_pieces(encode, "how " + "a" * 60_000 + " you") is not None
    assert encode_in_pieces(encode, "how " + "a" * 120_000 + " you") is None
