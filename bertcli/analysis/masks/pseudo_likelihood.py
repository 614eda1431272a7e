"""Pseudo-log-likelihood of a text: every token is masked in turn and scored (Salazar et al. 2020).

Other tokens may be masked with it, such as the later pieces of its own word, which would give the token away (Kauf and
Ivanova 2023).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from math import log

import numpy as np

from bertcli.analysis.masks.scored_tokens import EVERY_TOKEN, ScoredTokens
from bertcli.analysis.masks.variants import Variant, content_positions, run_variants, with_masks
from bertcli.choices import WithinWord
from bertcli.model.batching import Batch
from bertcli.model.ops.base import Array
from bertcli.model.session import Session
from bertcli.model.tokenizer import TokenizedText
from bertcli.results.masks import TextScore, TokenScore

# The names that Kauf and Ivanova give the methods.
METHOD_NAMES: Mapping[WithinWord, str] = {
    WithinWord.ORIGINAL: "PLL-original",
    WithinWord.L2R: "PLL-word-l2r",
    WithinWord.WHOLE: "PLL-whole-word",
    WithinWord.SENTENCE_L2R: "PLL-sentence-l2r",
}


def score_texts(
    session: Session,
    batch: Batch,
    within_word: WithinWord | None = None,
    chosen: ScoredTokens = EVERY_TOKEN,
) -> list[TextScore]:
    """Compute the pseudo-log-likelihood of each text of a batch.

    Masks that are already in a text stay, and are not scored.

    Args:
        session: The open checkpoint.
        batch: The texts.
        within_word: Tokens to mask together with a scored token, or None for ORIGINAL.
        chosen: The tokens to score.
    """
    method = within_word or WithinWord.ORIGINAL
    tokens: list[list[TokenScore]] = [[] for _ in batch.texts]
    variants = (
        Variant(
            with_masks(text, _masked_with(session, text, positions[0], method), session.mask_token_id), positions, row
        )
        for row, text in enumerate(batch.texts)
        for positions in _masked_together(text, chosen.positions(session, text), method)
    )
    for run, logits in run_variants(session, variants):
        rows = [(variant.about, position) for variant in run for position in variant.positions]
        places = [(batch.texts[row], position) for row, position in rows]
        for (row, _), score in zip(rows, _token_scores(session, places, logits), strict=True):
            tokens[row].append(score)
    scores = (text_score(text_tokens, METHOD_NAMES[method]) for text_tokens in tokens)
    return [replace(score, only=chosen.only, only_words=chosen.words) for score in scores]


def _masked_together(text: TokenizedText, positions: Sequence[int], method: WithinWord) -> Iterator[Sequence[int]]:
    """Yield the positions that are scored in one run: those of a word with WHOLE, else each on its own."""
    if method == WithinWord.WHOLE:
        # A token that is in no word is one of its own.
        for _, of_word in groupby(positions, key=lambda position: text.words[position] or position):
            yield tuple(of_word)
    else:
        yield from ((position,) for position in positions)


def _masked_with(session: Session, text: TokenizedText, position: int, method: WithinWord) -> Collection[int]:
    """Return the positions to mask: the token itself, and those that the method masks with it."""
    if method == WithinWord.SENTENCE_L2R:
        return {later for later in content_positions(session, text) if later >= position}
    word, start, end = text.words[position], position, position + 1
    if word is None or method == WithinWord.ORIGINAL:
        return (position,)
    while end < len(text) and text.words[end] == word:
        end += 1
    while method == WithinWord.WHOLE and start and text.words[start - 1] == word:
        start -= 1
    return range(start, end)


def _token_scores(session: Session, places: Sequence[tuple[TokenizedText, int]], logits: Array) -> Iterator[TokenScore]:
    """Yield the score of the token at each place.

    Args:
        session: The open checkpoint.
        places: Texts and positions.
        logits: (places, vocab), with the token masked.
    """
    ops, tokenizer = session.engine.ops, session.tokenizer
    ids = np.array([text.input_ids[position] for text, position in places])
    own = logits[ops.asarray(np.arange(len(ids))), ops.asarray(ids)]
    ranks = 1 + ops.to_numpy((logits > own[:, None]).sum(-1))
    best = ops.to_numpy(ops.top_k(logits, 1)[1])[:, 0]
    logprobs = ops.to_numpy(own) - ops.to_numpy(ops.log_sum_exp(logits))
    for (text, position), id_, logprob, rank, best_id in zip(places, ids, logprobs, ranks, best, strict=True):
        yield TokenScore(
            position=position,
            token=text.tokens[position],
            id=int(id_),
            logprob=float(logprob),
            surprisal=float(-logprob) / log(2),
            rank=int(rank),
            best=tokenizer.token(int(best_id)),
        )


def text_score(tokens: Sequence[TokenScore], method: str) -> TextScore:
    """Return the score of a text from those of its tokens. A window of a text may have none."""
    total = sum(token.logprob for token in tokens)
    mean = total / len(tokens) if tokens else 0.0
    return TextScore(method, total, mean, float(np.exp(-mean)), tokens)
