"""Vectors for texts: pooled, token by token, and layer by layer."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bertcli.analysis.embeddings.pooling import normalize, pool
from bertcli.analysis.layers import parse_layers
from bertcli.choices import Pooling
from bertcli.model.batching import Batch
from bertcli.model.engine import ModelOutput, OutputRequest
from bertcli.model.ops.base import FloatArray
from bertcli.model.session import Session, text_info
from bertcli.results.embeddings import EncodeRecord


@dataclass(frozen=True, slots=True)
class EncodeOptions:
    """Selection of the vectors to compute for each text.

    Attributes:
        pool: Pooling of token vectors into the embedding of the text.
        normalize: Scale embeddings to length 1.
        tokens: Return last_hidden_state too.
        pooler: Return pooler_output too.
        layers: Indices into hidden_states of the layers to return.
        layer_tokens: Return the token vectors of each layer.
        layer_embeddings: Return a pooled vector of each layer. Not possible with Pooling.POOLER.
    """

    pool: Pooling = Pooling.MEAN
    normalize: bool = False
    tokens: bool = False
    pooler: bool = False
    layers: Sequence[int] = ()
    layer_tokens: bool = True
    layer_embeddings: bool = False


def encode(session: Session, batch: Batch, options: EncodeOptions) -> list[EncodeRecord]:
    """Compute the vectors of each text of a batch, in float32 and without padding.

    A pair also gets the probability that sentence B follows A if the checkpoint has a next-sentence head.
    """
    has_pairs = any(text.record.pair is not None for text in batch.texts)
    output = session.run(
        batch,
        OutputRequest(
            pooler_output=options.pooler or options.pool == Pooling.POOLER,
            next_sentence=has_pairs and session.has_next_sentence_head,
            hidden_states=options.layers,
        ),
    )
    vectors = _BatchVectors(session, batch, output, options)
    return [vectors.record(row) for row in range(len(batch.texts))]


class _BatchVectors:
    """Vectors of all texts of a batch, as numpy arrays with padding."""

    def __init__(self, session: Session, batch: Batch, output: ModelOutput, options: EncodeOptions) -> None:
        self._batch, self._options = batch, options
        self._last_hidden_state = session.to_numpy(output.last_hidden_state)
        self._pooler_output = None if output.pooler_output is None else session.to_numpy(output.pooler_output)
        self._hidden_states = [session.to_numpy(state) for state in output.hidden_states]
        self._next_sentence = None
        if output.next_sentence_logits is not None:
            self._next_sentence = next_sentence(session.to_numpy(output.next_sentence_logits))
        self._embeddings = self._pool(self._last_hidden_state)
        self._layer_embeddings = [self._pool(state) for state in self._hidden_states if options.layer_embeddings]

    def _pool(self, states: FloatArray) -> FloatArray:
        """Return (batch, hidden) from (batch, seq, hidden)."""
        vectors = pool(states, self._batch.attention_mask, self._pooler_output, self._options.pool)
        return normalize(vectors) if self._options.normalize else vectors

    def record(self, row: int) -> EncodeRecord:
        """Return the record of the text in a row of the batch."""
        text, options = self._batch.texts[row], self._options
        follows = None if text.record.pair is None else self._next_sentence
        return EncodeRecord(
            text_info(text),
            self._embeddings[row],
            self._last_hidden_state[row, : len(text)] if options.tokens else None,
            self._pooler_output[row] if options.pooler and self._pooler_output is not None else None,
            options.layers,
            [state[row, : len(text)] for state in self._hidden_states] if options.layer_tokens else [],
            None if follows is None else float(follows[row]),
            [vectors[row] for vectors in self._layer_embeddings],
        )


def next_sentence(logits: FloatArray) -> FloatArray:
    """Compute the probability that sentence B follows A, as BertForNextSentencePrediction does.

    Args:
        logits: (batch, 2), the first column for "B follows A".

    Returns:
        The probabilities, (batch,).
    """
    exponentials = np.exp(logits - logits.max(-1, keepdims=True))
    return np.asarray(exponentials[:, 0] / exponentials.sum(-1))


def layer_indices(value: str, num_hidden_layers: int) -> list[int]:
    """Return the hidden states that --layers names, each once, as indices into the num_hidden_layers + 1 of them.

    Raises:
        WrongUsage: As parse_layers.
    """
    return list(dict.fromkeys(parse_layers("--layers", value, num_hidden_layers + 1, with_embeddings=True)))
