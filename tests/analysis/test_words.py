"""Vectors of words against plain loops over transformers' own tokens, offsets and hidden states."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import transformers
from hypothesis import given
from hypothesis import strategies as st

from bertcli.analysis.embeddings.encode import EncodeOptions, encode
from bertcli.analysis.embeddings.words import WordSelection, find_words, normalized_word
from bertcli.choices import LayerOp, WordPooling
from bertcli.input.records import FailedText
from bertcli.model.request import EmbeddingRequest
from bertcli.model.session import Session
from bertcli.results.embeddings import WordVector
from tests.families import save_family
from tests.reference import assert_close, transformers_outputs
from tests.tiny import WORDS, one_batch, open_bert, record, tokenize

ENGINES = ["numpy", "torch", "transformers"]
TEXTS = ["how are you", "The making of  the cat5, sat!", "how [MASK] you", "the", "中文 caf", "x[MASK]y (e)"]


def words_of(session: Session, text: str | tuple[str, str], *, pretokenized: bool = False) -> list[WordVector]:
    (tokenized,) = tokenize(session, [text])
    return find_words(tokenized, session.tokenizer, pretokenized=pretokenized)


def vectors_of(session: Session, texts: Sequence[Any], **selection: Any) -> list[Sequence[WordVector]]:
    options = EncodeOptions(words=WordSelection(**selection))
    return [found.words for found in encode(session, one_batch(session, texts), options)]


def spelled(words: Sequence[WordVector]) -> list[str]:
    return [word.word for word in words]


def slow_words(folder: Path, text: str, states: np.ndarray, pooling: str) -> list[tuple[str, int, int, np.ndarray]]:
    """Return the spelling, place and vector of each word, from transformers' tokenizer alone."""
    encoding = transformers.AutoTokenizer.from_pretrained(folder)(text, return_offsets_mapping=True)
    found = []
    for word in sorted({word for word in encoding.word_ids() if word is not None}):
        span = encoding.word_to_tokens(word)
        pieces = [states[position] for position in range(span.start, span.end)]
        offsets = [encoding["offset_mapping"][position] for position in range(span.start, span.end)]
        start, end = offsets[0][0], offsets[-1][1]
        mean = sum(piece.astype(np.float64) for piece in pieces) / len(pieces)
        vector = {"mean": mean, "first": pieces[0], "last": pieces[-1]}[pooling]
        found.append((text[start:end], start, end, vector.astype(np.float32)))
    return found


@pytest.mark.parametrize("pooling", WordPooling)
@pytest.mark.parametrize("engine", ENGINES)
def test_a_word_is_pooled_from_its_own_pieces(tiny_bert: Path, engine: str, pooling: WordPooling) -> None:
    session = open_bert(tiny_bert, engine)
    states = transformers_outputs(tiny_bert, one_batch(session, TEXTS)).last_hidden_state
    for row, words in enumerate(vectors_of(session, TEXTS, pooling=pooling)):
        expected = slow_words(tiny_bert, TEXTS[row], states[row], pooling)
        assert [(word.word, word.start, word.end) for word in words] == [each[:3] for each in expected]
        assert [word.index for word in words] == list(range(len(expected)))
        for word, (_, _, _, vector) in zip(words, expected, strict=True):
            assert_close(word.embedding, vector)


@pytest.mark.parametrize("engine", ENGINES)
def test_words_apart_by_whitespace_are_those_of_transformers(tiny_bert: Path, engine: str) -> None:
    session = open_bert(tiny_bert, engine)
    texts = ["how are you?", "The making of  the cat5, sat!", "don't  caf-e"]
    states = transformers_outputs(tiny_bert, one_batch(session, texts)).last_hidden_state
    tokenizer = transformers.AutoTokenizer.from_pretrained(tiny_bert)
    for row, words in enumerate(vectors_of(session, texts, pretokenized=True)):
        assert [word.word for word in words] == texts[row].split()
        encoding = tokenizer(texts[row].split(), is_split_into_words=True)
        for index, word in enumerate(words):
            positions = [at for at, of in enumerate(encoding.word_ids()) if of == index]
            assert (word.index, list(word.positions)) == (index, positions)
            assert_close(word.embedding, states[row][positions].mean(0))


def test_the_recipe_does_not_change_the_vectors_of_words(tiny_bert: Path) -> None:
    plain = vectors_of(open_bert(tiny_bert), TEXTS)
    other = vectors_of(open_bert(tiny_bert, embedding=EmbeddingRequest("cls", normalize=True)), TEXTS)
    for some, others in zip(plain, other, strict=True):
        for word, same in zip(some, others, strict=True):
            assert np.array_equal(word.embedding, same.embedding)


