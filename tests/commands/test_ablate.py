"""--ablate shows in JSON, captions, pages and manifests, and a run with other heads is another run."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest

from bertcli.choices import FormatName
from bertcli.commands.attn.command import attn
from bertcli.commands.attn.request import AttnRequest
from bertcli.commands.encode.command import encode_texts
from bertcli.commands.encode.corpus import corpus_run
from bertcli.commands.encode.request import EncodeRequest
from bertcli.commands.fill_mask.command import fill_mask
from bertcli.commands.fill_mask.request import FillMaskRequest
from bertcli.commands.options import CorpusOptions, HeadOptions, MapOptions, PageOptions, TextOptions
from bertcli.errors import OutputError
from bertcli.model.request import SessionRequest
from bertcli.model.session import open_session
from bertcli.output.destination import OutputOptions

TEXTS = TextOptions(["how [MASK] you", "the cat"])
ONE_TEXT = TextOptions(["how [MASK] you"])


def model(folder: Path, ablate: str | None) -> SessionRequest:
    return SessionRequest(str(folder), device="cpu", ablate=ablate)


def encode(folder: Path, target: Path, ablate: str | None, **corpus: Any) -> None:
    output = OutputOptions(output=f"{target}{'' if target.suffix else '/'}", quiet=True)
    encode_texts(EncodeRequest(TEXTS, model(folder, ablate), output, corpus=CorpusOptions(**corpus)))


def test_encode_writes_the_heads_into_json_and_changes_the_vectors(tiny_bert: Path, tmp_path: Path) -> None:
    documents = []
    for name, ablate in (("a", "1.*,0.1"), ("b", None)):
        encode(tiny_bert, tmp_path / f"{name}.json", ablate)
        documents.append(json.loads((tmp_path / f"{name}.json").read_text()))
    assert documents[0]["ablated"] == ["0.1", "1.0", "1.1", "1.2"]
    assert "ablated" not in documents[1]
    ours, theirs = (np.array([each["embedding"] for each in document["records"]]) for document in documents)
    assert np.abs(ours - theirs).max() > 0.01


@pytest.mark.parametrize("others", [None, "1.0"])
def test_a_run_with_other_heads_cannot_be_resumed(tiny_bert: Path, tmp_path: Path, others: str | None) -> None:
    encode(tiny_bert, tmp_path / "out", "0.1,1.0")
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["options"]["ablate"] == "0.1,1.0"
    [shard] = (tmp_path / "out").glob("shard-*")
    assert json.loads(pyarrow.parquet.read_schema(shard).metadata[b"bertcli"])["ablated"] == ["0.1", "1.0"]
    with pytest.raises(OutputError, match=r"was started with --ablate 0\.1,1\.0"):
        encode(tiny_bert, tmp_path / "out", others, resume=True)
    encode(tiny_bert, tmp_path / "out", "1.0, -2.1", resume=True)  # the same heads


def test_a_run_on_ray_names_the_heads(tiny_bert: Path) -> None:
    request = EncodeRequest(TEXTS, model(tiny_bert, "1.0"), OutputOptions())
    assert corpus_run(request).info(open_session(request.session), request.session).ablated == ("1.0",)


def test_tables_and_pages_name_the_heads(tiny_bert: Path, tmp_path: Path) -> None:
    table = OutputOptions(output=str(tmp_path / "a.txt"), format=FormatName.TABLE, width=100, quiet=True)
    fill_mask(FillMaskRequest(ONE_TEXT, model(tiny_bert, "1.0"), table))
    assert (tmp_path / "a.txt").read_text().rstrip().endswith(" · numpy · cpu · float32 · heads off: 1.0")
    page = OutputOptions(output=str(tmp_path / "a.html"), quiet=True)
    attn(AttnRequest(ONE_TEXT, model(tiny_bert, "1.*"), page, HeadOptions(), MapOptions(), PageOptions()))
    assert "· heads off: 1.0 to 1.2 ·" in (tmp_path / "a.html").read_text()


def test_the_second_model_of_compare_keeps_its_heads(tiny_bert: Path, tmp_path: Path) -> None:
    found = {}
    for name, ablate, compare in (("both", "0.1", str(tiny_bert)), ("whole", None, None)):
        output = OutputOptions(output=str(tmp_path / f"{name}.json"), quiet=True)
        fill_mask(FillMaskRequest(ONE_TEXT, model(tiny_bert, ablate), output, compare=compare))
        [found[name]] = json.loads((tmp_path / f"{name}.json").read_text())["records"]
    [both], [whole] = found["both"]["masks"], found["whole"]["masks"]
    assert both["comparison"]["predictions"] == whole["predictions"] != both["predictions"]


def test_attention_of_a_head_that_is_off_is_still_shown(tiny_bert: Path, tmp_path: Path) -> None:
    weights = {}
    for name, ablate in (("off", "0.1"), ("on", None)):
        output = OutputOptions(output=str(tmp_path / f"{name}.json"), quiet=True)
        heads = HeadOptions(layer="0", head=1)
        maps = MapOptions(value_norms=True)
        attn(AttnRequest(ONE_TEXT, model(tiny_bert, ablate), output, heads, maps, PageOptions()))
        [weights[name]] = json.loads((tmp_path / f"{name}.json").read_text())["records"]
    assert weights["off"]["attention"] == weights["on"]["attention"]
    assert np.array(weights["off"]["value_norms"]).max() == 0
