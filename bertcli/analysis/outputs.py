"""The shapes that come out when a model is run."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from bertcli.model.batching import Batch
from bertcli.model.engine import ObservedAttention, OutputRequest
from bertcli.model.ops.base import Array
from bertcli.model.session import Session
from bertcli.results.models import ComputedTensor


def run_outputs(session: Session, batch: Batch) -> Mapping[str, Sequence[ComputedTensor]]:
    """Each tensor of each output that the checkpoint can give, by the output's name."""
    came: defaultdict[str, list[ComputedTensor]] = defaultdict(list)

    def observe(attention: ObservedAttention) -> None:
        came["attentions"].append(_came(attention.weights))

    wanted = OutputRequest(
        pooler_output=session.has_pooler,
        hidden_states=range(session.config.num_hidden_layers + 1),
        logits_at=... if session.has_mlm_head else None,
        on_attention=observe,
    )
    output = session.run(batch, wanted)
    came["last_hidden_state"].append(_came(output.last_hidden_state))
    came["hidden_states"] += map(_came, output.hidden_states)
    if output.pooler_output is not None:
        came["pooler_output"].append(_came(output.pooler_output))
    if output.logits is not None:
        came["logits"].append(_came(output.logits))
    return came


def _came(tensor: Array) -> ComputedTensor:
    return ComputedTensor(tuple(tensor.shape), str(tensor.dtype).removeprefix("torch."))
