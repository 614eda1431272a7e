"""Settings of a sentence-transformers checkpoint beside its modules: prompts, similarity, and the limit of tokens."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bertcli.checkpoints.config import ModelConfig, read_json_object
from bertcli.checkpoints.modules import (
    COPY_AGAIN,
    MODULES_FILE,
    PROMPTS_FILE,
    TRANSFORMER_CONFIGS,
    find_module_config,
    read_module_config,
)
from bertcli.choices import Similarity
from bertcli.errors import BadCheckpoint
from bertcli.lazy_dataclass import dataclass
from bertcli.quoting import is_utf8

# Tokenizers without a limit hold a far larger number.
_LARGEST_LIMIT = 10_000_000


@dataclass(frozen=True, slots=True)
class Prompts:
    """The prompts of a checkpoint by name, the name of the default one, and its measure of similarity."""

    texts: Mapping[str, str]
    default: str | None
    similarity: Similarity | None


def read_prompts(folder: Path) -> Prompts:
    """Read the prompts and the measure of similarity of the checkpoint in a folder.

    Raises:
        BadCheckpoint: The file is damaged.
    """
    path = folder / PROMPTS_FILE
    config = read_json_object(path) if path.is_file() else {}
    texts, default, similarity = (config.get(name) for name in ("prompts", "default_prompt_name", "similarity_fn_name"))
    texts = {} if texts is None else texts
    if not isinstance(texts, dict) or not all(_is_text(name) and _is_text(text) for name, text in texts.items()):
        raise _bad(path, "has prompts that are not texts")
    if default is not None and not (isinstance(default, str) and default in texts):
        raise _bad(path, f"names the default prompt {default!r}, which it does not have")
    if similarity is not None and similarity not in list(Similarity):
        raise _bad(path, f"names the similarity {similarity!r}, which is not known")
    return Prompts(texts, default, None if similarity is None else Similarity(similarity))


def token_limit(folder: Path, inner_folder: Path, config: ModelConfig) -> int:
    """Return the largest number of tokens in a text: that of the recipe if there is one, else of the positions.

    Args:
        folder: The checkpoint's folder.
        inner_folder: The folder of its transformer.
        config: The model's config.

    Raises:
        BadCheckpoint: The recipe's limit is damaged.
    """
    if not (folder / MODULES_FILE).is_file():
        return config.max_tokens
    return min(_read_max_length(inner_folder) or config.max_tokens, config.max_tokens)


def _read_max_length(folder: Path) -> int | None:
    """Read the largest number of tokens that a checkpoint with modules.json declares for a text, None without one.

    Args:
        folder: The folder of the transformer.

    Raises:
        BadCheckpoint: A file is damaged, or the number is not positive.
    """
    path = find_module_config(folder, TRANSFORMER_CONFIGS)
    declared = None if path is None else read_json_object(path).get("max_seq_length")
    if declared is None:
        # Newer versions of sentence-transformers leave it to the tokenizer, which has a huge number for "no limit".
        declared = read_module_config(folder, ("tokenizer_config.json",)).get("model_max_length")
        return declared if type(declared) is int and 0 < declared < _LARGEST_LIMIT else None
    if type(declared) is not int or declared < 1:
        raise BadCheckpoint(
            f"{path} has the max_seq_length {declared!r}, not a positive whole number",
            hint="copy the checkpoint again, or set the limit with --max-length",
        )
    return declared


def _is_text(value: Any) -> bool:
    """Return True for a string without half of a surrogate pair, which has no encoding."""
    return isinstance(value, str) and is_utf8(value)


def _bad(path: Path, why: str) -> BadCheckpoint:
    return BadCheckpoint(f"{path} {why}", hint=COPY_AGAIN)
