"""Attention of each text: statistics of its heads, and the matrices that the options request."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import field, replace
from typing import Any

import numpy as np

from bertcli.analysis.attention.maps import Rollout, head_distance, value_norms
from bertcli.analysis.attention.selection import Selection
from bertcli.analysis.attention.statistics import (
    Aggregate,
    TextStatistics,
    describe_heads,
    head_statistics,
    statistic_inputs,
)
from bertcli.analysis.attention.strongest_keys import strongest_keys, token_positions
from bertcli.analysis.attention.words import word_map, word_positions, word_texts
from bertcli.input.records import FailedText
from bertcli.lazy_dataclass import dataclass
from bertcli.model.batching import Batch
from bertcli.model.engine import AttentionObserver, ObservedAttention, OutputRequest
from bertcli.model.ops.base import Array, FloatArray
from bertcli.model.session import Session
from bertcli.model.text_info import text_info
from bertcli.results.attention import AttnRecord, AttnSummary, HeadStatistics, StrongestKeys

_CPU_BATCH_TOKENS = 512


@dataclass(frozen=True, slots=True)
class AttnOptions:
    """Selection of the heads to analyse, and of the results to compute.

    Attributes:
        layers: Numbers of the layers to analyse, each once.
        heads: Numbers of the heads to analyse in each layer.
        selection: Selection and order of the heads to return.
        matrix: Return the weights of the first layer's first head. Used with one layer and one head.
        from_token: Spellings of the token, or a position, whose strongest keys to return; empty for none.
        top_k: Number of strongest keys.
        tensors: Return the weights of all analysed heads.
        rollout: Return attention rollout.
        value_norms: Return the norms of weighted values.
        head_distance: Return the distances between heads.
        words: Return matrices over words instead of tokens.
    """

    layers: Sequence[int]
    heads: Sequence[int]
    selection: Selection = field(default_factory=Selection)
    matrix: bool = False
    from_token: Sequence[str] = ()
    top_k: int = 5
    tensors: bool = False
    rollout: bool = False
    value_norms: bool = False
    head_distance: bool = False
    words: bool = False

    @property
    def keeps_weights(self) -> bool:
        """True if a result needs the weights of all analysed heads at once."""
        return self.tensors or self.matrix or self.head_distance

    @property
    def returns_matrices(self) -> bool:
        """True if records hold matrices over tokens, which make them large."""
        return self.tensors or self.matrix or self.rollout or self.value_norms

    def output_request(self, on_attention: AttentionObserver) -> OutputRequest:
        """Return the request for a run: no layer after the last analysed one, but all layers for rollout."""
        return OutputRequest(on_attention=on_attention, last_layer=None if self.rollout else max(self.layers))


def batch_tokens(session: Session) -> int:
    """Return the token budget of a batch. On the CPU it is small, since weights grow with the square of the length."""
    if session.request.batch_tokens is None and session.engine.ops.device == "cpu":
        return _CPU_BATCH_TOKENS
    return session.batch_tokens


def compute_attention(session: Session, batch: Batch, options: AttnOptions) -> list[AttnRecord]:
    """Compute the statistics of each head, and the matrices that the options request, for each text of a batch."""
    observer = _Observer(session, batch, options)
    session.run(batch, options.output_request(observer.observe))
    return [_TextAttention(session, observer, row).record() for row in range(len(batch.texts))]


def compute_statistics(session: Session, batch: Batch, options: AttnOptions) -> list[TextStatistics]:
    """Compute the statistics of each text of a batch, without its record, for summarize_texts."""
    observer = _Observer(session, batch, options)
    session.run(batch, options.output_request(observer.observe))
    return [
        TextStatistics(
            len(text),
            np.stack([observer.statistics[layer][row, list(options.heads)] for layer in options.layers]),
            observer.distance(row) if options.head_distance else None,
        )
        for row, text in enumerate(batch.texts)
    ]


def summarize_texts(
    texts: Iterable[TextStatistics | FailedText], options: AttnOptions
) -> Iterator[AttnSummary | FailedText]:
    """Yield failed texts as they come, and at the end the summary of all other texts, if there are any."""
    aggregate = Aggregate()
    for text in texts:
        if isinstance(text, FailedText):
            yield text
        else:
            aggregate.add(text)
    yield from summaries_of(aggregate, options)


def summaries_of(aggregate: Aggregate, options: AttnOptions) -> Iterator[AttnSummary]:
    """Yield the summary of all texts with the selected heads, if there are any texts."""
    if summary := aggregate.summary(options.layers, options.heads):
        heads = options.selection.apply(summary.heads)
        distance = summary.head_distance
        yield replace(
            summary,
            heads=heads,
            head_distance=None if distance is None else _select_distances(distance, heads, options),
        )


class _Observer:
    """Observer that keeps copies of the requested values of each layer, so that the weights themselves are freed.

    Attributes:
        batch: The batch that runs.
        options: The options.
        positions: For each text, the positions of the token of --from.
        rollout: The rollout so far, or None if not requested.
        statistics: (batch, all heads, 9) by layer.
        weights: (batch, heads, seq, seq) by layer, if the options need whole weights.
        norms: Value norms, (batch, heads, seq, seq) by layer, if requested.
        query_weights: Weights from one query, (heads, seq), by row of the text, position of the query, and layer.
    """

    def __init__(self, session: Session, batch: Batch, options: AttnOptions) -> None:
        self._engine, self._ops = session.engine, session.engine.ops
        self._inputs = statistic_inputs(self._ops, batch, session.tokenizer)
        self.batch, self.options = batch, options
        self.positions = [token_positions(text.tokens, options.from_token) for text in batch.texts]
        self.rollout = Rollout(self._ops) if options.rollout else None
        self.statistics: dict[int, Any] = {}
        self.weights: dict[int, Any] = {}
        self.norms: dict[int, Any] = {}
        self.query_weights: dict[tuple[int, int, int], Any] = {}

    def observe(self, attention: ObservedAttention) -> None:
        """Keep the requested values of the next layer."""
        weights = self._ops.to_float32(attention.weights)
        if self.rollout:
            self.rollout.observe(weights)
        if attention.layer in self.options.layers:
            self.statistics[attention.layer] = self._ops.to_numpy(head_statistics(self._ops, weights, self._inputs))
            self._keep(attention, weights)

    def _keep(self, attention: ObservedAttention, weights: Array) -> None:
        layer, heads = attention.layer, list(self.options.heads)
        if self.options.value_norms:
            output = self._engine.projection(layer, "output").weight
            norms = value_norms(weights, self._ops.to_float32(attention.value), output)
            self.norms[layer] = self._ops.to_numpy(norms)[:, heads]
        if self.options.keeps_weights:
            self.weights[layer] = self._ops.to_numpy(weights)[:, heads]
        for row, positions in enumerate(self.positions):
            for position in positions:
                self.query_weights[row, position, layer] = self._ops.to_numpy(weights[row, :, position])[heads]

    def tensors(self, row: int) -> FloatArray:
        """Return all weights of one text, (layers, heads, seq, seq), in the order of the options' layers."""
        size = len(self.batch.texts[row])
        return np.stack([self.weights[layer][row, :, :size, :size] for layer in self.options.layers])

    def distance(self, row: int) -> FloatArray:
        """Return the distances between all analysed heads of one text, in the order of tensors."""
        size = len(self.batch.texts[row])
        return head_distance(self.tensors(row).reshape(-1, size, size))


