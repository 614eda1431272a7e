"""--similarity and --lens with and without a value, among all other kinds of arguments."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.main import get_command

from bertcli.cli.app import make_app
from bertcli.cli.optional_values import add_left_out_values
from bertcli.errors import WrongUsage


def parsed(*arguments: str, command: str = "encode") -> dict[str, Any]:
    """Return the values that Typer reads from the command line of a command."""
    group: Any = get_command(make_app([command]))
    context = group.make_context("bertcli", [command, *arguments])
    found: dict[str, Any] = group.commands[command].make_context(command, list(arguments), parent=context).params
    return found


@pytest.mark.parametrize(
    ("arguments", "texts", "similarity"),
    [
        (["a", "b"], ["a", "b"], None),
        (["a", "b", "--similarity"], ["a", "b"], "texts"),
        (["--similarity", "a", "b"], ["a", "b"], "texts"),
        (["a", "--similarity", "b"], ["a", "b"], "texts"),
        (["a", "b", "--similarity", "tokens"], ["a", "b"], "tokens"),
        (["a", "--similarity", "tokens", "b"], ["a", "b"], "tokens"),
        (["--similarity=tokens", "texts", "b"], ["texts", "b"], "tokens"),
        (["--similarity", "texts", "tokens"], ["tokens"], "texts"),
        (["--similarity=texts", "tokens"], ["tokens"], "texts"),
        (["--similarity", "--", "tokens", "--similarity"], ["tokens", "--similarity"], "texts"),
        (["a", "--similarity", "--json", "b"], ["a", "b"], "texts"),
        (["a", "--similarity", "tokens", "--similarity"], ["a"], "texts"),
        (["--prompt", "--similarity", "tokens"], ["tokens"], None),
        (["-k", "--similarity", "b"], None, None),
        (["-qk", "3", "--similarity", "b"], ["b"], "texts"),
        (["-k3", "--similarity", "b"], ["b"], "texts"),
        (["-f", "--similarity", "tokens"], ["tokens"], None),
        (["-qf", "--similarity", "tokens"], ["tokens"], None),
        (["-", "--similarity", "tokens"], ["-"], "tokens"),
    ],
)
def test_a_value_is_taken_only_if_it_is_one_of_the_choices(
    arguments: list[str], texts: list[str] | None, similarity: str | None
) -> None:
    if texts is None:  # the option before it takes it as a bad value
        with pytest.raises(Exception, match="'--similarity' is not a valid int"):
            parsed(*arguments)
        return
    found = parsed(*arguments)
    assert list(found["texts"]) == texts
    assert found["similarity"] == similarity


@pytest.mark.parametrize(
    ("arguments", "texts", "lens"),
    [
        (["a [MASK]"], ["a [MASK]"], None),
        (["--lens", "a [MASK]"], ["a [MASK]"], "auto"),
        (["a [MASK]", "--lens", "raw"], ["a [MASK]"], "raw"),
        (["--lens", "tuned", "a [MASK]"], ["a [MASK]"], "tuned"),
        (["--lens=raw", "raw"], ["raw"], "raw"),
        (["a [MASK]", "--lens", "--lens-file", "raw"], ["a [MASK]"], "auto"),
        (["--lens", "-k", "2", "a [MASK]"], ["a [MASK]"], "auto"),
    ],
)
def test_the_lens_may_be_named(arguments: list[str], texts: list[str], lens: str | None) -> None:
    found = parsed(*arguments, command="fill-mask")
    assert (list(found["texts"]), found["lens"]) == (texts, lens)


@pytest.mark.parametrize("value", ["token", "Tokens", "tokes", "text", "TEXTS", "tokens "])
def test_a_mistyped_value_is_not_taken_for_a_text(value: str) -> None:
    with pytest.raises(WrongUsage) as raised:
        parsed("a", "--similarity", value, "b")
    assert raised.value.hint.startswith("did you mean --similarity t")
    assert list(parsed("a", "--similarity=texts", value, "b")["texts"]) == ["a", value, "b"]


@pytest.mark.parametrize("arguments", [("a [MASK]", "--lens", "foo"), ("--lens", "foo", "a [MASK]")])
def test_a_bare_word_is_no_text_of_the_lens(arguments: Sequence[str]) -> None:
    with pytest.raises(WrongUsage, match=r"^--lens cannot be 'foo'") as raised:
        parsed(*arguments, command="fill-mask")
    assert raised.value.hint == "use one of auto, raw, tuned"


@pytest.mark.parametrize("text", ["[MASK]", "a[MASK]", "<mask>", "[mask]", "___", "-", "how [MASK]"])
def test_a_text_with_a_mask_is_a_text_of_the_lens(text: str) -> None:
    assert list(parsed("--lens", text, command="fill-mask")["texts"]) == [text]


@pytest.mark.parametrize("text", ["test", "next", "the tokens", "broken", "", "a text"])
def test_other_words_are_texts(text: str) -> None:
    assert list(parsed("--similarity", text)["texts"]) == [text]


class Parameter:
    """A parameter as Typer describes it."""

    param_type_name, is_flag, type = "option", False, None

    def __init__(self, *names: str, is_flag: bool = False, choices: Sequence[str] = ()) -> None:
        self.opts, self.is_flag = list(names), is_flag
        self.type = self
        self.choices = choices


_PARAMETERS = [
    Parameter("--similarity", choices=["texts", "tokens"]), Parameter("-f", "--file"), Parameter("-q", is_flag=True)
]  # fmt: skip


@given(st.lists(st.sampled_from(["a", "texts", "-f", "-fx", "--file", "--file=x", "-q", "-qf", "--", "-", "--x"])))
def test_a_command_line_without_the_option_is_unchanged(arguments: list[str]) -> None:
    assert add_left_out_values(arguments, _PARAMETERS) == arguments
