"""The packages that a process of bertcli loads: --help and small questions do without the heavy ones."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bertcli.model.dtypes import GPU_FILES
from tests.families import save_family
from tests.hub import files_in, fill_cache

HEAVY = {"torch", "transformers", "numpy"}


def loaded(*arguments: str, text: str = "", exit_code: int = 0, **env: str) -> set[str]:
    """The packages that a process of bertcli has loaded at its end."""
    command = [sys.executable, "-X", "importtime", "-m", "bertcli", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, input=text, check=False, env={**os.environ, **env})
    assert done.returncode == exit_code, done.stderr
    assert done.stdout or exit_code
    lines = [line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")]
    return {name.partition(".")[0] for name in lines} | set(lines)


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["fill-mask", "--help"], ["encode", "-h"]], ids=" ".join
)
def test_help_loads_neither_numpy_nor_a_model_library(arguments: list[str]) -> None:
    found = loaded(*arguments)
    assert "bertcli.cli.app" in found
    assert not found & {*HEAVY, "tokenizers", "safetensors", "huggingface_hub", "pydantic", "bertcli.model.session"}
    assert not found & {"ctypes", "json"}


@pytest.mark.parametrize("argument", ["--help", "-h", "--version"])
def test_the_help_of_bertcli_builds_no_options_of_commands(argument: str) -> None:
    found = loaded(argument)
    assert {name for name in found if name.startswith("bertcli.")} == {
        "bertcli.cli", "bertcli.cli.app", "bertcli.cli.completion", "bertcli.cli.help", "bertcli.errors",
        "bertcli.interrupts", "bertcli.lazy_dataclass", "bertcli.model", "bertcli.model.resources",
    }  # fmt: skip


@pytest.mark.parametrize(
    "arguments",
    [
        ["shapes", "how are you"],
        ["shapes", "how are you", "--tokens"],
        ["shapes", "how are you", "--lengths"],
        ["shapes", "--batch", "2", "--seq", "8"],
        ["shapes", "--weights"],
    ],
    ids=" ".join,
)
def test_shapes_come_from_the_config_without_numpy_or_torch(arguments: list[str]) -> None:
    found = loaded(*arguments)
    assert "bertcli.commands.shapes.command" in found
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
    assert not found & {"bertcli.input.parquet", "bertcli.output.files.parquet"}


@pytest.mark.parametrize("command", [["shapes"], ["fill-mask"]], ids=" ".join)
def test_a_sentence_is_answered_without_openssl_or_temporary_files(command: list[str]) -> None:
    found = loaded(*command, "how [MASK] you")
    assert not found & {"secrets", "hashlib", "_hashlib", "tempfile", "random", "csv"}


@pytest.mark.parametrize("command", [["shapes"], ["fill-mask"], ["encode"], ["attn"]], ids=" ".join)
def test_rich_is_loaded_for_tables_alone(command: list[str]) -> None:
    assert "rich" not in loaded(*command, "how [MASK] you")


@pytest.mark.parametrize(
    "arguments", [["encode", "how are you"], ["shapes", "how are you"], ["shapes", "--weights"]], ids=" ".join
)
def test_a_model_in_the_hubs_cache_is_opened_without_huggingface_hub(
    tmp_path: Path, tiny_bert: Path, arguments: list[str]
) -> None:
    fill_cache(tmp_path, "my/bert", files_in(tiny_bert))
    found = loaded(*arguments, "-m", "my/bert", HF_HOME=str(tmp_path), HF_HUB_OFFLINE="0")
    assert "bertcli.checkpoints.hub_cache" in found
    assert not found & {"huggingface_hub", "httpx", "httpx2", "socket", "urllib.request", "bertcli.checkpoints.hub"}


def test_models_are_listed_from_headers_alone(tmp_path: Path, tiny_bert: Path) -> None:
    fill_cache(tmp_path, "my/bert", files_in(tiny_bert))
    found = loaded("models", HF_HOME=str(tmp_path), HF_HUB_OFFLINE="0")
    assert "bertcli.checkpoints.find" in found
    assert not found & {*HEAVY, "tokenizers", "huggingface_hub", "httpx", "httpx2", "bertcli.checkpoints.hub"}


def test_a_published_model_has_shapes_without_huggingface_hub() -> None:
    found = loaded("shapes", "-m", "bert-large-cased", "--batch", "2", "--seq", "128", HF_HUB_OFFLINE="0")
    assert "bertcli.checkpoints.names" in found
    assert not found & {*HEAVY, "huggingface_hub", "httpx", "httpx2", "bertcli.checkpoints.hub"}


def test_recipes_are_loaded_for_embeddings_alone() -> None:
    recipes = {"bertcli.checkpoints.recipe", "bertcli.model.recipe", "bertcli.checkpoints.module_weights"}
    assert not loaded("fill-mask", "how [MASK] you") & recipes


def test_a_table_of_vectors_loads_nothing_of_fill_mask() -> None:
    found = loaded("encode", "how are you", "--format", "table")
    assert "bertcli.output.tables.encode" in found
    assert not found & {"bertcli.output.tables.fill_mask", "bertcli.results.masks"}


def test_candidates_for_a_mask_load_nothing_of_the_other_questions() -> None:
    found = loaded("fill-mask", "how [MASK] you", "--format", "table")
    questions = ("bertcli.analysis.masks.", "bertcli.commands.fill_mask.", "bertcli.output.tables.masks")
    assert {name.rpartition(".")[2] for name in found if name.startswith(questions)} == {
        "predictions", "request", "command", "analyses", "analysis", "candidates", "scores",
    }  # fmt: skip


@pytest.mark.parametrize("question", [["--score"], ["--mutual"], ["--joint"], ["--lens"], ["--targets", "New York"]])
def test_a_question_about_a_sentence_is_answered_by_numpy_alone(question: list[str]) -> None:
    found = loaded("fill-mask", "how [MASK] you", *question)
    assert "numpy" in found
    assert not found & {"torch", "transformers", "safetensors", "huggingface_hub"}


def test_lines_from_a_pipe_are_answered_by_numpy_alone() -> None:
    assert not loaded("fill-mask", "-", text="how [MASK] you\n" * 20) & {"torch", "transformers"}


@pytest.mark.skipif(any(map(os.path.exists, GPU_FILES)), reason="this machine has a GPU")
def test_a_missing_gpu_is_reported_without_torch() -> None:
    found = loaded("encode", "how are you", "--device", "cuda", exit_code=1)
    assert "bertcli.model.engine_choice" in found
    assert "torch" not in found


def test_modernbert_is_loaded_for_its_checkpoints_alone(tmp_path: Path) -> None:
    ask = ("fill-mask", "how [MASK] you", "-m")
    assert not {name for name in loaded(*ask, "bundled") if "modernbert" in name}
    found = loaded(*ask, str(save_family(tmp_path, "modernbert")))
    assert "bertcli.model.modernbert" in found
    assert not found & {"torch", "transformers"}


def test_the_process_ends_without_freeing_its_modules() -> None:
    script = (
        "import atexit, sys\n"
        "class Loud:\n"
        "    def __del__(self):\n"
        "        print('freed')\n"
        "sys.modules['loud'] = Loud()\n"
        "atexit.register(print, 'exit functions run')\n"
        "sys.argv = ['bertcli', '--version']\n"
        "from bertcli.__main__ import main\n"
        "main()\n"
    )
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert shown.splitlines()[1:] == ["exit functions run"]


def test_a_start_is_too_short_for_the_garbage_collector() -> None:
    script = (
        "import atexit, gc, sys\n"
        "atexit.register(lambda: print([each['collections'] for each in gc.get_stats()], file=sys.stderr))\n"
        "gc.disable()\n"
        "sys.argv = ['bertcli', 'fill-mask', 'how [MASK] you', '--format', 'table']\n"
        "from bertcli.__main__ import main\n"
        "before = [each['collections'] for each in gc.get_stats()]\n"
        "print(before, file=sys.stderr)\n"
        "gc.enable()\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    before, after = done.stderr.splitlines()
    assert before == after


def test_a_start_compiles_no_methods_of_dataclasses() -> None:
    script = (
        "import sys\n"
        # Modules without bytecode are compiled too, under the names of their files.
        "is_method = lambda event, given: event == 'compile' and given[1] == '<string>'\n"
        "sys.addaudithook(lambda event, given: is_method(event, given) and print(given[0], file=sys.stderr))\n"
        "sys.argv = ['bertcli', 'fill-mask', 'how [MASK] you']\n"
        "from bertcli.__main__ import main\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    made = [line for line in done.stderr.splitlines() if "def __init__(" in line or "def __create_fn__(" in line]
    assert len(made) <= 1, made  # that of TensorInfo: the checkpoint has a hundred tensors
