"""The guard against outputs that are not finite: a model that overflows is an error, never a row of NaN."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from bertcli.choices import DtypeName
from bertcli.errors import NotFinite
from bertcli.model.batching import Batch
from bertcli.model.engine import AttentionObserver, Engine, ModelOutput, ObservedAttention, OutputRequest
from bertcli.model.ops.base import Array, FloatArray, Ops

_DAMAGED_HINT = "its weights hold infinities or NaN, or are far too large: copy them again"


class _LastLayerGuard:
    """Observer that checks the attention of the last layer, and passes each layer on.

    Every other layer shows in the hidden state that follows it. The last one does not if the run ends with it.
    """

    def __init__(self, ops: Ops, last_layer: int, observe: AttentionObserver | None) -> None:
        self._ops, self._last_layer, self._observe = ops, last_layer, observe
        self.is_finite = True

    def __call__(self, attention: ObservedAttention) -> None:
        if attention.layer == self._last_layer:
            arrays = (attention.weights, attention.value)
            self.is_finite &= all(self._ops.is_finite(array) for array in arrays if array is not None)
        if self._observe is not None:
            self._observe(attention)


def run_checked(engine: Engine, batch: Batch, request: OutputRequest, model: str) -> ModelOutput:
    """Run a batch and check that its outputs are finite.

    Args:
        engine: Runs the batch.
        batch: The texts.
        request: The outputs to compute.
        model: Name of the checkpoint, for the error message.

    Raises:
        NotFinite: An output holds an infinity or NaN.
    """
    guard = None
    if request.last_layer is not None:
        guard = _LastLayerGuard(engine.ops, request.last_layer, request.on_attention)
        request = replace(request, on_attention=guard)
    output = engine.run(batch, request)
    outputs = (output.last_hidden_state, output.pooler_output, output.next_sentence_logits, output.logits)
    arrays = [array for array in (*outputs, *output.head_logits) if array is not None]
    if guard is not None and not guard.is_finite:
        raise _not_finite(engine, model)
    check_finite(engine, arrays, model)
    return output


def check_finite(engine: Engine, arrays: Iterable[Array], model: str) -> None:
    """Check that outputs of an engine are finite.

    Args:
        engine: The engine that computed them.
        arrays: The outputs.
        model: Name of the checkpoint, for the error message.

    Raises:
        NotFinite: One of them holds an infinity or NaN.
    """
    if not all(map(engine.ops.is_finite, arrays)):
        raise _not_finite(engine, model)


def check_embeddings(embeddings: FloatArray, model: str) -> FloatArray:
    """Return embeddings after a check that they are finite. A recipe's own layers can make them infinite or NaN.

    Args:
        embeddings: In float32, of any shape.
        model: Name of the checkpoint, for the error message.

    Raises:
        NotFinite: They hold an infinity or NaN.
    """
    if not np.isfinite(embeddings).all():
        raise NotFinite(f"the embeddings of {model} are infinite or NaN", hint=_DAMAGED_HINT)
    return embeddings


def _not_finite(engine: Engine, model: str) -> NotFinite:
    dtype = engine.ops.dtype
    return NotFinite(
        f"the outputs of {model} are infinite or NaN in {dtype}",
        hint="use --dtype float32" if dtype != DtypeName.FLOAT32 else _DAMAGED_HINT,
    )
