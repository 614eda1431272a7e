"""--fields and --format plain in every command, from the request to the file."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from bertcli.choices import FormatName, HeadTask, LensMethod, OnError, Statistic
from bertcli.commands.attn.command import attn
from bertcli.commands.attn.request import AttnRequest
from bertcli.commands.encode.command import encode_texts
from bertcli.commands.encode.request import EncodeRequest
from bertcli.commands.fill_mask.command import fill_mask
from bertcli.commands.fill_mask.request import FillMaskRequest
from bertcli.commands.models import ModelsRequest, models
from bertcli.commands.options import HeadOptions, MapOptions, PageOptions, TextOptions, WordOptions
from bertcli.commands.shapes.command import ShapesRequest, shapes
from bertcli.errors import ExitCode, WrongUsage
from bertcli.model.request import SessionRequest
from bertcli.output.destination import OutputOptions
from tests.task_models import save_head

TEXT = "how [MASK] you"
RUNS: dict[str, tuple[Callable[[Any], ExitCode], type[Any]]] = {
    "fill-mask": (fill_mask, FillMaskRequest),
    "encode": (encode_texts, EncodeRequest),
    "shapes": (shapes, ShapesRequest),
}


def written(
    target: Path, command: str, texts: list[str], model: Path, *, on_error: OnError = OnError.STOP, **options: Any
) -> str:
    """Run a command into a file and return its text. `fields` and `format` are options of the output."""
    shown = {name: options.pop(name) for name in ("fields", "format") if name in options}
    output = OutputOptions(output=str(target), quiet=True, force=True, **shown)
    of_texts = options.pop("source", TextOptions(texts, on_error=on_error))
    session = SessionRequest(str(model), device="cpu")
    if command == "attn":
        heads, maps = options.get("heads", HeadOptions()), options.get("maps", MapOptions())
        attn(AttnRequest(of_texts, session, output, heads, maps, PageOptions()))
    else:
        run, request = RUNS[command]
        run(request(of_texts, session, output, **options))
    return target.read_text() if target.suffix != ".parquet" else ""


def plain(folder: Path, command: str, texts: list[str], model: Path, **options: Any) -> list[str]:
    """Return the lines of --format plain."""
    return written(folder / "out", command, texts, model, format=FormatName.PLAIN, **options).splitlines()


def records(folder: Path, command: str, texts: list[str], model: Path, **options: Any) -> list[Any]:
    document = json.loads(written(folder / "whole.json", command, texts, model, **options))
    found: list[Any] = document["records"]
    return found


def test_rows_of_a_column_and_of_a_key_are_those_of_json(tmp_path: Path, tiny_bert: Path) -> None:
    texts = [TEXT, "[MASK] are [MASK]"]
    found = records(tmp_path, "fill-mask", texts, tiny_bert)
    words = [
        (record["text"], each["token_str"])
        for record in found
        for mask in record["masks"]
        for each in mask["predictions"]
    ]
    for name in ("token_str", "masks.predictions.token_str"):
        rows = written(tmp_path / "out.tsv", "fill-mask", texts, tiny_bert, fields=f"text,{name}").splitlines()
        assert rows[0] == f"text\t{name}"
        assert [tuple(row.split("\t")) for row in rows[1:]] == words


@pytest.mark.parametrize("name", ["token_str", "masks.predictions.token_str"])
def test_json_of_a_column_and_of_a_key_is_the_same(tmp_path: Path, tiny_bert: Path, name: str) -> None:
    document = json.loads(written(tmp_path / "out.json", "fill-mask", [TEXT], tiny_bert, fields=f"{name},index"))
    assert {*document} > {"schema", "bertcli", "model", "engine", "records"}
    [record] = document["records"]
    assert list(record) == ["masks", "index"]
    assert [list(each) for each in record["masks"][0]["predictions"]] == [["token_str"]] * 5
    line = json.loads(written(tmp_path / "out.jsonl", "fill-mask", [TEXT], tiny_bert, fields=f"{name},index"))
    assert line == record


def test_several_files_have_a_column(tmp_path: Path, tiny_bert: Path) -> None:
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text("how\n")
    source = TextOptions(file=[str(tmp_path / "a.txt"), str(tmp_path / "b.txt")])
    header, *rows = written(tmp_path / "o.tsv", "encode", [], tiny_bert, source=source).splitlines()
    assert header.split("\t") == ["index", "file", "line", "text", "tokens", "embedding"]
    assert [row.split("\t")[:3] for row in rows] == [
        ["0", str(tmp_path / "a.txt"), "1"],
        ["1", str(tmp_path / "b.txt"), "1"],
    ]


@pytest.mark.parametrize(("pair", "more"), [(None, []), ("the cat", ["pair", "sentence"])])
def test_scores_of_words_name_the_sentence_of_a_pair_alone(
    tmp_path: Path, tiny_bert: Path, pair: str | None, more: list[str]
) -> None:
    source = TextOptions(["how are you"], pair=pair)
    options = {"source": source, "score": True, "words": True}
    header = written(tmp_path / "o.tsv", "fill-mask", [], tiny_bert, **options).splitlines()[0].split("\t")
    assert [name for name in header if name in ("pair", "sentence")] == more


def test_the_header_does_not_depend_on_the_texts(tmp_path: Path, tiny_bert: Path) -> None:
    skipping = {"on_error": OnError.SKIP, "entropy": True}
    headers = [
        written(tmp_path / "o.csv", "fill-mask", texts, tiny_bert, **skipping).splitlines()[0]
        for texts in ([TEXT], ["no mask"], [TEXT, "no mask", "[MASK] [MASK]"])
    ]
    assert headers == [
        "index,text,mask,position,rank,score,logit,token,token_str,sequence,entropy",
    ] * 3  # fmt: skip


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({"heads": HeadOptions(stat="entropy")}, "layer,head,entropy"),
        ({"heads": HeadOptions(layer="0", head=1)}, "query,key,weight"),
        ({"maps": MapOptions(from_token="how")}, "query,from.keys.token"),
        ({"maps": MapOptions(rollout=True)}, "row,value"),
        ({"heads": HeadOptions(aggregate=True)}, "text_count,heads.label"),
    ],
)
def test_attn_takes_fields(tmp_path: Path, tiny_bert: Path, options: dict[str, Any], names: str) -> None:
    header, *rows = written(
        tmp_path / "o.csv", "attn", ["how are you"], tiny_bert, fields=names, **options
    ).splitlines()
    assert header == names
    assert rows


def test_a_statistic_that_is_not_shown_is_an_error(tmp_path: Path, tiny_bert: Path) -> None:
    heads = HeadOptions(stat="entropy")
    with pytest.raises(WrongUsage, match=r"^the field distance needs --stat distance$"):
        written(tmp_path / "o.csv", "attn", ["how"], tiny_bert, fields="distance", heads=heads)


def test_attn_shows_all_its_columns_but_that_of_heads_in_a_group(tmp_path: Path, tiny_bert: Path) -> None:
    def header(**options: Any) -> list[str]:
        return written(tmp_path / "o.csv", "attn", ["how"], tiny_bert, **options).splitlines()[0].split(",")

    assert header() == ["index", "text", "layer", "head", *Statistic, "label"]
    assert header(heads=HeadOptions(group="layer", stat="self")) == ["index", "text", "layer", "self", "label"]


def test_shapes_and_models_take_fields(tmp_path: Path, tiny_bert: Path, capfd: pytest.CaptureFixture[str]) -> None:
    rows = written(tmp_path / "o.csv", "shapes", ["how"], tiny_bert, fields="name,count").splitlines()
    assert rows[:2] == ["name,count", "last_hidden_state,1"]
    rows = written(tmp_path / "o.csv", "shapes", [], tiny_bert, fields="total.parameters", weights=True).splitlines()
    assert rows[0] == "total.parameters" and len(rows) == 2
    rows = written(tmp_path / "o.csv", "shapes", ["how"], tiny_bert, fields="token,id", tokens=True).splitlines()
    assert [row.split(",")[0] for row in rows] == ["token", "[CLS]", "how", "[SEP]"]
    models(ModelsRequest(OutputOptions(fields="family,model", quiet=True, format=FormatName.CSV)))
    assert capfd.readouterr().out == "family,model\nbert,bundled\n"


def test_parquet_has_the_chosen_columns(tmp_path: Path, tiny_bert: Path) -> None:
    path = tmp_path / "o.parquet"
    written(path, "encode", ["how", "you"], tiny_bert, fields="text,embedding,index")
    table = parquet.read_table(path)
    assert table.column_names == ["text", "embedding", "index"]
    assert table.column("text").to_pylist() == ["how", "you"]
    words = WordOptions(words=True)
    written(path, "encode", ["how are"], tiny_bert, fields="words.word,start", words=words)
    assert parquet.read_table(path).to_pylist() == [{"word": "how", "start": 0}, {"word": "are", "start": 4}]
    with pytest.raises(WrongUsage, match=r"^this model has no labels$"):
        written(path, "encode", ["how"], tiny_bert, fields="labels")


def test_a_dot_leads_into_a_nested_column_of_parquet(tmp_path: Path) -> None:
    names = {0: "bad", 1: "good"}
    model, path = save_head(tmp_path / "model", "bert", HeadTask.TEXT_LABELS, names), tmp_path / "o.parquet"
    [record, _] = records(tmp_path, "encode", ["how", "you"], model)
    written(path, "encode", ["how", "", "you"], model, fields="labels.label,n_tokens", on_error=OnError.SKIP)
    found = parquet.read_table(path)
    assert found.column_names == ["labels.label", "n_tokens"]
    first, failed, _ = found.column("labels.label").to_pylist()
    assert (first, failed) == ([each["label"] for each in record["labels"]], None)
    assert plain(tmp_path, "encode", ["how"], model) == [record["labels"][0]["label"]]
    assert len(plain(tmp_path, "encode", ["how"], model, labels=False)[0].split()) == len(record["embedding"])


@pytest.mark.parametrize(
    ("target", "error"),
    [
        ("o.npy", "--fields is not available in .npy"),
        ("o.txt", "encode cannot write .txt files"),
        ("o.svg", "--fields is not available in a picture"),
        ("o/", "--fields and the folder .*o/ cannot be combined"),
    ],
)
def test_other_files_refuse_fields(tmp_path: Path, tiny_bert: Path, target: str, error: str) -> None:
    output = OutputOptions(output=f"{tmp_path}/{target}", fields="text")
    with pytest.raises(WrongUsage, match=error):
        encode_texts(EncodeRequest(TextOptions(["how"]), SessionRequest(str(tiny_bert)), output))


def test_a_plain_answer_of_fill_mask_has_every_mask_filled(tmp_path: Path, tiny_bert: Path) -> None:
    texts = [TEXT, "no mask", "[MASK] are [MASK]"]
    found = records(tmp_path, "fill-mask", [texts[0], texts[2]], tiny_bert)
    best = [[mask["predictions"][0]["token_str"] for mask in record["masks"]] for record in found]
    one, none, two = plain(tmp_path, "fill-mask", texts, tiny_bert, on_error=OnError.SKIP)
    assert one == found[0]["masks"][0]["predictions"][0]["sequence"]
    assert none == ""
    assert "[MASK]" not in two and two.startswith(best[1][0])


def test_plain_answers_of_targets_scores_and_filled_texts(tmp_path: Path, tiny_bert: Path) -> None:
    texts = ["[MASK] are [MASK]"]
    [record] = records(tmp_path, "fill-mask", texts, tiny_bert, targets="cat,the mat")
    best = [max(mask["targets"], key=lambda each: each["logprob"])["target"] for mask in record["masks"]]
    assert plain(tmp_path, "fill-mask", texts, tiny_bert, targets="cat,the mat") == ["\t".join(best)]
    [record] = records(tmp_path, "fill-mask", ["how are"], tiny_bert, score=True)
    [line] = plain(tmp_path, "fill-mask", ["how are"], tiny_bert, score=True)
    assert float(line) == pytest.approx(record["score"]["sum"])
    [record] = records(tmp_path, "fill-mask", texts, tiny_bert, joint=True)
    assert plain(tmp_path, "fill-mask", texts, tiny_bert, joint=True) == [record["sequences"][0]["sequence"]]


def test_plain_answers_of_encode_and_shapes(tmp_path: Path, tiny_bert: Path) -> None:
    texts = ["how are", "line\nend"]
    found = records(tmp_path, "encode", texts, tiny_bert)
    lines = plain(tmp_path, "encode", texts, tiny_bert)
    assert [list(map(float, line.split())) for line in lines] == [record["embedding"] for record in found]
    assert plain(tmp_path, "shapes", ["how are"], tiny_bert)[:2] == ["last_hidden_state 1 4 24", "pooler_output 1 24"]
    assert plain(tmp_path, "shapes", ["how are"], tiny_bert, tokens=True) == ["[CLS] how are [SEP]"]
    assert plain(tmp_path, "shapes", [], tiny_bert, weights=True)[0].split()[1:]


@pytest.mark.parametrize("options", [{"lens": LensMethod.RAW}, {"mutual": True}, {"compare": "bundled"}])
def test_analyses_without_a_bare_answer_refuse_plain(tmp_path: Path, tiny_bert: Path, options: dict[str, Any]) -> None:
    with pytest.raises(WrongUsage, match="fill-mask has no bare answer"):
        plain(tmp_path, "fill-mask", [TEXT], tiny_bert, **options)


def test_attn_and_words_refuse_plain(tmp_path: Path, tiny_bert: Path) -> None:
    with pytest.raises(WrongUsage, match="attn has no bare answer"):
        plain(tmp_path, "attn", ["how"], tiny_bert)
    with pytest.raises(WrongUsage, match="--words is not available in --format plain"):
        plain(tmp_path, "encode", ["how"], tiny_bert, words=WordOptions(words=True))


def test_fields_help_lists_the_names_without_a_model(capsys: pytest.CaptureFixture[str]) -> None:
    request = FillMaskRequest(
        TextOptions(), SessionRequest("nowhere"), OutputOptions(fields="help"), targets="are", score=False
    )
    assert fill_mask(request) == ExitCode.DONE
    listed = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in listed][:2] == ["index", "file"]
    assert any(line.startswith("target ") for line in listed)
    assert not any("entropy" in line for line in listed)
