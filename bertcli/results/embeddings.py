"""Results of encode."""

from collections.abc import Sequence
from dataclasses import dataclass

from bertcli.results.labels import TextLabels
from bertcli.results.texts import FloatArray, TextInfo


@dataclass(frozen=True, slots=True)
class LexicalVector:
    """A lexical vector: the tokens of the vocabulary that have a weight, the largest weight first.

    Attributes:
        token_ids: Their ids, (terms,).
        weights: Their weights, (terms,), in float32.
        tokens: Their spellings in the vocabulary. Empty if they were not requested.
    """

    token_ids: FloatArray
    weights: FloatArray
    tokens: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class EncodeRecord:
    """Vectors of a text, in float32. Whatever was not requested is None or empty.

    Attributes:
        text: The text.
        embedding: The vector of the text, (dimension,). None if the recipe is lexical.
        last_hidden_state: The vector of each token, (seq, hidden).
        pooler_output: (hidden,), or None if the checkpoint has no pooler.
        layers: Indices into hidden_states of the requested layers, 0 for the embeddings.
        hidden_states: The token vectors of each requested layer, (seq, hidden) each.
        next_sentence: Probability that sentence B follows A, or None if there is no B or the checkpoint has no
            next-sentence head.
        layer_embeddings: The vector that the recipe makes of each requested layer, (dimension,) each.
        terms: The lexical vector of the text, None unless the recipe is lexical.
        labels: Labels and answer from the heads of the checkpoint, None if it has none.
    """

    text: TextInfo
    embedding: FloatArray | None
    last_hidden_state: FloatArray | None = None
    pooler_output: FloatArray | None = None
    layers: Sequence[int] = ()
    hidden_states: Sequence[FloatArray] = ()
    next_sentence: float | None = None
    layer_embeddings: Sequence[FloatArray] = ()
    terms: LexicalVector | None = None
    labels: TextLabels | None = None
