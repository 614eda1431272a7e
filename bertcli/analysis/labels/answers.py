"""Answers to questions: the most probable span of the context, as transformers' question-answering pipeline finds it.

transformers 5 no longer has this pipeline; this is the one of transformers 4.57 with its defaults.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bertcli.model.ops.base import FloatArray
from bertcli.model.ops.numpy_activations import softmax
from bertcli.model.places import Span, token_spans
from bertcli.model.tokenizer import TextTokenizer, TokenizedText
from bertcli.results.labels import Answer

# Defaults of the pipeline: the largest number of tokens in an answer, and the number of spans whose probabilities are
# added up where they are in the same words.
_MAX_TOKENS = 15
_SPANS = 12
_CONTEXT = 1


@dataclass(slots=True)
class _Candidate:
    """An answer. Its probability is the sum over spans of tokens that belong to the same words."""

    text: str
    start: int | None
    end: int | None
    score: float = 0.0


def find_answer(logits: FloatArray, text: TokenizedText, tokenizer: TextTokenizer) -> Answer | None:
    """Return the answer to the text as a question, from sentence B as the context.

    Args:
        logits: The logits of each token as the first and as the last of the answer, (seq, 2).
        text: The text.
        tokenizer: Its tokenizer.

    Returns:
        The answer. None if the text has no sentence B, or nothing is left of it.
    """
    context = [position for position, word in enumerate(text.words) if word is not None and word[0] == _CONTEXT]
    if not context:
        return None
    starts, ends = _probabilities(logits, context, text, tokenizer)
    spans = token_spans(text, tokenizer)
    best: dict[str, _Candidate] = {}
    for first, last, score in _best_spans(starts, ends):
        candidate = _aligned(context[first], context[last], text, spans, tokenizer)
        best.setdefault(candidate.text.lower(), candidate).score += score
    found = max(best.values(), key=lambda candidate: candidate.score)
    return Answer(found.text, found.score, found.start, found.end)


def _probabilities(
    logits: FloatArray, context: list[int], text: TokenizedText, tokenizer: TextTokenizer
) -> tuple[FloatArray, FloatArray]:
    """Return the probabilities of each token of the context as the first and as the last of the answer.

    [CLS] takes part, since models that know unanswerable questions point to it, but it is never an answer.
    """
    cls = [position for position, id_ in enumerate(text.input_ids) if id_ == tokenizer.cls_token_id]
    taking_part = sorted({*context, *cls})
    probabilities = np.zeros(logits.shape)
    probabilities[taking_part] = softmax(logits[taking_part].T.astype(np.float64)).T
    starts, ends = probabilities[context].T
    return starts, ends


def _best_spans(starts: FloatArray, ends: FloatArray) -> list[tuple[int, int, float]]:
    """Return the first and last token of the most probable spans, and their probabilities, in descending order."""
    size = len(starts)
    first = np.repeat(np.arange(size), _MAX_TOKENS)
    last = first + np.tile(np.arange(_MAX_TOKENS), size)
    first, last = first[last < size], last[last < size]
    scores = starts[first] * ends[last]
    order = np.argsort(-scores, kind="stable")[:_SPANS]
    return list(zip(first[order].tolist(), last[order].tolist(), scores[order].tolist(), strict=True))


def _aligned(
    first: int, last: int, text: TokenizedText, spans: Sequence[Span | None], tokenizer: TextTokenizer
) -> _Candidate:
    """Return the answer from the beginning of the word of one token to the end of the word of another."""
    while first and text.words[first - 1] == text.words[first]:
        first -= 1
    while last + 1 < len(text) and text.words[last + 1] == text.words[last]:
        last += 1
    start, end = (spans[position] if spans else None for position in (first, last))
    if start is None or end is None:
        return _Candidate(tokenizer.decode(text.input_ids[first : last + 1]).strip(), None, None)
    return _Candidate(text.record.sentences[_CONTEXT][start[0] : end[1]], start[0], end[1])
