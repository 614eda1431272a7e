"""Fixture of the fuzzer: the server that cases are forked from."""

import sys
from collections.abc import Iterator

import pytest

from tests.fuzz.play import Player


@pytest.fixture(scope="session")
def player(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Player]:
    """Return a player, whose server has imported everything that bertcli needs."""
    if sys.platform != "linux":
        pytest.skip("the server waits for its children in a way that only Linux has")
    with Player(tmp_path_factory.mktemp("fuzz") / "cases") as player:
        yield player
