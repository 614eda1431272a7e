"""Rules that hold in every source file: its size, its docstring, and what it must not contain."""

import ast
from pathlib import Path

import pytest

import bertcli

PACKAGE = Path(bertcli.__file__).parent
MODULES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))
PAGE_SOURCES = sorted([*(PACKAGE / "output/page").rglob("*.js"), *(PACKAGE / "output/page").rglob("*.css")])
SHORT = 40


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
