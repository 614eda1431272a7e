"""Token ids equal those of transformers, whichever files describe the tokenizer."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

from bertcli.checkpoints.config import BertConfig
from bertcli.checkpoints.find import BUNDLED_FOLDER
from bertcli.checkpoints.required_files import find_tokenizer_files
from bertcli.errors import BadCheckpoint, BadText
from bertcli.input.records import FailedText
from bertcli.model import tokenizer_loading
from bertcli.model.request import SessionRequest
from bertcli.model.session import open_session
from bertcli.model.tokenizer import TextTokenizer, TokenizedText
from bertcli.model.tokenizer_loading import load_tokenizer
from tests.tiny import VOCABULARY, open_bert, record, write_json, write_vocabulary

UNLIMITED = 10**6
NOISE = st.one_of(
    st.text(st.sampled_from("aeiouyxzAÉéäÄß ńI ıİ"), max_size=12),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    st.sampled_from(
        [*VOCABULARY, "[unused3]", "[mask]", " ", "\t", "\n", "\u00a0", "\u200d", "e\u0301", "👩‍🚀", "a" * 120]
    ),
)
TEXTS = st.lists(NOISE, max_size=8).map("".join)

SETTINGS: dict[str, dict[str, Any] | None] = {
    "no settings": None,
    "uncased": {"do_lower_case": True},
    "cased": {"do_lower_case": False},
    "uncased with accents": {"do_lower_case": True, "strip_accents": False},
    "cased without accents": {"do_lower_case": False, "strip_accents": True},
    "chinese in one": {"do_lower_case": False, "tokenize_chinese_chars": False},
}


# Has more embeddings than any tokenizer here has tokens.
ROOMY = BertConfig(vocab_size=UNLIMITED)


def open_tokenizer(folder: Path, limit: int = UNLIMITED, *, truncate: bool = False) -> TextTokenizer:
    files = find_tokenizer_files(folder)
    return TextTokenizer(load_tokenizer(files), files.special_tokens, ROOMY, limit, truncate)


@cache
def reference_tokenizer(folder: Path) -> Any:
    # The vocabulary has capitals, so texts are lower-cased only if a setting says so. transformers would do it anyway.
    options = {} if (folder / "tokenizer_config.json").is_file() else {"do_lower_case": False}
    return transformers.BertTokenizerFast.from_pretrained(str(folder), **options)


def assert_same_tokens(tokenizer: TextTokenizer, reference: Any, *text: str) -> None:
    expected = reference(*text)
    [found] = tokenizer.tokenize([record(text if len(text) == 2 else text[0])])
    if isinstance(found, FailedText):
        assert "no tokens" in found.error.message
        assert len(expected.input_ids) == len(text) + 1
        return
    assert list(found.input_ids) == expected.input_ids
    assert list(found.token_type_ids) == expected.token_type_ids
    assert list(found.tokens) == reference.convert_ids_to_tokens(expected.input_ids)
    assert not found.truncated


@pytest.fixture(scope="module", params=SETTINGS)
def vocabulary_folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with vocab.txt, with or without a tokenizer_config.json."""
    folder = tmp_path_factory.mktemp("vocabulary")
    write_vocabulary(folder)
    if settings := SETTINGS[request.param]:
        write_json(folder / "tokenizer_config.json", settings)
    return folder


