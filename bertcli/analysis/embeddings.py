"""Vectors for texts: pooled, a token at a time, a layer at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bertcli.errors import WrongUsage
from bertcli.model.batching import Batch
from bertcli.model.engine import OutputRequest
from bertcli.model.ops.base import FloatArray
from bertcli.model.session import Session, text_info
from bertcli.results.embeddings import EncodeRecord

MEAN, CLS, MAX, POOLER = "mean", "cls", "max", "pooler"


@dataclass(frozen=True, slots=True)
class EncodeOptions:
    """pool: how a text's vector is made of its tokens'. layers: indices into hidden_states, none where none are wanted.

    tokens, pooler: whether last_hidden_state and pooler_output are wanted beside the embedding. layer_tokens,
    layer_embeddings: whether each layer is wanted token by token, and as a vector for the text; not with --pool pooler.
    """

    pool: str = MEAN
    normalize: bool = False
    tokens: bool = False
    pooler: bool = False
    layers: Sequence[int] = ()
    layer_tokens: bool = True
    layer_embeddings: bool = False


def encode(session: Session, batch: Batch, options: EncodeOptions) -> list[EncodeRecord]:
    """The vectors of each text of the batch, in float32, without padding.

    For a pair also the probability that B follows A, where the checkpoint has a next-sentence head.
    """
    is_pair = [text.record.pair is not None for text in batch.texts]
    wanted = OutputRequest(
        pooler_output=options.pooler or options.pool == POOLER,
        next_sentence=any(is_pair) and session.has_next_sentence_head,
        hidden_states=options.layers,
    )
    output = session.run(batch, wanted)
    last_hidden_state = session.to_numpy(output.last_hidden_state)
    pooled = None if output.pooler_output is None else session.to_numpy(output.pooler_output)
    hidden_states = [session.to_numpy(state) for state in output.hidden_states]
    follows = None
    if output.next_sentence_logits is not None:
        follows = next_sentence(session.to_numpy(output.next_sentence_logits))

    def pool_texts(states: FloatArray) -> FloatArray:
        vectors = pool(states, batch.attention_mask, pooled, options.pool)
        return normalize(vectors) if options.normalize else vectors

    embeddings = pool_texts(last_hidden_state)
    layer_embeddings = [pool_texts(state) for state in hidden_states] if options.layer_embeddings else []
    return [
        EncodeRecord(
            text_info(text),
            embeddings[row],
            last_hidden_state[row, : len(text)] if options.tokens else None,
            pooled[row] if options.pooler and pooled is not None else None,
            options.layers,
            [state[row, : len(text)] for state in hidden_states] if options.layer_tokens else [],
            float(follows[row]) if follows is not None and is_pair[row] else None,
            [vectors[row] for vectors in layer_embeddings],
        )
        for row, text in enumerate(batch.texts)
    ]


def pool(
    last_hidden_state: FloatArray, attention_mask: np.ndarray[Any, Any], pooler_output: FloatArray | None, how: str
) -> FloatArray:
    """(batch, seq, hidden) to (batch, hidden), special tokens included and padding left out.

    mean and max are over a text's tokens, cls is the first token's vector, pooler is pooler_output.
    """
    if how == POOLER and pooler_output is not None:
        return pooler_output
    if how == CLS:
        return last_hidden_state[:, 0].copy()  # lets go of all other tokens
    mask = attention_mask[..., None]
    if how == MAX:
        return np.asarray(np.where(mask, last_hidden_state, np.float32(-np.inf)).max(1))
    counts = mask.sum(1, dtype=np.float32)
    return np.asarray(np.einsum("bsh,bs->bh", last_hidden_state, attention_mask.astype(np.float32)) / counts)


def next_sentence(logits: FloatArray) -> FloatArray:
    """The probability that B follows A, from (batch, 2) logits: (batch,), as BertForNextSentencePrediction has it."""
    exponentials = np.exp(logits - logits.max(-1, keepdims=True))
    return np.asarray(exponentials[:, 0] / exponentials.sum(-1))


def normalize(vectors: FloatArray) -> FloatArray:
    """Each vector at length 1; a vector of zeros stays as it is."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1))


def cosine_similarity(embeddings: FloatArray) -> FloatArray:
    """The cosine between each two rows: (texts, texts)."""
    unit = normalize(embeddings)
    return np.asarray(unit @ unit.T)


def layer_indices(asked: str, num_hidden_layers: int) -> list[int]:
    """`all`, or numbers parted by commas, as indices into the num_hidden_layers + 1 hidden states; -1 is the last.

    Raises WrongUsage.

    >>> layer_indices("0,-1", 6)
    [0, 6]
    """
    count = num_hidden_layers + 1
    if asked == "all":
        return list(range(count))
    try:
        numbers = [int(part) for part in asked.split(",")]
    except ValueError:
        raise WrongUsage(f"--layers {asked!r} is not a list of numbers", hint="use all, -1, or 0,6,12") from None
    if outside := [number for number in numbers if not -count <= number < count]:
        raise WrongUsage(
            f"there is no hidden state {outside[0]}: "
            f"this model has {count}, the embeddings (0) and {num_hidden_layers} layers",
            hint=f"use numbers from 0 to {count - 1}, or from -{count} to -1",
        )
    return [number % count for number in numbers]
