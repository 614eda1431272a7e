"""Completion: the scripts are up to date, are in the wheel, and work in the shells.

The shells run in a pseudo-terminal, with the scripts where a wheel installs them. Their bertcli prints its arguments,
so that a test sees the result of the keys that it presses.
"""

import os
import re
import shlex
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pexpect
import pytest

from tests.cli.process import COMMAND, COMMANDS, environment
from tests.cli.test_help import CHOICES, OWN, SHARED
from tests.hub import files_in, fill_cache
from tests.programs import needed, needed_file
from tools.completions.__main__ import FOLDER, scripts

REPOSITORY = FOLDER.parent
BASH, ZSH, FISH = "bash-completion/completions/bertcli", "zsh/site-functions", "fish/vendor_completions.d/bertcli.fish"
IN_WHEEL = {
    BASH: "bertcli.bash",
    f"{ZSH}/_bertcli": "_bertcli",
    FISH: "bertcli.fish",
}
BASH_SETTINGS = "bind 'set enable-bracketed-paste off'; bind 'set show-all-if-ambiguous on'"
CACHED = ("acme/tiny-bert", "acme/tiny-roberta")
# A bertcli that prints its arguments. It lists the models for the scripts as the real one does.
SPY = """\
#!/bin/sh
[ -n "$_BERTCLI_COMPLETE" ] && exec {python} -m bertcli
printf '<<'; printf '%s|' "$@"; echo '>>'
"""


@pytest.fixture(scope="module")
def share(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel and return its share/ folder."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=REPOSITORY, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder, [name for name in archive.namelist() if ".data/data/share/" in name])
    (data,) = folder.glob("*.data/data/share")
    return data


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, tiny_bert: Path) -> Path:
    """Return a home folder with files, folders, a cache of models, and bin/bertcli."""
    home = tmp_path_factory.mktemp("home")
    for repository in CACHED:
        fill_cache(home, repository, files_in(tiny_bert))
    # Without the last folder, fish reads all manual pages of the machine in the background.
    for folder in ("bin", "my models", "outcome", "bundle-of-mine", "data/fish/generated_completions"):
        (home / folder).mkdir(parents=True)
    for file in ("lines.txt", "my lines.txt"):
        (home / file).touch()
    spy = home / "bin" / "bertcli"
    spy.write_text(SPY.format(python=shlex.quote(sys.executable)), encoding="utf-8")
    spy.chmod(0o755)
    return home


def shell_environment(home: Path, share: Path) -> dict[str, str]:
    """Return an environment with the home folder, its bertcli and models, and the scripts of the wheel."""
    env = environment({
        "HOME": str(home),
        "PATH": f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(REPOSITORY),
        "HF_HOME": str(home),
        "XDG_DATA_DIRS": f"{share}:/usr/share",
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_DATA_HOME": str(home / "data"),
        "INPUTRC": "/dev/null",
        "TERM": "dumb",
    })  # fmt: skip
    return {name: value for name, value in env.items() if name != "PS1"}


class Shell:
    """An interactive shell in a wide pseudo-terminal."""

    def __init__(self, command: list[str], set_up: str, home: Path, env: dict[str, str]) -> None:
        self._process = pexpect.spawn(
            command[0], command[1:], cwd=str(home), env=env, encoding="utf-8", timeout=20, dimensions=(200, 300)
        )
        self.name = Path(command[0]).name
        self._process.sendline(f"{set_up}\necho ready''-to-go")
        self._process.expect("ready-to-go")

    def arguments_after(self, keys: str) -> list[str]:
        """Press the keys and Return, and return the arguments that bertcli gets."""
        self._process.send(f"{keys}\r")
        self._process.expect(r"<<([^<>]*)\|>>")
        return str(self._process.match[1]).split("|")

    def output_after(self, keys: str, last: str) -> str:
        """Press the keys, return the output of the shell up to the words `last`, and cancel the line."""
        self._process.send(keys)
        self._process.expect(re.escape(last))
        shown = f"{self._process.before}{last}"
        self._process.sendcontrol("c")
        return shown

    def close(self) -> None:
        self._process.close(force=True)


