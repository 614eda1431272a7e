"""What is told of each text: its heads, and of their weights what is asked for."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from bertcli.analysis.attention.aggregate import Aggregate, TextStatistics
from bertcli.analysis.attention.attended import attended, positions_of
from bertcli.analysis.attention.maps import Rollout, head_distance, value_norms
from bertcli.analysis.attention.selection import Selection
from bertcli.analysis.attention.statistics import head_statistics, mark, named
from bertcli.analysis.attention.words import spelt, word_map, words_of
from bertcli.input.records import FailedText
from bertcli.model.batching import Batch
from bertcli.model.engine import AttentionObserver, ObservedAttention, OutputRequest
from bertcli.model.ops.base import Array, FloatArray
from bertcli.model.session import Session, text_info
from bertcli.model.tokenizer import TokenizedText
from bertcli.results.attention import AttendedFrom, AttnRecord, AttnSummary, HeadStatistics

_CPU_BATCH_TOKENS = 512


@dataclass(frozen=True, slots=True)
class AttnOptions:
    """layers, heads: those to look at. selection: which of them are told of, and how.

    matrix: whether the weights of the one head among them are wanted whole. attended_from: spellings of a token, or a
    position, whose top_k strongest keys are wanted, where there are any. tensors: all their weights are wanted. words:
    matrices are to be over words, not tokens.
    """

    layers: Sequence[int]
    heads: Sequence[int]
    selection: Selection = field(default_factory=Selection)
    matrix: bool = False
    attended_from: Sequence[str] = ()
    top_k: int = 5
    tensors: bool = False
    rollout: bool = False
    value_norms: bool = False
    head_distance: bool = False
    words: bool = False

    @property
    def keeps_weights(self) -> bool:
        """Whether anything is asked that takes the weights of all these heads together."""
        return self.tensors or self.matrix or self.head_distance

    @property
    def tells_matrices(self) -> bool:
        """Whether an answer holds matrices over tokens, which make it large."""
        return self.tensors or self.matrix or self.rollout or self.value_norms

    def wanted(self, on_attention: AttentionObserver) -> OutputRequest:
        """What is to be run: no layer beyond those to look at, but all for rollout."""
        return OutputRequest(on_attention=on_attention, last_layer=None if self.rollout else max(self.layers))


def batch_tokens(session: Session) -> int:
    """How many tokens run together: few where they share the processor's memory, since weights grow with the square."""
    if session.request.batch_tokens is None and session.engine.ops.device == "cpu":
        return _CPU_BATCH_TOKENS
    return session.batch_tokens


def attend(session: Session, batch: Batch, options: AttnOptions) -> list[AttnRecord]:
    """For each text of the batch the statistics of each head, and of the weights themselves what is asked for."""
    observer = _Observer(session, batch, options)
    session.run(batch, options.wanted(observer.observe))
    return [_record(session, text, row, observer, options) for row, text in enumerate(batch.texts)]


def summarise(session: Session, batch: Batch, options: AttnOptions) -> list[TextStatistics]:
    """For each text of the batch what an aggregate takes of it."""
    observer = _Observer(session, batch, options)
    session.run(batch, options.wanted(observer.observe))
    return [
        TextStatistics(
            len(text),
            np.stack([observer.statistics[layer][row, list(options.heads)] for layer in options.layers]),
            observer.distance(row, len(text)),
        )
        for row, text in enumerate(batch.texts)
    ]


def aggregated(
    answers: Iterable[TextStatistics | FailedText], options: AttnOptions
) -> Iterator[AttnSummary | FailedText]:
    """The texts without an answer as they come, and at the end what all others together say."""
    aggregate = Aggregate()
    for answer in answers:
        if isinstance(answer, FailedText):
            yield answer
        else:
            aggregate.add(answer)
    if summary := aggregate.summary(options.layers, options.heads):
        heads = options.selection.of(summary.heads)
        distance = summary.head_distance
        yield replace(
            summary, heads=heads, head_distance=None if distance is None else _between(distance, heads, options)
        )


