"""Dialogues: commands without a text on a terminal."""

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

import pexpect
import pytest

from bertcli.commands.dialogue import Dialogue
from bertcli.commands.fill_mask.request import FillMaskRequest
from bertcli.commands.options import TextOptions
from bertcli.errors import ExitCode
from bertcli.model.request import SessionRequest
from bertcli.output.destination import OutputOptions
from tests.cli.process import LONGEST_RUN, environment
from tests.cli.terminal import spawn
from tests.cli.test_progress import ESCAPES

# The beginning of a row: rank, token, id and probability.
RANK = r" \d+ +\S+ +\d+ +0\."
PROMPTS = {"fill-mask": "[MASK]", "encode": "encode", "attn": "attn", "shapes": "shapes"}


def answer(process: pexpect.spawn, line: str, prompt: str) -> str:
    """Type a line, and return what is printed until the next prompt."""
    process.sendline(line)
    process.expect_exact(f"{prompt}> ")
    return ESCAPES.sub("", process.before)


@pytest.mark.parametrize("command", PROMPTS)
@pytest.mark.parametrize("arguments", [(), ("-",)], ids=["nothing", "dash"])
def test_a_text_is_answered_at_the_prompt(
    tiny: tuple[str, str], folder: Path, command: str, arguments: tuple[str, ...]
) -> None:
    process = spawn([command, *arguments, *tiny], folder)
    process.expect_exact(f"{PROMPTS[command]}> ")
    assert ":help lists the commands" in process.before
    assert f"\nmodel: {tiny[1]}\n" in answer(process, f":model {tiny[1]}", PROMPTS[command])
    for text in ("how [MASK] you", "the [MASK]"):
        assert f"{text}\n" in answer(process, text, PROMPTS[command])
    process.sendeof()
    process.expect(pexpect.EOF)
    process.close()
    assert process.exitstatus == 0


@pytest.mark.parametrize("option", ["--field", "--id-field", "--target-field"])
def test_typed_texts_have_no_fields(tiny: tuple[str, str], folder: Path, option: str) -> None:
    process = spawn(["fill-mask", option, "word", *tiny], folder)
    process.expect_exact("bertcli: error: there is no text to read")
    process.expect(pexpect.EOF)
    process.close()
    assert process.exitstatus == 2


def test_the_lines_that_begin_with_a_colon_are_commands(tiny: tuple[str, str], folder: Path) -> None:
    process = spawn(["fill-mask", *tiny, "-q"], folder)
    process.expect_exact("[MASK]> ")
    assert ESCAPES.sub("", process.before) == ""
    assert ":quit" in answer(process, ":help", "[MASK]")
    assert len(re.findall(RANK, answer(process, "how [MASK] you", "[MASK]"))) == 5
    answer(process, ":k 2", "[MASK]")
    assert len(re.findall(RANK, answer(process, "how [MASK] you", "[MASK]"))) == 2
    assert "there is no command ':x'" in answer(process, ":x 1", "[MASK]")
    assert ":k needs a number" in answer(process, ":k all", "[MASK]")
    assert "has no mask" in answer(process, "how are you", "[MASK]")
    answer(process, ":model none/such", "[MASK]")
    assert "none/such" in answer(process, "how [MASK] you", "[MASK]")
    assert len(re.findall(RANK, answer(process, "how [MASK] you", "[MASK]"))) == 2
    assert answer(process, "", "[MASK]").strip() == ""
    process.sendline(":quit")
    process.expect(pexpect.EOF)
    process.close()
    assert process.exitstatus == 0


def test_the_error_for_k_names_the_commands_that_have_it(tiny: tuple[str, str], folder: Path) -> None:
    process = spawn(["attn", *tiny], folder)
    process.expect_exact("attn> ")
    assert "error: :k works in fill-mask and encode only" in answer(process, ":k 3", "attn")
    process.sendeof()
    process.expect(pexpect.EOF)


