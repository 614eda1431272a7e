"""Files of a checkpoint's tokenizer, and its settings."""

from pathlib import Path

import pytest

from bertcli.checkpoints.architectures import SpecialTokens
from bertcli.checkpoints.required_files import find_tokenizer_files
from bertcli.errors import BadCheckpoint
from tests.tiny import write_json, write_vocabulary


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_vocabulary(tmp_path)
    return tmp_path


def test_a_vocabulary_alone_sets_nothing(folder: Path) -> None:
    found = find_tokenizer_files(folder)
    assert (found.file, found.is_wordpieces) == (folder / "vocab.txt", True)
    assert found.special_tokens == SpecialTokens("[UNK]", "[SEP]", "[PAD]", "[CLS]", "[MASK]")
    assert (found.do_lower_case, found.strip_accents, found.tokenize_chinese_chars) == (None, None, None)


def test_tokenizer_json_comes_before_the_vocabulary(folder: Path) -> None:
    write_json(folder / "tokenizer.json", {})
    found = find_tokenizer_files(folder)
    assert (found.file, found.is_wordpieces) == (folder / "tokenizer.json", False)


def test_settings_are_those_of_tokenizer_config(folder: Path) -> None:
    write_json(folder / "tokenizer_config.json", {"do_lower_case": False, "strip_accents": True, "other": 1})
    found = find_tokenizer_files(folder)
    assert (found.do_lower_case, found.strip_accents, found.tokenize_chinese_chars) == (False, True, None)


@pytest.mark.parametrize("token", ["<mask>", {"content": "<mask>", "lstrip": True}])
@pytest.mark.parametrize("name", ["tokenizer_config.json", "special_tokens_map.json"])
def test_a_special_token_is_a_string_or_an_object_in_either_file(folder: Path, name: str, token: object) -> None:
    write_json(folder / name, {"mask_token": token, "cls_token": None})
    assert find_tokenizer_files(folder).special_tokens == SpecialTokens(mask="<mask>")


def test_tokenizer_config_overrides_the_special_tokens_map(folder: Path) -> None:
    write_json(folder / "special_tokens_map.json", {"mask_token": "<old>", "unk_token": "<unk>"})
    write_json(folder / "tokenizer_config.json", {"mask_token": "<new>"})
    assert find_tokenizer_files(folder).special_tokens == SpecialTokens(unk="<unk>", mask="<new>")


def test_a_folder_without_a_tokenizer_is_a_bad_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(BadCheckpoint, match=r"neither tokenizer\.json nor vocab\.txt"):
        find_tokenizer_files(tmp_path)


@pytest.mark.parametrize("name", ["tokenizer_config.json", "special_tokens_map.json"])
def test_settings_that_are_not_json_are_a_bad_checkpoint(folder: Path, name: str) -> None:
    (folder / name).write_text("{", encoding="utf-8")
    with pytest.raises(BadCheckpoint, match="is not valid JSON"):
        find_tokenizer_files(folder)
