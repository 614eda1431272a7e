"""Help, version, and what happens where the command line cannot be understood."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bertcli import __version__
from tests.cli.process import COMMANDS, TEXT, assert_refused_by_typer, environment, run

# Options of every command, by their names; those of one command beside them.
SHARED = {
    "-f", "--file", "--field", "--column", "--id-field", "--id-column", "--input-format",
    "--pair", "--pairs", "--on-error",
    "-m", "--model", "--revision", "--offline", "--engine", "--device", "--dtype",
    "--batch-tokens", "--max-length", "--truncate",
    "--format", "--json", "-o", "--output", "--svg", "--force", "--color", "--width",
    "-q", "--quiet", "--debug",
    "-h", "--help",
}  # fmt: skip
OWN = {
    "encode": {"--pool", "--normalize", "--tokens", "--layers", "--pooler", "--similarity",
               "--dtype-out", "--keep-text", "--shard-rows", "--resume", "--dedupe",
               "--ray", "--ray-address", "--actors", "--gpus-per-actor"},
    "fill-mask": {
        "-k", "--top-k", "--mass", "--entropy", "--targets", "--target-score", "--joint", "--order", "--score",
        "--within-word", "--lens", "--compare", "--mutual",
    },
    "shapes": {"--batch", "--seq", "--run", "--weights"},
    "attn": {
        "--layer",
        "--head",
        "--from",
        "-k",
        "--top-k",
        "--label",
        "--top",
        "--by",
        "--group",
        "--stat",
        "--grid",
        "--aggregate",
        "--rollout",
        "--value-norms",
        "--head-distance",
        "--words",
        "--rows",
        "--cols",
        "--html",
        "--open",
        "--png",
        "--expansion",
    },
}  # fmt: skip
# The values that an option chooses among, as help shows them.
CHOICES = (
    "--engine <auto|numpy|torch|transformers>",
    "--dtype <float32|float16|bfloat16>",
    "--on-error <stop|skip>",
    "--input-format <auto|text|jsonl|csv|tsv|parquet>",
    "--format <auto|table|json|jsonl|csv|tsv>",
    "--color <auto|always|never>",
)


def option_names(help_text: str) -> set[str]:
    """The names at the head of each entry of the options' list."""
    entries = re.findall(r"^  (-.*?)(?:  |$)", help_text.partition("Options:")[2], re.MULTILINE)
    return {name for entry in entries for name in re.findall(r"(?<!\w)--?[a-z][a-z-]*", entry.partition(" <")[0])}


def first_line_of_help(help_text: str) -> str:
    """The first line beneath the usage."""
    return help_text.splitlines()[2].strip()


@pytest.fixture(scope="module", params=COMMANDS)
def command_help(request: pytest.FixtureRequest) -> tuple[str, str]:
    """A command and the text of its help."""
    return request.param, run(request.param, "--help").answer().text


def test_help_of_a_command_begins_with_an_example_that_can_be_run(command_help: tuple[str, str]) -> None:
    command, text = command_help
    assert text.startswith(f"Usage: bertcli {command} ")
    assert re.fullmatch(rf'Example: bertcli {command} ".+".*', first_line_of_help(text))


def test_a_command_has_every_option(command_help: tuple[str, str]) -> None:
    command, text = command_help
    assert option_names(text) == SHARED | OWN[command]


def test_help_names_the_choices_and_their_defaults(command_help: tuple[str, str]) -> None:
    _, text = command_help
    assert [choice for choice in CHOICES if choice not in text] == []
    assert "BERTCLI_MODEL" in text
    assert re.search(r"--dtype .*?\[default:\s+float32\]", text, re.DOTALL)


def test_models_takes_no_text_and_no_model() -> None:
    text = run("models", "--help").answer().text
    assert first_line_of_help(text) == "Example: bertcli models"
    assert option_names(text) == {
        "--format", "--json", "-o", "--output", "--svg", "--force", "--color", "--width", "-q", "--quiet", "--debug",
        "-h", "--help",
    }  # fmt: skip


def test_short_help_is_help(command_help: tuple[str, str]) -> None:
    command, text = command_help
    assert run(command, "-h").answer().text == text


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_of_the_app_begins_with_an_example_and_lists_the_commands(option: str) -> None:
    text = run(option).answer().text
    assert first_line_of_help(text) == 'Example: bertcli fill-mask "how [MASK] you"'
    listed = re.findall(r"^  ([a-z-]+)  ", text.partition("Commands:")[2], re.MULTILINE)
    assert listed == [*COMMANDS, "models"]


def test_without_arguments_help_is_shown_as_wrong_usage() -> None:
    finished = run()
    assert finished.exit_code == 2
    assert finished.text + finished.stderr == run("--help").text


def test_the_version_is_the_packages() -> None:
    assert run("--version").answer().text == f"bertcli {__version__}\n"


def test_the_console_script_is_the_module() -> None:
    script = shutil.which("bertcli", path=str(Path(sys.executable).parent))
    assert script is not None
    shown = subprocess.run([script, "--help"], capture_output=True, env=environment(), check=True).stdout
    assert shown == run("--help").stdout


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_and_version_load_no_library_that_computes(option: str) -> None:
    lister = (
        "import atexit, sys\n"
        "atexit.register(lambda: print(*sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr))\n"
        f"sys.argv = ['bertcli', {option!r}]\n"
        "from bertcli.__main__ import main\n"
        "main()\n"
    )
    process = subprocess.run([sys.executable, "-c", lister], capture_output=True, text=True, env=environment())
    loaded = set(process.stderr.split())
    assert "typer" in loaded
    assert loaded & {"torch", "transformers", "numpy", "tokenizers", "rich", "safetensors"} == set()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nonsense",), "No such command 'nonsense'."),
        (("--nonsense",), "No such option: --nonsense"),
        (("fill-mask", "--nonsense", TEXT), "No such option: --nonsense"),
        (("encode", "-m"), "Option '-m' requires an argument."),
        (("encode", "hi", "--pool", "median"), "'median' is not one of 'mean', 'cls', 'max', 'pooler'."),
        (("encode", "hi", "--engine", "jax"), "'jax' is not one of"),
        (("encode", "hi", "--dtype", "int8"), "'int8' is not one of"),
        (("encode", "hi", "--on-error", "ask"), "'ask' is not one of 'stop', 'skip'."),
        (("encode", "hi", "--format", "xml"), "'xml' is not one of"),
        (("encode", "hi", "--color", "blue"), "'blue' is not one of"),
        (("encode", "hi", "--width", "3"), "3 is not in the range x>=20."),
        (("encode", "hi", "--batch-tokens", "0"), "0 is not in the range x>=1."),
        (("encode", "hi", "--max-length", "many"), "'many' is not a valid"),
        (("fill-mask", TEXT, "-k", "0"), "0 is not in the range x>=1."),
        (("fill-mask", TEXT, "--mass", "1.5"), "1.5 is not in the range 0<=x<=1."),
        (("fill-mask", TEXT, "--order", "random"), "'random' is not one of 'confidence', 'l2r'."),
        (("fill-mask", TEXT, "--target-score", "max"), "'max' is not one of 'l2r', 'mean'."),
        (("fill-mask", TEXT, "--within-word", "all"), "'all' is not one of 'l2r'."),
        (("attn", "hi", "--layer", "one"), "'one' is not a valid"),
        (("shapes", "--batch", "0", "--seq", "4"), "0 is not in the range x>=1."),
    ],
)
def test_what_typer_cannot_parse_is_wrong_usage(arguments: tuple[str, ...], words: str) -> None:
    assert_refused_by_typer(run(*arguments), words)