def test_words_are_made_from_the_mix_of_layers(tiny_bert: Path) -> None:
    request = EmbeddingRequest(mixed_layers="0,-1", layer_op=LayerOp.CONCAT)
    session = open_bert(tiny_bert, embedding=request)
    states = transformers_outputs(tiny_bert, one_batch(session, TEXTS)).hidden_states
    for row, words in enumerate(vectors_of(session, TEXTS)):
        for word in words:
            pieces = [np.concatenate([states[0][row, at], states[2][row, at]]) for at in word.positions]
            assert_close(word.embedding, np.mean(pieces, axis=0, dtype=np.float64).astype(np.float32))


def test_words_of_a_pair_have_their_sentence_and_places_in_it(tiny_bert: Path) -> None:
    words = words_of(open_bert(tiny_bert), ("The cat", " how are  you"))
    assert [(word.sentence, word.index, word.start, word.end) for word in words] == [
        (0, 0, 0, 3), (0, 1, 4, 7), (1, 0, 1, 4), (1, 1, 5, 8), (1, 2, 10, 13),
    ]  # fmt: skip
    assert spelled(words) == ["The", "cat", "how", "are", "you"]
    assert [word.positions for word in words] == [[1], [2], [4], [5], [6]]


@pytest.mark.parametrize("pretokenized", [False, True])
@pytest.mark.parametrize("prompt", ["how: ", "the cat[MASK]", " "])
def test_a_prompt_is_in_no_word_and_moves_none(tiny_bert: Path, prompt: str, *, pretokenized: bool) -> None:
    plain = open_bert(tiny_bert)
    prompted = open_bert(tiny_bert, embedding=EmbeddingRequest(prompt=prompt))
    for text in [*TEXTS, ("the cat", "how are")]:
        before = words_of(plain, text, pretokenized=pretokenized)
        after = words_of(prompted, text, pretokenized=pretokenized)
        assert [(word.word, word.start, word.end, word.index) for word in after] == [
            (word.word, word.start, word.end, word.index) for word in before
        ]
        shift = prompted.tokenizer.prompt_token_count - 1  # [CLS]
        assert [[at - shift for at in word.positions] for word in after] == [list(word.positions) for word in before]


def test_a_prompt_that_runs_into_a_word_leaves_the_part_in_the_text(tiny_bert: Path) -> None:
    session = open_bert(tiny_bert, embedding=EmbeddingRequest(prompt="c"))
    words = words_of(session, "af you")
    assert [(word.word, word.start, word.end) for word in words] == [("af", 0, 2), ("you", 3, 6)]


@pytest.mark.parametrize("family", ["roberta", "xlm-roberta", "mpnet", "deberta-v2", "modernbert", "albert"])
def test_places_are_those_of_the_text_in_every_kind_of_vocabulary(tmp_path: Path, family: str) -> None:
    session = open_bert(save_family(tmp_path, family), "auto")
    text = " how [MASK] you, the cat"
    words = words_of(session, text)
    assert "".join(spelled(words)) == text.replace(" ", "")
    for word in words:
        assert text[word.start : word.end] == word.word
        assert word.word == word.word.strip() != ""
    assert "[MASK]" in {word.word for word in words} or family == "xlm-roberta"
    separated = words_of(session, text, pretokenized=True)
    assert spelled(separated) == text.split()
    assert all(word.positions for word in separated)


def test_accents_stay_in_the_word_and_its_place(tiny_bert: Path) -> None:
    text = "cafe\u0301 e\u0301 you"
    words = words_of(open_bert(tiny_bert), text)
    assert spelled(words) == ["cafe\u0301", "e\u0301", "you"]
    assert [(word.start, word.end) for word in words] == [(0, 5), (6, 8), (9, 12)]


def test_marks_of_every_kind_stay_in_the_word(tiny_bert: Path) -> None:
    # The tokenizer removes them, and their combining class is 0: a vowel sign, and the sign for a coloured emoji.
    words = words_of(open_bert(tiny_bert), "त\u0941 ❤\ufe0f you")
    assert spelled(words) == ["त\u0941", "❤\ufe0f", "you"]


def test_special_tokens_in_the_text_are_no_words_but_masks_are(tiny_bert: Path) -> None:
    session = open_bert(tiny_bert)
    assert spelled(words_of(session, "how [SEP] [MASK] [UNK] [CLS]")) == ["how", "[MASK]", "[UNK]"]


def test_a_word_without_tokens_has_no_vector(tiny_bert: Path) -> None:
    session = open_bert(tiny_bert)
    (words,) = vectors_of(session, ["how \u200b you"], pretokenized=True)
    assert [(word.word, word.index, list(word.positions)) for word in words] == [
        ("how", 0, [1]), ("\u200b", 1, []), ("you", 2, [2])
    ]  # fmt: skip
    assert words[1].embedding is None