class _Observer:
    """Takes of each layer what is asked for, copied, so that its weights are let go of before the next one's come.

    statistics: (batch, all heads, 9) by layer. whole, norms: (batch, heads, seq, seq) by layer. rows: (heads, seq) by
    the text's row, the query's position and the layer.
    """

    def __init__(self, session: Session, batch: Batch, options: AttnOptions) -> None:
        self._engine, self._options = session.engine, options
        self._ops = session.engine.ops
        self._marks = mark(self._ops, batch, session.tokenizer)
        self.positions = [positions_of(text.tokens, options.attended_from) for text in batch.texts]
        self.rollout = Rollout(self._ops) if options.rollout else None
        self.statistics: dict[int, Any] = {}
        self.whole: dict[int, Any] = {}
        self.norms: dict[int, Any] = {}
        self.rows: dict[tuple[int, int, int], Any] = {}

    def observe(self, attention: ObservedAttention) -> None:
        weights = self._ops.to_float32(attention.weights)
        if self.rollout:
            self.rollout.observe(weights)
        if attention.layer in self._options.layers:
            self.statistics[attention.layer] = self._ops.to_numpy(head_statistics(self._ops, weights, self._marks))
            self._keep(attention, weights)

    def _keep(self, attention: ObservedAttention, weights: Array) -> None:
        layer, heads = attention.layer, list(self._options.heads)
        if self._options.value_norms:
            output = self._engine.projection(layer, "output").weight
            norms = value_norms(weights, self._ops.to_float32(attention.value), output)
            self.norms[layer] = self._ops.to_numpy(norms)[:, heads]
        if self._options.keeps_weights:
            self.whole[layer] = self._ops.to_numpy(weights)[:, heads]
        for row, positions in enumerate(self.positions):
            for position in positions:
                self.rows[row, position, layer] = self._ops.to_numpy(weights[row, :, position])[heads]

    def tensors(self, row: int, size: int) -> FloatArray:
        """All weights of one text: (layers, heads, seq, seq)."""
        return np.stack([layer[row, :, :size, :size] for layer in self.whole.values()])

    def distance(self, row: int, size: int) -> FloatArray | None:
        """Between each two of the heads, in the order of layers, for one text."""
        if not self._options.head_distance:
            return None
        return head_distance(self.tensors(row, size).reshape(-1, size, size))


def _record(session: Session, text: TokenizedText, row: int, observer: _Observer, options: AttnOptions) -> AttnRecord:
    size = len(text)
    words = words_of(text) if options.words else None

    def own(matrices: Any) -> Any:
        """What of a batch's (batch, ..., seq, seq) is the text's, over words where these are asked for."""
        cut = matrices[row, ..., :size, :size]
        return cut if words is None else word_map(cut, words)

    def of_heads(by_layer: dict[int, Any]) -> Any:
        """(told of, seq, seq), in the order in which they are told of."""
        matrices = [own(by_layer[layer][:, options.heads.index(head)]) for layer, head in told]
        return np.stack(matrices) if matrices else np.empty((0, *own(by_layer[options.layers[0]]).shape[1:]))

    every = [
        named(layer, head, observer.statistics[layer][row, head]) for layer in options.layers for head in options.heads
    ]
    heads = options.selection.of(every)
    told = [(head.layer, head.head) for head in heads if head.head is not None]
    distance = observer.distance(row, size)
    return AttnRecord(
        text_info(text),
        heads,
        attention=own(observer.whole[options.layers[0]][:, 0]) if options.matrix else None,
        attended=_attended(text.tokens, row, observer, options) if options.attended_from else None,
        attentions=observer.tensors(row, size) if options.tensors else None,
        words=None if words is None else spelt(text, words, session.tokenizer),
        rollout=own(observer.rollout.matrices()) if observer.rollout else None,
        value_norms=of_heads(observer.norms) if options.value_norms else None,
        head_distance=None if distance is None else _between(distance, heads, options),
    )


def _attended(tokens: Sequence[str], row: int, observer: _Observer, options: AttnOptions) -> list[AttendedFrom]:
    """What each place of the token that was asked for attends to in each head."""
    return [
        found
        for position in observer.positions[row]
        for layer in options.layers
        for found in attended(
            tokens, position, layer, options.heads, observer.rows[row, position, layer], options.top_k
        )
    ]


def _between(distance: FloatArray, heads: Sequence[HeadStatistics], options: AttnOptions) -> FloatArray:
    """The distances of the heads that are told of, in their order."""
    count = len(options.heads)
    told = [
        options.layers.index(head.layer) * count + options.heads.index(head.head)
        for head in heads
        if head.head is not None
    ]
    return distance[np.ix_(told, told)]
