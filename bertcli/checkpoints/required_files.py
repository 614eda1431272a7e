"""Files that make up each part of a checkpoint: which to download or require, and which hold the tokenizer."""

from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import replace
from enum import Flag, auto
from pathlib import Path
from typing import Any

from bertcli.checkpoints.architectures import SpecialTokens, Vocabulary
from bertcli.checkpoints.config import CONFIG_FILE, read_json_object
from bertcli.checkpoints.families import ARCHITECTURES
from bertcli.checkpoints.modules import (
    MODULES_FILE,
    Module,
    lacks_config,
    lacks_weights,
    list_config_files,
    list_files,
    list_weight_files,
    read_modules,
    transformer_prefix,
)
from bertcli.checkpoints.unsupported import has_own_code
from bertcli.checkpoints.weight_files import INDEX, WEIGHT_FILES, shard_names
from bertcli.errors import BadCheckpoint, UnsupportedModel
from bertcli.lazy_dataclass import dataclass
from bertcli.quoting import is_utf8

# The file that holds a whole tokenizer, and the files that hold its settings.
TOKENIZER_FILE = "tokenizer.json"
TOKENIZER_SETTINGS = ("tokenizer_config.json", "special_tokens_map.json", "added_tokens.json")
# Files that a vocabulary needs beside it.
_COMPANIONS = {"vocab.json": ("merges.txt",)}
# Files that only some kinds of tokenizer have beside their vocabulary.
_OPTIONAL_COMPANIONS = ("bpe.codes", "word_shape.json", "word_pronunciation.json", "entity_vocab.json")
# The vocabularies of tokenizers that are not their family's own. Only transformers reads these.
_OTHER_TOKENIZERS = {
    "BertJapaneseTokenizer": Vocabulary(is_wordpieces=False),
    "BertweetTokenizer": Vocabulary(is_wordpieces=False),
    "PhobertTokenizer": Vocabulary(is_wordpieces=False),
    "RoFormerTokenizer": Vocabulary(is_wordpieces=False),
}
_BERT = ARCHITECTURES["bert"]
# Function that returns the path of a file of a checkpoint, after downloading the file if it is on the hub.
Fetch = Callable[[str], Path]


class Files(Flag):
    """Parts of a checkpoint, each stored in one or several files."""

    CONFIG = auto()
    TOKENIZER = auto()
    WEIGHTS = auto()
    ALL = CONFIG | TOKENIZER | WEIGHTS


PART_NAMES = {Files.CONFIG: "config.json", Files.TOKENIZER: "tokenizer", Files.WEIGHTS: "weights"}


@dataclass(frozen=True, slots=True)
class TokenizerFiles:
    """A tokenizer on disk.

    Attributes:
        file: tokenizer.json, or else the vocabulary.
        is_wordpieces: The file is a list of BERT's word pieces.
        needs_transformers: The file is a vocabulary of another kind, which only transformers reads.
        special_tokens: The special tokens.
        do_lower_case: As in tokenizer_config.json, or None if it is not set there. So are the next two.
        strip_accents: See do_lower_case.
        tokenize_chinese_chars: See do_lower_case.
    """

    file: Path
    is_wordpieces: bool
    needs_transformers: bool
    special_tokens: SpecialTokens
    do_lower_case: bool | None
    strip_accents: bool | None
    tokenize_chinese_chars: bool | None


def files_of(part: Files, names: Collection[str], fetch: Fetch, *, with_modules: bool = True) -> list[str]:
    """Choose the files that hold one part of a checkpoint.

    If there are several kinds, choose the one that will be read: safetensors before pickles, whole before sharded. The
    configs and weights of the modules in modules.json belong to the parts of the same name.

    Args:
        part: One part.
        names: Names of the files that exist, with their folders.
        fetch: Returns the path of a file that has to be read first: modules.json, or the index of sharded weights.
        with_modules: Include the files of the modules beside the transformer.

    Returns:
        The files' names; empty if any of them is missing.
    """
    modules = _modules(names, fetch)
    prefix = transformer_prefix(modules)
    own_names = {name.removeprefix(prefix) for name in names if name.startswith(prefix)}
    files = [f"{prefix}{name}" for name in _transformer_files(part, own_names, lambda name: fetch(f"{prefix}{name}"))]
    if not (files and with_modules) or MODULES_FILE not in names or part is Files.TOKENIZER:
        return files
    more = list_config_files(modules, names) if part is Files.CONFIG else list_weight_files(modules, names)
    return list(dict.fromkeys([*files, *more]))


def missing_files(folder: Path, needs: Files) -> list[Files]:
    """Return the needed parts that are missing or incomplete in a checkpoint's folder."""
    names = list_files(folder)
    modules = _modules(names, lambda name: folder / name)
    incomplete = {Files.CONFIG: lacks_config(modules, names), Files.WEIGHTS: lacks_weights(modules, names)}
    try:
        return [part for part in needs if incomplete.get(part) or not files_of(part, names, lambda name: folder / name)]
    except BadCheckpoint:  # a damaged index
        return [Files.WEIGHTS]


