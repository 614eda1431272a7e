"""--fields, --format plain and --color always as a process: exit codes, pipes and terminals."""

from tests.cli.process import TEXT, assert_failed, run
from tests.cli.terminal import show


def test_help_lists_the_fields_without_a_model_and_without_a_text() -> None:
    listed = run("fill-mask", "-m", "nowhere", "--fields", "help", "--entropy").answer().text.splitlines()
    assert [line for line in listed if line.split()[:2] == ["entropy", "masks.entropy"]]


def test_an_unknown_field_is_wrong_usage_before_the_model_is_opened() -> None:
    finished = run("fill-mask", TEXT, "-m", "nowhere", "--fields", "tokenstr")
    assert_failed(finished, 2, "there is no field 'tokenstr'")
    assert "did you mean token_str" in finished.stderr


def test_each_line_of_a_pipe_has_a_plain_answer(tiny: tuple[str, str]) -> None:
    finished = run("encode", "-", *tiny, "--format", "plain", "--on-error", "skip", stdin="how\n\nyou are\n")
    first, second, third = finished.text.splitlines()
    assert (second, finished.exit_code) == ("", 1)
    assert {len(first.split()), len(third.split())} == {24}


def test_colours_give_a_table_in_a_pipe(tiny: tuple[str, str]) -> None:
    shown = run("attn", "how are you", *tiny, "--color", "always").answer().text
    assert shown.startswith("\x1b[1mhow are you\x1b[0m\n")


def test_fields_give_rows_on_a_terminal(tiny: tuple[str, str]) -> None:
    assert show("fill-mask", TEXT, *tiny, "--fields", "text,rank", "-k", "1").lines == ["text\trank", f"{TEXT}\t1"]
