"""The walls between the rooms, held in the sources, and in what a process loads."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import bertcli
from tests.hub import files_in, fill_cache

PACKAGE = Path(bertcli.__file__).parent
MODULES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))
SCRIPTS_AND_STYLES = sorted([*(PACKAGE / "html").rglob("*.js"), *(PACKAGE / "html").rglob("*.css")])
HEAVY = {"torch", "transformers", "numpy"}
MAY_IMPORT = {
    "torch": {"core/backends/torch_ops.py", "core/families.py", "checkpoints/pickled.py"},
    "transformers": {"core/families.py"},
    "huggingface_hub": {"checkpoints/hub.py"},
    "pydantic": set(),
    "click": set(),
    "pickle": {"checkpoints/pickled.py"},
    "requests": set(),
    "jinja2": {"html/page.py"},
    "matplotlib": {"render/figure.py", "render/fonts.py"},
    "pyarrow": {
        "texts/parquet.py",
        "texts/streams.py",
        "writers/parquet.py",
        "corpus/known.py",
        "corpus/pipeline.py",
        "remote.py",
    },
    "fsspec": {"remote.py"},
    "ray": {"corpus/cluster.py", "corpus/pipeline.py"},
}
PRINTERS = ("render/",)


def imported(module: str) -> set[str]:
    """Every module that a source file names in an import, wherever in the file, in full."""
    found: set[str] = set()
    for node in ast.walk(ast.parse((PACKAGE / module).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)}
            assert not node.level, f"{module} imports relatively, which these tests do not follow"
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in (
            "import_module",
            "__import__",
            "require",
        ):
            found |= {argument.value for argument in node.args[:1] if isinstance(argument, ast.Constant)}
    return found


def packages(module: str) -> set[str]:
    return {name.partition(".")[0] for name in imported(module)}


def of_room(*rooms: str) -> Iterator[str]:
    return (module for module in MODULES if module.startswith(rooms))


def test_the_sources_are_found() -> None:
    assert {"cli.py", "core/bert.py", "render/visible.py", "checkpoints/pickled.py"} <= set(MODULES)
    assert packages("core/families.py") >= {"torch", "transformers"}
    assert "bertcli.core.backends.torch_ops" in imported("core/device.py")


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_a_package_is_imported_where_it_may_be_and_nowhere_else(package: str) -> None:
    assert {module for module in MODULES if package in packages(module)} <= MAY_IMPORT[package]


@pytest.mark.parametrize("package", ["torch", "transformers", "huggingface_hub"])
def test_what_may_import_a_package_does(package: str) -> None:
    assert {module for module in MODULES if package in packages(module)} == MAY_IMPORT[package]


def test_only_render_imports_rich() -> None:
    assert [module for module in MODULES if "rich" in packages(module) and not module.startswith(PRINTERS)] == []


def test_only_the_command_line_imports_typer_and_nobody_its_inner_modules() -> None:
    assert {module for module in MODULES if "typer" in packages(module)} <= {
        "cli.py",
        "options.py",
        "corpus_options.py",
    }
    names = {name for module in MODULES for name in imported(module) if name.startswith("typer.")}
    assert {name for name in names if not name.removeprefix("typer.")[0].isupper()} == set()


def test_each_room_knows_only_what_stands_before_it_on_the_road() -> None:
    later = {
        "remote.py": ("checkpoints", "core", "commands", "render", "writers", "html", "texts", "options", "cli"),
        "texts/": ("checkpoints", "core", "commands", "render", "writers", "html", "options", "cli"),
        "results/": ("checkpoints", "core", "commands", "render", "writers", "html", "texts", "options", "cli"),
        "errors.py": (
            "checkpoints",
            "core",
            "commands",
            "render",
            "writers",
            "html",
            "texts",
            "options",
            "cli",
            "results",
        ),
        "models.py": ("core", "commands", "render", "writers", "html", "texts", "options", "cli"),
        "shapes.py": ("core", "commands", "render", "writers", "html", "texts", "options", "cli"),
        "checkpoints/": ("core", "commands", "render", "writers", "html", "texts", "options", "cli"),
        "core/": ("commands", "render", "writers", "html", "options", "cli"),
        "render/": ("core", "checkpoints", "commands", "writers", "html", "options", "cli"),
        "writers/": ("core", "checkpoints", "commands", "render", "html", "options", "cli"),
        "html/": ("core", "checkpoints", "commands", "render", "writers", "texts", "options", "cli"),
        "corpus/": ("commands", "render", "html", "options", "cli"),
        "commands/": ("cli",),
    }
    for room, rooms_after in later.items():
        for module in of_room(room):
            known = {name.split(".")[1] for name in imported(module) if name.startswith("bertcli.")}
            assert not known & set(rooms_after), f"{module} looks ahead"


def test_nothing_prints_outside_render() -> None:
    for module in MODULES:
        tree = ast.parse((PACKAGE / module).read_text(encoding="utf-8"))
        calls = {getattr(node.func, "id", "") for node in ast.walk(tree) if isinstance(node, ast.Call)}
        assert "print" not in calls or module.startswith(PRINTERS), module


def test_nothing_reads_what_lies_beside_the_repository() -> None:
    for path in sorted(PACKAGE.rglob("*")):
        if (
            path.is_file()
            and path.suffix in (".py", ".md", ".json", ".js", ".html", ".css")
            and path.stat().st_size < 1e6
        ):
            text = path.read_text(encoding="utf-8")
            assert "shared/" not in text, path
            assert "trust_remote_code=True" not in text, path


@pytest.mark.parametrize("module", MODULES)
def test_a_module_has_at_most_400_lines_and_says_what_it_is(module: str) -> None:
    text = (PACKAGE / module).read_text(encoding="utf-8")
    assert text.count("\n") <= 400
    assert ast.get_docstring(ast.parse(text))


@pytest.mark.parametrize("path", SCRIPTS_AND_STYLES, ids=lambda path: path.name)
def test_a_script_or_a_style_has_at_most_400_lines(path: Path) -> None:
    assert path.read_text(encoding="utf-8").count("\n") <= 400


def loaded(*arguments: str, text: str = "", **env: str) -> set[str]:
    """The packages that a process of bertcli has loaded at its end."""
    command = [sys.executable, "-X", "importtime", "-m", "bertcli", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, input=text, check=False, env={**os.environ, **env})
    assert done.returncode == 0, done.stderr
    assert done.stdout
    lines = [line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")]
    return {name.partition(".")[0] for name in lines} | set(lines)


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["fill-mask", "--help"], ["encode", "-h"]], ids=" ".join
)
def test_help_loads_neither_numpy_nor_a_model_library(arguments: list[str]) -> None:
    found = loaded(*arguments)
    assert "bertcli.cli" in found
    assert not found & {*HEAVY, "tokenizers", "safetensors", "huggingface_hub", "pydantic", "bertcli.core.session"}


@pytest.mark.parametrize(
    "arguments",
    [["shapes", "how are you"], ["shapes", "--batch", "2", "--seq", "8"], ["shapes", "--weights"]],
    ids=" ".join,
)
def test_shapes_come_from_the_config_without_numpy_or_torch(arguments: list[str]) -> None:
    found = loaded(*arguments)
    assert "bertcli.shapes" in found
    assert not found & {*HEAVY, "safetensors", "huggingface_hub"}


@pytest.mark.parametrize(
    "arguments",
    [
        ["fill-mask", "how [MASK] you"],
        ["encode", "how are you"],
        ["attn", "how are you"],
        ["encode", "a", "b", "--json"],
    ],
    ids=" ".join,
)
def test_a_sentence_is_answered_by_numpy_alone(arguments: list[str]) -> None:
    found = loaded(*arguments)
    assert {"numpy", "tokenizers"} <= found
    assert not found & {"torch", "transformers", "safetensors", "huggingface_hub", "jinja2", "matplotlib"}
    assert not found & {"torch", "transformers", "safetensors", "huggingface_hub", "jinja2", "pyarrow"}
    assert not found & {"bertcli.core.bulk", "bertcli.texts.parquet", "bertcli.writers.parquet"}


@pytest.mark.parametrize(
    "arguments", [["encode", "how are you"], ["shapes", "how are you"], ["shapes", "--weights"]], ids=" ".join
)
def test_a_model_in_the_hubs_cache_is_opened_without_huggingface_hub(
    tmp_path: Path, tiny_bert: Path, arguments: list[str]
) -> None:
    fill_cache(tmp_path, "my/bert", files_in(tiny_bert))
    found = loaded(*arguments, "-m", "my/bert", HF_HOME=str(tmp_path), HF_HUB_OFFLINE="0")
    assert "bertcli.checkpoints.cache" in found
    assert not found & {"huggingface_hub", "httpx", "httpx2", "socket", "urllib.request", "bertcli.checkpoints.hub"}


def test_models_are_listed_from_headers_alone(tmp_path: Path, tiny_bert: Path) -> None:
    fill_cache(tmp_path, "my/bert", files_in(tiny_bert))
    found = loaded("models", HF_HOME=str(tmp_path), HF_HUB_OFFLINE="0")
    assert "bertcli.models" in found
    assert not found & {*HEAVY, "tokenizers", "huggingface_hub", "httpx", "httpx2", "bertcli.checkpoints.hub"}


def test_a_published_model_has_shapes_without_huggingface_hub() -> None:
    found = loaded("shapes", "-m", "bert-large-cased", "--batch", "2", "--seq", "128", HF_HUB_OFFLINE="0")
    assert "bertcli.checkpoints.published" in found
    assert not found & {*HEAVY, "huggingface_hub", "httpx", "httpx2", "bertcli.checkpoints.hub"}


def test_candidates_for_a_mask_load_nothing_of_the_other_questions() -> None:
    found = loaded("fill-mask", "how [MASK] you", "--format", "table")
    questions = ("bertcli.core.masks.", "bertcli.commands.fill_mask.", "bertcli.render.tables.masks")
    assert {name.rpartition(".")[2] for name in found if name.startswith(questions)} == {
        "predictions", "request", "answer", "question", "predict",
    }  # fmt: skip


@pytest.mark.parametrize("question", [["--score"], ["--mutual"], ["--joint"], ["--lens"], ["--targets", "New York"]])
def test_a_question_about_a_sentence_is_answered_by_numpy_alone(question: list[str]) -> None:
    found = loaded("fill-mask", "how [MASK] you", *question)
    assert "numpy" in found
    assert not found & {"torch", "transformers", "safetensors", "huggingface_hub"}


def test_lines_from_a_pipe_are_answered_by_numpy_alone() -> None:
    assert not loaded("fill-mask", "-", text="how [MASK] you\n" * 20) & {"torch", "transformers"}
