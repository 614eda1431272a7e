"""Names of files in messages and in shell commands."""

import os
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertcli.output.formatting import visible
from bertcli.quoting import printable_name, shell_quoted

NAMES = st.binary(min_size=1, max_size=20).filter(lambda name: b"\0" not in name)


@given(NAMES)
def test_a_name_can_be_written_as_utf_8_and_keeps_what_is_utf_8(name: bytes) -> None:
    shown = printable_name(os.fsdecode(name))
    assert shown.encode() == name or "\\x" in shown


@given(NAMES)
@settings(max_examples=30)
def test_bash_reads_a_quoted_name_as_the_name(name: bytes) -> None:
    quoted = shell_quoted(os.fsdecode(name))
    assert visible(quoted) == quoted
    done = subprocess.run(["bash", "-c", f"printf %s {quoted}"], stdout=subprocess.PIPE, check=True)
    assert done.stdout == (b"./" + name if name.startswith(b"-") else name)


@pytest.mark.parametrize("name", ["caf\udce9.txt", "caf\udce9\n.txt"])
def test_a_message_shows_the_same_escape_as_a_record(name: str) -> None:
    assert visible(name) == visible(printable_name(name)) == name.replace("\udce9", r"\xe9").replace("\n", r"\n")
