"""Tokenizers without tokenizer.json that only transformers can load: the tokens, the words, and missing packages."""

import json
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest
import transformers

from bertcli.errors import BadCheckpoint, MissingPackage, UnsupportedModel
from bertcli.input.records import FailedText
from bertcli.model.engine import OutputRequest
from bertcli.model.request import EmbeddingRequest
from tests.families import save_family
from tests.tiny import edit_config, one_batch, open_bert, record, save_bert, tokenize, write_json, write_vocabulary

TEXTS = ["how are you", "the cat, sat [MASK]", "日本語のテスト。", "M K T"]
AMINO_ACIDS = ["<cls>", "<pad>", "<eos>", "<unk>", "L", "A", "G", "V", "M", "K", "T", "<mask>"]


def without_tokenizer(folder: Path, model_type: str) -> Path:
    save_family(folder, model_type)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).unlink()
    return folder


def save_esm(folder: Path) -> Path:
    write_vocabulary(without_tokenizer(folder, "esm"), AMINO_ACIDS)
    edit_config(folder, pad_token_id=1)
    return folder


def save_japanese(folder: Path, **settings: object) -> Path:
    save_bert(folder)
    write_json(folder / "tokenizer_config.json", {"tokenizer_class": "BertJapaneseTokenizer", **settings})
    return folder


def save_japanese_without_mecab(folder: Path) -> Path:
    return save_japanese(folder, word_tokenizer_type="basic", subword_tokenizer_type="wordpiece")


def save_japanese_with_mecab(folder: Path) -> Path:
    return save_japanese(folder, word_tokenizer_type="mecab")


def save_phobert(folder: Path) -> Path:
    without_tokenizer(folder, "roberta")
    edit_config(folder, tokenizer_class="PhobertTokenizer")  # where older checkpoints name it
    (folder / "vocab.txt").write_text("how 5\nar@@ 4\ne 3\nyou 3\n", encoding="utf-8")
    (folder / "bpe.codes").write_text("h o 1\nho w</w> 2\na r 3\n", encoding="utf-8")
    return folder


def save_with_sentencepiece(folder: Path) -> Path:
    without_tokenizer(folder, "bert-generation")
    (folder / "spiece.model").write_bytes(b"?")
    return folder


def save_xlm(folder: Path) -> Path:
    without_tokenizer(folder, "xlm")
    write_json(folder / "vocab.json", {token: id_ for id_, token in enumerate(["<s>", "</s>", "<pad>", "<unk>"])})
    (folder / "merges.txt").write_text("#version\n", encoding="utf-8")
    return folder


def save_roformer(folder: Path) -> Path:
    write_vocabulary(without_tokenizer(folder, "roformer"))
    return folder


@pytest.mark.parametrize("save", [save_esm, save_japanese_without_mecab, save_phobert])
def test_tokenizers_in_python_give_the_tokens_of_transformers(tmp_path: Path, save: Callable[[Path], Path]) -> None:
    folder = save(tmp_path)
    session = open_bert(folder, "auto")
    reference = transformers.AutoTokenizer.from_pretrained(folder)
    pairs = [("how are you", "M K")]
    for text, found in zip([*TEXTS, *pairs], tokenize(session, [*TEXTS, *pairs]), strict=True):
        parts = (text,) if isinstance(text, str) else text
        expected = reference(*(part.replace("[MASK]", reference.mask_token) for part in parts))["input_ids"]
        assert list(found.input_ids) == expected
        assert next(word for word in found.words if word is not None) == (0, 0)
        assert (found.words[-1], found.words[0]) == (None, None)
    assert reference.mask_token_id in tokenize(session, [TEXTS[1]])[0].input_ids


def test_pieces_of_one_word_have_its_number(tmp_path: Path) -> None:
    [phobert] = tokenize(open_bert(save_phobert(tmp_path / "bpe"), "auto"), ["how are you"])
    [japanese] = tokenize(open_bert(save_japanese_without_mecab(tmp_path / "wordpiece"), "auto"), ["how arex you"])
    assert phobert.words[1:4] == ((0, 0), (0, 1), (0, 1))
    assert japanese.tokens == ("[CLS]", "how", "are", "##x", "you", "[SEP]")
    assert japanese.words == (None, (0, 0), (0, 1), (0, 1), (0, 2), None)


