"""Vectors for texts: the embedding of the recipe, token by token, and layer by layer."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from bertcli.analysis.embeddings.layers import apply_layers
from bertcli.analysis.embeddings.lexical import lexical_vector
from bertcli.analysis.embeddings.pooling import mix_layers, pool
from bertcli.analysis.embeddings.token_similarity import pair_similarity
from bertcli.analysis.embeddings.words import WordSelection, word_vectors
from bertcli.analysis.labels.batch import BatchLabels
from bertcli.checkpoints.heads import TaskHead
from bertcli.choices import HeadTask
from bertcli.lazy_dataclass import dataclass
from bertcli.model.batching import Batch
from bertcli.model.engine import ModelOutput, OutputRequest
from bertcli.model.finite import check_embeddings
from bertcli.model.ops.base import Array, FloatArray
from bertcli.model.ops.numpy_activations import softmax
from bertcli.model.session import Session
from bertcli.model.text_info import text_info
from bertcli.results.embeddings import EncodeRecord, LexicalVector, TokenSimilarity, WordVector


@dataclass(frozen=True, slots=True)
class EncodeOptions:
    """Selection of the vectors to compute for each text, beside the embedding that the session's recipe makes.

    Attributes:
        tokens: Return last_hidden_state too.
        pooler: Return pooler_output too.
        layers: Indices into hidden_states of the layers to return.
        layer_tokens: Return the token vectors of each layer.
        layer_embeddings: Return the embedding that the recipe makes of each layer. Not possible if the recipe takes
            pooler_output or is lexical.
        term_tokens: Return the spelling of each token in a lexical vector.
        words: The words to return, None for none.
        token_similarity: Return the similarity of the tokens of sentence A with those of sentence B.
        heads: Heads whose labels and answers to return.
    """

    tokens: bool = False
    pooler: bool = False
    layers: Sequence[int] = ()
    layer_tokens: bool = True
    layer_embeddings: bool = False
    term_tokens: bool = True
    words: WordSelection | None = None
    token_similarity: bool = False
    heads: Sequence[TaskHead] = ()

    @property
    def needs_words(self) -> bool:
        """True if records have the tokens or the words of texts, or the labels of tokens."""
        labels_tokens = any(head.info.task != HeadTask.TEXT_LABELS for head in self.heads)
        return self.tokens or self.words is not None or labels_tokens

    @property
    def needs_whole_texts(self) -> bool:
        """True if a text that is read in windows could not have all of it."""
        return self.words is not None or self.token_similarity or bool(self.heads)


def encode(session: Session, batch: Batch, options: EncodeOptions) -> list[EncodeRecord]:
    """Compute the vectors of each text of a batch, in float32 and without padding.

    A pair also gets the probability that sentence B follows A if the checkpoint has a next-sentence head.
    """
    vectors = run_batch(session, batch, options)
    return [vectors.record(row) for row in range(len(batch.texts))]


def compute_embeddings(session: Session, batch: Batch) -> FloatArray | None:
    """Compute the embeddings of a batch, (batch, dimension); None if the recipe is lexical."""
    return run_batch(session, batch, EncodeOptions()).embeddings


def run_batch(session: Session, batch: Batch, options: EncodeOptions) -> "BatchVectors":
    """Run a batch and return its vectors."""
    has_pairs = any(text.record.pair is not None for text in batch.texts)
    recipe = session.recipe
    mean_layers = () if recipe.layer_mean is None else recipe.layer_mean.layers
    mixed_layers = () if recipe.layer_mix is None else recipe.layer_mix.layers
    output = session.run(
        batch,
        OutputRequest(
            pooler_output=options.pooler or recipe.uses_pooler,
            next_sentence=has_pairs and session.has_next_sentence_head,
            hidden_states=[*options.layers, *mean_layers, *mixed_layers],
            heads=options.heads,
        ),
    )
    return BatchVectors(session, batch, output, options)


class BatchVectors:
    """Vectors of all texts of a batch, as numpy arrays with padding."""

    def __init__(self, session: Session, batch: Batch, output: ModelOutput, options: EncodeOptions) -> None:
        self._session, self._batch, self._output, self._options = session, batch, output, options
        self._recipe = session.recipe
        self._pooler_output = None if output.pooler_output is None else session.to_numpy(output.pooler_output)
        count = len(options.layers)
        self._hidden_states = [session.to_numpy(state) for state in output.hidden_states[:count]]
        self._next_sentence = None
        if output.next_sentence_logits is not None:
            self._next_sentence = next_sentence(session.to_numpy(output.next_sentence_logits))
        self._mean_states: Sequence[Any] = output.hidden_states[count:]
        self._labels = BatchLabels(session, batch, output, options.heads)

    @cached_property
    def embeddings(self) -> FloatArray | None:
        """The embeddings, (batch, dimension); None if the recipe is lexical."""
        return None if self._recipe.splade is not None else self._embed(self._pooled_states)

    @cached_property
    def _layer_embeddings(self) -> Sequence[FloatArray]:
        return [self._embed(state) for state in self._hidden_states if self._options.layer_embeddings]

    @cached_property
    def _token_states(self) -> FloatArray:
        """The vectors of tokens, (batch, seq, width): the last hidden state, or what --layer-op makes."""
        mix = self._recipe.layer_mix
        if mix is None:
            return np.asarray(self._session.to_numpy(self._output.last_hidden_state))
        # A recipe that averages hidden states does not go together with a mix, so that these are the last ones.
        states = self._output.hidden_states[len(self._options.layers) :]
        return mix_layers([self._session.to_numpy(state) for state in states], mix.op)

    @cached_property
    def _pooled_states(self) -> FloatArray:
        """The vectors to pool, (batch, seq, width): those of the tokens, or the weighted mean of the recipe."""
        mean = self._recipe.layer_mean
        if mean is None:
            return self._token_states
        states = zip(mean.weights, map(self._session.to_numpy, self._mean_states), strict=True)
        return np.asarray(sum(weight * state for weight, state in states) / mean.weights.sum())

    def _embed(self, states: FloatArray) -> FloatArray:
        """Apply the recipe: return (batch, dimension) from (batch, seq, hidden). Raises NotFinite."""
        mask, excluded = self._batch.attention_mask, self._recipe.excluded_tokens
        poolings = self._recipe.shown.pooling
        pooled = [pool(states, mask, self._pooler_output, pooling, excluded) for pooling in poolings]
        joined = pooled[0] if len(pooled) == 1 else np.concatenate(pooled, axis=-1)
        return check_embeddings(apply_layers(joined, self._recipe.final_layers), self._session.checkpoint.name)

    def _terms(self, row: int) -> LexicalVector | None:
        if self._recipe.splade is None:
            return None
        states = self._output.last_hidden_state[row, : len(self._batch.texts[row])]
        return lexical_vector(self._session, states, with_tokens=self._options.term_tokens)

    def _words(self, row: int) -> Sequence[WordVector] | None:
        text, selection = self._batch.texts[row], self._options.words
        if selection is None:
            return None
        return word_vectors(text, self._token_states[row, : len(text)], self._session.tokenizer, selection)

    def _pair_similarity(self, row: int) -> TokenSimilarity | None:
        text = self._batch.texts[row]
        if not self._options.token_similarity or text.record.pair is None:
            return None
        return pair_similarity(text, self._token_states[row, : len(text)], self._session.tokenizer)

    def record(self, row: int) -> EncodeRecord:
        """Return the record of the text in a row of the batch."""
        text, options = self._batch.texts[row], self._options
        follows = None if text.record.pair is None else self._next_sentence
        return EncodeRecord(
            text_info(text),
            None if self.embeddings is None else self.embeddings[row],
            self._token_states[row, : len(text)] if options.tokens else None,
            self._pooler_output[row] if options.pooler and self._pooler_output is not None else None,
            options.layers,
            [state[row, : len(text)] for state in self._hidden_states] if options.layer_tokens else [],
            None if follows is None else float(follows[row]),
            [vectors[row] for vectors in self._layer_embeddings],
            self._terms(row),
            self._words(row),
            self._pair_similarity(row),
            labels=self._labels.record(row),
        )

    def states(self, row: int) -> "TextStates":
        """Return the states of the text in a row of the batch, before they are pooled."""
        size = len(self._batch.texts[row])
        return TextStates(
            self._token_states[row, :size],
            self._pooled_states[row, :size] if self._recipe.splade is None else None,
            [state[row, :size] for state in self._hidden_states],
            None if self._pooler_output is None else self._pooler_output[row],
            None if self._next_sentence is None else float(self._next_sentence[row]),
            self._output.last_hidden_state[row, :size],
        )


@dataclass(frozen=True, slots=True)
class TextStates:
    """States of the tokens of one text of a batch, without padding.

    Attributes:
        token_states: The vectors of tokens, (seq, width): the last hidden state, or what --layer-op makes.
        pooled_states: The vectors that the recipe pools, (seq, width). None if it is lexical.
        hidden_states: The requested layers, (seq, hidden) each.
        pooler_output: (hidden,), or None if the pooler has not run.
        next_sentence: Probability that sentence B follows A, None if it has not been computed.
        on_device: The last hidden state as an array of the backend, (seq, hidden).
    """

    token_states: FloatArray
    pooled_states: FloatArray | None
    hidden_states: Sequence[FloatArray]
    pooler_output: FloatArray | None
    next_sentence: float | None
    on_device: Array


def next_sentence(logits: FloatArray) -> FloatArray:
    """Compute the probability that sentence B follows A, as BertForNextSentencePrediction does.

    Args:
        logits: (batch, 2), the first column for "B follows A".

    Returns:
        The probabilities, (batch,).
    """
    return np.asarray(softmax(logits)[:, 0])
