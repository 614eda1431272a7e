"""Results of fill-mask."""

from collections.abc import Sequence

from bertcli.lazy_dataclass import dataclass
from bertcli.results.texts import FloatArray, TextInfo


@dataclass(frozen=True, slots=True)
class Prediction:
    """A candidate token for a mask.

    Attributes:
        rank: Rank in the whole vocabulary, from 1.
        score: Probability over the whole vocabulary.
        logit: Value before softmax.
        token: Id of the token.
        token_str: Text of the token.
        sequence: The text with the mask replaced by the token. Other masks stay masked.
    """

    rank: int
    score: float
    logit: float
    token: int
    token_str: str
    sequence: str


@dataclass(frozen=True, slots=True)
class TargetPrediction:
    """Prediction of a given word for a mask, which is widened to one mask for each piece of the word.

    Attributes:
        target: The word as the user gave it.
        pieces: Its pieces.
        method: Way to combine the pieces, a bertcli.choices.TargetScore. bertcli.analysis.masks.targets defines them.
        logprob: Natural logarithm of score.
        share: Share of the score in the sum over all targets.
        score: Probability.
        rank: Rank in the whole vocabulary, from 1, or None for a word of several pieces.
        logit: Value before softmax, or None for a word of several pieces.
        token: Id of the token, or None for a word of several pieces.
        token_str: Text of the pieces.
        sequence: The text with the mask replaced by the word.
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
class WordCandidate:
    """A word for a mask, which is widened to one mask for each piece of the word.

    Attributes:
        rank: Rank among the candidates, from 1.
        word: Text of the word.
        pieces: Its pieces.
        ids: Their ids.
        width: Number of pieces.
        logprob: Natural logarithm of its probability, the sum over its pieces, each given those before it.
        mean: Mean over its pieces.
        sequence: The text with the mask replaced by the word. Other masks stay masked.
    """

    rank: int
    word: str
    pieces: Sequence[str]
    ids: Sequence[int]
    width: int
    logprob: float
    mean: float
    sequence: str


@dataclass(frozen=True, slots=True)
class LensLayer:
    """Predictions for a mask from the hidden state of one layer.

    Attributes:
        layer: Index of the hidden state, 0 for the embeddings.
        predictions: The predictions, best first.
        targets: The targets, or None if there are none.
    """

    layer: int
    predictions: Sequence[Prediction]
    targets: Sequence[TargetPrediction] | None = None


def rank_change(rank: int | None, other_rank: int | None) -> int | None:
    """Return the number of ranks by which a second model puts a token higher, or None if a rank is missing."""
    return None if rank is None or other_rank is None else rank - other_rank


@dataclass(frozen=True, slots=True)
class Change:
    """A predicted token in two models. Values are None for a model whose vocabulary does not have it.

    Attributes:
        token_str: Text of the token.
        rank: Rank in the first model, from 1.
        other_rank: Rank in the second model.
        score: Probability in the first model.
        other_score: Probability in the second model.
    """

    token_str: str
    rank: int | None
    other_rank: int | None
    score: float | None
    other_score: float | None

    @property
    def change(self) -> int | None:
        """Number of ranks by which the second model puts the token higher, or None if one model does not have it."""
        return rank_change(self.rank, self.other_rank)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Predictions of a second model for the same mask.

    Attributes:
        model: Name or folder of the second model.
        revision: Its commit, if it is from the hub.
        predictions: Its predictions, best first.
        jensen_shannon: Distance between the two distributions in nats, or None if the vocabularies differ.
        changes: The tokens that either model predicts, those of the first model first.
        targets: Its scores of the targets, or None if there are none.
    """

    model: str
    revision: str | None
    predictions: Sequence[Prediction]
    jensen_shannon: float | None
    changes: Sequence[Change]
    targets: Sequence[TargetPrediction] | None = None


@dataclass(frozen=True, slots=True)
class HeadEffects:
    """Effect of each attention head on the log-probability of a token in a mask.

    Attributes:
        target: The token: a target as the user gave it, or the text of the top prediction.
        token: Id of the token.
        logprob: Natural logarithm of its probability with all heads.
        values: Change of logprob when a head's output is zero, (layers, heads). It is negative for a head that supports
            the token.
    """

    target: str
    token: int
    logprob: float
    values: FloatArray


@dataclass(frozen=True, slots=True)
class WordValue:
    """Contribution of a word of a text to a prediction.

    Attributes:
        word: The word as it is written in the text.
        sentence: 0 or 1 for the sentence of a pair, or None if the text is no pair.
        index: Number of the word in its sentence, from 0.
        start: Its first character in its sentence. None if the tokenizer does not report places.
        end: The character after its last.
        positions: Positions of its tokens.
        value: Its contribution, or None for a word without one.
    """

    word: str
    sentence: int | None
    index: int
    start: int | None
    end: int | None
    positions: Sequence[int]
    value: float | None


