"""What encode returns."""

from collections.abc import Sequence
from dataclasses import dataclass

from bertcli.results.texts import FloatArray, TextInfo


@dataclass(frozen=True, slots=True)
class EncodeRecord:
    """A text's vectors. embedding: (hidden,). last_hidden_state and each of hidden_states: (seq, hidden).

    next_sentence: the probability that sentence B follows A. What was not asked for is None; so are pooler_output where
    the checkpoint has no pooler, and next_sentence where there is no B or no head for it.
    layer_embeddings: (hidden,) each, made of layers' hidden_states as the embedding is of the last.
    """

    text: TextInfo
    embedding: FloatArray
    last_hidden_state: FloatArray | None = None
    pooler_output: FloatArray | None = None
    layers: Sequence[int] = ()
    hidden_states: Sequence[FloatArray] = ()
    next_sentence: float | None = None
    layer_embeddings: Sequence[FloatArray] = ()
