from pathlib import Path

import pytest

from bertcli.cli.dashes import find_dashed_text, find_option_behind_dash

VALUED = ("-f", "--file", "-o", "-k", "-m", "--pair", "--prompt")


@pytest.mark.parametrize(
    "text",
    ["-how [MASK] you", "-5 degrees", "-friendly", "-for all", "-only [MASK]", "-kind of blue", "-my dog", "--a dash"],
)
def test_a_text_that_begins_with_a_dash_is_found(text: str) -> None:
    assert find_dashed_text(["-q", text], VALUED) == text
    assert find_dashed_text(["--pair", "x", text], VALUED) == text


@pytest.mark.parametrize(
    "arguments",
    [
        ["a text", "-q", "-k5", "-k", "5"],
        ["--pair", "-a text", "--prompt", "- query: "],
        ["--pair=-a text", "--prompt=a [MASK]"],
        ["--", "-a text"],
        ["-"],
        ["-fcorpus.txt", "-f*.txt", "-fs3://bucket/a.txt", "-f-"],
        ["-omy file.npy"],
    ],
)
def test_options_and_their_values_are_not_texts(arguments: list[str]) -> None:
    assert find_dashed_text(arguments, VALUED) is None


def test_a_file_that_exists_is_not_a_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("riendly", "y dog"):
        Path(name).touch()
    assert find_dashed_text(["-friendly", "-my dog"], VALUED) is None


@pytest.mark.parametrize(
    ("argument", "option"),
    [
        ("\u2014k", "-k"),
        ("\u2013\u2013pair", "--pair"),
        ("-\u2013pair=x", "--pair"),
        ("\u2212\u2212pair", "--pair"),
        ("--pair", None),
        ("\u2014kind", None),
        ("\u2014 k", None),
        ("\u2014", None),
        ("\u2014=", None),
        ("", None),
        ("k", None),
    ],
)
def test_an_option_with_long_dashes_is_found(argument: str, option: str | None) -> None:
    assert find_option_behind_dash(argument, VALUED) == option