class _TextAttention:
    """Results for one text of a batch that has run."""

    def __init__(self, session: Session, observer: _Observer, row: int) -> None:
        self._session, self._observer, self._options, self._row = session, observer, observer.options, row
        self._text = observer.batch.texts[row]
        self._words = word_positions(self._text) if self._options.words else None

    def record(self) -> AttnRecord:
        """Return the record with everything that the options request."""
        options, observer, words = self._options, self._observer, self._words
        heads = options.selection.apply(
            [
                head
                for layer in options.layers
                for head in describe_heads(layer, options.heads, observer.statistics[layer][self._row], len(self._text))
            ]
        )
        distance = observer.distance(self._row) if options.head_distance else None
        return AttnRecord(
            text_info(self._text),
            heads,
            attention=self._matrix(observer.weights[options.layers[0]][:, 0]) if options.matrix else None,
            strongest_keys=self._strongest_keys() if options.from_token else None,
            attentions=observer.tensors(self._row) if options.tensors else None,
            words=None if words is None else word_texts(self._text, words, self._session.tokenizer),
            rollout=self._matrix(observer.rollout.matrices()) if observer.rollout else None,
            value_norms=self._value_norms(heads) if options.value_norms else None,
            head_distance=None if distance is None else _select_distances(distance, heads, options),
        )

    def _matrix(self, matrices: Any) -> Any:
        """Return the text's part of (batch, ..., seq, seq), without padding, over words if requested."""
        size = len(self._text)
        matrix = matrices[self._row, ..., :size, :size]
        return matrix if self._words is None else word_map(matrix, self._words)

    def _value_norms(self, heads: Sequence[HeadStatistics]) -> Any:
        """Return the value norms of the heads in their order, (heads, seq, seq)."""
        norms, options = self._observer.norms, self._options
        matrices = [
            self._matrix(norms[head.layer][:, options.heads.index(head.head)])
            for head in heads
            if head.head is not None
        ]
        return np.stack(matrices) if matrices else np.empty((0, *self._matrix(norms[options.layers[0]]).shape[1:]))

    def _strongest_keys(self) -> list[StrongestKeys]:
        """Return the strongest keys of each occurrence of the token, for each layer and head."""
        options, observer, row = self._options, self._observer, self._row
        return [
            keys
            for position in observer.positions[row]
            for layer in options.layers
            for keys in strongest_keys(
                self._text.tokens,
                position,
                layer,
                options.heads,
                observer.query_weights[row, position, layer],
                options.top_k,
            )
        ]


def _select_distances(distance: FloatArray, heads: Sequence[HeadStatistics], options: AttnOptions) -> FloatArray:
    """Return the distances between the given heads, in their order, from those between all analysed heads."""
    count = len(options.heads)
    indices = [
        options.layers.index(head.layer) * count + options.heads.index(head.head)
        for head in heads
        if head.head is not None
    ]
    return distance[np.ix_(indices, indices)]
