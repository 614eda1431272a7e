"""Shapes of the tensors that come out when a model is run, for `bertcli shapes --run`."""

from collections.abc import Mapping, Sequence

from bertcli.analysis.embeddings.encode import compute_embeddings
from bertcli.checkpoints.heads import TaskHead
from bertcli.choices import HeadTask
from bertcli.model.batching import Batch
from bertcli.model.engine import ObservedAttention, OutputRequest
from bertcli.model.ops.base import Array
from bertcli.model.session import Session
from bertcli.results.models import ComputedTensor


def compute_output_shapes(
    session: Session, batch: Batch, *, heads: Sequence[TaskHead] = (), with_embedding: bool = False
) -> Mapping[str, Sequence[ComputedTensor]]:
    """Run a batch and record the shape of every output that the checkpoint can give.

    Only shapes are kept: the weights of a layer's attention are freed before the next layer is computed.

    Args:
        session: The open checkpoint.
        batch: The batch.
        heads: Heads to compute too. The names of their outputs begin with the class, as in Class.logits.
        with_embedding: Compute the embeddings of the session's recipe too, sentence_embedding.

    Returns:
        For each output, by its name in transformers, one entry for each tensor: num_hidden_layers + 1 for
        hidden_states, num_hidden_layers for attentions and 1 for the others. Outputs that need a pooler or an MLM head
        are left out if the checkpoint has none.
    """
    attentions = _AttentionShapes()
    requested = OutputRequest(
        pooler_output=session.has_pooler,
        hidden_states=range(session.config.num_hidden_layers + 1),
        logits_at=... if session.has_mlm_head else None,
        on_attention=attentions.observe if session.config.architecture.has_attentions else None,
    )
    output = session.run(batch, requested)
    tensors: dict[str, Sequence[Array | None]] = {
        "last_hidden_state": [output.last_hidden_state],
        "hidden_states": output.hidden_states,
        "pooler_output": [output.pooler_output],
        "logits": [output.logits],
    }
    if with_embedding:
        tensors["sentence_embedding"] = [compute_embeddings(session, batch)]
    for head in heads:
        [logits] = session.run(batch, OutputRequest(heads=[head])).head_logits
        if head.info.task == HeadTask.ANSWER:
            tensors[f"{head.info.class_name}.start_logits"] = [logits[..., 0]]
            tensors[f"{head.info.class_name}.end_logits"] = [logits[..., 1]]
        else:
            tensors[f"{head.info.class_name}.logits"] = [logits]
    shapes = {name: [_shape(tensor) for tensor in of_name if tensor is not None] for name, of_name in tensors.items()}
    return {name: found for name, found in [("attentions", attentions.shapes), *shapes.items()] if found}


class _AttentionShapes:
    """Observer that records the shape of each layer's attention weights."""

    def __init__(self) -> None:
        self.shapes: list[ComputedTensor] = []

    def observe(self, attention: ObservedAttention) -> None:
        """Record one layer."""
        self.shapes.append(_shape(attention.weights))


def _shape(tensor: Array) -> ComputedTensor:
    return ComputedTensor(tuple(tensor.shape), str(tensor.dtype).removeprefix("torch."))