def test_a_command_that_makes_every_text_fail_is_undone(tiny: tuple[str, str], folder: Path) -> None:
    process = spawn(["encode", *tiny], folder)
    process.expect_exact("encode> ")
    assert "undone" not in answer(process, "how are you", "encode")
    answer(process, ":k 3", "encode")
    failed = answer(process, "how are you", "encode")
    assert "not lexical" in failed
    assert "note: the commands since the last answer are undone" in failed
    assert "pooler_output" in answer(process, "how are you", "encode")
    process.sendeof()
    process.expect(pexpect.EOF)


def test_a_dash_is_not_standard_input_at_the_prompt(tiny: tuple[str, str], folder: Path) -> None:
    process = spawn(["fill-mask", *tiny], folder)
    process.expect_exact("[MASK]> ")
    failed = answer(process, "-", "[MASK]")
    assert "error: - means standard input" in failed
    assert ":help lists the commands" not in failed  # the greeting of another dialogue
    process.sendeof()
    process.expect(pexpect.EOF)
    process.close()
    assert process.exitstatus == 0


def test_a_line_that_is_not_utf_8_is_an_error(tiny: tuple[str, str], folder: Path) -> None:
    # readline drops such bytes, and not every Python has it.
    code = "import sys; sys.modules['readline'] = None; from bertcli.__main__ import main; main()"
    env = environment({"PYTHONIOENCODING": "utf-8:strict"})
    arguments = ["-c", code, "fill-mask", *tiny]
    decoding = {"encoding": "utf-8", "codec_errors": "replace"}  # the terminal echoes the byte
    process = pexpect.spawn(sys.executable, arguments, cwd=folder, env=env, timeout=LONGEST_RUN, **decoding)
    process.expect_exact("[MASK]> ")
    os.write(process.child_fd, b"caf\xe9 [MASK]\n")
    process.expect_exact("error: the line is not UTF-8")
    process.expect_exact("[MASK]> ")
    assert re.search(RANK, answer(process, "how [MASK] you", "[MASK]"))
    process.sendeof()
    process.expect(pexpect.EOF)


def test_a_name_that_the_system_refuses_costs_one_text(tiny: tuple[str, str], folder: Path) -> None:
    process = spawn(["fill-mask", *tiny], folder)
    process.expect_exact("[MASK]> ")
    answer(process, f":model {'a' * 300}", "[MASK]")
    failed = answer(process, "how [MASK] you", "[MASK]")
    assert "file name too long" in failed
    assert "note: the commands since the last answer are undone" in failed
    assert re.search(RANK, answer(process, "how [MASK] you", "[MASK]"))
    process.sendeof()
    process.expect(pexpect.EOF)


def talk(monkeypatch: pytest.MonkeyPatch, errors: Mapping[str, Exception | None]) -> list[str]:
    """Type lines, and return the texts that are answered. The command raises the error of a text, if it has one."""
    lines = iter(errors)
    answered: list[str] = []

    def type_line(prompt: str) -> str:
        if (line := next(lines, None)) is None:
            raise EOFError
        return line

    def run(request: FillMaskRequest) -> ExitCode:
        [text] = request.texts.texts
        if error := errors[text]:
            raise error
        answered.append(text)
        return ExitCode.DONE

    monkeypatch.setattr("builtins.input", type_line)
    request = FillMaskRequest(TextOptions(), SessionRequest(), OutputOptions(quiet=True))
    assert Dialogue("[MASK]", request, run).run() == ExitCode.DONE
    return answered


def test_too_little_memory_costs_one_text(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert talk(monkeypatch, {"how": MemoryError(), "are": None}) == ["are"]
    assert "bertcli: error: there is not enough memory\nhint: " in capsys.readouterr().err


def test_a_closed_pipe_ends_the_dialogue(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BrokenPipeError):
        talk(monkeypatch, {"how": BrokenPipeError(), "are": None})


def test_a_number_of_thousands_of_digits_costs_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert talk(monkeypatch, {f":k {'1' * 5000}": None, "how": None}) == ["how"]
    assert ":k needs a number" in capsys.readouterr().err


def test_wrong_options_are_reported_before_the_prompt(tiny: tuple[str, str], folder: Path) -> None:
    process = spawn(["fill-mask", *tiny, "--joint", "--score"], folder)
    process.expect(pexpect.EOF)
    process.close()
    assert process.exitstatus == 2
    assert "--joint" in process.before
