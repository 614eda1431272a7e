"""README.md does what it says: its commands run, in its order, in a terminal of 80 columns, and print what it shows."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.programs import needed
from tools.readme import console
from tools.readme.console import Found, commands, run, write_files

REPOSITORY = Path(__file__).parent.parent
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
# What a test cannot do: install from the network, or measure for minutes.
NOT_RUN = ("pip install ", "python benchmarks/", ".ci/run")
# Programs beside Python that a command of the README needs, by a word in it.
PROGRAMS = {"jq": ("jq",), "make": ("make",), "letter.txt": ("vim", "jq")}
# How far a shown number may be from a computed one: the last of its digits.
TOLERANCE = 0.0011


def blocks(language: str) -> list[str]:
    """What stands in the README's blocks of that language."""
    return console.blocks(README, language)


SHOWN = [shown for block in blocks("console") for shown in commands(block)]


def is_number(word: str) -> bool:
    return re.fullmatch(r"-?\d+(\.\d+)?(e-?\d+)?", word) is not None


def parts(output: str) -> list[str]:
    """The output's words and marks, its numbers whole; how many spaces are between them is left to golden files."""
    return re.findall(r"-?\d+\.\d+(?:e-?\d+)?|[^\s,\[\]{}]+|[,\[\]{}]", output)


@pytest.fixture(scope="module")
def transcript(tmp_path_factory: pytest.TempPathFactory) -> list[Found]:
    folder = tmp_path_factory.mktemp("readme")
    write_files(README, folder)
    return [run(shown.command, folder) for shown in SHOWN]


@pytest.mark.parametrize("number", range(len(SHOWN)), ids=[shown.command for shown in SHOWN])
def test_a_command_of_the_readme_prints_what_it_shows(number: int, transcript: list[Found]) -> None:
    shown, found = SHOWN[number], transcript[number]
    for word in PROGRAMS:
        if re.search(rf"\b{re.escape(word)}\b", shown.command):
            for program in PROGRAMS[word]:
                needed(program)
    assert found.exit_code == 0, found.output
    wanted, came = parts(shown.output), parts(found.output)
    assert len(wanted) == len(came), found.output
    for word, other in zip(wanted, came, strict=True):
        if is_number(word) and is_number(other):
            assert float(other) == pytest.approx(float(word), abs=TOLERANCE), found.output
        else:
            assert other == word, found.output


def test_the_readme_begins_with_the_two_commands_of_the_set_up() -> None:
    assert blocks("sh")[0].splitlines() == [
        'pip install -c constraints.txt . && bertcli fill-mask "how [MASK] you"',
        "pip install -c constraints.txt -e '.[test]' && pytest",
    ]


def test_ci_runs_the_two_commands_as_the_readme_spells_them() -> None:
    script = (REPOSITORY / ".ci" / "run").read_text(encoding="utf-8")
    assert "pip install -c constraints.txt -e '.[test]' && pytest" in script
    assert "pip install -c constraints.txt . && " in script
    assert 'bertcli fill-mask "how [MASK] you"' in script


def test_every_other_command_of_the_readme_needs_the_network_or_minutes() -> None:
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    assert lines
    assert [line for line in lines if not line.startswith(NOT_RUN)] == []


def test_every_command_is_shown() -> None:
    for command in ("fill-mask", "encode", "shapes", "attn", "models"):
        assert any(f"bertcli {command}" in shown.command for shown in SHOWN), command


@pytest.mark.parametrize("command", ["encode", "fill-mask", "shapes", "attn", "models"])
def test_no_option_is_missing_from_the_readme(command: str) -> None:
    help_text = subprocess.run([sys.executable, "-m", "bertcli", command, "--help"], capture_output=True, text=True)
    options = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", help_text.stdout))
    assert len(options) > 5
    assert sorted(option for option in options if f"`{option}" not in README and f" {option}" not in README) == []
