"""Tests of the page as a file."""

import json
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest

from bertcli.output.page.encoding import EncodedLayer
from bertcli.output.page.writer import PageInfo, PageWriter
from bertcli.results.attention import AttnPageRecord, HeadStatistics
from bertcli.results.texts import RunInfo, TextInfo

INFO = PageInfo(RunInfo("attn", "tiny", None, "numpy", "cpu", "float32"), "1", 1, 1, 4, False, "thresholds")


def record(entropy: float) -> AttnPageRecord[EncodedLayer]:
    head = HeadStatistics(0, 0, entropy, *[0.5] * 8, label=None)
    text = TextInfo(0, None, "a", None, ["a"], [5], [0], False)
    return AttnPageRecord(text, [], [head], [], [])


def written(entropy: float) -> str:
    stream = BytesIO()
    PageWriter(stream, INFO).write(record(entropy))
    return stream.getvalue().decode()


def test_a_text_is_json() -> None:
    content = written(0.25).partition('id="text-0">')[2].partition("</script>")[0]
    assert json.loads(content)["statistics"] == [[0.25, *[0.5] * 8]]


def head_of_page(model: str, revision: str | None = None) -> str:
    run = replace(INFO.run, model=model, revision=revision)
    stream = BytesIO()
    PageWriter(stream, replace(INFO, run=run))
    return stream.getvalue().decode()


@pytest.mark.parametrize(
    ("model", "revision", "name"),
    [
        ("/home/anna/models/my-bert", None, "my-bert"),
        ("models/my-bert/", None, "my-bert"),
        ("bundled", None, "bundled"),
        ("google/electra-small", "0123abc", "google/electra-small"),
    ],
)
def test_the_title_has_the_last_component_of_a_local_path(model: str, revision: str | None, name: str) -> None:
    page = head_of_page(model, revision)
    assert f"<title>Attention · {name}</title>" in page
    assert f'<h1 title="{model}">Attention <span class="model">{name}</span></h1>' in page
    assert f'<p><span title="{model}">{name}</span> · 1 layers' in page


def test_the_current_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my-bert").mkdir()
    monkeypatch.chdir(tmp_path / "my-bert")
    assert "<title>Attention · my-bert</title>" in head_of_page(".")


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_a_number_that_json_lacks_is_an_error(number: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        written(number)
