"""The script for zsh."""

from collections.abc import Iterator, Sequence

from tools.completions.app import FILE, MODEL, Command, Option

_BEGIN = """\
#compdef bertcli
# {note}

_bertcli_models() {{
  local -a models
  models=(${{(f)"$(_BERTCLI_COMPLETE=models _call_program models $bertcli)"}})
  _alternative 'models:model:compadd -a models' 'folders:folder:_files -/'
}}

_bertcli() {{
  local bertcli=$words[1]
  local -a commands
  commands=(
{commands}
  )
  if ((CURRENT == 2)); then
    _describe -t commands command commands
    [[ $PREFIX == -* ]] && _arguments \\
{options}
    return
  fi
  shift words
  ((CURRENT--))
  case $words[1] in
"""
_CASE = """\
    {name})
      _arguments -s -S \\
{options} \\
        '*:text:()'
      ;;
"""
_END = """\
  esac
}

# compinit autoloads this file as the function itself. If it was sourced instead, register the function.
if [[ $funcstack[1] == _bertcli ]]; then
  _bertcli "$@"
else
  compdef _bertcli bertcli
fi
"""


def script(app: Command, commands: Sequence[Command], note: str) -> str:
    """Return the script.

    Args:
        app: The app, with the options that precede a command.
        commands: The commands.
        note: Text of the comment at the top.
    """
    described = "\n".join(f"    {_quoted(f'{command.name}:{command.help}')}" for command in commands)
    cases = "".join(_CASE.format(name=command.name, options=_specs(command, 8)) for command in commands)
    return _BEGIN.format(note=note, commands=described, options=_specs(app, 6)) + cases + _END


def _specs(command: Command, indent: int) -> str:
    lines = (line for option in command.options for line in _spec(option))
    return " \\\n".join(" " * indent + line for line in lines)


def _spec(option: Option) -> Iterator[str]:
    """Yield an argument of _arguments for each name. The names of an option exclude one another."""
    others = f"({' '.join(option.names)})" if len(option.names) > 1 else ""
    for name in option.names:
        takes_here = "=" if option.value is not None and name.startswith("--") else ""
        yield _quoted(f"{others}{name}{takes_here}[{_plain(option.help, '[]:')}]{_value(option)}")


def _value(option: Option) -> str:
    if option.value is None:
        return ""
    if option.choices:
        return f":{option.value}:({' '.join(option.choices)})"
    action = {FILE: "_files", MODEL: "_bertcli_models"}.get(option.value, " ")
    return f":{option.value}:{action}"


def _plain(text: str, special: str) -> str:
    """Return the text with the characters that are special to _arguments escaped."""
    return "".join(f"\\{character}" if character in f"\\{special}" else character for character in text)


def _quoted(text: str) -> str:
    """Return the text quoted as one word of the shell."""
    return "'" + text.replace("'", "'\\''") + "'"
