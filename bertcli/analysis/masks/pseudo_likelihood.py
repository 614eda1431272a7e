"""Pseudo-log-likelihood of a text: every token is masked in turn and scored (Salazar et al. 2020).

With WithinWord.L2R, the later pieces of a token's own word are masked with it, since they would give the token away
(Kauf and Ivanova 2023).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import log

import numpy as np

from bertcli.analysis.masks.scored_tokens import EVERY_TOKEN, ScoredTokens
from bertcli.analysis.masks.variants import Variant, run_variants, with_masks
from bertcli.choices import WithinWord
from bertcli.model.batching import Batch
from bertcli.model.ops.base import Array
from bertcli.model.session import Session
from bertcli.model.tokenizer import TokenizedText
from bertcli.results.masks import TextScore, TokenScore

# The names that Kauf and Ivanova give the methods. None masks the scored token alone.
METHOD_NAMES: Mapping[WithinWord | None, str] = {None: "PLL-original", WithinWord.L2R: "PLL-word-l2r"}


def score_texts(
    session: Session, batch: Batch, within_word: WithinWord | None = None, chosen: ScoredTokens = EVERY_TOKEN
) -> list[TextScore]:
    """Compute the pseudo-log-likelihood of each text of a batch.

    Masks that are already in a text stay, and are not scored.

    Args:
        session: The open checkpoint.
        batch: The texts.
        within_word: Pieces of the word to mask together with a scored token, or None for the token alone.
        chosen: The tokens to score.
    """
    tokens: list[list[TokenScore]] = [[] for _ in batch.texts]
    variants = (
        Variant(with_masks(text, _masked_with(text, position, within_word), session.mask_token_id), (position,), row)
        for row, text in enumerate(batch.texts)
        for position in chosen.positions(session, text)
    )
    for run, logits in run_variants(session, variants):
        places = [(batch.texts[variant.about], variant.positions[0]) for variant in run]
        for variant, score in zip(run, _token_scores(session, places, logits), strict=True):
            tokens[variant.about].append(score)
    scores = [text_score(text_tokens, METHOD_NAMES[within_word]) for text_tokens in tokens]
    return [replace(score, only=chosen.only, only_words=chosen.words) for score in scores]


def _masked_with(text: TokenizedText, position: int, within_word: WithinWord | None) -> Sequence[int]:
    """Return the positions to mask: the token itself, and with L2R the pieces after it in its word."""
    end = position + 1
    if within_word == WithinWord.L2R and text.words[position] is not None:
        while end < len(text) and text.words[end] == text.words[position]:
            end += 1
    return range(position, end)


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
