"""Results of encode."""

from collections.abc import Sequence
from dataclasses import dataclass

from bertcli.results.texts import FloatArray, TextInfo


@dataclass(frozen=True, slots=True)
class EncodeRecord:
    """Vectors of a text, in float32. Whatever was not requested is None or empty.

    Attributes:
        text: The text.
        embedding: The pooled vector of the text, (hidden,).
        last_hidden_state: The vector of each token, (seq, hidden).
        pooler_output: (hidden,), or None if the checkpoint has no pooler.
        layers: Indices into hidden_states of the requested layers, 0 for the embeddings.
        hidden_states: The token vectors of each requested layer, (seq, hidden) each.
        next_sentence: Probability that sentence B follows A, or None if there is no B or the checkpoint has no
            next-sentence head.
        layer_embeddings: The pooled vector of each requested layer, (hidden,) each.
    """

    text: TextInfo
    embedding: FloatArray
    last_hidden_state: FloatArray | None = None
    pooler_output: FloatArray | None = None
    layers: Sequence[int] = ()
    hidden_states: Sequence[FloatArray] = ()
    next_sentence: float | None = None
    layer_embeddings: Sequence[FloatArray] = ()
