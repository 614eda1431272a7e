"""The script for fish 3.0 and later."""

from collections.abc import Iterator, Sequence

from tools.completions.app import FILE, MODEL, Command, Option

_BEGIN = """\
# {note}

function __bertcli_words_before
    commandline --cut-at-cursor --current-process --tokenize
end

# True if an option of this command can come next. Only texts follow --.
function __bertcli_is_in
    set --local words (__bertcli_words_before)
    test (count $words) -gt 1; and test "$words[2]" = $argv[1]; and not contains -- -- $words
end

function __bertcli_has_no_command
    test (count (__bertcli_words_before)) -eq 1
end

function __bertcli_models
    set --local words (__bertcli_words_before)
    env _BERTCLI_COMPLETE=models (string replace --regex '^~' $HOME -- $words[1]) 2>/dev/null
    __fish_complete_directories (commandline --current-token) folder
end

complete --command bertcli --no-files
"""


def script(app: Command, commands: Sequence[Command], note: str) -> str:
    """Return the script.

    Args:
        app: The app, with the options that precede a command.
        commands: The commands.
        note: Text of the comment at the top.
    """
    return "\n".join([_BEGIN.format(note=note).rstrip("\n"), *_lines(app, commands), ""])


def _lines(app: Command, commands: Sequence[Command]) -> Iterator[str]:
    at_first = "complete --command bertcli --condition __bertcli_has_no_command"
    for command in commands:
        yield f"{at_first} --arguments {command.name} --description {_quoted(command.help)}"
    for option in app.options:
        yield f"{at_first} {_option(option)}"
    for command in commands:
        yield ""
        for option in command.options:
            yield f"complete --command bertcli --condition '__bertcli_is_in {command.name}' {_option(option)}"


def _option(option: Option) -> str:
    names = (
        f"--long-option {name[2:]}" if name.startswith("--") else f"--short-option {name[1:]}" for name in option.names
    )
    return " ".join([*names, *_value(option), f"--description {_quoted(option.help)}"])


def _value(option: Option) -> Iterator[str]:
    if option.value == FILE:
        yield "--require-parameter --force-files"
    elif option.value == MODEL:
        yield "--exclusive --arguments '(__bertcli_models)'"
    elif option.choices:
        yield f"--exclusive --arguments {_quoted(' '.join(option.choices))}"
    elif option.value is not None:
        yield "--exclusive"


def _quoted(text: str) -> str:
    """Return the text quoted as one word of the shell."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
