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
    """A word that was asked about, in a mask that is as wide as the word has pieces.

    method: how its pieces make one number; see bertcli.core.masks.targets. logprob: the natural logarithm of score.
    share: its part among the targets. rank in the whole vocabulary, logit and token are of a word of one piece, else
    None.
    """

    target: str
    pieces: Sequence[str]
    method: str
    logprob: float
    share: float
    score: float
    rank: int | None
    logit: float | None
    token: int | None
    token_str: str
    sequence: str


@dataclass(frozen=True, slots=True)
class LensLayer:
    """What the MLM head makes of the hidden state after one layer; 0 are the embeddings."""

    layer: int
    predictions: Sequence[Prediction]
    targets: Sequence[TargetPrediction] | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A candidate in the eyes of two models. rank and score: the first one's; None where a vocabulary has it not."""

    token_str: str
    rank: int | None
    other_rank: int | None
    score: float | None
    other_score: float | None

    @property
    def change(self) -> int | None:
        """By how many ranks the second model puts it higher; None where one of them has no such token."""
        return None if self.rank is None or self.other_rank is None else self.rank - self.other_rank


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a second model puts in the same mask. changes: what either has among its candidates, the first one's first.

    jensen_shannon: the distance of the two distributions (nats); None where the two vocabularies differ.
    """

    model: str
    revision: str | None
    predictions: Sequence[Prediction]
    jensen_shannon: float | None
    changes: Sequence[Change]
    targets: Sequence[TargetPrediction] | None = None


@dataclass(frozen=True, slots=True)
class MaskPredictions:
    """The candidates for one mask, best first, and what else was asked about it: None where it was not.

    targets: in the order in which they were asked for. entropy: of the whole distribution, in bits. mass: of the
    candidates together. lens: an entry for each of the hidden states.
    """

    position: int
    predictions: Sequence[Prediction]
    targets: Sequence[TargetPrediction] | None = None
    entropy: float | None = None
    mass: float | None = None
    lens: Sequence[LensLayer] | None = None
    comparison: Comparison | None = None


@dataclass(frozen=True, slots=True)
class FilledSequence:
    """A text with all its masks filled. tokens: what fills them, from left to right. logprob: natural logarithm."""

    sequence: str
    tokens: Sequence[str]
    logprob: float


@dataclass(frozen=True, slots=True)
class TokenScore:
    """What the model says of a token that it does not see. logprob: natural; surprisal: bits; best: its own choice."""

    position: int
    token: str
    id: int
    logprob: float
    surprisal: float
    rank: int
    best: str


@dataclass(frozen=True, slots=True)
class TextScore:
    """The pseudo-log-likelihood of a text: the sum of its tokens', special tokens left out. method: the paper's name.

    perplexity: e to the power of -mean.
    """

    method: str
    sum: float
    mean: float
    perplexity: float
    tokens: Sequence[TokenScore]


@dataclass(frozen=True, slots=True)
class FillMaskRecord:
    """The masks of one text, from left to right, and what was asked about the whole of it.

    mutual: (tokens, tokens), by how much masking the column's token changes what is predicted for the row's; NaN at
    special tokens.
    """

    text: TextInfo
    masks: Sequence[MaskPredictions]
    sequences: Sequence[FilledSequence] | None = None
    score: TextScore | None = None
    mutual: FloatArray | None = None


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
class AttnPageRecord:
    """What a page shows of a text. sentences: 0 or 1 for each token, in A or in B; empty where there is no B.

    layers: each AttentionOfLayer as the page keeps it. masks: none where the checkpoint has no MLM head.
    """

    text: TextInfo
    sentences: Sequence[int]
    heads: Sequence[HeadStatistics]
    layers: Sequence[Any]
    masks: Sequence[MaskPredictions]


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
