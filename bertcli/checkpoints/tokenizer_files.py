"""Files of a checkpoint's tokenizer, and the settings in them."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bertcli.checkpoints.architectures import ARCHITECTURES, SpecialTokens, Vocabulary
from bertcli.checkpoints.config import read_json_object
from bertcli.errors import BadCheckpoint

# The file that holds a whole tokenizer, and the files that hold its settings.
TOKENIZER_FILE = "tokenizer.json"
TOKENIZER_SETTINGS = ("tokenizer_config.json", "special_tokens_map.json", "added_tokens.json")
_BERT = ARCHITECTURES["bert"]


@dataclass(frozen=True, slots=True)
class TokenizerFiles:
    """A tokenizer on disk.

    file: tokenizer.json, or else the vocabulary. is_wordpieces: the file is a list of BERT's word pieces.
    needs_transformers: the file is a vocabulary of another kind. The last three settings are None if
    tokenizer_config.json does not set them.
    """

    file: Path
    is_wordpieces: bool
    needs_transformers: bool
    special_tokens: SpecialTokens
    do_lower_case: bool | None
    strip_accents: bool | None
    tokenize_chinese_chars: bool | None


def find_tokenizer_files(
    folder: Path, defaults: SpecialTokens = _BERT.special_tokens, vocabulary: Vocabulary = _BERT.vocabulary
) -> TokenizerFiles:
    """Find the tokenizer of the checkpoint in a folder. tokenizer.json comes before a vocabulary.

    Args:
        folder: The checkpoint's folder.
        defaults: Special tokens for those that no file names.
        vocabulary: The family's vocabulary file.

    Raises:
        BadCheckpoint: There is neither file, or a settings file is damaged.
    """
    file = next((folder / name for name in (TOKENIZER_FILE, vocabulary.file) if (folder / name).is_file()), None)
    if file is None:
        raise BadCheckpoint(
            f"{folder} has no tokenizer: neither tokenizer.json nor {vocabulary.file}",
            hint="save the tokenizer beside the model: tokenizer.save_pretrained(folder)",
        )
    is_vocabulary = file.name == vocabulary.file
    special = _read_optional(folder / "special_tokens_map.json")
    settings = _read_optional(folder / "tokenizer_config.json")
    return TokenizerFiles(
        file,
        is_vocabulary and vocabulary.is_wordpieces,
        is_vocabulary and not vocabulary.is_wordpieces,
        _special_tokens(special | settings, defaults),
        _flag(settings, "do_lower_case"),
        _flag(settings, "strip_accents"),
        _flag(settings, "tokenize_chinese_chars"),
    )


def _read_optional(path: Path) -> dict[str, Any]:
    return read_json_object(path) if path.is_file() else {}


def _special_tokens(settings: dict[str, Any], defaults: SpecialTokens) -> SpecialTokens:
    named = {name: _content(settings.get(f"{name}_token")) for name in SpecialTokens.__dataclass_fields__}
    return replace(defaults, **{name: content for name, content in named.items() if content is not None})


def _content(token: Any) -> str | None:
    """Return the text of a token, which the files hold as a string or as the `content` of an object."""
    content = token.get("content") if isinstance(token, dict) else token
    return content if isinstance(content, str) else None


def _flag(settings: dict[str, Any], name: str) -> bool | None:
    value = settings.get(name)
    return value if isinstance(value, bool) else None
