"""How probable a text is to a masked language model: every token masked in turn (Salazar et al. 2020).

With words from left to right the later pieces of a token's own word are masked with it, since they give it away (Kauf
and Ivanova 2023).
"""

from collections.abc import Iterator, Sequence
from math import log

import numpy as np

from bertcli.analysis.masks.variants import Variant, ask, content_positions, with_masks
from bertcli.errors import BadText
from bertcli.input.records import FailedText
from bertcli.model.batching import Batch
from bertcli.model.ops.base import Array
from bertcli.model.session import Session
from bertcli.model.tokenizer import TokenizedText
from bertcli.results.masks import TextScore, TokenScore

ORIGINAL, WORD_L2R = "PLL-original", "PLL-word-l2r"


def score_texts(session: Session, batch: Batch, method: str = ORIGINAL) -> list[TextScore]:
    """The pseudo-log-likelihood of each text of the batch. Masks that stand in it stay, and are not scored."""
    tokens: list[list[TokenScore]] = [[] for _ in batch.texts]
    variants = (
        Variant(with_masks(text, _masked_with(text, position, method), session.mask_token_id), (position,), row)
        for row, text in enumerate(batch.texts)
        for position in scored_positions(session, text)
    )
    for run, logits in ask(session, variants):
        places = [(batch.texts[variant.about], variant.positions[0]) for variant in run]
        for variant, score in zip(run, _read(session, places, logits), strict=True):
            tokens[variant.about].append(score)
    return [_of_text(of_text, method) for of_text in tokens]


def scored_positions(session: Session, text: TokenizedText) -> list[int]:
    """Where the text has tokens that are not special: neither [CLS] nor [SEP] nor [MASK]."""
    return [at for at in content_positions(session, text) if text.input_ids[at] != session.mask_token_id]


def check_scored(session: Session, text: TokenizedText) -> FailedText | None:
    """What is wrong with a text that is to be scored: that it has special tokens alone."""
    if scored_positions(session, text):
        return None
    problem = BadText("the text has no token to score, only special ones", hint="give a text with words")
    return text.record.failed(problem)


def _masked_with(text: TokenizedText, position: int, method: str) -> Sequence[int]:
    """The token itself, and the pieces after it in its word where these are masked too."""
    end = position + 1
    if method == WORD_L2R and text.words[position] is not None:
        while end < len(text) and text.words[end] == text.words[position]:
            end += 1
    return range(position, end)


def _read(session: Session, places: Sequence[tuple[TokenizedText, int]], logits: Array) -> Iterator[TokenScore]:
    """The score of the token at each place. logits: (places, vocab)."""
    ops, tokenizer = session.engine.ops, session.tokenizer
    ids = np.array([text.input_ids[position] for text, position in places])
    own = logits[ops.asarray(np.arange(len(ids))), ops.asarray(ids)]
    ranks = 1 + ops.to_numpy((logits > own[:, None]).sum(-1))
    best = ops.to_numpy(ops.top_k(logits, 1)[1])[:, 0]
    logprobs = ops.to_numpy(own) - ops.to_numpy(ops.log_sum_exp(logits))
    for (text, position), id_, logprob, rank, choice in zip(places, ids, logprobs, ranks, best, strict=True):
        yield TokenScore(
            position=position,
            token=text.tokens[position],
            id=int(id_),
            logprob=float(logprob),
            surprisal=float(-logprob) / log(2),
            rank=int(rank),
            best=tokenizer.token(int(choice)),
        )


def _of_text(tokens: Sequence[TokenScore], method: str) -> TextScore:
    total = sum(token.logprob for token in tokens)
    mean = total / len(tokens)
    return TextScore(method, total, mean, float(np.exp(-mean)), tokens)