def fingerprint(folder: Path) -> str:
    """Return one SHA-256 of all files of a checkpoint that bertcli reads, in hexadecimal."""
    from hashlib import file_digest, sha256

    names = list_files(folder)
    total = sha256()
    for part in Files.ALL:
        for name in sorted(files_of(part, names, lambda name: folder / name)):
            with (folder / name).open("rb") as file:
                total.update(f"{name} {file_digest(file, 'sha256').hexdigest()}\n".encode())
    return total.hexdigest()


def find_tokenizer_files(
    folder: Path, defaults: SpecialTokens = _BERT.special_tokens, vocabulary: Vocabulary = _BERT.vocabulary
) -> TokenizerFiles:
    """Find the tokenizer of the checkpoint in a folder. tokenizer.json comes before a vocabulary.

    Args:
        folder: The checkpoint's folder.
        defaults: Special tokens to use for those that no file names.
        vocabulary: The family's vocabulary file.

    Raises:
        BadCheckpoint: Both files are missing, or a settings file is damaged.
        UnsupportedModel: The tokenizer needs code in the checkpoint.
    """
    special = _read_optional(folder / "special_tokens_map.json")
    settings = _read_optional(folder / "tokenizer_config.json")
    # Older checkpoints name the class in config.json.
    tokenizer_class = settings.get("tokenizer_class") or _read_optional(folder / CONFIG_FILE).get("tokenizer_class")
    if isinstance(tokenizer_class, str):
        vocabulary = _OTHER_TOKENIZERS.get(tokenizer_class.removesuffix("Fast"), vocabulary)
    file = next((folder / name for name in (TOKENIZER_FILE, vocabulary.file) if (folder / name).is_file()), None)
    if file is None:
        raise BadCheckpoint(
            f"{folder} has no tokenizer: neither tokenizer.json nor {vocabulary.file}",
            hint="save the tokenizer beside the model: tokenizer.save_pretrained(folder)",
        )
    is_vocabulary = file.name == vocabulary.file
    if is_vocabulary and has_own_code(settings):
        raise UnsupportedModel(
            f"{folder} has no tokenizer.json, and its tokenizer is code in the checkpoint (auto_map in "
            "tokenizer_config.json), which bertcli never runs",
            hint="save the tokenizer as tokenizer.json, if it can be",
        )
    return TokenizerFiles(
        file,
        is_vocabulary and vocabulary.is_wordpieces,
        is_vocabulary and not vocabulary.is_wordpieces,
        _special_tokens(special | settings, defaults),
        _flag(settings, "do_lower_case"),
        _flag(settings, "strip_accents"),
        _flag(settings, "tokenize_chinese_chars"),
    )


def _modules(names: Collection[str], fetch: Fetch) -> list[Module]:
    """Return the modules in modules.json; [] if the file is missing, or damaged, which is reported when it is used."""
    if MODULES_FILE in names:
        with suppress(BadCheckpoint):
            return read_modules(fetch(MODULES_FILE))
    return []


def _transformer_files(part: Files, names: Collection[str], fetch: Fetch) -> list[str]:
    if part is Files.CONFIG:
        return [name for name in (CONFIG_FILE,) if name in names]
    choices = _tokenizers(names) if part is Files.TOKENIZER else _weights(names, fetch)
    return next((files for files in choices if set(files) <= set(names)), [])


def _tokenizers(names: Collection[str]) -> Iterator[list[str]]:
    vocabularies = dict.fromkeys(architecture.vocabulary.file for architecture in ARCHITECTURES.values())
    settings = [name for name in (*TOKENIZER_SETTINGS, *_OPTIONAL_COMPANIONS) if name in names]
    for name in (TOKENIZER_FILE, *vocabularies):
        yield [name, *_COMPANIONS.get(name, ()), *settings]


def _weights(names: Collection[str], fetch: Fetch) -> Iterator[list[str]]:
    for name in WEIGHT_FILES:
        yield [name]
        index = f"{name}{INDEX}"
        if index in names:
            yield [index, *shard_names(fetch(index))]


def _read_optional(path: Path) -> dict[str, Any]:
    return read_json_object(path) if path.is_file() else {}


def _special_tokens(settings: dict[str, Any], defaults: SpecialTokens) -> SpecialTokens:
    named = {name: _content(settings.get(f"{name}_token")) for name in SpecialTokens.__dataclass_fields__}
    return replace(defaults, **{name: content for name, content in named.items() if content is not None})


def _content(token: Any) -> str | None:
    """Return the text of a token, which the files hold as a string or as the `content` of an object."""
    content = token.get("content") if isinstance(token, dict) else token
    return content if isinstance(content, str) and _is_token(content) else None


def _is_token(content: str) -> bool:
    """Return True unless the text is empty, or holds half of a surrogate pair, which no vocabulary can hold."""
    return bool(content) and is_utf8(content)


def _flag(settings: dict[str, Any], name: str) -> bool | None:
    value = settings.get(name)
    return value if isinstance(value, bool) else None
