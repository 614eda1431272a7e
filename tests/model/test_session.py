"""A checkpoint opened once: answers for every text in the order in which they came."""

from pathlib import Path

import numpy as np
import pytest
import torch

from bertcli.analysis.outputs import compute_output_shapes
from bertcli.checkpoints.find import BUNDLED_FOLDER
from bertcli.errors import BadCheckpoint, CheckpointNotFound
from bertcli.model.batching import dummy_batch
from bertcli.model.engine import OutputRequest
from bertcli.model.ops.torch_ops import TorchOps
from bertcli.model.request import SessionRequest
from bertcli.model.session import open_session
from tests.tiny import DEFAULTS, one_batch, open_bert

ENGINES = ["numpy", "torch", "transformers"]


def test_the_bundled_model_is_opened_where_none_is_named() -> None:
    session = open_session(SessionRequest(), lambda: 20)
    info = session.info("encode")
    assert session.checkpoint.folder == BUNDLED_FOLDER
    assert (info.command, info.model, info.revision) == ("encode", "bundled", None)
    assert (info.engine, info.device, info.dtype) == ("numpy", "cpu", "float32")


def test_much_text_is_given_to_torch_and_the_answer_names_it(tiny_bert: Path) -> None:
    request = SessionRequest(model=str(tiny_bert), device="cpu")
    assert open_session(request, lambda: 100).info("encode").engine == "numpy"
    assert open_session(request, lambda: 10**12).info("encode").engine == "torch"


@pytest.mark.parametrize("engine", ENGINES)
def test_an_engine_says_its_name_its_device_and_its_dtype(tiny_bert: Path, engine: str) -> None:
    info = open_bert(tiny_bert, engine).info("attn")
    assert (info.model, info.engine, info.device, info.dtype) == (str(tiny_bert), engine, "cpu", "float32")


@pytest.mark.parametrize("engine", ["numpy", "torch"])
def test_the_threads_that_are_asked_for_are_those_that_are_used(tiny_bert: Path, engine: str) -> None:
    assert open_bert(tiny_bert, engine, threads=1).engine.ops.count_threads() == 1


def test_a_checkpoint_that_is_not_there_or_not_whole_is_not_opened(own_tiny_bert: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointNotFound):
        open_bert(tmp_path / "nowhere")
    (own_tiny_bert / "vocab.txt").unlink()
    with pytest.raises(BadCheckpoint, match="no tokenizer"):
        open_bert(own_tiny_bert)


@pytest.mark.parametrize("engine", ["numpy", "torch"])
def test_a_session_may_be_asked_again_and_gives_the_same(tiny_bert: Path, engine: str) -> None:
    session = open_bert(tiny_bert, engine)
    batch = one_batch(session, ["how are you", "the cat sat on the mat"])
    first, second = (session.to_numpy(session.run(batch, OutputRequest()).last_hidden_state).copy() for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("engine", ENGINES)
def test_the_shapes_that_come_out_are_those_of_the_config(tiny_bert: Path, engine: str) -> None:
    layers, heads, hidden = (DEFAULTS[name] for name in ("num_hidden_layers", "num_attention_heads", "hidden_size"))
    came = compute_output_shapes(open_bert(tiny_bert, engine), dummy_batch(2, 5))
    assert {tensor.dtype for tensors in came.values() for tensor in tensors} == {"float32"}
    assert {name: [tensor.shape for tensor in tensors] for name, tensors in came.items()} == {
        "attentions": [(2, heads, 5, 5)] * layers,
        "last_hidden_state": [(2, 5, hidden)],
        "hidden_states": [(2, 5, hidden)] * (layers + 1),
        "pooler_output": [(2, hidden)],
        "logits": [(2, 5, DEFAULTS["vocab_size"])],
    }


@pytest.mark.parametrize("error", [torch.OutOfMemoryError("CUDA"), RuntimeError("can't allocate memory: 8 bytes")])
def test_torch_without_memory_is_as_python_without_memory(error: RuntimeError) -> None:
    with pytest.raises(MemoryError), TorchOps("cpu", "float32").inference_mode():
        raise error
    with pytest.raises(RuntimeError, match="another"), TorchOps("cpu", "float32").inference_mode():
        raise RuntimeError("another")
