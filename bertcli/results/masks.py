"""What fill-mask returns."""

from collections.abc import Sequence
from dataclasses import dataclass

from bertcli.results.texts import FloatArray, TextInfo


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

    method: how its pieces make one number; see bertcli.analysis.masks.targets. logprob: the natural logarithm of score.
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


def rank_change(rank: int | None, other_rank: int | None) -> int | None:
    """By how many ranks a second model puts a token higher; None where one of them has no rank for it."""
    return None if rank is None or other_rank is None else rank - other_rank


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
        return rank_change(self.rank, self.other_rank)


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
