"""From what the user calls a model to the folder that holds it."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bertcli.checkpoints.cache import cached_repositories
from bertcli.checkpoints.names import shortest
from bertcli.errors import CheckpointNotFound

BUNDLED = "bundled"
BUNDLED_FOLDER = Path(__file__).parent.parent / "bundled"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A folder with a config, weights and a tokenizer. name: what the user called it. revision: a resolved commit."""

    name: str
    folder: Path
    revision: str | None = None


def find_checkpoint(model: str | None) -> Checkpoint:
    """The checkpoint called `model`; None is the bundled one. An existing folder wins over a name.

    Raises CheckpointNotFound.
    """
    if model is None:
        return Checkpoint(BUNDLED, BUNDLED_FOLDER)
    folder = Path(model)
    with suppress(RuntimeError):  # ~somebody who is not known here
        folder = folder.expanduser()
    if folder.is_dir():
        return Checkpoint(model, folder)
    if model == BUNDLED:
        return Checkpoint(BUNDLED, BUNDLED_FOLDER)
    if folder.is_file():
        raise CheckpointNotFound(
            f"{model} is a file, not a checkpoint folder",
            hint=f"name the folder that holds config.json: -m {folder.parent}",
        )
    raise CheckpointNotFound(
        f"no model called {model!r}: it is not a folder here, and the one model known by name is {BUNDLED!r}",
        hint="give a folder that holds config.json, weights and a tokenizer, or use -m bundled",
    )


def known_models() -> list[str]:
    """The names that -m takes without a folder: the bundled model, those in the hub's cache, the published ones."""
    from bertcli.checkpoints.published import published_names

    cached = (shortest(repository) for repository in cached_repositories())
    return list(dict.fromkeys([BUNDLED, *cached, *published_names()]))
