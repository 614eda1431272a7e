"""Which files hold a checkpoint's tokenizer, and what its settings say."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertcli.checkpoints.json_files import read_json_object_if_there
from bertcli.errors import BadCheckpoint


@dataclass(frozen=True, slots=True)
class SpecialTokens:
    """The spelling of the tokens that BERT gives a meaning of its own."""

    unk: str = "[UNK]"
    sep: str = "[SEP]"
    pad: str = "[PAD]"
    cls: str = "[CLS]"
    mask: str = "[MASK]"


@dataclass(frozen=True, slots=True)
class TokenizerFiles:
    """A tokenizer on disk. file: tokenizer.json, else vocab.txt.

    The three settings are None where tokenizer_config.json leaves them to the tokenizer.
    """

    file: Path
    special_tokens: SpecialTokens
    do_lower_case: bool | None
    strip_accents: bool | None
    tokenize_chinese_chars: bool | None

    @property
    def is_vocabulary_only(self) -> bool:
        """Whether there is only a list of word pieces, from which the tokenizer is to be built."""
        return self.file.name == "vocab.txt"


def find_tokenizer_files(folder: Path) -> TokenizerFiles:
    """The tokenizer in `folder`: tokenizer.json before vocab.txt. Raises BadCheckpoint for neither."""
    file = next((folder / name for name in ("tokenizer.json", "vocab.txt") if (folder / name).is_file()), None)
    if file is None:
        raise BadCheckpoint(
            f"{folder} has no tokenizer: neither tokenizer.json nor vocab.txt",
            hint="save the tokenizer beside the model: tokenizer.save_pretrained(folder)",
        )
    special = read_json_object_if_there(folder / "special_tokens_map.json")
    settings = read_json_object_if_there(folder / "tokenizer_config.json")
    return TokenizerFiles(
        file,
        _special_tokens(special | settings),
        _flag(settings, "do_lower_case"),
        _flag(settings, "strip_accents"),
        _flag(settings, "tokenize_chinese_chars"),
    )


def _special_tokens(settings: dict[str, Any]) -> SpecialTokens:
    named = {name: _content(settings.get(f"{name}_token")) for name in SpecialTokens.__dataclass_fields__}
    return SpecialTokens(**{name: content for name, content in named.items() if content is not None})


def _content(token: Any) -> str | None:
    """A token is written as its text, or as an object that has it as `content`."""
    content = token.get("content") if isinstance(token, dict) else token
    return content if isinstance(content, str) else None


def _flag(settings: dict[str, Any], name: str) -> bool | None:
    value = settings.get(name)
    return value if isinstance(value, bool) else None
