"""The forward pass of a checkpoint exported to ONNX, run on onnxruntime and on OpenVINO."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
import openvino
import torch
import transformers

from bertcli.analysis.embeddings.pooling import pool
from bertcli.choices import DtypeName, Pooling
from bertcli.model.batching import Batch
from bertcli.model.ops.base import FloatArray, IntArray

INPUTS = ("input_ids", "attention_mask", "token_type_ids")


class Body(torch.nn.Module):
    """The module to export: named inputs, and last_hidden_state as the only output."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.model = transformers.BertModel.from_pretrained(folder, dtype=torch.float32, add_pooling_layer=False)

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, token_type_ids: torch.Tensor
    ) -> torch.Tensor:
        output: torch.Tensor = self.model(input_ids, attention_mask, token_type_ids).last_hidden_state
        return output


def export_onnx(folder: Path, path: Path) -> Path:
    """Export the encoder of a checkpoint in float32, for any batch size and length, and return the path."""
    example = tuple(torch.ones(2, 8, dtype=torch.long) for _ in INPUTS)
    axes = {0: torch.export.Dim("batch"), 1: torch.export.Dim("seq")}
    torch.onnx.export(
        Body(folder).eval(),
        example,
        path,
        input_names=INPUTS,
        dynamic_shapes=dict.fromkeys(INPUTS, axes),
        dynamo=True,
        verbose=False,
    )
    return path


class Peer(ABC):
    """A runtime with the exported model. It uses as many threads as torch."""

    @abstractmethod
    def last_hidden_state(self, arrays: Sequence[IntArray]) -> FloatArray:
        """Return (batch, seq, hidden) for the arrays of INPUTS, each (batch, seq)."""

    def vectors(self, made: Sequence[Batch]) -> list[FloatArray]:
        """Return the mean-pooled vectors of each batch."""
        return [self._vectors(batch) for batch in made]

    def _vectors(self, batch: Batch) -> FloatArray:
        states = self.last_hidden_state([batch.input_ids, batch.attention_mask.astype(np.int64), batch.token_type_ids])
        return pool(states, batch.attention_mask, None, Pooling.MEAN)


class OnnxPeer(Peer):
    """onnxruntime's CPU provider, which computes in float32."""

    def __init__(self, exported: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        self._session = onnxruntime.InferenceSession(exported, options, providers=["CPUExecutionProvider"])

    def last_hidden_state(self, arrays: Sequence[IntArray]) -> FloatArray:
        states: FloatArray = self._session.run(None, dict(zip(INPUTS, arrays, strict=True)))[0]
        return states


class OpenVinoPeer(Peer):
    """OpenVINO's CPU plugin, in float32 or bfloat16."""

    def __init__(self, exported: Path, dtype: DtypeName) -> None:
        settings = {
            "INFERENCE_PRECISION_HINT": {DtypeName.FLOAT32: "f32", DtypeName.BFLOAT16: "bf16"}[dtype],
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        }
        self._model = openvino.Core().compile_model(exported, "CPU", settings)

    def last_hidden_state(self, arrays: Sequence[IntArray]) -> FloatArray:
        states: FloatArray = self._model(dict(zip(INPUTS, arrays, strict=True)))[0]
        return states
