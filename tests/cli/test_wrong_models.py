"""Checkpoints that are missing, damaged or incomplete: an error that names the file, and a hint."""

import json
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors.numpy import load_file, save_file

from tests.cli.process import TEXT, Finished, assert_failed, run
from tests.tiny import VOCABULARY, edit_config, write_vocabulary


def without(folder: Path, *prefixes: str) -> None:
    """Remove the tensors with this prefix from the checkpoint."""
    path = folder / "model.safetensors"
    kept = {name: tensor for name, tensor in load_file(path).items() if not name.startswith(prefixes)}
    save_file(kept, path)


def rewrite(name: str, change: Callable[[bytes], bytes]) -> Callable[[Path], object]:
    """Return a function that changes the bytes of a file in a folder."""
    return lambda folder: (folder / name).write_bytes(change((folder / name).read_bytes()))


def header_that_promises_more(content: bytes) -> bytes:
    """Return a safetensors file whose header has a tensor beyond its end."""
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    last = max((entry for name, entry in header.items() if name != "__metadata__"), key=lambda e: e["data_offsets"])
    last["data_offsets"][1] += 96
    last["shape"] = [last["data_offsets"][1] // 4 - last["data_offsets"][0] // 4]
    written = json.dumps(header).encode()
    return struct.pack("<Q", len(written)) + written + content[8 + length :]


def answer(folder: Path, command: str = "fill-mask", *options: str) -> Finished:
    """Run a command on the checkpoint in a folder."""
    return run(command, TEXT, "-m", folder.name, *options, cwd=folder.parent)


DAMAGES: dict[str, tuple[Callable[[Path], object], tuple[str, ...]]] = {
    "weights cut short": (
        rewrite("model.safetensors", lambda content: content[: len(content) // 2]),
        ("model.safetensors is damaged", "bytes"),
    ),
    "header cut short": (rewrite("model.safetensors", lambda content: content[:100]), ("damaged", "header")),
    "an empty file": (rewrite("model.safetensors", lambda content: b""), ("model.safetensors is damaged", "empty")),
    "no safetensors at all": (
        rewrite("model.safetensors", lambda content: b"version https://git-lfs.github.com/spec/v1\n"),
        ("model.safetensors is a git-lfs pointer",),
    ),
    "header that is not JSON": (
        rewrite("model.safetensors", lambda content: content[:8] + b"\xff" + content[9:]),
        ("model.safetensors is damaged", "JSON"),
    ),
    "header that promises more": (
        rewrite("model.safetensors", header_that_promises_more),
        ("model.safetensors is damaged",),
    ),
    "other widths": (lambda folder: edit_config(folder, intermediate_size=48), ("do not fit its config.json", "shape")),
    "fewer layers": (lambda folder: edit_config(folder, num_hidden_layers=1), ("do not fit its config.json", "layers")),
    "more layers": (lambda folder: edit_config(folder, num_hidden_layers=3), ("do not fit its config.json", "missing")),
    "another vocabulary size": (lambda folder: edit_config(folder, vocab_size=400), ("do not fit its config.json",)),
    "heads that do not divide": (lambda folder: edit_config(folder, num_attention_heads=5), ("not a multiple",)),
    "config that is not JSON": (
        rewrite("config.json", lambda content: content[:-20]),
        ("config.json is not valid JSON",),
    ),
    "config that is no object": (rewrite("config.json", lambda content: b"[]"), ("config.json", "JSON object")),
    "config that is not UTF-8": (
        rewrite("config.json", lambda content: b"\xff\xfe"),
        ("config.json is not valid JSON",),
    ),
    "a config value of another kind": (
        lambda folder: edit_config(folder, hidden_size="24"),
        ("hidden_size is '24'", "whole number"),
    ),
    "another architecture": (lambda folder: edit_config(folder, model_type="gpt2"), ("model_type 'gpt2'",)),
    "no config": (lambda folder: (folder / "config.json").unlink(), ("has no config.json",)),
    "no weights": (lambda folder: (folder / "model.safetensors").unlink(), ("has no weights",)),
    "no tokenizer": (lambda folder: (folder / "vocab.txt").unlink(), ("has no tokenizer",)),
    "more tokens than embeddings": (
        lambda folder: write_vocabulary(folder, [*VOCABULARY, "one", "more"]),
        (f"{len(VOCABULARY) + 2} tokens", f"embeddings for {len(VOCABULARY)}"),
    ),
    "tokenizer.json that is no tokenizer": (
        lambda folder: (folder / "tokenizer.json").write_text("{}"),
        ("tokenizer.json is not a tokenizer",),
    ),
    "tokenizer.json whose loading panics": (
        lambda folder: (folder / "tokenizer.json").write_text(
            '{"version": "1.0", "normalizer": {"type": "Precompiled", "precompiled_charsmap": "AAAA"}}'
        ),
        ("tokenizer.json is not a tokenizer",),
    ),
    "vocabulary that is not UTF-8": (
        rewrite("vocab.txt", lambda content: b"\xff\xfe\n" + content),
        ("vocab.txt is not a tokenizer",),
    ),
    "no MLM head": (lambda folder: without(folder, "cls."), ("has no masked-language-model head",)),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_checkpoint_is_an_error_that_names_it(own_tiny_bert: Path, damage: str) -> None:
    change, words = DAMAGES[damage]
    change(own_tiny_bert)
    finished = answer(own_tiny_bert)
    assert_failed(finished, 1, "tiny-bert", *words)
    assert finished.stdout == b""


def test_a_missing_model_is_an_error() -> None:
    assert_failed(run("encode", TEXT, "-m", "no/such-model"), 1, "'no/such-model'")
    assert_failed(run("shapes", TEXT, env={"BERTCLI_MODEL": "no/such-model"}), 1, "'no/such-model'")


def test_a_file_is_not_a_model(own_tiny_bert: Path) -> None:
    finished = run("encode", TEXT, "-m", "tiny-bert/config.json", cwd=own_tiny_bert.parent)
    assert_failed(finished, 1, "tiny-bert/config.json is a file")


def test_without_an_mlm_head_the_other_commands_work(own_tiny_bert: Path) -> None:
    without(own_tiny_bert, "cls.")
    for command in ("encode", "shapes", "attn"):
        answer(own_tiny_bert, command).answer()
    logits = answer(own_tiny_bert, "shapes", "--json").json()["classes"][1]["outputs"][0]
    assert (logits["name"], logits["in_checkpoint"]) == ("logits", False)


def test_without_a_pooler_only_its_output_is_an_error(own_tiny_bert: Path) -> None:
    without(own_tiny_bert, "bert.pooler.")
    for options, hint in (
        (("--pooler", "--json"), "leave --pooler out, or use a checkpoint saved from BertModel"),
        (("--pool", "pooler"), "use --pooling mean or --pooling cls, or use a checkpoint saved from BertModel"),
    ):
        finished = answer(own_tiny_bert, "encode", *options)
        assert_failed(finished, 1, "tiny-bert has no pooler")
        assert finished.stderr.endswith(f"hint: {hint}\n")
    assert "pooler_output" not in answer(own_tiny_bert, "encode", "--format", "table").answer().text
    outputs = answer(own_tiny_bert, "shapes", "--run", "--json").json()["classes"][0]["outputs"]
    assert [(output["name"], output["in_checkpoint"], output.get("ran")) for output in outputs][:2] == [
        ("last_hidden_state", True, [1, 5, 24]),
        ("pooler_output", False, None),
    ]


def test_shapes_needs_no_weights(own_tiny_bert: Path) -> None:
    (own_tiny_bert / "model.safetensors").unlink()
    classes = answer(own_tiny_bert, "shapes", "--json").json()["classes"]
    held = {output["name"]: output["in_checkpoint"] for each in classes for output in each["outputs"]}
    assert (held["pooler_output"], held["logits"]) == (None, None)
    for options in (("--weights",), ("--seq", "8", "--run")):
        finished = run("shapes", *options, "-m", own_tiny_bert.name, cwd=own_tiny_bert.parent)
        assert_failed(finished, 1, "has no weights")


def test_a_pickle_that_holds_more_than_tensors_is_not_unpickled(own_tiny_bert: Path) -> None:
    (own_tiny_bert / "model.safetensors").unlink()
    # os.system("touch unpickled"), in pickle's first protocol.
    (own_tiny_bert / "pytorch_model.bin").write_bytes(b"cos\nsystem\n(S'touch unpickled'\ntR.")
    assert_failed(answer(own_tiny_bert), 1, "pytorch_model.bin", "was not unpickled")
    assert not (own_tiny_bert.parent / "unpickled").exists()
