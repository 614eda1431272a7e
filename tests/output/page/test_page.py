"""Tests of the page as a file."""

import json
from io import BytesIO

import pytest

from bertcli.output.page.encoding import EncodedLayer
from bertcli.output.page.writer import PageInfo, PageWriter
from bertcli.results.attention import AttnPageRecord, HeadStatistics
from bertcli.results.texts import RunInfo, TextInfo

INFO = PageInfo(RunInfo("attn", "tiny", None, "numpy", "cpu", "float32"), "1", 1, 1, 4, False, "thresholds")


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


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_a_number_that_json_lacks_is_an_error(number: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        written(number)
