"""Destinations that name no file and no folder are refused, with a hint that works."""

import os
from pathlib import Path
from typing import Any

import pytest

from bertcli.choices import ColorName, FormatName
from bertcli.errors import OutputError, WrongUsage
from bertcli.output.destination import OutputFormats, OutputOptions, resolve_destination

ENCODE = OutputFormats("encode", (".npy",), takes_folder=True)
ATTN = OutputFormats("attn", (".npz",))


@pytest.mark.parametrize("name", ["fifo", "dangling", "/dev/null"])
def test_a_folder_cannot_be_a_fifo_a_device_or_a_link_to_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("fifo")
    Path("dangling").symlink_to("nothing")
    destination = resolve_destination(OutputOptions(output=f"{name}/"), ENCODE)
    with pytest.raises(OutputError, match=f"^{name} is not a folder$"):
        destination.check_target(force=True)


@pytest.mark.parametrize("name", ["new/", "folder/"])
def test_a_folder_may_be_new_or_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    destination = resolve_destination(OutputOptions(output=name), ENCODE)
    destination.check_target(force=False)
    assert destination.folder == Path(name)


@pytest.mark.parametrize("name", ["out/", "out.json/", "/dev/null/"])
def test_a_slash_at_the_end_never_names_a_file(name: str) -> None:
    with pytest.raises(WrongUsage, match="attn cannot write a folder"):
        resolve_destination(OutputOptions(output=name), ATTN)


@pytest.mark.parametrize(("name", "is_possible"), [("out", True), ("/dev/null/out", False), ("missing/out", False)])
def test_a_folder_is_proposed_only_where_it_can_be_created(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, is_possible: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(WrongUsage, match="a file without a suffix") as refused:
        resolve_destination(OutputOptions(output=name), ENCODE)
    assert (f"or {name}/ for a folder" in refused.value.hint) == is_possible


@pytest.mark.parametrize(
    ("given", "format_", "expected"),
    [
        ({}, "json", "--json"),
        ({}, ".parquet", "-o out.parquet"),
        ({"format": FormatName.TSV}, "json", "--json instead of --format tsv"),
        ({"json": True}, "folder", "-o out/ instead of --json"),
        ({"output": "my data.npy"}, "json", "-o 'my data.json' instead of -o 'my data.npy'"),
        ({"output": "a.npy"}, ".parquet", "-o a.parquet instead of -o a.npy"),
        ({"output": "a/"}, ".npy", "-o a.npy instead of -o a/"),
        ({"svg": Path("a.svg")}, "json", "-o a.json instead of --svg a.svg"),
    ],
)
def test_a_hint_for_another_format_names_the_options_that_it_replaces(
    given: dict[str, Any], format_: str, expected: str
) -> None:
    assert resolve_destination(OutputOptions(**given), ENCODE).instead(format_) == expected


@pytest.mark.parametrize(
    ("name", "stem"), [(".", "out"), ("./", "out"), ("..", "../out"), ("../..", "../../out"), ("/", "/out")]
)
def test_the_hint_for_a_folder_without_a_name_names_a_file_in_it(name: str, stem: str) -> None:
    destination = resolve_destination(OutputOptions(output=name), ENCODE)
    expected = {"folder": f"-o {stem}/", ".npy": f"-o {stem}.npy", "json": f"-o {stem}.json"}
    assert {format_: destination.instead(format_) for format_ in expected} == {
        format_: f"{option} instead of -o {name}" for format_, option in expected.items()
    }


@pytest.mark.parametrize(
    ("options", "format_"),
    [
        (OutputOptions(), "tsv"),
        (OutputOptions(color=ColorName.ALWAYS), "table"),
        (OutputOptions(color=ColorName.ALWAYS, fields="text"), "tsv"),
        (OutputOptions(color=ColorName.ALWAYS, format=FormatName.CSV), "csv"),
        (OutputOptions(color=ColorName.ALWAYS, output="out.json"), "json"),
        (OutputOptions(format=FormatName.PLAIN, output="out.txt"), "plain"),
    ],
)
def test_colours_imply_a_table_and_fields_imply_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: OutputOptions, format_: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert resolve_destination(options, OutputFormats("encode", has_plain=True)).format == format_


@pytest.mark.parametrize("format_", [FormatName.TABLE, FormatName.PLAIN])
def test_a_table_and_a_plain_answer_refuse_fields(format_: FormatName) -> None:
    options = OutputOptions(format=format_, fields="text")
    with pytest.raises(WrongUsage, match="--fields is not available in ") as refused:
        resolve_destination(options, OutputFormats("encode", has_plain=True))
    assert refused.value.hint == f"use --format tsv instead of --format {format_}, or leave --fields out"


def test_a_folder_is_proposed_for_a_parquet_file_that_the_command_cannot_write() -> None:
    with pytest.raises(WrongUsage, match=r"attn cannot write \.parquet files") as raised:
        resolve_destination(OutputOptions(output="a/b.parquet"), OutputFormats("attn", takes_folder=True))
    assert raised.value.hint.endswith(", or a/b/ for a folder of Parquet files")


@pytest.mark.parametrize(
    ("name", "has_plain", "is_proposed"), [("out.txt", True, True), ("out.txt", False, False), ("out.xml", True, False)]
)
def test_bare_answers_are_proposed_for_a_text_file(name: str, has_plain: bool, is_proposed: bool) -> None:
    with pytest.raises(WrongUsage, match=f"shapes cannot write {name[3:]} files") as raised:
        resolve_destination(OutputOptions(output=name), OutputFormats("shapes", has_plain=has_plain))
    assert raised.value.hint.endswith(", or add --format plain to write the bare answers") == is_proposed
