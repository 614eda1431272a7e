"""Similarity of the tokens of two texts, and BERTScore, which is computed from it (Zhang et al. 2020)."""

from collections.abc import Sequence

import numpy as np

from bertcli.analysis.embeddings.pooling import normalize
from bertcli.lazy_dataclass import dataclass
from bertcli.model.ops.base import FloatArray
from bertcli.model.tokenizer import TextTokenizer, TokenizedText
from bertcli.results.embeddings import TokenSimilarity
from bertcli.results.texts import TextInfo


@dataclass(frozen=True, slots=True)
class ComparedTokens:
    """Tokens of a text that are compared.

    Attributes:
        positions: Their positions in the text.
        tokens: The tokens.
        vectors: (tokens, hidden).
        is_scored: (tokens,), False at [CLS], [SEP] and the prompt, which precision and recall leave out.
    """

    positions: Sequence[int]
    tokens: Sequence[str]
    vectors: FloatArray
    is_scored: FloatArray


def tokens_of(
    text: TextInfo | TokenizedText,
    vectors: FloatArray,
    tokenizer: TextTokenizer,
    positions: Sequence[int] | None = None,
) -> ComparedTokens:
    """Return the tokens of a text to compare.

    Args:
        text: The text.
        vectors: The vectors of its tokens, (seq, hidden).
        tokenizer: The tokenizer that made the text.
        positions: The positions of the tokens to compare, None for all.
    """
    chosen = list(range(len(text.tokens))) if positions is None else list(positions)
    is_scored = [_is_own(text, tokenizer, at) for at in chosen]
    return ComparedTokens(chosen, [text.tokens[at] for at in chosen], vectors[chosen], np.array(is_scored, np.bool_))


def pair_similarity(text: TokenizedText, vectors: FloatArray, tokenizer: TextTokenizer) -> TokenSimilarity:
    """Compute the similarity of the tokens of sentence A, the candidate, with those of sentence B.

    Special tokens and the prompt are left out, since they belong to neither sentence.

    Args:
        text: The pair.
        vectors: The vectors of its tokens, (seq, hidden).
        tokenizer: The tokenizer that made the text.
    """
    positions: tuple[list[int], list[int]] = ([], [])
    for at, word in enumerate(text.words):
        if word is not None and _is_own(text, tokenizer, at):
            positions[word[0]].append(at)
    first, second = (tokens_of(text, vectors, tokenizer, own) for own in positions)
    return token_similarity(first, second)


def token_similarity(candidate: ComparedTokens, reference: ComparedTokens) -> TokenSimilarity:
    """Compute the cosine of each token of one text with each of another, and the scores of BERTScore.

    Precision is the mean, over the tokens of the candidate, of the largest cosine with a token of the reference. Recall
    is the mean over the tokens of the reference. As in the authors' program, [CLS] and [SEP] are not averaged over, but
    other tokens may be most similar to them. The same holds for a prompt, which both texts have. There is no weighting
    by idf and no rescaling.

    Args:
        candidate: The tokens of the first text.
        reference: The tokens of the second text.
    """
    cosine = normalize(candidate.vectors) @ normalize(reference.vectors).T
    precision = _mean_of_largest(cosine, candidate.is_scored)
    recall = _mean_of_largest(cosine.T, reference.is_scored)
    total = precision + recall
    return TokenSimilarity(
        rows=candidate.positions,
        columns=reference.positions,
        row_tokens=candidate.tokens,
        column_tokens=reference.tokens,
        cosine=cosine,
        precision=precision,
        recall=recall,
        f1=2 * precision * recall / total if total else 0.0,
    )


def _is_own(text: TextInfo | TokenizedText, tokenizer: TextTokenizer, position: int) -> bool:
    """Return True if a token is the text's own: not [CLS] or [SEP], and not of the prompt."""
    return position >= tokenizer.prompt_token_count and not tokenizer.is_cls_sep_or_pad(text.input_ids[position])


def _mean_of_largest(cosine: FloatArray, is_scored: FloatArray) -> float:
    """Return the mean of the largest value of each scored row, (rows, columns); 0 if there is none."""
    scored = cosine[is_scored]
    return float(scored.max(1).mean(dtype=np.float64)) if scored.size else 0.0
