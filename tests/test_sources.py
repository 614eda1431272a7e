"""Rules that hold in every source file: its size, its docstring, and what it must not contain."""

import ast
import doctest
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import bertcli

PACKAGE = Path(bertcli.__file__).parent
MODULES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))
PAGE_SOURCES = sorted([*(PACKAGE / "output/page").rglob("*.js"), *(PACKAGE / "output/page").rglob("*.css")])
REPOSITORY = PACKAGE.parent
PYTHON = sorted(path for folder in ("bertcli", "tools", "benchmarks") for path in (REPOSITORY / folder).rglob("*.py"))
# Phrases that a colleague would not say, in messages, help and docstrings.
RIDDLES = re.compile(
    r"\b(is told of|tells? of|says? of|gone on with|goes on (with|behind)|so many|as many as|each two|comes? to|"
    r"without an answer|what has room|parted by|stands? (in|for)|whoever|what it is that|puts a question to|asks of|"
    r"may be had|in the place of|in place of|is there already|has no place for|no folder here|broke off|begin anew|"
    r"mend it)\b",
    re.IGNORECASE,
)


def test_the_sources_are_found() -> None:
    assert {"__main__.py", "model/bert.py", "output/formatting.py", "checkpoints/pickled.py"} <= set(MODULES)
    assert len(PAGE_SOURCES) > 10


@pytest.mark.parametrize("module", MODULES)
def test_a_module_has_a_docstring_and_at_most_400_lines(module: str) -> None:
    text = (PACKAGE / module).read_text(encoding="utf-8")
    assert text.count("\n") <= 400
    assert ast.get_docstring(ast.parse(text))


@pytest.mark.parametrize("path", PAGE_SOURCES, ids=lambda path: path.name)
def test_a_script_or_style_has_at_most_400_lines(path: Path) -> None:
    assert path.read_text(encoding="utf-8").count("\n") <= 400


@pytest.mark.parametrize("module", MODULES)
def test_only_output_prints(module: str) -> None:
    tree = ast.parse((PACKAGE / module).read_text(encoding="utf-8"))
    calls = {getattr(node.func, "id", "") for node in ast.walk(tree) if isinstance(node, ast.Call)}
    assert "print" not in calls or module.startswith("output/")


def test_no_source_reads_outside_the_package_or_runs_remote_code() -> None:
    for path in sorted(PACKAGE.rglob("*")):
        if path.suffix in (".py", ".md", ".json", ".js", ".html", ".css") and path.stat().st_size < 1e6:
            text = path.read_text(encoding="utf-8")
            assert "shared/" not in text, path
            assert "trust_remote_code=True" not in text, path


def docstrings(path: Path) -> Iterator[str]:
    """Yield the docstrings of a source file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and (found := ast.get_docstring(node)):
            yield found


def strings(path: Path) -> Iterator[str]:
    """Yield every string of a source file: messages, help and docstrings."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@pytest.mark.parametrize("path", PYTHON, ids=lambda path: path.relative_to(REPOSITORY).as_posix())
def test_no_docstring_begins_with_a_question_word(path: Path) -> None:
    words = ("What", "Whether", "How", "Which", "Of", "Where", "Whose", "Who")
    assert [found for found in docstrings(path) if found.split()[0].rstrip(":,") in words] == []


@pytest.mark.parametrize("path", PYTHON, ids=lambda path: path.relative_to(REPOSITORY).as_posix())
def test_no_message_or_docstring_uses_a_riddle(path: Path) -> None:
    found = [text for text in strings(path) if RIDDLES.search(" ".join(text.split()))]
    assert found == []


@pytest.mark.parametrize("module", [each for each in MODULES if ">>>" in (PACKAGE / each).read_text(encoding="utf-8")])
def test_the_examples_in_docstrings_pass(module: str) -> None:
    name = module.removesuffix(".py").replace("/", ".")
    assert doctest.testmod(import_module(f"bertcli.{name}")).failed == 0
