"""What attn returns."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from bertcli.results.masks import MaskPredictions
from bertcli.results.texts import FloatArray, TextInfo

KeptLayer = TypeVar("KeptLayer")


@dataclass(frozen=True, slots=True)
class HeadStatistics:
    """One attention head over one text or many, averaged over queries. head: None for the mean of a layer's heads.

    Definitions: bertcli.analysis.attention.
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
    label: str | None


@dataclass(frozen=True, slots=True)
class Attended:
    """A token that is attended to, and how much."""

    position: int
    token: str
    weight: float


@dataclass(frozen=True, slots=True)
class AttendedFrom:
    """What one token attends to most in one head, strongest first."""

    position: int
    token: str
    layer: int
    head: int
    keys: Sequence[Attended]


@dataclass(frozen=True, slots=True)
class AttnRecord:
    """A text's attention. attention: (seq, seq) of the one head that was asked for, from query to key.

    attentions: (layers, heads, seq, seq) where the full tensors were asked for. rollout: (seq, seq). value_norms:
    (len(heads), seq, seq) and head_distance: (len(heads), len(heads)), in the order of heads. words: what the rows and
    columns of the matrices over tokens are where they are not tokens.
    """

    text: TextInfo
    heads: Sequence[HeadStatistics]
    attention: FloatArray | None = None
    attended: Sequence[AttendedFrom] | None = None
    attentions: FloatArray | None = None
    words: Sequence[str] | None = None
    rollout: FloatArray | None = None
    value_norms: FloatArray | None = None
    head_distance: FloatArray | None = None


@dataclass(frozen=True, slots=True)
class AttnSummary:
    """The heads over many texts. token_count: special tokens included. head_distance: as in AttnRecord."""

    text_count: int
    token_count: int
    heads: Sequence[HeadStatistics]
    head_distance: FloatArray | None = None


@dataclass(frozen=True, slots=True)
class Expansion:
    """The expansion rate of each layer that was asked for. layers: their numbers."""

    layers: Sequence[int]
    rates: Sequence[float]


@dataclass(frozen=True, slots=True)
class AttentionOfLayer:
    """One layer over one text. weights: (heads, seq, seq). rollout: (seq, seq), of all layers up to this one.

    query, key: (heads, seq, head_size), None where the engine does not show them.
    """

    layer: int
    weights: FloatArray
    rollout: FloatArray
    query: FloatArray | None
    key: FloatArray | None


@dataclass(frozen=True, slots=True)
class AttnPageRecord(Generic[KeptLayer]):
    """What a page shows of a text. sentences: 0 or 1 for each token, in A or in B; empty where there is no B.

    layers: each AttentionOfLayer as whoever keeps it has made it. masks: none where the checkpoint has no MLM head.
    """

    text: TextInfo
    sentences: Sequence[int]
    heads: Sequence[HeadStatistics]
    layers: Sequence[KeptLayer]
    masks: Sequence[MaskPredictions]
