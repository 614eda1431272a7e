"""Plain references for the analyses of masks: BertForMaskedLM, one text and one mask a run."""

from collections.abc import Sequence
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
import torch
import transformers

from tests.reference import load

Ids = Sequence[int]


@cache
def tokenizer(folder: Path) -> transformers.PreTrainedTokenizerFast:
    """Return transformers' own tokenizer of the checkpoint."""
    return transformers.AutoTokenizer.from_pretrained(folder)


def log_distribution(folder: Path, ids: Ids, position: int) -> np.ndarray:
    """Return ln p of every token at the position, in float64, (vocab,)."""
    with torch.no_grad():
        logits = load("AutoModelForMaskedLM", folder)(torch.tensor([list(ids)])).logits
    return logits[0, position].double().log_softmax(-1).numpy()


def with_masks(folder: Path, ids: Ids, positions: Sequence[int]) -> list[int]:
    """Return the ids with masks at the positions."""
    mask = tokenizer(folder).mask_token_id
    return [mask if at in positions else id_ for at, id_ in enumerate(ids)]


def pseudo_log_likelihoods(folder: Path, text: str, method: str = "original") -> dict[int, float]:
    """Return ln p of each token by its position, each masked in turn, with the tokens that the method masks with it."""
    tok = tokenizer(folder)
    encoding = tok(text)
    ids, word_ids = encoding.input_ids, encoding.word_ids()
    found = {}
    for at, id_ in enumerate(ids):
        if id_ in (tok.cls_token_id, tok.sep_token_id, tok.mask_token_id):
            continue
        of_word = [other for other in range(len(ids)) if word_ids[other] == word_ids[at]]
        content = [other for other in range(len(ids)) if ids[other] not in (tok.cls_token_id, tok.sep_token_id)]
        masked = {
            "original": [at],
            "l2r": [other for other in of_word if other >= at],
            "whole": of_word,
            "sentence-l2r": [other for other in content if other >= at],
        }[method]
        found[at] = float(log_distribution(folder, with_masks(folder, ids, masked), at)[id_])
    return found


def target_logprob(folder: Path, ids: Ids, position: int, pieces: Sequence[int], method: str) -> float:
    """Return ln p of a word in the mask at the position, piece after piece (l2r) or each piece separately (mean)."""
    mask = tokenizer(folder).mask_token_id
    found = []
    for number, piece in enumerate(pieces):
        known = list(pieces[:number]) if method == "l2r" else []
        widened = [*ids[:position], *known, *[mask] * (len(pieces) - len(known)), *ids[position + 1 :]]
        found.append(log_distribution(folder, widened, position + number)[piece])
    return float(np.sum(found) if method == "l2r" else np.mean(found))


def jensen_shannon(log_p: np.ndarray, log_q: np.ndarray) -> float:
    """Return the distance by its definition: the root of the mean of two divergences from the middle."""
    p, q = np.exp(log_p), np.exp(log_q)
    middle = (p + q) / 2
    divergence = np.sum(p * np.log(p / middle)) / 2 + np.sum(q * np.log(q / middle)) / 2
    return float(np.sqrt(max(divergence, 0)))  # which rounding may have made a little less than nothing


def every_filling(folder: Path, ids: Ids, order: str) -> dict[tuple[int, ...], float]:
    """Return ln p of every way to fill one or two masks, by the ids from left to right."""
    mask = tokenizer(folder).mask_token_id
    places = [at for at, id_ in enumerate(ids) if id_ == mask]
    if order == "confidence":
        places.sort(key=lambda at: -log_distribution(folder, ids, at).max())
    first, *second = places
    found = {}
    for id_, logprob in enumerate(log_distribution(folder, ids, first)):
        filled = [*ids[:first], id_, *ids[first + 1 :]]
        if not second:
            found[(id_,)] = float(logprob)
            continue
        for other, conditional in enumerate(log_distribution(folder, filled, second[0])):
            key = (id_, other) if first < second[0] else (other, id_)
            found[key] = float(logprob + conditional)
    return found


def beam_search(folder: Path, ids: Ids, beam: int, order: str) -> list[tuple[float, list[int]]]:
    """Return the beam after the last step, best first."""
    mask = tokenizer(folder).mask_token_id
    places = [at for at, id_ in enumerate(ids) if id_ == mask]
    beams = [(0.0, list(ids), places)]
    for _ in places:
        grown = []
        for logprob, filled, left in beams:
            distributions = {at: log_distribution(folder, filled, at) for at in left}
            at = left[0] if order == "l2r" else max(left, key=lambda at: distributions[at].max())
            for id_, conditional in enumerate(distributions[at]):
                one = [*filled[:at], id_, *filled[at + 1 :]]
                rest = [other for other in left if other != at]
                grown.append((logprob + float(conditional), one, rest))
        beams = sorted(grown, key=lambda each: -each[0])[:beam]
    return [(logprob, filled) for logprob, filled, _ in beams]


def are_pieces(folder: Path, pieces: Sequence[str], *, are_all: bool) -> bool:
    """Return True if BERT's tokenizer makes these pieces of a word, or of its beginning. A single piece is a word."""
    word = "".join(piece.removeprefix("##") for piece in pieces)
    if len(pieces) == 1 and are_all:
        return True
    return tokenizer(folder).tokenize(word) == list(pieces) and word.isalnum()


def words_of(
    folder: Path, ids: Ids, position: int, width: int, beam: int | None = None
) -> dict[tuple[str, ...], float]:
    """Return ln p of words of BERT's pieces in the mask at a position, piece after piece, by their pieces.

    Args:
        folder: The checkpoint.
        ids: The text.
        position: The mask, which is widened.
        width: Number of pieces.
        beam: Number of beginnings to keep after each piece, None for all.
    """
    tok = tokenizer(folder)
    spellings = tok.convert_ids_to_tokens(range(len(tok)))
    words: dict[tuple[str, ...], float] = {(): 0.0}
    for number in range(width):
        grown = {}
        for pieces, logprob in words.items():
            known = [*tok.convert_tokens_to_ids(list(pieces)), *[tok.mask_token_id] * (width - number)]
            next_piece = log_distribution(folder, [*ids[:position], *known, *ids[position + 1 :]], position + number)
            for spelling, conditional in zip(spellings, next_piece, strict=True):
                continues = spelling.startswith("##")
                if spelling in tok.all_special_tokens or continues != bool(pieces):
                    continue
                if are_pieces(folder, [*pieces, spelling], are_all=number == width - 1):
                    grown[(*pieces, spelling)] = logprob + float(conditional)
        words = dict(sorted(grown.items(), key=lambda each: -each[1])[:beam])
    return words


def mutual(folder: Path, text: str) -> dict[tuple[int, int], float]:
    """Return the distance for each pair of tokens that are not special."""
    tok = tokenizer(folder)
    ids = tok(text).input_ids
    own = [at for at, id_ in enumerate(ids) if id_ not in (tok.cls_token_id, tok.sep_token_id)]
    return {
        (at, other): jensen_shannon(
            log_distribution(folder, with_masks(folder, ids, [at]), at),
            log_distribution(folder, with_masks(folder, ids, [at, other]), at),
        )
        for at, other in product(own, own)
    }
