"""The script for bash 3.2 and later."""

from collections.abc import Iterable, Iterator, Sequence

from tools.completions.app import FILE, MODEL, Command, Option

_BEGIN = """\
# {note}

_bertcli() {{
    local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD - 1]}} options='' values='' takes='' word
    COMPREPLY=()
    # bash splits --option=value into three words.
    if [[ $cur == = ]]; then
        cur=''
    elif [[ $prev == = ]]; then
        prev=${{COMP_WORDS[COMP_CWORD - 2]}}
    fi
    # Only texts follow --.
    for word in "${{COMP_WORDS[@]:1:COMP_CWORD - 1}}"; do
        [[ $word == -- ]] && return
    done
    if ((COMP_CWORD == 1)); then
        values='{commands}'
        [[ $cur == -* ]] && values='{options}'
        COMPREPLY=($(compgen -W "$values" -- "$cur"))
        return
    fi
    case ${{COMP_WORDS[1]}} in
"""
_END = """\
    esac
    case $takes in
        file)
            # bash 3.2 has no compopt. There, spaces in file names are not escaped.
            compopt -o default 2>/dev/null || { local IFS=$'\\n'; COMPREPLY=($(compgen -f -- "$cur")); }
            ;;
        model)
            local IFS=$'\\n' folders
            COMPREPLY=($(compgen -W "$(_BERTCLI_COMPLETE=models "${1/#\\~/$HOME}" 2>/dev/null)" -- "$cur"))
            folders=($(compgen -d -- "$cur"))
            if ((${#COMPREPLY[@]})); then
                # With -o filenames bash would list only the last part of owner/name, so complete folders without it.
                COMPREPLY+=("${folders[@]/%//}")
            else
                compopt -o filenames 2>/dev/null
                COMPREPLY=("${folders[@]}")
            fi
            ;;
        value)
            COMPREPLY=($(compgen -W "$values" -- "$cur"))
            ;;
        *)
            [[ $cur == -* ]] && COMPREPLY=($(compgen -W "$options" -- "$cur"))
            ;;
    esac
}

complete -F _bertcli bertcli
"""


def script(app: Command, commands: Sequence[Command], note: str) -> str:
    """Return the script.

    Args:
        app: The app, with the options that precede a command.
        commands: The commands.
        note: Text of the comment at the top.
    """
    names = " ".join(command.name for command in commands)
    return _BEGIN.format(note=note, commands=names, options=_names(app.options)) + "".join(map(_case, commands)) + _END


def _case(command: Command) -> str:
    values = "".join(f"                {line}\n" for line in _values(command.options))
    return f"""\
        {command.name})
            options='{_names(command.options)}'
            case $prev in
{values}            esac
            ;;
"""


def _values(options: Iterable[Option]) -> Iterator[str]:
    """Yield a case for each option with a value: the kind of value, and the choices."""
    for option in options:
        pattern = "|".join(option.names)
        if option.choices:
            yield f"{pattern}) takes=value values='{' '.join(option.choices)}' ;;"
        elif option.value is not None:
            takes = {FILE: "file", MODEL: "model"}.get(option.value, "value")
            yield f"{pattern}) takes={takes} ;;"


def _names(options: Iterable[Option]) -> str:
    return " ".join(name for option in options for name in option.names)