def start_bash(home: Path, share: Path) -> Shell:
    set_up = f"{BASH_SETTINGS}; source {shlex.quote(str(share / BASH))}"
    return Shell([needed("bash"), "--norc", "--noprofile", "-i"], set_up, home, shell_environment(home, share))


def start_zsh(home: Path, share: Path) -> Shell:
    set_up = f"fpath=({shlex.quote(str(share / ZSH))} $fpath); autoload -Uz compinit; compinit -u -D; PROMPT='> '"
    return Shell([needed("zsh"), "-f", "-i"], set_up, home, shell_environment(home, share))


def start_fish(home: Path, share: Path) -> Shell:
    # In a dumb terminal fish lists nothing.
    env = {**shell_environment(home, share), "TERM": "xterm"}
    return Shell([needed("fish"), "-i"], "function fish_prompt; echo '> '; end", home, env)


SHELLS = {"bash": start_bash, "zsh": start_zsh, "fish": start_fish}


@pytest.fixture(scope="module", params=SHELLS)
def shell(request: pytest.FixtureRequest, home: Path, share: Path) -> Iterator[Shell]:
    shell = SHELLS[request.param](home, share)
    yield shell
    shell.close()


def test_the_scripts_are_up_to_date() -> None:
    found = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()}
    assert found == scripts(), "run: python -m tools.completions"


def test_the_wheel_installs_each_script_where_its_shell_looks(share: Path) -> None:
    found = {
        str(path.relative_to(share)): path.read_text(encoding="utf-8") for path in share.rglob("*") if path.is_file()
    }
    assert found == {path: scripts()[name] for path, name in IN_WHEEL.items()}


@pytest.mark.parametrize(
    ("keys", "arguments"),
    [
        ("bertcli enc\thi", ["encode", "hi"]),
        ("bertcli fi\thi", ["fill-mask", "hi"]),
        ("bertcli --vers\t", ["--version"]),
        ("bertcli encode hi --norm\t", ["encode", "hi", "--normalize"]),
        ("bertcli encode --pooling ma\thi", ["encode", "--pooling", "max", "hi"]),
        ("bertcli encode --pooling=ma\thi", ["encode", "--pooling=max", "hi"]),
        ("bertcli encode --engine tra\t--format ta\t", ["encode", "--engine", "transformers", "--format", "table"]),
        ("bertcli attn --device cu\thi", ["attn", "--device", "cuda", "hi"]),
        ("bertcli encode -f lin\t-o outc\tx.npy", ["encode", "-f", "lines.txt", "-o", "outcome/x.npy"]),
        ("bertcli encode --file my\\ l\thi", ["encode", "--file", "my lines.txt", "hi"]),
        ("bertcli encode --file=my\\ l\thi", ["encode", "--file=my lines.txt", "hi"]),
        ("bertcli encode -m acme/tiny-b\thi", ["encode", "-m", "acme/tiny-bert", "hi"]),
        ("bertcli shapes --model=acme/tiny-r\thi", ["shapes", "--model=acme/tiny-roberta", "hi"]),
        ("bertcli encode -m my\thi", ["encode", "-m", "my models/hi"]),
        ("bertcli encode -m bundle-\thi", ["encode", "-m", "bundle-of-mine/hi"]),
        ("bertcli encode -m ~/outc\thi", ["encode", "-m", "HOME/outcome/hi"]),
        ("bin/bertcli encode -m acme/tiny-b\thi", ["encode", "-m", "acme/tiny-bert", "hi"]),
        ("bertcli encode -- --norm\t", ["encode", "--", "--norm"]),
        ("bertcli encode lin\t", ["encode", "lin"]),
        ("bertcli encode --pair lin\t", ["encode", "--pair", "lin"]),
        ("bertcli encode encode --wei\t", ["encode", "encode", "--wei"]),
    ],
)  # fmt: skip
def test_keys_are_completed_to_arguments(shell: Shell, home: Path, keys: str, arguments: list[str]) -> None:
    assert shell.arguments_after(keys) == [argument.replace("HOME", str(home)) for argument in arguments]


