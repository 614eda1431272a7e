"""Files of the weights, whole or sharded, and the check that they fit the config."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from bertcli.checkpoints import layout
from bertcli.checkpoints.config import read_config
from bertcli.checkpoints.weight_files import find_weight_files, has_weight_files
from bertcli.errors import BadCheckpoint, UnsupportedModel
from tests.reference import assert_same, engine_outputs, transformers_outputs
from tests.tiny import edit_config, one_batch, open_bert, random_model, save_bert, write_json

WHOLE, INDEX = "model.safetensors", "model.safetensors.index.json"


def stored(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / WHOLE)


def store(folder: Path, tensors: dict[str, torch.Tensor]) -> None:
    save_file(tensors, folder / WHOLE)


@pytest.fixture
def sharded(tmp_path: Path) -> Path:
    """A BERT in several safetensors files, as save_pretrained writes a large one."""
    folder = save_bert(tmp_path / "sharded")
    (folder / WHOLE).unlink()
    random_model().save_pretrained(folder, max_shard_size="20KB")
    assert len(list(folder.glob("model-*-of-*.safetensors"))) > 2
    return folder


def assert_answers_as(folder: Path, original: Path, *engines: str) -> None:
    for engine in engines:
        session = open_bert(folder, engine)
        batch = one_batch(session, ["how [MASK] you", "the cat sat on the mat"])
        assert_same(engine_outputs(session, batch), transformers_outputs(original, batch), batch)


def test_shards_together_are_the_checkpoint(sharded: Path, tiny_bert: Path) -> None:
    found, whole = find_weight_files(sharded), find_weight_files(tiny_bert)
    assert len(found.files) > 2
    assert {info.name: info.shape for info in found.infos} == {info.name: info.shape for info in whole.infos}
    assert_answers_as(sharded, tiny_bert, "numpy", "torch", "transformers")


def test_a_missing_shard_is_named(sharded: Path) -> None:
    shard = sorted(sharded.glob("model-*"))[1]
    shard.unlink()
    with pytest.raises(BadCheckpoint, match=f"names {shard.name}, which does not exist"):
        find_weight_files(sharded)


@pytest.mark.parametrize("index", [{}, {"weight_map": []}, {"weight_map": {"a": 3}}])
def test_an_index_without_a_weight_map_is_a_bad_checkpoint(sharded: Path, index: object) -> None:
    write_json(sharded / INDEX, index)
    with pytest.raises(BadCheckpoint, match="has no weight_map"):
        find_weight_files(sharded)


def test_a_shard_is_searched_only_in_the_folder(sharded: Path) -> None:
    name = sorted(sharded.glob("model-*"))[0].name
    write_json(sharded / INDEX, {"weight_map": {"a": f"../../elsewhere/{name}"}})
    assert find_weight_files(sharded).files == (sharded / name,)


def test_whole_files_come_before_shards_and_safetensors_before_pickles(own_tiny_bert: Path) -> None:
    whole = own_tiny_bert / WHOLE
    for other in (INDEX, "pytorch_model.bin", "pytorch_model.bin.index.json"):
        (own_tiny_bert / other).write_text("not looked at", encoding="utf-8")
    found = find_weight_files(own_tiny_bert)
    assert (found.files, found.is_pickled) == ((whole,), False)


def test_a_folder_without_weights_is_a_bad_checkpoint(own_tiny_bert: Path) -> None:
    assert has_weight_files(own_tiny_bert)
    (own_tiny_bert / WHOLE).unlink()
    assert not has_weight_files(own_tiny_bert)
    with pytest.raises(BadCheckpoint, match=r"neither model\.safetensors nor pytorch_model\.bin"):
        find_weight_files(own_tiny_bert)


def test_a_git_lfs_pointer_is_recognised(own_tiny_bert: Path) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"
    (own_tiny_bert / WHOLE).write_text(pointer, encoding="utf-8")
    with pytest.raises(BadCheckpoint, match="is a git-lfs pointer"):
        open_bert(own_tiny_bert)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hidden_size": 12}, r"embeddings\.word_embeddings\.weight has shape \(\d+, 24\) .* \(\d+, 12\)"),
        ({"vocab_size": 7}, r"word_embeddings\.weight has shape"),
        ({"num_hidden_layers": 1}, "the tensors have 1 more layer than num_hidden_layers"),
        ({"num_hidden_layers": 3}, r"encoder\.layer\.2\.attention\.self\.query\.weight is missing \(one of 16\)"),
        ({"intermediate_size": 41}, r"intermediate\.dense\.weight has shape \(40, 24\)"),
        ({"max_position_embeddings": 63}, r"position_embeddings\.weight has shape \(64, 24\)"),
        ({"type_vocab_size": 3}, r"token_type_embeddings\.weight has shape \(2, 24\)"),
    ],
    ids=str,
)
def test_weights_that_do_not_fit_the_config_are_named_with_their_shape(
    own_tiny_bert: Path, change: dict[str, Any], message: str
) -> None:
    edit_config(own_tiny_bert, **change)
    weight_files = find_weight_files(own_tiny_bert)
    with pytest.raises(BadCheckpoint, match=message) as raised:
        weight_files.check_fits(read_config(own_tiny_bert))
    assert str(own_tiny_bert) in raised.value.message


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("bert.encoder.layer.1.output.dense.bias", None),
        ("bert.pooler.dense.weight", lambda tensor: tensor[:-1].clone()),
        ("cls.predictions.bias", lambda tensor: tensor[:-1].clone()),
        ("cls.predictions.transform.dense.weight", lambda tensor: tensor[None].clone()),
    ],
)
def test_a_missing_tensor_or_wrong_shape_is_named(
    own_tiny_bert: Path, name: str, change: Callable[[torch.Tensor], torch.Tensor] | None
) -> None:
    tensors = stored(own_tiny_bert)
    tensor = tensors.pop(name)
    store(own_tiny_bert, tensors if change is None else tensors | {name: change(tensor)})
    with pytest.raises(BadCheckpoint, match=layout.canonical_name(name)):
        open_bert(own_tiny_bert)


def test_the_error_for_another_model_lists_its_tensors(own_tiny_bert: Path) -> None:
    store(own_tiny_bert, {"transformer.wte.weight": torch.ones(3, 3), "lm_head.weight": torch.ones(3, 3)})
    with pytest.raises(BadCheckpoint, match=r"does not hold a BERT: .*lm_head\.weight"):
        open_bert(own_tiny_bert)


@pytest.mark.parametrize("dtype", [torch.int8, torch.float8_e4m3fn, torch.bool], ids=str)
def test_quantised_weights_are_an_error(own_tiny_bert: Path, dtype: torch.dtype) -> None:
    name = "bert.encoder.layer.0.attention.self.query.weight"
    store(own_tiny_bert, stored(own_tiny_bert) | {name: torch.ones(24, 24).to(dtype)})
    with pytest.raises(UnsupportedModel, match=r"attention\.self\.query\.weight as (I8|F8_E4M3|BOOL)"):
        open_bert(own_tiny_bert)


def test_a_dtype_that_no_engine_reads_does_not_matter_in_an_extra_tensor(own_tiny_bert: Path, tiny_bert: Path) -> None:
    content = (own_tiny_bert / WHOLE).read_bytes()
    length = int.from_bytes(content[:8], "little")
    header, size = json.loads(content[8 : 8 + length]), len(content) - 8 - length
    header["scale"] = {"dtype": "F8_E8M0", "shape": [8], "data_offsets": [size, size + 8]}
    header["packed"] = {"dtype": "F4", "shape": [4, 4], "data_offsets": [size + 8, size + 16]}
    text = json.dumps(header).encode()
    (own_tiny_bert / WHOLE).write_bytes(len(text).to_bytes(8, "little") + text + content[8 + length :] + bytes(16))
    assert_answers_as(own_tiny_bert, tiny_bert, "numpy", "torch")
    assert open_bert(own_tiny_bert).has_mlm_head


def test_the_number_of_a_layer_may_have_any_number_of_digits(own_tiny_bert: Path) -> None:
    tensors = stored(own_tiny_bert)
    store(own_tiny_bert, tensors | {f"bert.encoder.layer.{'9' * 5000}.x": torch.ones(1)})
    open_bert(own_tiny_bert)
    store(own_tiny_bert, tensors | {"bert.encoder.layer.99999.x": torch.ones(1)})
    with pytest.raises(BadCheckpoint, match="99998 more layers"):
        open_bert(own_tiny_bert)


def test_the_dtypes_may_be_mixed(own_tiny_bert: Path, tiny_bert: Path) -> None:
    kinds = [torch.float64, torch.float32]
    mixed = {name: tensor.to(kinds[at % 2]) for at, (name, tensor) in enumerate(stored(own_tiny_bert).items())}
    store(own_tiny_bert, mixed)
    assert {info.dtype for info in find_weight_files(own_tiny_bert).infos} == {"F64", "F32"}
    assert_answers_as(own_tiny_bert, tiny_bert, "numpy", "torch", "transformers")


def test_a_part_needs_all_its_tensors(tiny_bert: Path) -> None:
    weight_files, config = find_weight_files(tiny_bert), read_config(tiny_bert)
    assert weight_files.holds(layout.pooler_layout(config))
    assert weight_files.holds(layout.mlm_head_layout(config))
    assert not weight_files.holds(layout.own_decoder_layout(config))
    assert not weight_files.holds(layout.body_layout(replace(config, num_hidden_layers=3)))


def test_a_tensor_is_read_by_its_canonical_name(tiny_bert: Path) -> None:
    read = find_weight_files(tiny_bert).reader()
    expected = stored(tiny_bert)["bert.encoder.layer.1.output.LayerNorm.weight"]
    np.testing.assert_array_equal(read("encoder.layer.1.output.LayerNorm.weight"), expected.numpy())


def test_the_decoders_own_bias_is_used(own_tiny_bert: Path) -> None:
    bias = stored(own_tiny_bert)["cls.predictions.bias"]
    store(own_tiny_bert, stored(own_tiny_bert) | {"cls.predictions.decoder.bias": bias + 1})
    assert_answers_as(own_tiny_bert, own_tiny_bert, "numpy", "torch")


def test_a_stored_decoder_is_used_as_in_transformers_although_tied(
    own_tiny_bert: Path,
) -> None:
    words = stored(own_tiny_bert)["bert.embeddings.word_embeddings.weight"]
    store(own_tiny_bert, stored(own_tiny_bert) | {"cls.predictions.decoder.weight": words + 1})
    assert_answers_as(own_tiny_bert, own_tiny_bert, "numpy", "torch")
