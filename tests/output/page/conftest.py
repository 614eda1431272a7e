"""Fixtures: a browser for all tests of the page, and a page of a tiny model with three texts."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.process import run
from tests.output.page import chromium
from tests.output.page.chromium import Browser, Tab

SENTENCE_B = "are you on the mat?"
TEXTS = ["the cat sat on the mat.", "how [MASK] you, [MASK]", "a b c"]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium.browser() as opened:
        yield opened


@pytest.fixture(scope="session")
def pairs_page(tmp_path_factory: pytest.TempPathFactory, tiny_bert: Path) -> Path:
    """Return a page of TEXTS, each paired with SENTENCE_B."""
    path = tmp_path_factory.mktemp("page") / "page.html"
    run("attn", "-m", tiny_bert, *TEXTS, "--pair", SENTENCE_B, "--html", path).answer()
    return path


@pytest.fixture(scope="session")
def records(tiny_bert: Path) -> Any:
    """Return the records of attn --json for the same texts, including rollout."""
    return run("attn", "-m", tiny_bert, *TEXTS, "--pair", SENTENCE_B, "--rollout", "--json").records()


@pytest.fixture
def pairs_tab(browser: Browser, pairs_page: Path) -> Iterator[Tab]:
    """Open pairs_page in a tab."""
    with chromium.tab(browser, pairs_page) as tab:
        yield tab.open_when_used()
