"""Write the scripts in completions/: `python -m tools.completions`, from the root of the repository."""

from pathlib import Path

from tools.completions import bash, fish, zsh
from tools.completions.app import read_app, read_commands

FOLDER = Path(__file__).parent.parent.parent / "completions"
_SCRIPTS = {"bertcli.bash": bash, "_bertcli": zsh, "bertcli.fish": fish}
_NOTE = "Generated from the options of bertcli by `python -m tools.completions`. Do not edit."


def scripts() -> dict[str, str]:
    """Return the text of each file of completions/, by its name."""
    app, commands = read_app(), read_commands()
    return {name: shell.script(app, commands, _NOTE) for name, shell in _SCRIPTS.items()}


def main() -> None:
    """Write the scripts."""
    FOLDER.mkdir(exist_ok=True)
    for name, text in scripts().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
