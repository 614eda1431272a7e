"""Fixture of the fuzzer: the server that cases are forked from."""

from collections.abc import Iterator

import pytest

from tests.fuzz.play import Player


@pytest.fixture(scope="session")
def player(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Player]:
    """Return a player, whose server has imported everything that bertcli needs."""
    with Player(tmp_path_factory.mktemp("fuzz") / "cases") as player:
        yield player
