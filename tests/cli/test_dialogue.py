"""Dialogues: commands without a text on a terminal."""

import re
from pathlib import Path

import pexpect
import pytest

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


def test_wrong_options_are_reported_before_the_prompt(tiny: tuple[str, str], folder: Path) -> None:
    process = spawn(["fill-mask", *tiny, "--joint", "--score"], folder)
    process.expect(pexpect.EOF)
    process.close()
    assert process.exitstatus == 2
    assert "--joint" in process.before
