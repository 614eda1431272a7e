"""Vectors of documents: the contributions of their windows are added up, and the recipe is applied to the totals."""

from collections.abc import Sequence

import numpy as np

from bertcli.analysis.embeddings.encode import EncodeOptions, TextStates, run_batch
from bertcli.analysis.embeddings.layers import apply_layers
from bertcli.analysis.embeddings.lexical import lexical_weights, to_terms
from bertcli.choices import Pooling
from bertcli.lazy_dataclass import dataclass
from bertcli.model.batching import Batch
from bertcli.model.document_reader import document_info
from bertcli.model.documents import Document, DocumentWindow
from bertcli.model.finite import check_embeddings
from bertcli.model.ops.base import DoubleArray, FloatArray
from bertcli.model.session import Session
from bertcli.results.embeddings import EncodeRecord
from bertcli.results.texts import TokenSpan


@dataclass(frozen=True, slots=True)
class PoolTotal:
    """The total of a pooling over some tokens or windows, and their number or weight.

    Attributes:
        vector: (hidden,).
        weight: Divisor of the vector.
    """

    vector: DoubleArray
    weight: float


@dataclass(frozen=True, slots=True)
class WindowVectors:
    """The contribution of a window to the vectors of its document.

    Attributes:
        totals: For the embedding and for each layer's embedding, the total of each pooling of the recipe.
        lexical: Weights of the vocabulary, (vocab,), None unless the recipe is lexical.
        token_states: The vectors of the tokens that the window owns, (owned, width), or None.
        hidden_states: The same for each requested layer.
        pooler_output: (hidden,), or None.
        next_sentence: Probability that sentence B follows A, or None.
    """

    totals: Sequence[Sequence[PoolTotal]]
    lexical: FloatArray | None
    token_states: FloatArray | None
    hidden_states: Sequence[FloatArray]
    pooler_output: FloatArray | None
    next_sentence: float | None


def encode_windows(session: Session, batch: Batch, options: EncodeOptions) -> list[EncodeRecord | WindowVectors]:
    """Compute the vectors of each whole text of a batch, and the contribution of each window."""
    vectors = run_batch(session, batch, options)
    return [
        vectors.record(row)
        if text.window is None
        else _contribution(session, vectors.states(row), text.window, options)
        for row, text in enumerate(batch.texts)
    ]


def _contribution(
    session: Session, states: TextStates, window: DocumentWindow, options: EncodeOptions
) -> WindowVectors:
    recipe, owned = session.recipe, slice(window.owned.start, window.owned.stop)
    pooled = [] if states.pooled_states is None else [states.pooled_states]
    pooled += states.hidden_states if options.layer_embeddings else []
    lexical = None
    if recipe.splade is not None and window.owned:
        lexical = lexical_weights(session, states.on_device[owned])
    return WindowVectors(
        [
            [
                pool_window(each, states.pooler_output, window, pooling, recipe.excluded_tokens)
                for pooling in recipe.shown.pooling
            ]
            for each in pooled
        ],
        lexical,
        # Copies, since a view would keep the whole batch in memory.
        states.token_states[owned].copy() if options.tokens else None,
        [state[owned].copy() for state in states.hidden_states] if options.layer_tokens else [],
        states.pooler_output if options.pooler else None,
        states.next_sentence,
    )


def pool_window(
    states: FloatArray, pooler_output: FloatArray | None, window: DocumentWindow, pooling: Pooling, excluded: int
) -> PoolTotal:
    """Return what a window contributes to the pooling of its document.

    The tokens that the window owns count as they would if the document had fitted. For CLS and POOLER, which belong to
    a whole window, the vectors of all windows are averaged.

    Args:
        states: Vectors of the window's tokens, (seq, hidden).
        pooler_output: (hidden,), or None if the pooler has not run.
        window: The window.
        pooling: The function, as in bertcli.analysis.embeddings.pooling.
        excluded: Number of tokens at the beginning of the document that are left out, those of a prompt.
    """
    if pooling == Pooling.POOLER and pooler_output is not None:
        return PoolTotal(pooler_output.astype(np.float64), 1)
    if pooling == Pooling.CLS:
        return PoolTotal(states[min(excluded, len(window.document.before))].astype(np.float64), 1)
    if pooling == Pooling.LAST:
        return PoolTotal(states[-1].astype(np.float64), 1)
    first = max(window.owned.start, excluded - window.start)
    own = states[first : max(first, window.owned.stop)].astype(np.float64)
    if pooling == Pooling.MAX:
        return PoolTotal(own.max(0, initial=-np.inf), 1)
    weights: DoubleArray = np.ones(len(own))
    if pooling == Pooling.WEIGHTED_MEAN:
        # Positions in the document, from 1.
        weights = np.asarray(np.arange(len(own)) + first + window.start + 1, np.float64)
    return PoolTotal(weights @ own, float(weights.sum()))


