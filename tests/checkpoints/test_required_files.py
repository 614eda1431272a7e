"""The fingerprint of a checkpoint changes with each of its files."""

from pathlib import Path

import pytest

from bertcli.checkpoints.required_files import fingerprint


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "vocab.txt"])
def test_every_file_of_the_model_changes_the_fingerprint(own_tiny_bert: Path, name: str) -> None:
    before = fingerprint(own_tiny_bert)
    assert before == fingerprint(own_tiny_bert)
    content = bytearray((own_tiny_bert / name).read_bytes())
    content[-1] ^= 1
    (own_tiny_bert / name).write_bytes(content)
    assert fingerprint(own_tiny_bert) != before


def test_other_files_do_not_change_the_fingerprint(own_tiny_bert: Path) -> None:
    before = fingerprint(own_tiny_bert)
    (own_tiny_bert / "README.md").write_text("about it")
    assert fingerprint(own_tiny_bert) == before
