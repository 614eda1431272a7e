"""Tests of the page as a file."""

import json
from dataclasses import replace
from io import BytesIO
from math import nan
from pathlib import Path

import numpy as np
import pytest

from bertcli.output.page.encoding import EncodedLayer
from bertcli.output.page.writer import PageInfo, PageWriter
from bertcli.results.attention import AttnPageRecord, HeadStatistics
from bertcli.results.masks import Attribution, HeadEffects, MaskPredictions, Prediction
from bertcli.results.texts import RunInfo, TextInfo

INFO = PageInfo(RunInfo("attn", "tiny", None, "numpy", "cpu", "float32"), "1", [0], 1, 4, False, "thresholds")


def record(entropy: float) -> AttnPageRecord[EncodedLayer]:
    head = HeadStatistics(0, 0, entropy, *[0.5] * 8, label=None)
    text = TextInfo(0, None, "a", None, ["a"], [5], [0], False)
    return AttnPageRecord(text, [], [head], [], [], [(0, 1)])


def written(entropy: float) -> str:
    stream = BytesIO()
    PageWriter(stream, INFO).write(record(entropy))
    return stream.getvalue().decode()


def test_a_text_is_json() -> None:
    content = json.loads(written(0.25).partition('id="text-0">')[2].partition("</script>")[0])
    assert content["statistics"] == [[0.25, *[0.5] * 8]]
    assert content["spans"] == [[0, 1]]


def test_the_page_names_its_layers() -> None:
    stream = BytesIO()
    PageWriter(stream, replace(INFO, layers=[2, 5]))
    about = json.loads(stream.getvalue().decode().partition('id="about">')[2].partition("</script>")[0])
    assert (about["layers"], about["layerNumbers"]) == (2, [2, 5])


def test_masks_have_the_explanations_that_were_requested() -> None:
    attribution = Attribution("a", 5, "ig", -1.5, np.array([nan, 0.25], np.float32), 0.5, "mask", 7)
    effects = HeadEffects("a", 5, -1.5, np.array([[0.5, -0.25]], np.float32))
    best = [Prediction(1, 0.5, 1.0, 5, "a", "a")]
    masks = [MaskPredictions(1, best), MaskPredictions(2, best, attributions=[attribution], head_effects=[effects])]
    stream = BytesIO()
    PageWriter(stream, INFO).write(replace(record(0.25), masks=masks))
    text = json.loads(stream.getvalue().decode().partition('id="text-0">')[2].partition("</script>")[0])
    without, explained = text["masks"]
    assert without.keys() == {"position", "predictions"}
    assert explained["attributions"] == [
        {"target": "a", "method": "ig", "values": [None, 0.25], "gap": 0.5, "logprob": -1.5, "baseline": "mask",
         "steps": 7},
    ]  # fmt: skip
    assert explained["headEffects"] == {"target": "a", "values": [[0.5, -0.25]], "logprob": -1.5}


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