@dataclass(frozen=True, slots=True)
class Attribution:
    """Contribution of each token, or word, of a text to the log-probability of a token in a mask.

    Attributes:
        target: The token: a target as the user gave it, or the text of the top prediction.
        token: Id of the token.
        method: A bertcli.choices.AttributionMethod.
        logprob: Natural logarithm of its probability.
        values: Contribution of each token, (tokens,), positive if it supports the target. NaN for a token without one.
        gap: Difference between the sum of the values and what they should sum to, None if the method has no such sum.
        baseline: The bertcli.choices.Baseline of integrated gradients.
        steps: Number of points of their path.
        words: Contribution of each word, or None if not requested.
    """

    target: str
    token: int
    method: str
    logprob: float
    values: FloatArray
    gap: float | None
    baseline: str | None = None
    steps: int | None = None
    words: Sequence[WordValue] | None = None


@dataclass(frozen=True, slots=True)
class MaskPredictions:
    """Predictions for one mask. Whatever was not requested is None.

    Attributes:
        position: Position of the mask in the text.
        predictions: The predictions, best first.
        targets: The targets, in the order in which the user gave them.
        entropy: Entropy of the whole distribution, in bits.
        mass: Sum of the scores of the predictions.
        candidates: Words of one or more pieces, best first.
        lens: Predictions from each hidden state.
        lens_method: How they were made, a bertcli.choices.LensMethod other than AUTO.
        comparison: Predictions of a second model.
        head_effects: Effects of attention heads on the top prediction, or on each target.
        attributions: Contributions of tokens to the top prediction, or to each target.
    """

    position: int
    predictions: Sequence[Prediction]
    targets: Sequence[TargetPrediction] | None = None
    entropy: float | None = None
    mass: float | None = None
    candidates: Sequence[WordCandidate] | None = None
    lens: Sequence[LensLayer] | None = None
    lens_method: str | None = None
    comparison: Comparison | None = None
    head_effects: Sequence[HeadEffects] | None = None
    attributions: Sequence[Attribution] | None = None


@dataclass(frozen=True, slots=True)
class FilledSequence:
    """A text with all its masks filled.

    Attributes:
        sequence: The filled text.
        tokens: The tokens of the masks, from left to right.
        logprob: Natural logarithm of the probability of the filling.
    """

    sequence: str
    tokens: Sequence[str]
    logprob: float


@dataclass(frozen=True, slots=True)
class TokenScore:
    """Score of a token that is masked.

    Attributes:
        position: Position in the text.
        token: The token.
        id: Its id.
        logprob: Natural logarithm of its probability.
        surprisal: -log2 of its probability, in bits.
        rank: Its rank in the whole vocabulary, from 1.
        best: The most probable token.
    """

    position: int
    token: str
    id: int
    logprob: float
    surprisal: float
    rank: int
    best: str


@dataclass(frozen=True, slots=True)
class WordScore:
    """Score of a word of a text.

    Attributes:
        word: The word as it is written in the text.
        sentence: 0 or 1 for the sentence of a pair, or None if the text is no pair.
        index: Number of the word in its sentence, from 0.
        start: Its first character in its sentence. None if the tokenizer does not report places.
        end: The character after its last.
        positions: Positions of its tokens.
        logprob: Sum of the tokens' logprob.
        surprisal: -logprob in bits.
    """

    word: str
    sentence: int | None
    index: int
    start: int | None
    end: int | None
    positions: Sequence[int]
    logprob: float
    surprisal: float


@dataclass(frozen=True, slots=True)
class TextScore:
    """Pseudo-log-likelihood of a text, without special tokens.

    Attributes:
        method: Name of the method in the literature, such as PLL-word-l2r.
        sum: Sum of the tokens' logprob.
        mean: Mean of the tokens' logprob.
        perplexity: exp(-mean).
        tokens: The score of each token.
        only: The part of the text whose tokens are scored, a bertcli.choices.ScoreOnly, or None for all of it.
        only_words: The words whose tokens are scored, or None for all of them.
        words: The score of each word all of whose tokens are scored, or None if not requested.
    """

    method: str
    sum: float
    mean: float
    perplexity: float
    tokens: Sequence[TokenScore]
    only: str | None = None
    only_words: Sequence[str] | None = None
    words: Sequence[WordScore] | None = None


@dataclass(frozen=True, slots=True)
class FillMaskRecord:
    """Predictions for a text. Whatever was not requested is None.

    Attributes:
        text: The text.
        masks: Its masks, from left to right.
        sequences: Fillings of all masks together, best first.
        score: Pseudo-log-likelihood.
        mutual: Change of the prediction for the row's token if the column's token is masked too, (tokens, tokens), NaN
            at special tokens.
    """

    text: TextInfo
    masks: Sequence[MaskPredictions]
    sequences: Sequence[FilledSequence] | None = None
    score: TextScore | None = None
    mutual: FloatArray | None = None


def expected_word(record: FillMaskRecord) -> TargetPrediction:
    """Return the word that a text expects: the only target of its only mask."""
    (mask,) = record.masks
    (target,) = mask.targets or ()
    return target
