"""The shapes that come out when a model is run."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from bertcli.checkpoints import layout
from bertcli.core.backends import Array
from bertcli.core.batches import Batch
from bertcli.core.engine import Wanted
from bertcli.core.session import Session

Shape = tuple[int, ...]


def run_shapes(session: Session, batch: Batch) -> Mapping[str, Sequence[Shape]]:
    """The shape of each tensor of each output that the checkpoint can give, by the output's name."""
    came: defaultdict[str, list[Shape]] = defaultdict(list)

    def observe(_layer: int, attention: Array) -> None:
        came["attentions"].append(tuple(attention.shape))

    has_mlm_head = session.weight_files.holds(layout.mlm_head_layout(session.config))
    wanted = Wanted(
        pooler_output=session.has_pooler,
        hidden_states=range(session.config.num_hidden_layers + 1),
        logits_at=... if has_mlm_head else None,
        on_attention=observe,
    )
    output = session.run(batch, wanted)
    came["last_hidden_state"].append(tuple(output.last_hidden_state.shape))
    came["hidden_states"] += [tuple(state.shape) for state in output.hidden_states]
    if output.pooler_output is not None:
        came["pooler_output"].append(tuple(output.pooler_output.shape))
    if output.logits is not None:
        came["logits"].append(tuple(output.logits.shape))
    return came


def any_tokens(batch_size: int, sequence_length: int) -> Batch:
    """A batch of that size whose tokens do not matter."""
    shape = batch_size, sequence_length
    zeros = np.zeros(shape, np.int64)
    return Batch((), zeros, zeros, np.ones(shape, np.bool_))
