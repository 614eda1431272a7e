"""shapes --lengths: the lengths of texts from every kind of input."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from bertcli.choices import FormatName, OnError, OnLong
from bertcli.commands.options import TextOptions
from bertcli.commands.shapes.command import ShapesRequest, shapes
from bertcli.errors import BadText, ExitCode, WrongUsage
from bertcli.model.request import SessionRequest
from bertcli.output.destination import OutputOptions

_TEXTS = ["how are you", "the cat \u2603", "how", "how are you", "a " * 600]


def measure(
    target: Path, *texts: str, exit_code: ExitCode = ExitCode.DONE, model: SessionRequest | None = None, **options: Any
) -> Any:
    """Return the lengths of texts, from the JSON that the command writes."""
    request = ShapesRequest(
        TextOptions(list(texts), **options),
        model or SessionRequest(),
        OutputOptions(output=str(target / "out.json"), quiet=True, force=True),
        lengths=True,
    )
    assert shapes(request) == exit_code
    return json.loads((target / "out.json").read_text())["lengths"]


def test_texts_as_arguments(tmp_path: Path) -> None:
    found = measure(tmp_path, *_TEXTS)
    assert list(found) == [
        "texts", "tokens", "min", "median", "p90", "p99", "max", "limit", "over_limit", "over_limit_share", "unknown",
        "unknown_share", "unknown_texts", "histogram",
    ]  # fmt: skip
    assert [found[key] for key in ("texts", "tokens", "min", "median", "p90", "p99", "max")] == [
        5, 5 + 5 + 3 + 5 + 602, 3, 5, 602, 602, 602,
    ]  # fmt: skip
    assert [found[key] for key in ("limit", "over_limit", "over_limit_share")] == [512, 1, 0.2]
    assert [found[key] for key in ("unknown", "unknown_share", "unknown_texts")] == [1, 0.00161290323, 1]
    assert sum(each["texts"] for each in found["histogram"]) == 5


def test_every_kind_of_file_gives_the_same(tmp_path: Path) -> None:
    expected = measure(tmp_path, *_TEXTS)
    (tmp_path / "in.txt").write_text("\n".join(_TEXTS))
    (tmp_path / "in.txt.gz").write_bytes(gzip.compress("\n".join(_TEXTS).encode()))
    (tmp_path / "in.csv").write_text("id,body\n" + "".join(f"{at},{text}\n" for at, text in enumerate(_TEXTS)))
    for options in ({"file": ["in.txt"]}, {"file": ["in.txt.gz"]}, {"file": ["in.csv"], "text_field": "body"}):
        files = [str(tmp_path / name) for name in options["file"]]
        assert measure(tmp_path, **{**options, "file": files}) == expected


def test_failed_texts_are_skipped_or_stop_the_run(tmp_path: Path) -> None:
    texts = ["how are you", "", "\u200b", "how"]
    found = measure(tmp_path, *texts, on_error=OnError.SKIP, exit_code=ExitCode.FAILED)
    assert (found["texts"], found["tokens"]) == (2, 8)
    with pytest.raises(BadText, match="text 2: the text is empty"):
        measure(tmp_path, *texts)
    with pytest.raises(BadText, match="text 1: the text has no tokens"):
        measure(tmp_path, "\u200b")
    found = measure(tmp_path, "", on_error=OnError.SKIP, exit_code=ExitCode.FAILED)
    assert (found["texts"], found["median"], found["histogram"]) == (0, None, [])


def test_pairs_are_as_long_as_both_sentences(tmp_path: Path) -> None:
    assert measure(tmp_path, "how are you", pair="the cat")["tokens"] == 8
    assert measure(tmp_path, "how are you\tthe cat", "how\tthe", pairs=True)["tokens"] == 8 + 5


def test_the_limit_is_that_of_max_length(tmp_path: Path) -> None:
    found = measure(tmp_path, "how are you", "how", model=SessionRequest(max_length=4))
    assert (found["limit"], found["over_limit"], found["max"]) == (4, 1, 5)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"tokens": True}, "--tokens and --lengths cannot be combined"),
        ({"run": True}, "--lengths shows the lengths of texts and needs nothing else"),
        ({"weights": True}, "--lengths shows the lengths"),
        ({"batch": 1, "seq": 8}, "--lengths shows the lengths"),
        ({"model": SessionRequest(long=OnLong.WINDOWS)}, "--lengths counts all tokens of each text"),
        ({"model": SessionRequest(truncate=True)}, "--lengths counts all tokens of each text"),
    ],
)
def test_options_that_contradict_it(options: dict[str, Any], error: str) -> None:
    model = options.pop("model", SessionRequest())
    with pytest.raises(WrongUsage, match=error):
        shapes(ShapesRequest(TextOptions(["how"]), model, OutputOptions(), lengths=True, **options))


def test_it_has_no_bare_answer(tmp_path: Path) -> None:
    output = OutputOptions(output=str(tmp_path / "out"), format=FormatName.PLAIN)
    with pytest.raises(WrongUsage, match="shapes has no bare answer"):
        shapes(ShapesRequest(TextOptions(["how"]), SessionRequest(), output, lengths=True))


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        ({"lengths": True}, "add --revision main to download it"),
        ({"tokens": True}, "add --revision main to download it"),
        ({}, "add --revision main to download it, or give a size instead of texts, such as --batch 1 --seq 128"),
    ],
)
def test_a_tokenizer_that_is_not_downloaded_is_named_with_what_helps(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], hint: str
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    with pytest.raises(WrongUsage, match=r"the tokenizer of bert-large-cased is not downloaded$") as raised:
        shapes(ShapesRequest(TextOptions(["how"]), SessionRequest("bert-large-cased"), OutputOptions(), **options))
    assert raised.value.hint == hint


@pytest.mark.parametrize(
    ("is_offline", "variable", "reason"),
    [(True, "0", "--offline or BERTCLI_OFFLINE forbids the network"), (False, "1", "HF_HUB_OFFLINE is set")],
)
def test_a_download_needs_the_network(
    monkeypatch: pytest.MonkeyPatch, is_offline: bool, variable: str, reason: str
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", variable)
    model = SessionRequest("bert-large-cased", offline=is_offline)
    with pytest.raises(WrongUsage, match=f"bert-large-cased is not downloaded, and {reason}") as raised:
        shapes(ShapesRequest(TextOptions(["how"]), model, OutputOptions(), tokens=True))
    assert raised.value.hint == "add --revision main and run once with the network to download it"
