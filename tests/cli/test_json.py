"""JSON output: its keys, which are an interface, and JSON lines."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from bertcli import __version__
from bertcli.checkpoints.translators import BUNDLED_LENS
from tests.cli.process import COMMANDS, TEXT, printed, run

HEADER = ["schema", "bertcli", "command", "model", "revision", "engine", "device", "dtype"]
TEXT_KEYS = ["index", "text", "tokens", "truncated", "unknown"]
PREDICTION = ["score", "token", "token_str", "sequence", "rank", "logit"]
TARGET = ["target", *PREDICTION, "pieces", "logprob", "share", "method"]
HEAD = [
    "layer", "head", "entropy", "self", "previous", "next", "cls", "sep", "punctuation", "distance", "confidence",
    "label",
]  # fmt: skip
OUTPUT = ["name", "symbolic", "shape", "count", "dtype", "bytes", "default", "in_checkpoint"]
OUTPUTS = {
    "BertModel": ["last_hidden_state", "pooler_output", "hidden_states", "attentions"],
    "BertForMaskedLM": ["logits", "hidden_states", "attentions"],
}
TENSOR = ["name", "shape", "dtype", "parameters", "bytes"]
TOKENS = ["[CLS]", "how", "[MASK]", "you", "[SEP]"]


def shape(nested: Any) -> tuple[int, ...]:
    """Return the shape of nested lists, taken from their first entries."""
    return (len(nested), *shape(nested[0])) if isinstance(nested, list) else ()


def keys(objects: Sequence[Mapping[str, Any]]) -> set[tuple[str, ...]]:
    """Return the distinct lists of keys of the objects. There is one entry if all have the same keys."""
    return {tuple(each) for each in objects}


@pytest.mark.parametrize("command", ["encode", "fill-mask", "attn"])
def test_the_header_names_model_engine_device_and_dtype(command: str) -> None:
    document = run(command, TEXT, "--json").json()
    assert list(document) == [*HEADER, *(["recipe"] if command == "encode" else []), "records"]
    assert {name: document[name] for name in HEADER} == {
        "schema": 1,
        "bertcli": __version__,
        "command": command,
        "model": "bundled",
        "revision": None,
        "engine": "numpy",
        "device": "cpu",
        "dtype": "float32",
    }


def test_the_model_has_the_name_that_the_user_gave(tiny: tuple[str, str]) -> None:
    assert printed("encode", TEXT, *tiny, "--json").json()["model"] == tiny[1]


def test_encode_writes_only_the_embedding_by_default(tiny: tuple[str, str]) -> None:
    (record,) = printed("encode", TEXT, *tiny, "--json").records()
    assert list(record) == [*TEXT_KEYS, "embedding"]
    assert (record["index"], record["text"], record["tokens"], record["truncated"]) == (0, TEXT, TOKENS, False)
    assert shape(record["embedding"]) == (24,)


def test_encode_adds_the_requested_outputs(tiny: tuple[str, str]) -> None:
    options = ("--tokens", "--pooler", "--layers", "0,-1", "--similarity")
    document = run("encode", TEXT, "the cat", *tiny, *options, "--json").json()
    assert list(document) == [*HEADER, "recipe", "records", "similarity"]
    assert shape(document["similarity"]) == (2, 2)
    record = document["records"][0]
    assert list(record) == [*TEXT_KEYS, "embedding", "token_vectors", "pooler_output", "layers", "hidden_states"]
    assert shape(record["token_vectors"]) == (5, 24)
    assert shape(record["pooler_output"]) == (24,)
    assert record["layers"] == [0, 2]
    assert shape(record["hidden_states"]) == (2, 5, 24)
    assert record["hidden_states"][1] == record["token_vectors"]


def test_fill_mask_has_the_same_keys_for_any_number_of_masks(tiny: tuple[str, str]) -> None:
    one, two = run("fill-mask", TEXT, "[MASK] are [MASK]", *tiny, "-k", "3", "--json").records()
    assert keys([one, two]) == {(*TEXT_KEYS, "masks")}
    assert [[mask["position"] for mask in record["masks"]] for record in (one, two)] == [[2], [1, 3]]
    masks = one["masks"] + two["masks"]
    assert keys(masks) == {("position", "predictions")}
    assert [len(mask["predictions"]) for mask in masks] == [3, 3, 3]
    predictions = [prediction for mask in masks for prediction in mask["predictions"]]
    assert keys(predictions) == {tuple(PREDICTION)}
    assert [prediction["rank"] for prediction in predictions] == [1, 2, 3] * 3


def test_targets_are_next_to_the_predictions(tiny: tuple[str, str]) -> None:
    (record,) = run("fill-mask", TEXT, *tiny, "--targets", "are,sat", "--json").records()
    (mask,) = record["masks"]
    assert list(mask) == ["position", "predictions", "targets"]
    assert keys(mask["targets"]) == {tuple(TARGET)}
    assert [target["target"] for target in mask["targets"]] == ["are", "sat"]


def test_entropy_and_mass_are_next_to_the_predictions(tiny: tuple[str, str]) -> None:
    (record,) = run("fill-mask", TEXT, *tiny, "--targets", "are", "--entropy", "--mass", "0.5", "--json").records()
    (mask,) = record["masks"]
    assert list(mask) == ["position", "predictions", "targets", "entropy", "mass"]
    assert mask["mass"] == pytest.approx(sum(prediction["score"] for prediction in mask["predictions"]))


def test_sequences_are_next_to_the_masks(tiny: tuple[str, str]) -> None:
    (record,) = run("fill-mask", "[MASK] are [MASK]", *tiny, "--joint", "-k", "3", "--json").records()
    assert list(record) == [*TEXT_KEYS, "masks", "sequences"]
    assert [len(mask["predictions"]) for mask in record["masks"]] == [3, 3]
    assert keys(record["sequences"]) == {("sequence", "tokens", "logprob")}
    assert [len(filled["tokens"]) for filled in record["sequences"]] == [2, 2, 2]


@pytest.mark.parametrize(("text", "masks"), [("how are you", 0), (TEXT, 1)])
def test_score_and_mutual_influence_work_with_and_without_masks(tiny: tuple[str, str], text: str, masks: int) -> None:
    (scored,) = run("fill-mask", text, *tiny, "--score", "--json").records()
    assert list(scored) == [*TEXT_KEYS, "masks", "score"]
    assert keys([scored["score"]]) == {("sum", "mean", "perplexity", "method", "tokens")}
    assert keys(scored["score"]["tokens"]) == {("position", "token", "id", "logprob", "surprisal", "rank", "best")}
    assert len(scored["masks"]) == masks
    assert [token["position"] for token in scored["score"]["tokens"]] == ([1, 3] if masks else [1, 2, 3])
    (mutual,) = run("fill-mask", text, *tiny, "--mutual", "--json").records()
    assert list(mutual) == [*TEXT_KEYS, "masks", "mutual"]
    assert mutual["masks"] == scored["masks"]
    assert shape(mutual["mutual"]) == (5, 5)
    assert mutual["mutual"][0] == [None] * 5


@pytest.mark.parametrize("pair", [(), ("--pair", "the cats")])
def test_words_are_in_the_score_with_their_places(tiny: tuple[str, str], pair: tuple[str, ...]) -> None:
    options = ("--score", "--words", "--within-word", "whole")
    (record,) = run("fill-mask", "how cats", *pair, *tiny, *options, "--json").records()
    assert list(record["score"]) == ["sum", "mean", "perplexity", "method", "tokens", "words"]
    sentence = ["sentence"] if pair else []
    assert keys(record["score"]["words"]) == {
        ("word", *sentence, "index", "start", "end", "positions", "logprob", "surprisal")
    }
    assert record["score"]["method"] == "PLL-whole-word"
    header, *rows = run("fill-mask", "how cats", *pair, *tiny, *options, "--format", "tsv").rows()
    names = ["word", "word_index", *sentence, "start", "end", "positions", "logprob", "surprisal"]
    assert header[-len(names) :] == names
    cells = [dict(zip(header, row, strict=True)) for row in rows]
    found = [(each["word"], str(each["index"]), str(each.get("sentence", 0))) for each in record["score"]["words"]]
    assert [(row["word"], row["word_index"], row.get("sentence", "0")) for row in cells] == found


def test_words_say_that_they_imply_a_method(tiny: tuple[str, str]) -> None:
    done = run("fill-mask", "how cats", *tiny, "--score", "--words", "--format", "tsv")
    assert (done.exit_code, done.stderr) == (
        0,
        "bertcli: note: --words scores each token with the later pieces of its word masked too (--within-word l2r)\n",
    )


def test_the_lens_has_an_entry_for_each_hidden_state(tiny: tuple[str, str]) -> None:
    (record,) = run("fill-mask", TEXT, *tiny, "--lens", "--targets", "are", "-k", "2", "--json").records()
    (mask,) = record["masks"]
    assert list(mask) == ["position", "predictions", "targets", "lens", "lens_method"]
    assert keys(mask["lens"]) == {("layer", "predictions", "targets")}
    assert [layer["layer"] for layer in mask["lens"]] == [0, 1, 2]
    assert keys(prediction for layer in mask["lens"] for prediction in layer["predictions"]) == {tuple(PREDICTION)}
    assert keys(target for layer in mask["lens"] for target in layer["targets"]) == {tuple(TARGET)}
    assert mask["lens"][-1]["predictions"] == mask["predictions"]


def test_the_lens_names_its_method(tiny: tuple[str, str]) -> None:
    methods = []
    for options in ([*tiny, "--lens"], ["--lens"], ["--lens", "raw"], ["--lens", "--lens-file", BUNDLED_LENS]):
        (record,) = printed("fill-mask", *options, TEXT, "-k", "1", "--json").records()
        methods.append(record["masks"][0]["lens_method"])
    assert methods == ["raw", "tuned", "raw", "tuned"]


def test_a_comparison_has_the_answer_of_the_second_model(tiny: tuple[str, str]) -> None:
    document = run("fill-mask", TEXT, *tiny, "--compare", "bundled", "--targets", "are", "-q", "--json").json()
    assert document["model"] == tiny[1]
    (mask,) = document["records"][0]["masks"]
    comparison = mask["comparison"]
    assert list(comparison) == ["model", "revision", "predictions", "jensen_shannon", "changes", "targets"]
    assert (comparison["model"], comparison["jensen_shannon"]) == ("bundled", None)
    (alone,) = run("fill-mask", TEXT, "--targets", "are", "--json").records()
    assert [comparison["predictions"], comparison["targets"]] == [
        alone["masks"][0]["predictions"], alone["masks"][0]["targets"],
    ]  # fmt: skip
    change = ("token_str", "rank", "other_rank", "change", "score", "other_score")
    assert keys(comparison["changes"]) == {change}


def test_attn_has_every_head_of_every_layer(tiny: tuple[str, str]) -> None:
    (record,) = printed("attn", TEXT, *tiny, "--json").records()
    assert list(record) == [*TEXT_KEYS, "heads"]
    assert keys(record["heads"]) == {tuple(HEAD)}
    assert [(head["layer"], head["head"]) for head in record["heads"]] == [
        (0, 0),
        (0, 1),
        (0, 2),
        (1, 0),
        (1, 1),
        (1, 2),
    ]


def test_attn_adds_the_matrix_of_a_head_or_the_keys_of_a_token(tiny: tuple[str, str]) -> None:
    (record,) = run("attn", TEXT, *tiny, "--layer", "1", "--head", "2", "--json").records()
    assert list(record) == [*TEXT_KEYS, "heads", "attention"]
    assert shape(record["attention"]) == (5, 5)
    (record,) = run("attn", TEXT, *tiny, "--layer", "1", "--from", "you", "-k", "2", "--json").records()
    assert list(record) == [*TEXT_KEYS, "heads", "from"]
    assert keys(record["from"]) == {("position", "token", "layer", "head", "keys")}
    assert [(found["position"], found["token"], found["head"]) for found in record["from"]] == [
        (3, "you", 0), (3, "you", 1), (3, "you", 2),
    ]  # fmt: skip
    assert keys([key for found in record["from"] for key in found["keys"]]) == {("position", "token", "weight")}
    assert {len(found["keys"]) for found in record["from"]} == {2}


def test_shapes_has_classes_instead_of_records(tiny: tuple[str, str]) -> None:
    document = printed("shapes", TEXT, *tiny, "--json").json()
    assert list(document) == [*HEADER, "batch_size", "sequence_length", "holds", "classes"]
    assert document["holds"] == {"pooler": True, "mlm_head": True, "next_sentence_head": True}
    # Nothing was computed: only the config was read.
    assert (document["engine"], document["device"]) == (None, None)
    assert keys(document["classes"]) == {("class", "parameters", "outputs")}
    assert {each["class"]: [output["name"] for output in each["outputs"]] for each in document["classes"]} == OUTPUTS
    assert keys([output for each in document["classes"] for output in each["outputs"]]) == {tuple(OUTPUT)}


def test_hidden_states_are_one_entry_with_their_total_bytes(tiny: tuple[str, str]) -> None:
    classes = run("shapes", "--batch", "2", "--seq", "8", *tiny, "--json").json()["classes"]
    assert classes[0]["outputs"][2] == {
        "name": "hidden_states",
        "symbolic": ["batch_size", "sequence_length", "hidden_size"],
        "shape": [2, 8, 24],
        "count": 3,
        "dtype": "float32",
        "bytes": 3 * 2 * 8 * 24 * 4,
        "default": False,
        "in_checkpoint": True,
    }


def test_shapes_run_adds_the_actual_shapes(tiny: tuple[str, str]) -> None:
    document = run("shapes", TEXT, "the cat sat on", *tiny, "--run", "--json").json()
    assert document["engine"] == "numpy"
    outputs = [output for each in document["classes"] for output in each["outputs"]]
    assert keys(outputs) == {(*OUTPUT, "ran")}
    assert [output["ran"] for output in outputs] == [output["shape"] for output in outputs]


def test_weights_have_tensors_and_a_total(tiny: tuple[str, str]) -> None:
    document = printed("shapes", "--weights", *tiny, "--json").json()
    assert list(document) == [*HEADER, "tensors", "total"]
    tensors, total = document["tensors"], document["total"]
    assert keys(tensors) == {tuple(TENSOR)}
    assert total == {
        "tensors": len(tensors),
        "parameters": sum(tensor["parameters"] for tensor in tensors),
        "bytes": sum(tensor["bytes"] for tensor in tensors),
    }


@pytest.mark.parametrize("command", COMMANDS)
def test_json_is_short_for_format_json(tiny: tuple[str, str], command: str) -> None:
    assert printed(command, TEXT, *tiny, "--json") == printed(command, TEXT, *tiny, "--format", "json")


@pytest.mark.parametrize("command", ["encode", "fill-mask", "attn"])
def test_json_lines_are_the_records_without_a_header(tiny: tuple[str, str], command: str) -> None:
    texts = (TEXT, "the [MASK] sat")
    lines = run(command, *texts, *tiny, "--format", "jsonl").lines()
    assert len(lines) == 2
    assert lines == run(command, *texts, *tiny, "--json").records()


@pytest.mark.parametrize(("options", "key"), [((TEXT,), "classes"), (("--weights",), "tensors")])
def test_json_lines_of_shapes_are_classes_or_tensors(tiny: tuple[str, str], options: tuple[str, ...], key: str) -> None:
    lines = run("shapes", *options, *tiny, "--format", "jsonl").lines()
    assert lines == printed("shapes", *options, *tiny, "--json").json()[key]


def test_a_record_has_its_line_and_pair_if_there_are_any(tiny: tuple[str, str]) -> None:
    (record,) = run("encode", "-", *tiny, "--pair", "the mat", "--json", stdin="the cat\n").records()
    assert list(record) == [
        "index",
        "line",
        "text",
        "pair",
        "tokens",
        "truncated",
        "unknown",
        "embedding",
        "next_sentence",
    ]
    assert (record["line"], record["pair"]) == (1, "the mat")
    assert record["tokens"] == ["[CLS]", "the", "cat", "[SEP]", "the", "mat", "[SEP]"]


def test_text_in_json_is_utf_8_and_only_control_characters_are_escaped(tiny: tuple[str, str]) -> None:
    finished = run("encode", "Ä 中 \x1b[31m", *tiny, "--json", env={"LC_ALL": "C", "PYTHONIOENCODING": "ascii"})
    assert "Ä 中 \\u001b[31m" in finished.text
    assert finished.records()[0]["text"] == "Ä 中 \x1b[31m"
