"""Dialogue: a command on a terminal without texts asks for them at a prompt, and answers each one."""

import re
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from bertcli.errors import BadText, BertcliError, ExitCode, WrongUsage
from bertcli.input.records import STDIN, TextSource
from bertcli.output.messages import print_error, print_failure, print_note, print_plain
from bertcli.quoting import shortened

_HELP = (
    "Type a text and press Enter. Lines that begin with a colon are commands:",
    "  :model NAME   use another model",
    "  :k N          show N candidates (fill-mask), or N terms of a lexical vector",
    "  :help         show this help",
    "  :quit         leave; Ctrl-D does the same",
)


def wants_dialogue(request: Any, source: TextSource) -> bool:
    """Return True if a user at a terminal has given no texts, and the answers go to the terminal too.

    Args:
        request: The options of the command.
        source: The source of its texts. Texts that are typed have no fields.
    """
    texts, output = request.texts, request.output
    if texts.file or texts.texts not in ([], [STDIN]) or output.output is not None or output.svg is not None:
        return False
    if source.option_of_files:
        return False
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))


class Dialogue:
    """Reads texts at a prompt, with the line editing and history of readline, and answers each one.

    Args:
        prompt: What the line begins with.
        request: The options of the command.
        answer: Runs the command for one text.
    """

    def __init__(self, prompt: str, request: Any, answer: Callable[[Any], ExitCode]) -> None:
        self._prompt, self._request, self._answer = prompt, request, answer
        # The options before the commands that no text has been answered with yet.
        self._earlier_request = request

    def run(self) -> ExitCode:
        """Answer texts until the end of the input."""
        from bertcli.model.session import keep_sessions

        with suppress(ImportError):  # not every Python has it, and input works without it
            import readline

            readline.parse_and_bind("set disable-completion on")  # a tab separates the sentences of --pairs
        if not self._request.output.quiet:
            print_plain("Type a text and press Enter; :help lists the commands, :quit leaves.")
        with keep_sessions():
            while (line := self._read_line()) is not None:
                try:
                    if line.startswith(":"):
                        self._obey(*line[1:].split(maxsplit=1))
                    elif line:
                        self._answer_text(line)
                        self._earlier_request = self._request
                except BrokenPipeError:
                    raise
                except (BertcliError, OSError, MemoryError) as error:
                    print_failure(error)
                    if line and not line.startswith(":") and not isinstance(error, BadText):
                        self._undo_commands()
        return ExitCode.DONE

    def _read_line(self) -> str | None:
        """Return the next line without the spaces around it, or None at the end."""
        try:
            line = input(f"{self._prompt}> ").strip()
        except EOFError:
            print_plain("")  # so that the shell's prompt begins a line
            return None
        except UnicodeDecodeError:
            print_error("the line is not UTF-8", "set the encoding of the terminal to UTF-8")
            return ""
        return None if line in (":quit", ":q") else line

    def _answer_text(self, text: str) -> None:
        if text == STDIN:
            raise BadText("- means standard input, which this dialogue reads", hint="type a text")
        self._answer(replace(self._request, texts=replace(self._request.texts, texts=[text])))

    def _undo_commands(self) -> None:
        """Go back to the options that worked, since each further text would fail too."""
        if self._request is not self._earlier_request:
            self._request = self._earlier_request
            print_note("the commands since the last answer are undone")

    def _confirm(self, message: str) -> None:
        """Print what a command has set, unless --quiet is set."""
        if not self._request.output.quiet:
            print_plain(message)

    def _obey(self, name: str = "", value: str = "") -> None:
        """Run a command of the dialogue. Raises WrongUsage."""
        match name:
            case "help":
                print_plain(*_HELP)
            case "model" if value:
                self._request = replace(self._request, model=replace(self._request.model, model=value, revision=None))
                self._confirm(f"model: {value}")
            case "model":
                raise WrongUsage(":model needs a name", hint=":model bundled")
            case "k" if not hasattr(self._request, "top_k"):
                raise WrongUsage(":k works in fill-mask and encode only", hint=":help lists the commands")
            case "k" if re.fullmatch(r"\d{1,9}", value, re.ASCII) and int(value) > 0:
                self._request = replace(self._request, top_k=int(value))
                self._confirm(f"k: {value}")
            case "k":
                raise WrongUsage(":k needs a number of at least 1", hint=":k 10")
            case _:
                raise WrongUsage(f"there is no command {shortened(':' + name)}", hint=":help lists the commands")