@pytest.fixture(scope="module", params=["uncased", "cased", "uncased with accents", "chinese in one"])
def saved_folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder as save_pretrained writes it: tokenizer.json and tokenizer_config.json, no vocab.txt."""
    source = tmp_path_factory.mktemp("source")
    write_vocabulary(source)
    folder = tmp_path_factory.mktemp("saved")
    transformers.BertTokenizer(str(source / "vocab.txt"), **SETTINGS[request.param]).save_pretrained(folder)
    assert not (folder / "vocab.txt").exists()
    return folder


@given(data=st.data())
@settings(max_examples=60)
def test_vocab_txt_gives_transformers_tokens(vocabulary_folder: Path, data: st.DataObject) -> None:
    tokenizer, expected = open_tokenizer(vocabulary_folder), reference_tokenizer(vocabulary_folder)
    for text in data.draw(st.lists(TEXTS, min_size=1, max_size=4)):
        assert_same_tokens(tokenizer, expected, text)


@given(data=st.data())
@settings(max_examples=60)
def test_tokenizer_json_gives_transformers_tokens(saved_folder: Path, data: st.DataObject) -> None:
    tokenizer, expected = open_tokenizer(saved_folder), reference_tokenizer(saved_folder)
    for text in data.draw(st.lists(TEXTS, min_size=1, max_size=4)):
        assert_same_tokens(tokenizer, expected, text)


BUNDLED_TOKENIZERS = (
    open_tokenizer(BUNDLED_FOLDER),
    transformers.AutoTokenizer.from_pretrained(BUNDLED_FOLDER, local_files_only=True),
)


@given(TEXTS)
@settings(max_examples=200)
def test_the_bundled_tokenizer_gives_transformers_tokens(text: str) -> None:
    assert_same_tokens(*BUNDLED_TOKENIZERS, text)


def test_the_bundled_vocabulary_makes_the_tokenizer_of_tokenizer_json() -> None:
    files = find_tokenizer_files(BUNDLED_FOLDER)
    of_vocabulary = load_tokenizer(replace(files, file=BUNDLED_FOLDER / "vocab.txt", is_wordpieces=True))
    assert files.file.name == "tokenizer.json"
    assert json.loads(of_vocabulary.to_str()) == json.loads(load_tokenizer(files).to_str())


def test_the_bundled_model_is_opened_without_tokenizer_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokenizer_loading, "_from_tokenizer_json", None)
    session = open_session(SessionRequest(model="bundled"))
    assert session.tokenizer.tokenize([record("how are you")])[0].tokens == ("[CLS]", "how", "are", "you", "[SEP]")


@given(TEXTS, TEXTS.filter(bool))  # transformers ignores an empty B; bertcli's reader rejects it
def test_pairs_are_joined_as_transformers_joins_them(text: str, pair: str) -> None:
    assert_same_tokens(*BUNDLED_TOKENIZERS, text, pair)


@given(st.lists(st.integers(0, len(VOCABULARY) - 1), min_size=1, max_size=10))
def test_ids_are_decoded_as_transformers_decodes_them(tiny_bert: Path, ids: list[int]) -> None:
    assert open_tokenizer(tiny_bert).decode(ids) == reference_tokenizer(tiny_bert).decode(ids)


def test_decode_text_leaves_out_cls_sep_and_pad_and_nothing_else(tiny_bert: Path) -> None:
    tokenizer = open_tokenizer(tiny_bert)
    ids = [VOCABULARY.index(token) for token in ("[CLS]", "how", "[MASK]", "[UNK]", "you", "[SEP]", "e", "[PAD]")]
    assert tokenizer.decode_text(ids) == "how [MASK] [UNK] you e"


@given(st.integers(3, 20), TEXTS)
@settings(max_examples=50)
def test_truncation_keeps_what_transformers_keeps(limit: int, text: str) -> None:
    files, (_, expected) = find_tokenizer_files(BUNDLED_FOLDER), BUNDLED_TOKENIZERS
    tokenizer = TextTokenizer(load_tokenizer(files), files.special_tokens, ROOMY, limit, truncate=True)
    [found] = tokenizer.tokenize([record(f"the {text}")])
    whole, cut = expected(f"the {text}").input_ids, expected(f"the {text}", truncation=True, max_length=limit)
    assert isinstance(found, TokenizedText)
    assert list(found.input_ids) == cut.input_ids
    assert found.truncated == (len(whole) > limit)


def test_a_truncated_pair_loses_the_longer_part_first(tiny_bert: Path) -> None:
    [found] = open_tokenizer(tiny_bert, 9, truncate=True).tokenize([record(("a b", "c d e f g h i j"))])
    assert isinstance(found, TokenizedText)
    assert found.tokens == ("[CLS]", "a", "b", "[SEP]", "c", "d", "e", "f", "[SEP]")
    assert found.truncated


def test_threads_that_truncate_at_the_same_time_do_not_disturb_each_other(tiny_bert: Path) -> None:
    tokenizer = open_tokenizer(tiny_bert, 6, truncate=True)

    def tokenize(_: int) -> bool:
        [found] = tokenizer.tokenize([record("the cat sat on the mat " * 5)])
        return isinstance(found, TokenizedText) and found.truncated

    with ThreadPoolExecutor(2) as threads:
        assert all(threads.map(tokenize, range(2000)))


def test_texts_stay_in_order_and_a_failed_text_does_not_affect_the_others(tiny_bert: Path) -> None:
    tokenizer = open_bert(tiny_bert).tokenizer
    earlier = FailedText(1, 2, BadText("the text is empty"))
    window = [record("how", 0), earlier, record("a " * 70, 2), record("\u200b\u00ad", 3), record("you", 4)]
    found = list(tokenizer.tokenize_window(window))
    assert [type(text) for text in found] == [TokenizedText, FailedText, FailedText, FailedText, TokenizedText]
    assert found[1] is earlier
    assert [found[0].tokens[1], found[4].tokens[1]] == ["how", "you"]
    assert [(found[2].index, found[3].index)] == [(2, 3)]
    assert found[3].error.message == "the text has no tokens: it holds no visible characters"


def test_a_long_text_that_fits_has_the_tokens_of_all_of_it(tiny_bert: Path) -> None:
    text = "a" + " " * 60_000 + "b" + "\n" * 60_000 + "how"
    [found] = open_tokenizer(tiny_bert, 8).tokenize([record(text)])
    assert isinstance(found, TokenizedText)
    assert found.tokens == ("[CLS]", "a", "b", "how", "[SEP]")


def test_a_text_of_millions_of_characters_is_rejected_by_its_beginning(tiny_bert: Path) -> None:
    [found] = open_tokenizer(tiny_bert, 64).tokenize([record("the cat " * 1_250_000)])
    assert isinstance(found, FailedText)
    assert found.error.message.startswith("the text has more than ")
    assert found.error.message.endswith("and the limit is 64")


def test_a_tokenizer_with_more_tokens_than_embeddings_is_a_bad_checkpoint(own_tiny_bert: Path) -> None:
    write_vocabulary(own_tiny_bert, [*VOCABULARY, "surplus"])
    with pytest.raises(BadCheckpoint, match=f"has {len(VOCABULARY) + 1} tokens.* embeddings for {len(VOCABULARY)}"):
        open_bert(own_tiny_bert)


def test_a_tokenizer_with_fewer_tokens_than_embeddings_is_accepted(own_tiny_bert: Path) -> None:
    write_vocabulary(own_tiny_bert, VOCABULARY[:-1])
    assert open_bert(own_tiny_bert).tokenizer.vocabulary_size == len(VOCABULARY) - 1


@pytest.mark.parametrize("missing", ["[CLS]", "[SEP]"])
def test_a_vocabulary_without_cls_or_sep_is_a_bad_checkpoint(own_tiny_bert: Path, missing: str) -> None:
    write_vocabulary(own_tiny_bert, [token for token in VOCABULARY if token != missing])
    with pytest.raises(BadCheckpoint, match=rf"\[{missing[1:-1]}\] is not in the vocabulary"):
        open_bert(own_tiny_bert)


@pytest.mark.parametrize("content", ["", "{}", "not JSON", '{"version": "1.0", "model": {"type": "Unheard"}}'])
def test_a_damaged_tokenizer_json_is_a_bad_checkpoint(own_tiny_bert: Path, content: str) -> None:
    (own_tiny_bert / "tokenizer.json").write_text(content, encoding="utf-8")
    with pytest.raises(BadCheckpoint, match=r"tokenizer\.json is not a tokenizer"):
        open_bert(own_tiny_bert)


def test_a_vocabulary_that_is_not_utf_8_is_a_bad_checkpoint(own_tiny_bert: Path) -> None:
    (own_tiny_bert / "vocab.txt").write_bytes(b"[PAD]\n\xff\xfe\n")
    with pytest.raises(BadCheckpoint, match=r"vocab\.txt is not a tokenizer"):
        open_bert(own_tiny_bert)


def test_truncation_and_padding_in_tokenizer_json_are_ignored(own_tiny_bert: Path) -> None:
    backend = transformers.BertTokenizer(str(own_tiny_bert / "vocab.txt")).backend_tokenizer
    backend.enable_truncation(4)
    backend.enable_padding(length=20)
    backend.save(str(own_tiny_bert / "tokenizer.json"))
    [found] = open_bert(own_tiny_bert).tokenizer.tokenize([record("how are you")])
    assert isinstance(found, TokenizedText)
    assert found.tokens == ("[CLS]", "how", "are", "you", "[SEP]")