def test_possible_options_are_listed(shell: Shell) -> None:
    shown = shell.output_after("bertcli shapes --w\t", "idth")
    assert "eights" in shown
    assert shell.name == "bash" or "List the tensors of the checkpoint" in shown


def bash_candidates(home: Path, share: Path, *words: str) -> set[str]:
    """Return the completions of bash for the last word."""
    line = " ".join(map(shlex.quote, words))
    script = f"""
        source {shlex.quote(str(share / BASH))}
        COMP_WORDS=({line}) COMP_CWORD={len(words) - 1}
        _bertcli bertcli && printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    return candidates([needed("bash"), "--norc", "-c", script], home, share)


def fish_candidates(home: Path, share: Path, *words: str) -> set[str]:
    """Return the completions of fish for the last word."""
    return candidates([needed("fish"), "-c", 'complete -C "$argv"', *words], home, share)


def candidates(command: list[str], home: Path, share: Path) -> set[str]:
    env = shell_environment(home, share)
    done = subprocess.run(command, cwd=home, env=env, capture_output=True, text=True, check=True)
    assert not done.stderr
    return {line.partition("\t")[0] for line in done.stdout.splitlines()}


OFFERED = pytest.mark.parametrize("offered", [bash_candidates, fish_candidates])


@OFFERED
def test_the_commands_are_offered(offered: Any, home: Path, share: Path) -> None:
    assert offered(home, share, "bertcli", "") == {*COMMANDS, "models"}


@OFFERED
@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_of_a_command_is_offered(offered: Any, home: Path, share: Path, command: str) -> None:
    long = {name for name in SHARED | OWN[command] if name.startswith("--")}
    assert offered(home, share, "bertcli", command, "--") == long
    assert {name for name in SHARED | OWN[command] if name[1] != "-"} <= offered(home, share, "bertcli", command, "-")


@OFFERED
@pytest.mark.parametrize("shown", CHOICES)
def test_the_choices_of_an_option_are_offered(offered: Any, home: Path, share: Path, shown: str) -> None:
    option, choices = shown.split(" ")
    assert offered(home, share, "bertcli", "encode", option, "") == set(choices.split("|"))


@OFFERED
def test_models_and_folders_are_offered(offered: Any, home: Path, share: Path) -> None:
    found = offered(home, share, "bertcli", "encode", "-m", "")
    assert {"bundled", *CACHED} < found
    assert {"my models", "outcome"} <= {name.rstrip("/") for name in found}
    assert "lines.txt" not in found


def test_the_loader_of_bash_finds_the_script(home: Path, share: Path) -> None:
    loader = needed_file("/usr/share/bash-completion/bash_completion")
    shell = Shell(
        [needed("bash"), "--norc", "--noprofile", "-i"],
        f"{BASH_SETTINGS}; source {loader}",
        home,
        shell_environment(home, share),
    )
    assert shell.arguments_after("bertcli enc\t-m acme/tiny-b\t") == ["encode", "-m", "acme/tiny-bert"]
    shell.close()


def request_models(home: Path, value: str, *command: str) -> subprocess.CompletedProcess[str]:
    """Run bertcli as the scripts do to list the models."""
    env = environment({"_BERTCLI_COMPLETE": value, "HF_HOME": str(home)})
    return subprocess.run([*(command or COMMAND)], env=env, capture_output=True, text=True)


def test_bertcli_lists_the_models_for_the_scripts(home: Path) -> None:
    done = request_models(home, "models")
    names = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, "")
    assert names[0] == "bundled"
    assert set(CACHED) < set(names)
    assert len(names) == len(set(names))


def test_the_models_are_listed_without_loading_typer_or_numpy(home: Path) -> None:
    done = request_models(home, "models", sys.executable, "-X", "importtime", "-m", "bertcli")
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "bertcli" in loaded
    assert not loaded & {"typer", "rich", "numpy", "tokenizers", "huggingface_hub", "torch", "asyncio", "ssl"}