def add_totals(one: PoolTotal, other: PoolTotal, pooling: Pooling) -> PoolTotal:
    """Return the total of a pooling over the tokens of two totals, of which the other comes later in the text."""
    if pooling == Pooling.LAST:
        return other
    if pooling == Pooling.MAX:
        return PoolTotal(np.maximum(one.vector, other.vector), 1)
    return PoolTotal(one.vector + other.vector, one.weight + other.weight)


def finish_total(total: PoolTotal, pooling: Pooling) -> FloatArray:
    """Return the pooled vector of a total over all tokens, (hidden,)."""
    weight = total.weight**0.5 if pooling == Pooling.MEAN_SQRT else total.weight
    return np.asarray(total.vector / weight, np.float32)


class DocumentVectors:
    """Joins the contributions of a document's windows into its record. See bertcli.pipeline.documents.Join.

    Vectors of tokens are kept only if they were requested, so that memory does not grow with the document.
    """

    def __init__(self, session: Session, options: EncodeOptions, document: Document) -> None:
        self._session, self._options, self._document = session, options, document
        self._poolings = session.recipe.shown.pooling
        self._windows: list[TokenSpan] = []
        self._totals: list[list[PoolTotal]] = []
        self._lexical: FloatArray | None = None
        self._token_vectors: list[FloatArray] = []
        self._layers: list[Sequence[FloatArray]] = []
        self._pooler: DoubleArray | None = None
        self._next_sentence: float | None = None

    def add(self, window: DocumentWindow, answer: EncodeRecord | WindowVectors) -> None:
        """Add the contribution of the next window."""
        assert isinstance(answer, WindowVectors)
        if not self._windows:
            # Sentence B begins in the first window, and only there can it follow sentence A.
            self._next_sentence = answer.next_sentence
            self._totals = [list(totals) for totals in answer.totals]
        else:
            self._totals = [
                [add_totals(*each) for each in zip(before, added, self._poolings, strict=True)]
                for before, added in zip(self._totals, answer.totals, strict=True)
            ]
        self._windows.append(TokenSpan(window.start, window.end))
        self._add_lexical(answer.lexical)
        if answer.token_states is not None:
            self._token_vectors.append(answer.token_states)
        self._layers.append(answer.hidden_states)
        if answer.pooler_output is not None:
            added = answer.pooler_output.astype(np.float64)
            self._pooler = added if self._pooler is None else self._pooler + added

    def _add_lexical(self, weights: FloatArray | None) -> None:
        splade = self._session.recipe.splade
        if weights is None or splade is None:
            return
        if self._lexical is None:
            self._lexical = weights
        elif splade.reduction == "max":
            self._lexical = np.maximum(self._lexical, weights)
        else:
            self._lexical = self._lexical + weights

    def finish(self) -> EncodeRecord:
        """Return the record of the document."""
        session, options = self._session, self._options
        embeddings = [self._embed(totals) for totals in self._totals]
        terms = None
        if self._lexical is not None:
            terms = to_terms(session, self._lexical, with_tokens=options.term_tokens)
        layers = zip(*self._layers, strict=True) if options.layer_tokens else ()
        return EncodeRecord(
            document_info(session.tokenizer, self._document, self._windows),
            embeddings.pop(0) if terms is None else None,
            np.concatenate(self._token_vectors) if options.tokens else None,
            None if self._pooler is None else np.asarray(self._pooler / len(self._windows), np.float32),
            options.layers,
            [np.concatenate(states) for states in layers],
            None if self._document.record.pair is None else self._next_sentence,
            embeddings,
            terms,
        )

    def _embed(self, totals: Sequence[PoolTotal]) -> FloatArray:
        """Apply the recipe to the totals of its poolings: return (dimension,). Raises NotFinite."""
        pooled = [finish_total(*each) for each in zip(totals, self._poolings, strict=True)]
        [vector] = apply_layers(np.concatenate(pooled)[None], self._session.recipe.final_layers)
        return check_embeddings(vector, self._session.checkpoint.name)
