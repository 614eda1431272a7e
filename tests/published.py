"""Published checkpoints from the hub cache of the user."""

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

_HUB_VARIABLES = ("HF_", "HUGGING", "TRANSFORMERS_")
# The user's variables of the hub, which hide_user_hub removes from the environment.
_user_variables: dict[str, str] = {}


def hide_user_hub(home: Path) -> None:
    """Hide the user's hub cache and token from the tests, and keep them from the network.

    Args:
        home: Folder of the hub cache that the tests use.
    """
    for name in [name for name in os.environ if name.startswith(_HUB_VARIABLES)]:
        _user_variables[name] = os.environ.pop(name)
    os.environ |= {"HF_HOME": str(home), "HF_HUB_OFFLINE": "1"}


@cache
def published_checkpoint(model: str) -> Path:
    """Return the folder of a published checkpoint. Skip the test if the user's cache does not have it."""
    from bertcli.checkpoints.find import find_local
    from bertcli.checkpoints.hub_cache import cache_folder
    from bertcli.checkpoints.required_files import Files

    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(_HUB_VARIABLES)]:
            patch.delenv(name)
        _set(patch, _user_variables)
        found, looked = find_local(model, None, Files.ALL), cache_folder()
    if found is None:
        pytest.skip(f"{model} is not in the hub cache ({looked})")
    return found.folder


def _set(patch: pytest.MonkeyPatch, variables: Mapping[str, str]) -> None:
    for name, value in variables.items():
        patch.setenv(name, value)