def test_a_long_text_is_cut_as_by_transformers(tmp_path: Path) -> None:
    session = open_bert(save_esm(tmp_path), "auto", max_length=6, truncate=True)
    reference = transformers.AutoTokenizer.from_pretrained(tmp_path)
    for parts in (("M K T L A G V",), ("M K", "T L A G V")):
        [found] = session.tokenizer.tokenize([record(parts[0] if len(parts) == 1 else parts)])
        assert list(found.input_ids) == reference(*parts, truncation=True, max_length=6)["input_ids"]
        assert found.truncated
    [refused] = open_bert(tmp_path, "auto", max_length=4).tokenizer.tokenize([record("M K T L")])
    assert isinstance(refused, FailedText)


@pytest.mark.parametrize(
    ("save", "package"),
    [
        (save_japanese_with_mecab, "fugashi"),
        (save_xlm, "sacremoses"),
        (save_roformer, "rjieba"),
        (save_with_sentencepiece, "sentencepiece"),
    ],
)
def test_a_missing_package_is_named_with_its_command(
    tmp_path: Path, save: Callable[[Path], Path], package: str
) -> None:
    if find_spec(package) is not None:
        pytest.skip(f"{package} is installed")
    with pytest.raises(MissingPackage, match=f"needs {package}, which is not installed") as raised:
        open_bert(save(tmp_path), "auto")
    assert raised.value.hint == f"pip install {package}"


def test_code_in_a_checkpoint_is_never_run(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    code = f"open({str(ran)!r}, 'w').close()\n"
    folder = save_bert(tmp_path / "own-code")
    for name in ("modeling_own.py", "configuration_own.py", "tokenization_own.py"):
        (folder / name).write_text(code, encoding="utf-8")
    own = {"AutoConfig": "configuration_own.C", "AutoModel": "modeling_own.M", "AutoModelForMaskedLM": "modeling_own.M"}
    edit_config(folder, auto_map=own)
    for engine in ("numpy", "transformers"):  # transformers' own class is known, so it is used
        session = open_bert(folder, engine)
        session.run(one_batch(session, TEXTS[:1]), OutputRequest(pooler_output=True, logits_at=...))
    write_json(folder / "tokenizer_config.json", {"auto_map": {"AutoTokenizer": ["tokenization_own.T", None]}})
    with pytest.raises(UnsupportedModel, match="its tokenizer is code in the checkpoint"):
        open_bert(folder)
    esm = save_esm(tmp_path / "esm")
    (esm / "tokenization_own.py").write_text(code, encoding="utf-8")
    write_json(esm / "tokenizer_config.json", {"auto_map": {"AutoTokenizer": ["tokenization_own.T", None]}})
    with pytest.raises(UnsupportedModel, match="its tokenizer is code in the checkpoint"):
        open_bert(esm, "auto")
    edit_config(folder, num_hidden_layers=3)
    (folder / "tokenizer_config.json").unlink()
    with pytest.raises(BadCheckpoint) as raised:
        open_bert(folder)
    assert "auto_map in config.json" in raised.value.hint
    assert not ran.exists()


def test_a_damaged_file_of_a_tokenizer_in_python_is_an_error_that_names_the_folder(tmp_path: Path) -> None:
    folder = save_phobert(tmp_path)
    (folder / "vocab.txt").write_text(json.dumps(["how"] * 3), encoding="utf-8")
    (folder / "bpe.codes").unlink()
    with pytest.raises(BadCheckpoint, match="transformers cannot load its vocabulary"):
        open_bert(folder, "auto")


def test_a_prompt_works_with_a_tokenizer_in_python(tmp_path: Path) -> None:
    session = open_bert(save_phobert(tmp_path), "transformers", embedding=EmbeddingRequest(prompt="how "))
    (text,) = tokenize(session, ["are"])
    assert session.tokenizer.prompt_token_count == 2
    assert text.tokens == ("<s>", "how", "ar@@", "e", "</s>")
