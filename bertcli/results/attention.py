"""Results of attn."""

from collections.abc import Sequence
from typing import Generic, TypeVar

from bertcli.choices import HeadLabel
from bertcli.lazy_dataclass import dataclass
from bertcli.results.masks import MaskPredictions
from bertcli.results.texts import FloatArray, TextInfo

KeptLayer = TypeVar("KeptLayer")


@dataclass(frozen=True, slots=True)
class HeadStatistics:
    """Statistics of one attention head, over one text or many, averaged over queries.

    The fields from entropy to confidence are those of bertcli.choices.Statistic, in its order.
    bertcli.analysis.attention.statistics defines them.

    Attributes:
        layer: Number of the layer, from 0.
        head: Number of the head, from 0, or None for the mean of a layer's heads.
        entropy: In nats.
        self: Share of the attention on the token itself, as are the next five on other tokens.
        previous: On the previous token.
        next: On the next token.
        cls: On [CLS].
        sep: On [SEP].
        punctuation: On punctuation.
        distance: Mean distance to the key, in tokens.
        confidence: Largest weight of a query.
        label: The label that the statistics give the head, or None.
    """

    layer: int
    head: int | None
    entropy: float
    self: float
    previous: float
    next: float
    cls: float
    sep: float
    punctuation: float
    distance: float
    confidence: float
    label: HeadLabel | None


@dataclass(frozen=True, slots=True)
class KeyWeight:
    """A key, and the weight of a query's attention on it."""

    position: int
    token: str
    weight: float


@dataclass(frozen=True, slots=True)
class StrongestKeys:
    """The keys that one query attends to most in one head.

    Attributes:
        position: Position of the query.
        token: Token of the query.
        layer: Number of the layer.
        head: Number of the head.
        keys: The keys, strongest first.
    """

    position: int
    token: str
    layer: int
    head: int
    keys: Sequence[KeyWeight]


@dataclass(frozen=True, slots=True)
class AttnRecord:
    """Attention of a text. Whatever was not requested is None.

    Attributes:
        text: The text.
        heads: The selected heads in their order.
        attention: Weights of the one selected head, from query to key, (seq, seq).
        strongest_keys: The strongest keys of one token, for each of its positions, each layer and each head.
        attentions: Weights of all analysed heads, (layers, heads, seq, seq).
        words: The words of the rows and columns of the other matrices, if these are over words.
        rollout: Attention rollout, (seq, seq).
        value_norms: Norms of weighted values, (len(heads), seq, seq).
        head_distance: Distances between heads, (len(heads), len(heads)).
    """

    text: TextInfo
    heads: Sequence[HeadStatistics]
    attention: FloatArray | None = None
    strongest_keys: Sequence[StrongestKeys] | None = None
    attentions: FloatArray | None = None
    words: Sequence[str] | None = None
    rollout: FloatArray | None = None
    value_norms: FloatArray | None = None
    head_distance: FloatArray | None = None


@dataclass(frozen=True, slots=True)
class AttnSummary:
    """Attention heads over many texts.

    Attributes:
        text_count: Number of texts, without failed ones.
        token_count: Number of their tokens, special tokens included.
        heads: The selected heads in their order.
        head_distance: As in AttnRecord.
    """

    text_count: int
    token_count: int
    heads: Sequence[HeadStatistics]
    head_distance: FloatArray | None = None


@dataclass(frozen=True, slots=True)
class Expansion:
    """Expansion rates of layers.

    Attributes:
        layers: Numbers of the layers.
        rates: The rate of each of them.
    """

    layers: Sequence[int]
    rates: Sequence[float]


@dataclass(frozen=True, slots=True)
class AttentionOfLayer:
    """Attention of one layer over one text.

    Attributes:
        layer: Number of the layer among those of the page, from 0.
        weights: (heads, seq, seq).
        rollout: Rollout of all layers up to this one, (seq, seq).
        query: (heads, seq, head_size), or None if the engine does not show it.
        key: As query.
    """

    layer: int
    weights: FloatArray
    rollout: FloatArray
    query: FloatArray | None
    key: FloatArray | None


@dataclass(frozen=True, slots=True)
class AttnPageRecord(Generic[KeptLayer]):
    """Attention of a text as an HTML page shows it.

    Attributes:
        text: The text.
        sentences: 0 for each token of sentence A and 1 for each token of B. Empty if there is no B.
        heads: The statistics of all heads of the layers.
        layers: The layers of the page, each as the page's encoder returned it.
        masks: Predictions for the masks. Empty if the checkpoint has no MLM head.
        spans: Where each token starts and ends in its sentence, in UTF-16 units; None for a token without a place.
    """

    text: TextInfo
    sentences: Sequence[int]
    heads: Sequence[HeadStatistics]
    layers: Sequence[KeptLayer]
    masks: Sequence[MaskPredictions]
    spans: Sequence[tuple[int, int] | None]
