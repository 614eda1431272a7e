"""What the commands return: plain records, whichever engine computed them, to be shown or written by others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# (seq, hidden), (hidden,) and the like, float32. Kept abstract so that results do not import numpy.
FloatArray = Any


@dataclass(frozen=True, slots=True)
class RunInfo:
    """Who answered: the head of every JSON and the caption of every table. model: None where it is of no one model."""

    command: str
    model: str | None
    revision: str | None
    engine: str | None
    device: str | None
    dtype: str | None


@dataclass(frozen=True, slots=True)
class TextInfo:
    """The text that a record is about. index: from 0 in the run's input. line: from 1 in its file.

    tokens, input_ids and token_type_ids have one entry a token, special ones included and padding left out;
    token_type_ids has none where the architecture has no token types.
    """

    index: int
    line: int | None
    text: str
    pair: str | None
    tokens: Sequence[str]
    input_ids: Sequence[int]
    token_type_ids: Sequence[int]
    truncated: bool


@dataclass(frozen=True, slots=True)
class EncodeRecord:
    """A text's vectors. embedding: (hidden,). last_hidden_state and each of hidden_states: (seq, hidden).

    next_sentence: the probability that sentence B follows A. What was not asked for is None; so are pooler_output where
    the checkpoint has no pooler, and next_sentence where there is no B or no head for it.
    """

    text: TextInfo
    embedding: FloatArray
    last_hidden_state: FloatArray | None = None
    pooler_output: FloatArray | None = None
    layers: Sequence[int] = ()
    hidden_states: Sequence[FloatArray] = ()
    next_sentence: float | None = None


@dataclass(frozen=True, slots=True)
class Prediction:
    """One candidate for a mask. score: probability over the whole vocabulary; logit: before softmax.

    token: its id. sequence: the text with it filled in, other masks left standing.
    """

    rank: int
    score: float
    logit: float
    token: int
    token_str: str
    sequence: str


@dataclass(frozen=True, slots=True)
class TargetPrediction:
    """As Prediction, for a word that was asked about, with its rank in the whole vocabulary."""

    target: str
    prediction: Prediction


@dataclass(frozen=True, slots=True)
class MaskPredictions:
    """The candidates for one mask, best first, and the targets in the order in which they were asked for."""

    position: int
    predictions: Sequence[Prediction]
    targets: Sequence[TargetPrediction] | None = None


@dataclass(frozen=True, slots=True)
class FillMaskRecord:
    """The masks of one text, from left to right."""

    text: TextInfo
    masks: Sequence[MaskPredictions]


@dataclass(frozen=True, slots=True)
class HeadStatistics:
    """One attention head over one text or many, averaged over queries. head: None for the mean of a layer's heads.

    Definitions: bertcli.core.attention.
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
class Output:
    """One output of a model class. symbolic and shape: of one tensor, of which there are `count`.

    nbytes: of all of them together. default: returned without being asked for. in_checkpoint: whether the checkpoint
    holds the weights for it, None where there are no weights to see. ran: the shapes of the tensors that came out
    where the model was run.
    """

    name: str
    symbolic: Sequence[str]
    shape: Sequence[int]
    count: int
    dtype: str
    nbytes: int
    default: bool
    in_checkpoint: bool | None
    ran: Sequence[Sequence[int]] | None = None


@dataclass(frozen=True, slots=True)
class ModelClass:
    """One of transformers' classes over this config: its number of parameters, where known, and its outputs."""

    name: str
    parameters: int | None
    outputs: Sequence[Output]


@dataclass(frozen=True, slots=True)
class ComputedTensor:
    """A tensor that came out of a model."""

    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """A tensor as the checkpoint's header tells of it."""

    name: str
    shape: Sequence[int]
    dtype: str
    parameters: int
    nbytes: int


@dataclass(frozen=True, slots=True)
class ShapesResult:
    """The outputs of each class for one batch, or the tensors of the checkpoint.

    holds: which parts beside the body the checkpoint has, of those that its architecture knows; None where there are no
    weights to see.
    """

    batch_size: int
    sequence_length: int
    classes: Sequence[ModelClass]
    tensors: Sequence[StoredTensor] | None = None
    holds: Mapping[str, bool] | None = None


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A model that is here, as its files' headers tell of it. model, revision: what to give as -m and --revision.

    refs: the branches and tags that stand for the revision. parameters: how many numbers are stored; None, as are
    has_pooler and has_mlm_head, where a pickle keeps that to itself. nbytes: of all the model's files.
    """

    model: str
    revision: str | None
    refs: Sequence[str]
    family: str
    num_hidden_layers: int
    hidden_size: int
    num_attention_heads: int
    parameters: int | None
    nbytes: int
    has_pooler: bool | None
    has_mlm_head: bool | None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A model in the hub's cache that bertcli cannot open, and why."""

    model: str
    revision: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class ModelsResult:
    """What is here. cache: the folder of the hub's cache."""

    cache: str
    models: Sequence[KnownModel]
    left_out: Sequence[LeftOut]
