"""modules.json, the list of modules with which sentence-transformers stores a checkpoint."""

import json
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any

from bertcli.checkpoints.config import read_json_object
from bertcli.errors import BadCheckpoint
from bertcli.lazy_dataclass import dataclass

MODULES_FILE = "modules.json"
PROMPTS_FILE = "config_sentence_transformers.json"
MODULE_CONFIG = "config.json"
# The settings of the transformer. sentence-transformers takes the first of these files that exists.
TRANSFORMER_CONFIGS = tuple(
    f"sentence_{name}_config.json"
    for name in ("bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet")
)
TRANSFORMERS = ("Transformer", "MLMTransformer")
# Weights of a module, the preferred file first.
MODULE_WEIGHTS = ("model.safetensors", "pytorch_model.bin")
# The hint for a damaged file of a recipe. --pooling mean reads none of them.
COPY_AGAIN = "copy the whole checkpoint again, or use --pooling mean"
_WITH_WEIGHTS = ("Dense", "LayerNorm", "WeightedLayerPooling")
_WITH_CONFIG = ("Pooling", *_WITH_WEIGHTS)
_OWN_PACKAGE = "sentence_transformers."


@dataclass(frozen=True, slots=True)
class Module:
    """An entry of modules.json.

    Attributes:
        type: Full name of its class.
        path: Its folder in the checkpoint, "" for the checkpoint's own folder.
    """

    type: str
    path: str

    @property
    def kind(self) -> str:
        """Name of its class, without the package. A class of another package keeps that package's name."""
        return self.type.rpartition(".")[2] if self.type.startswith(_OWN_PACKAGE) else self.type

    @property
    def prefix(self) -> str:
        """Beginning of the names of its files in the checkpoint."""
        return f"{self.path}/" if self.path else ""


def read_modules(file: Path) -> list[Module]:
    """Read modules.json.

    Raises:
        BadCheckpoint: The file is damaged, or names a folder outside of the checkpoint.
    """
    try:
        entries = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise BadCheckpoint(f"{file} is not valid JSON: {error}", hint=COPY_AGAIN) from None
    if not isinstance(entries, list) or not entries:
        raise BadCheckpoint(f"{file} does not hold a list of modules", hint=COPY_AGAIN)
    return [_module(entry, number, file) for number, entry in enumerate(entries)]


def _module(entry: Any, number: int, file: Path) -> Module:
    kind, path = (entry.get(name) for name in ("type", "path")) if isinstance(entry, dict) else (None, None)
    if not isinstance(kind, str) or not isinstance(path, str):
        raise BadCheckpoint(f"{file}: module {number} has no type or no path", hint=COPY_AGAIN)
    folder = PurePosixPath(path)
    if folder.is_absolute() or ".." in folder.parts or "\\" in path or "\0" in path:
        raise BadCheckpoint(f"{file}: the path {path!r} leads out of the checkpoint", hint=COPY_AGAIN)
    return Module(kind, "" if folder == PurePosixPath() else str(folder))


def find_transformer_folder(folder: Path) -> Path:
    """Return the folder of a checkpoint's config, weights and tokenizer: that of its transformer in modules.json.

    It is the checkpoint's own folder if there is no modules.json, or a damaged one, which is reported when a command
    needs it.
    """
    file = folder / MODULES_FILE
    if file.is_file():
        with suppress(BadCheckpoint, OSError):
            return folder / transformer_prefix(read_modules(file))
    return folder


def transformer_prefix(modules: Sequence[Module]) -> str:
    """Return the beginning of the names of the transformer's files; "" if they are in the checkpoint's own folder."""
    return next((module.prefix for module in modules if module.kind in TRANSFORMERS), "")


def list_config_files(modules: Sequence[Module], names: Collection[str]) -> list[str]:
    """Return the files that describe the modules, out of the names of all files of a checkpoint."""
    found = [MODULES_FILE, PROMPTS_FILE]
    prefix = transformer_prefix(modules)
    found += [f"{prefix}{name}" for name in TRANSFORMER_CONFIGS]
    found += [f"{module.prefix}{MODULE_CONFIG}" for module in _after_transformer(modules)]
    return [name for name in dict.fromkeys(found) if name in names]


def list_weight_files(modules: Sequence[Module], names: Collection[str]) -> list[str]:
    """Return the files with the weights of the modules beside the transformer, out of the names of all files."""
    choices = ([f"{module.prefix}{name}" for name in MODULE_WEIGHTS] for module in _after_transformer(modules))
    chosen = (next((name for name in files if name in names), None) for files in choices)
    return [name for name in chosen if name is not None]


def lacks_config(modules: Sequence[Module], names: Collection[str]) -> bool:
    """Return True if a module has no config, as after a download that was cut short."""
    return any(f"{module.prefix}{MODULE_CONFIG}" not in names for module in modules if module.kind in _WITH_CONFIG)


def lacks_weights(modules: Sequence[Module], names: Collection[str]) -> bool:
    """Return True if a module has no weights, as after a download that was cut short."""
    needed = (module for module in modules if module.kind in _WITH_WEIGHTS)
    return any(not {f"{module.prefix}{name}" for name in MODULE_WEIGHTS} & set(names) for module in needed)


def list_files(folder: Path) -> set[str]:
    """Return the names of the files in a checkpoint's folder and in the folders of its modules.

    Links to files that are gone are left out.
    """
    folders = [""]
    if (folder / MODULES_FILE).is_file():
        with suppress(BadCheckpoint, OSError):
            folders += [module.path for module in read_modules(folder / MODULES_FILE) if module.path]
    return {name for each in dict.fromkeys(folders) for name in _list_folder(folder / each, f"{each}/" if each else "")}


def _list_folder(folder: Path, prefix: str) -> Iterator[str]:
    if folder.is_dir():
        yield from (f"{prefix}{path.name}" for path in folder.iterdir() if path.is_file())


def _after_transformer(modules: Sequence[Module]) -> list[Module]:
    # A module in the checkpoint's own folder has no files of its own: config.json there is the transformer's.
    return [module for module in modules if module.kind not in TRANSFORMERS and module.path]


def find_module_config(folder: Path, names: Sequence[str] = (MODULE_CONFIG,)) -> Path | None:
    """Return the first of the files that exists, None if there is none."""
    return next((folder / name for name in names if (folder / name).is_file()), None)


def read_module_config(folder: Path, names: Sequence[str] = (MODULE_CONFIG,)) -> dict[str, Any]:
    """Read the first of the files that exists; {} if there is none.

    Raises:
        BadCheckpoint: The file is damaged.
    """
    found = find_module_config(folder, names)
    return {} if found is None else read_json_object(found)
