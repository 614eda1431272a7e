"""Hints work when they are followed to the letter."""

import ast
import contextlib
import os
import random
import re
import tomllib
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import pytest
from typer import TyperException

from bertcli.cli.app import make_app
from bertcli.cli.usage import explain
from bertcli.errors import _REQUIREMENTS, BertcliError, ExitCode
from tests.fuzz.options import all_parameters, draw_options
from tests.hints import Argument, followed

REPOSITORY = Path(__file__).parent.parent
COMMANDS = ("encode", "fill-mask", "attn", "shapes", "models")
TEXTS = (Argument("", "how [MASK] you"), Argument("", "the cat [MASK]"))
FILES = ("out.json", "out.npz", "out.parquet", "out/", "out.tsv", "out.svg")
# Options that are not drawn: what they do needs another state of the folder, a terminal, or seconds.
NOT_DRAWN = {"resume", "pager", "engine", "device", "dtype"}
# Hints that only a person can follow.
FOR_PEOPLE = ("name one of them", "name another word", "separate words", "use words", "use targets", "use one of these")


@cache
def option_names(command: str) -> dict[str, str]:
    """Return the first name of each option of a command by all of its names."""
    return {name: each.opts[0] for each in all_parameters(command).values() for name in each.opts if name[0] == "-"}


def hints() -> Iterator[tuple[str, str]]:
    """Yield the place and the text of each hint in the code. The parts of it that are computed are {}."""
    for path in sorted((REPOSITORY / "bertcli").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            is_hint = isinstance(node, ast.keyword) and node.arg == "hint"
            is_table = isinstance(node, ast.Assign) and "hint" in ast.unparse(node.targets[0]).lower()
            if is_hint or is_table:
                yield from ((f"{path}:{node.value.lineno}", text) for text in _texts(node.value))


def _texts(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.JoinedStr):
        yield "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    else:
        for child in ast.iter_child_nodes(node):
            yield from _texts(child)


def test_hints_name_options_that_exist() -> None:
    known = {name for command in COMMANDS for each in all_parameters(command).values() for name in each.opts}
    known |= {name for each in all_parameters("attn").values() for name in each.secondary_opts}
    other_programs = {"-p", "-U"}  # of mkdir and pip
    found = [(place, option) for place, text in hints() for option in re.findall(r"(?<![\w-])--?[a-zA-Z][a-z-]*", text)]
    assert len(found) > 100
    assert [each for each in found if each[1] not in known | other_programs] == []


def test_hints_give_values_that_their_options_take() -> None:
    choices = {
        name: {str(getattr(choice, "value", choice)) for choice in each.type.choices}
        for command in COMMANDS
        for each in all_parameters(command).values()
        if getattr(each.type, "choices", None)
        for name in each.opts
    }
    found = [
        (place, option, value)
        for place, text in hints()
        for option, value in re.findall(r"(--[a-z-]+) ([a-z][a-z0-9-]*)", text)
        if option in choices and value not in ("out", "for", "and", "or")
    ]
    assert len(found) > 20
    assert [each for each in found if each[2] not in choices[each[1]]] == []


def test_hints_install_packages_that_exist() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    requirements = [
        *project["dependencies"],
        *(each for extra in project["optional-dependencies"].values() for each in extra),
    ]
    declared = {re.split(r"[^A-Za-z0-9_-]", each)[0].lower() for each in requirements}
    installed = [each.strip("'").partition("[")[0] for each in _REQUIREMENTS.values()]
    installed += [name for _, text in hints() for name in re.findall(r"pip install (?:-U )?([a-z]\S*)", text)]
    assert {*installed} - {""} <= declared


def error_of(command: str, arguments: Sequence[Argument]) -> BertcliError | None:
    """Run a command in this process. Return its error, None if it succeeds. Its output is dropped."""
    options = [word for each in arguments if each.option for word in each.words()]
    words = [command, *options, *(word for each in arguments if not each.option for word in each.words())]
    with (
        Path(os.devnull).open("w") as nowhere,
        contextlib.redirect_stdout(nowhere),
        contextlib.redirect_stderr(nowhere),
    ):
        try:
            make_app(words)(words, prog_name="bertcli", standalone_mode=False)
        except TyperException as error:
            return explain(error, words)
        except BertcliError as error:
            return error
    return None


class Follower:
    """Follows hints until a command succeeds.

    Attributes:
        runs_left: Number of commands to try at most.
        trail: The errors and hints that led here, for the message of a failing test.
    """

    def __init__(self, command: str) -> None:
        self.command = command
        self.runs_left = 25
        self.trail: list[tuple[str, str]] = []

    def ends(self, arguments: Sequence[Argument], seen: frozenset[str] = frozenset()) -> bool:
        """Return True if some alternatives of the hints end in success, or in a hint that only a person can follow."""
        self.runs_left -= 1
        error = error_of(self.command, arguments)
        if error is None:
            return True
        self.trail.append((error.message, error.hint))
        if error.message in seen or not self.runs_left:
            return False
        names = option_names(self.command)
        tries = list(followed(arguments, error.message, error.hint, names))
        if not tries:
            return error.hint.startswith(FOR_PEOPLE)
        return any(self.ends(each, seen | {error.message}) for each in tries)


@pytest.mark.parametrize("seed", range(60))
def test_following_hints_ends_in_success(
    tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("bertcli.commands.ray.run_on_ray", lambda *_: ExitCode.DONE)  # it takes seconds
    rng = random.Random(seed)
    command = rng.choice(COMMANDS[:4])
    names = option_names(command)
    drawn = [each for name, each in draw_options(rng, command).items() if name not in NOT_DRAWN]
    split = [each[0].split("=", 1) if "=" in each[0] else each for each in drawn]
    options = [Argument(names[option], *value) for option, *value in split]
    options.append(Argument("-o", rng.choice(FILES)) if rng.random() < 0.4 else Argument("--format", "tsv"))
    start = [Argument("-m", str(tiny_bert)), Argument("--force"), *options, *TEXTS]
    follower = Follower(command)
    assert follower.ends(start), (command, options, follower.trail)
