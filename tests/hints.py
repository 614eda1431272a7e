"""Hints, followed to the letter: the command lines that a user would try next."""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

# A hint has alternatives: "add --words, or leave --pretokenized out".
_ALTERNATIVES = re.compile(r"; |,? or (?=add |use |cut |leave |raise |skip |--)")
_OPTION = re.compile(r"(?<![\w-])--?[a-z][a-z-]*")
_NUMBERS = re.compile(r"use (?:a |positions |a whole )?numbers? (?:from (-?\d+)|of at least (\d+))")
# Words that follow an option without being its value.
_AFTER_FLAGS = ("and", "or", "for", "of", "out", "instead", "to", "all", "alone")
_VERBS = ("use ", "add ", "cut ", "read ", "skip ", "choose ", "continue ", "start ")
# A limit of tokens that the tiny model and all texts fit.
_ENOUGH = "64"
_LIST = re.compile(r"use (?:one of )?(\S+?),? ")


@dataclass(frozen=True, slots=True)
class Argument:
    """An option with its value, or a text.

    Attributes:
        option: The option, "" for a text.
        value: Its value, None for a flag.
    """

    option: str
    value: str | None = None

    def words(self) -> list[str]:
        """Return the words of the command line."""
        return [*([self.option] if self.option else []), *([] if self.value is None else [self.value])]


def followed(
    arguments: Sequence[Argument], message: str, hint: str, names: Mapping[str, str]
) -> Iterator[list[Argument]]:
    """Yield the command line with each alternative of a hint, as far as a program can follow it.

    Args:
        arguments: The command line that failed.
        message: The error.
        hint: Its hint.
        names: The first name of each option by all of its names.
    """
    named = [names.get(option, option) for option in _OPTION.findall(message)]
    for alternative in _ALTERNATIVES.split(hint):
        yield from _follow(arguments, message, named, alternative, names)


def _follow(
    arguments: Sequence[Argument], message: str, named: Sequence[str], action: str, names: Mapping[str, str]
) -> Iterator[list[Argument]]:
    """Yield the command lines that an action allows. named holds the options in the message."""
    mentioned = [names.get(option, option) for option in _OPTION.findall(action)]
    if re.match(r"leave (it|one|one of them) out|use one of them at a time", action):
        for option in named:
            yield _without(arguments, [option])
    elif action.startswith("leave out texts and other options"):
        yield [each for each in arguments if each.option in ("-m", *named)]
    elif action.startswith("leave ") or _OPTION.fullmatch(action):
        yield _without(arguments, [*mentioned, *([""] if "texts" in action else [])])
    elif action.startswith(("name a file", "use .")):
        yield [*_without(arguments, ["-o", "--svg"]), Argument("-o", "out.json")]
    elif mentioned == ["--max-length"] and action.startswith("raise "):
        yield _with_value(arguments, "--max-length", _ENOUGH)
    elif mentioned and action.startswith(_VERBS):
        replaced, _, original = action.partition(" instead of ")
        kept = _without(arguments, [names.get(option, option) for option in _OPTION.findall(original)])
        new = _values(replaced, names)
        yield [*_without(kept, [each.option for each in new]), *new]
    elif number := _NUMBERS.match(action):
        wrong = named[0] if named else _option_with_value_in(message, arguments)
        yield _with_value(arguments, wrong, number[1] or number[2])
    elif named and action.startswith("use ") and (choices := _LIST.match(f"{action} ")):
        yield _with_value(arguments, named[0], choices[1].strip("'"))


def _option_with_value_in(message: str, arguments: Sequence[Argument]) -> str:
    """Return the option whose value a message quotes."""
    words = re.findall(r"-?\w+", message)
    # A head is named by its layer first: 9.0. A value may be a list of layers.
    parts = {each.option: [part.split(".")[0] for part in (each.value or "").split(",")] for each in arguments}
    return next((option for option, values in parts.items() if option and {*values} & {*words}), "")


def _without(arguments: Sequence[Argument], options: Sequence[str]) -> list[Argument]:
    return [each for each in arguments if each.option not in options]


def _with_value(arguments: Sequence[Argument], option: str, value: str) -> list[Argument]:
    return [Argument(each.option, value) if each.option == option else each for each in arguments]


def _values(action: str, names: Mapping[str, str]) -> list[Argument]:
    """Return the options of an action with their values. A value ends at a comma or a space."""
    try:
        words = shlex.split(action)
    except ValueError:  # an apostrophe
        words = action.split()
    found = []
    for word, after in zip(words, [*words[1:], "-"], strict=True):
        if _OPTION.fullmatch(word.rstrip(",")):
            is_flag = word.endswith(",") or after.startswith("-") or after.rstrip(",") in _AFTER_FLAGS
            option = names.get(word.rstrip(","), word.rstrip(","))
            found.append(Argument(option, None if is_flag else after.rstrip(",;")))
    return found
