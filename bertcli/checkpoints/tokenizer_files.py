"""Which files hold a checkpoint's tokenizer, and what its settings say."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bertcli.checkpoints.json_files import read_json_object_if_there
from bertcli.errors import BadCheckpoint

# The file that a whole tokenizer is in, and those that hold its settings.
TOKENIZER_FILE = "tokenizer.json"
TOKENIZER_SETTINGS = ("tokenizer_config.json", "special_tokens_map.json", "added_tokens.json")


@dataclass(frozen=True, slots=True)
class SpecialTokens:
    """The spelling of the tokens that BERT gives a meaning of its own."""

    unk: str = "[UNK]"
    sep: str = "[SEP]"
    pad: str = "[PAD]"
    cls: str = "[CLS]"
    mask: str = "[MASK]"


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What a family's tokenizer is made of where there is no tokenizer.json. is_wordpieces: a list of BERT's pieces."""

    file: str = "vocab.txt"
    is_wordpieces: bool = True


@dataclass(frozen=True, slots=True)
class TokenizerFiles:
    """A tokenizer on disk. file: tokenizer.json, else the vocabulary.

    is_wordpieces: the file is a list of BERT's word pieces. needs_transformers: it is a vocabulary of another kind. The
    three settings are None where tokenizer_config.json leaves them to the tokenizer.
    """

    file: Path
    is_wordpieces: bool
    needs_transformers: bool
    special_tokens: SpecialTokens
    do_lower_case: bool | None
    strip_accents: bool | None
    tokenize_chinese_chars: bool | None


def find_tokenizer_files(
    folder: Path, defaults: SpecialTokens = SpecialTokens(), vocabulary: Vocabulary = Vocabulary()
) -> TokenizerFiles:
    """The tokenizer in `folder`: tokenizer.json before a vocabulary. Raises BadCheckpoint for neither.

    defaults: the special tokens where no file names them.
    """
    file = next((folder / name for name in (TOKENIZER_FILE, vocabulary.file) if (folder / name).is_file()), None)
    if file is None:
        raise BadCheckpoint(
            f"{folder} has no tokenizer: neither tokenizer.json nor {vocabulary.file}",
            hint="save the tokenizer beside the model: tokenizer.save_pretrained(folder)",
        )
    is_vocabulary = file.name == vocabulary.file
    special = read_json_object_if_there(folder / "special_tokens_map.json")
    settings = read_json_object_if_there(folder / "tokenizer_config.json")
    return TokenizerFiles(
        file,
        is_vocabulary and vocabulary.is_wordpieces,
        is_vocabulary and not vocabulary.is_wordpieces,
        _special_tokens(special | settings, defaults),
        _flag(settings, "do_lower_case"),
        _flag(settings, "strip_accents"),
        _flag(settings, "tokenize_chinese_chars"),
    )


def _special_tokens(settings: dict[str, Any], defaults: SpecialTokens) -> SpecialTokens:
    named = {name: _content(settings.get(f"{name}_token")) for name in SpecialTokens.__dataclass_fields__}
    return replace(defaults, **{name: content for name, content in named.items() if content is not None})


def _content(token: Any) -> str | None:
    """A token is written as its text, or as an object that has it as `content`."""
    content = token.get("content") if isinstance(token, dict) else token
    return content if isinstance(content, str) else None


def _flag(settings: dict[str, Any], name: str) -> bool | None:
    value = settings.get(name)
    return value if isinstance(value, bool) else None
