"""Real checkpoints, where whoever runs the tests has them in their hub cache."""

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

_HUB_VARIABLES = ("HF_", "HUGGING", "TRANSFORMERS_")
# The user's own, from before the tests were kept away from them.
_USERS: dict[str, str] = {}


def leave_the_users_hub(home: Path) -> None:
    """From here on no test sees the cache or the token of whoever runs it, or asks a hub that is not its own."""
    for name in [name for name in os.environ if name.startswith(_HUB_VARIABLES)]:
        _USERS[name] = os.environ.pop(name)
    os.environ |= {"HF_HOME": str(home), "HF_HUB_OFFLINE": "1"}


@cache
def published_checkpoint(model: str) -> Path:
    """The folder of a published checkpoint; the test is skipped, with its name, where it is not in the user's cache."""
    from bertcli.checkpoints.find import find_local
    from bertcli.checkpoints.hub_cache import cache_folder
    from bertcli.checkpoints.required_files import Files

    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(_HUB_VARIABLES)]:
            patch.delenv(name)
        _set(patch, _USERS)
        found, looked = find_local(model, None, Files.ALL), cache_folder()
    if found is None:
        pytest.skip(f"{model} is not in the hub cache ({looked})")
    return found.folder


def _set(patch: pytest.MonkeyPatch, variables: Mapping[str, str]) -> None:
    for name, value in variables.items():
        patch.setenv(name, value)
