"""Scores of words: the sums over their tokens. Not in masks, since words are found by the analysis of embeddings."""

from collections.abc import Sequence
from dataclasses import replace
from math import log

from bertcli.analysis.embeddings.words import find_words
from bertcli.model.batching import Batch
from bertcli.model.tokenizer import TextTokenizer, TokenizedText
from bertcli.results.masks import TextScore, TokenScore, WordScore


def add_words(batch: Batch, scores: Sequence[TextScore], tokenizer: TextTokenizer) -> list[TextScore]:
    """Return the scores of texts with those of their words.

    Args:
        batch: The texts.
        scores: The score of each text.
        tokenizer: The tokenizer that the texts are from.
    """
    return [
        replace(score, words=_word_scores(text, score.tokens, tokenizer))
        for text, score in zip(batch.texts, scores, strict=True)
    ]


def _word_scores(text: TokenizedText, tokens: Sequence[TokenScore], tokenizer: TextTokenizer) -> list[WordScore]:
    """Return the score of each word all of whose tokens are scored."""
    logprobs = {token.position: token.logprob for token in tokens}
    scores = []
    for word in find_words(text, tokenizer):
        if not word.positions or not logprobs.keys() >= set(word.positions):
            continue
        logprob = sum(logprobs[position] for position in word.positions)
        sentence = None if text.record.pair is None else word.sentence
        place = word.word, sentence, word.index, word.start, word.end, word.positions
        scores.append(WordScore(*place, logprob, -logprob / log(2)))
    return scores