@pytest.mark.parametrize("family", ["distilbert", "roberta", "xlm-roberta"])
def test_a_word_that_truncation_cuts_is_spelled_in_full(tmp_path: Path, family: str) -> None:
    save_family(tmp_path, family)
    session = open_bert(tmp_path, truncate=True)
    [whole] = tokenize(session, ["how are youing the"])
    words = find_words(whole, session.tokenizer)
    for limit in range(3, len(whole)):
        cut = open_bert(tmp_path, max_length=limit, truncate=True)
        found = find_words(tokenize(cut, ["how are youing the"])[0], cut.tokenizer)
        assert [(word.word, word.start, word.end) for word in found] == [
            (word.word, word.start, word.end) for word in words if word.positions[0] < limit - 1
        ]


def test_words_beyond_the_end_of_a_truncated_text_are_left_out(tiny_bert: Path) -> None:
    session = open_bert(tiny_bert, max_length=5, truncate=True)
    for pretokenized in (False, True):
        words = words_of(session, "how are cat55 you the", pretokenized=pretokenized)
        assert spelled(words)[:2] == ["how", "are"]
        assert [position for word in words for position in word.positions] == [1, 2, 3]


@pytest.mark.parametrize(
    ("asked", "found"), [("Cat", ["cat", "CAT"]), ("cat", ["cat", "CAT"]), ("sat", []), ("caf\u0301", [])]
)
def test_a_word_is_compared_as_the_tokenizer_normalises_it(tiny_bert: Path, asked: str, found: list[str]) -> None:
    session = open_bert(tiny_bert)
    selected = normalized_word(asked, session.tokenizer)
    (words,) = vectors_of(session, ["the cat, cats, the CAT"], word=selected)
    assert [word.word for word in words] == found
    assert [word.index for word in words] == ([1, 6] if found else [])


def test_capitals_count_for_a_cased_tokenizer(own_tiny_bert: Path) -> None:
    (own_tiny_bert / "tokenizer_config.json").write_text('{"do_lower_case": false}')
    session = open_bert(own_tiny_bert)
    (words,) = vectors_of(session, ["cat Cat"], word=normalized_word("cat", session.tokenizer))
    assert [word.word for word in words] == ["cat"]


_pieces = st.sampled_from(
    [
        *WORDS,
        "making",
        "caf\u00e9",
        "e\u0301",
        "[MASK]",
        "[SEP]",
        "x-y",
        "...",
        "中文",
        "\u200b",
        "\u3000",
        "\n",
        "☃",
        "I'm",
    ]
)
_texts = st.lists(st.tuples(_pieces, st.sampled_from(["", " ", "  ", "\t", "\u00a0"])), min_size=1, max_size=8).map(
    lambda parts: "".join(part + space for part, space in parts)
)


FAMILIES = ("bert", "roberta", "xlm-roberta", "deberta-v2", "modernbert")


@pytest.fixture(scope="module")
def sessions(tiny_bert: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Session]:
    """Return a session for each kind of vocabulary."""
    folder = tmp_path_factory.mktemp("families")
    others = {family: open_bert(save_family(folder / family, family), "auto") for family in FAMILIES[1:]}
    return {"bert": open_bert(tiny_bert), **others}


@pytest.mark.parametrize("family", FAMILIES)
@given(_texts, st.none() | _texts, st.booleans())
def test_words_cover_each_token_once_and_their_places_spell_them(
    sessions: dict[str, Session], family: str, text: str, pair: str | None, pretokenized: bool
) -> None:
    session = sessions[family]
    given_record = record(text) if pair is None else record((text, pair))
    (tokenized,) = session.tokenizer.tokenize([given_record])
    if isinstance(tokenized, FailedText):
        return
    words = find_words(tokenized, session.tokenizer, pretokenized=pretokenized)
    if pretokenized and not all((part or "x").strip() for part in (text, pair)):
        return  # spaces alone are no word
    covered = [position for word in words for position in word.positions]
    special = session.tokenizer.is_cls_sep_or_pad
    assert covered == [at for at, id_ in enumerate(tokenized.input_ids) if not special(id_)]
    ends = {0: 0, 1: 0}
    for word in words:
        sentence = text if word.sentence == 0 else pair
        assert sentence[word.start : word.end] == word.word
        if not word.word.strip():  # some pre-tokenizers make a word of several spaces
            assert not session.tokenizer.decode([tokenized.input_ids[at] for at in word.positions]).strip()
        assert word.start >= ends[word.sentence], "words overlap"
        ends[word.sentence] = word.end
    if pretokenized:
        assert spelled(words) == [*text.split(), *(pair or "").split()]
    counts = [[word.index for word in words if word.sentence == sentence] for sentence in (0, 1)]
    assert counts == [list(range(len(each))) for each in counts]
