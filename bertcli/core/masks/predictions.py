"""The most probable tokens for each mask, and how probable given words are."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from bertcli.core.batches import Batch
from bertcli.core.engine import Wanted
from bertcli.core.session import Session, text_info
from bertcli.core.tokens import MASK, TextTokenizer, TokenizedText
from bertcli.errors import BadText, WrongUsage
from bertcli.results import FillMaskRecord, MaskPredictions, Prediction, TargetPrediction
from bertcli.texts import Unanswered, is_utf8, shortened

Targets = Sequence[tuple[str, int]]


def predict_masks(session: Session, batch: Batch, top_k: int, targets: Targets | None) -> list[FillMaskRecord]:
    """For each text of the batch the top_k candidates of each mask, each mask on its own (the others left standing).

    targets: words with their token ids, scored beside the candidates. The logits are computed at masks alone; score
    is their softmax over the whole vocabulary, in float32.
    """
    is_mask = (batch.input_ids == session.tokenizer.mask_token_id) & batch.attention_mask
    rows, columns = np.nonzero(is_mask)
    logits = session.run(batch, Wanted(logits_at=(rows, columns))).logits
    ops = session.engine.ops
    best_logits, best_ids = (ops.to_numpy(x) for x in ops.top_k(logits, top_k))
    normalizers = ops.to_numpy(ops.log_sum_exp(logits))
    target_logits, target_ranks = _target_columns(session, logits, [id_ for _, id_ in targets or ()])

    masks: list[list[MaskPredictions]] = [[] for _ in batch.texts]
    for at, (row, column) in enumerate(zip(rows.tolist(), columns.tolist(), strict=True)):
        candidate = _Candidates(session.tokenizer, batch.texts[row], column, float(normalizers[at]))
        predictions = [
            candidate.prediction(rank, id_, logit)
            for rank, (id_, logit) in enumerate(zip(best_ids[at].tolist(), best_logits[at].tolist(), strict=True), 1)
        ]
        scored = None
        if targets is not None:
            scored = [
                TargetPrediction(word, candidate.prediction(int(rank), id_, float(logit)))
                for (word, id_), rank, logit in zip(targets, target_ranks[at], target_logits[at], strict=True)
            ]
        masks[row].append(MaskPredictions(column, predictions, scored))
    return [FillMaskRecord(text_info(text), masks[row]) for row, text in enumerate(batch.texts)]


def _target_columns(session: Session, logits: Any, ids: list[int]) -> tuple[Any, Any]:
    """The logit of each id at each mask, and its rank in the vocabulary from 1: (masks, targets) each."""
    if not ids:
        return np.empty((len(logits), 0)), np.empty((len(logits), 0))
    ops = session.engine.ops
    chosen = [logits[:, id_] for id_ in ids]
    ranks = [1 + ops.to_numpy((logits > column[:, None]).sum(-1)) for column in chosen]
    return np.stack([ops.to_numpy(column) for column in chosen], 1), np.stack(ranks, 1)


class _Candidates:
    """The candidates for one mask of one text. normalizer: ln of the sum of the exponentials of its logits."""

    def __init__(self, tokenizer: TextTokenizer, text: TokenizedText, position: int, normalizer: float) -> None:
        self._tokenizer, self._position, self._normalizer = tokenizer, position, normalizer
        self._input_ids = list(text.input_ids)

    def prediction(self, rank: int, token: int, logit: float) -> Prediction:
        filled = self._input_ids.copy()
        filled[self._position] = token
        return Prediction(
            rank=rank,
            score=float(np.exp(np.float32(logit - self._normalizer))),
            logit=logit,
            token=token,
            token_str=self._tokenizer.decode([token]),
            sequence=self._tokenizer.decode_text(filled),
        )


def check_masks(text: TokenizedText, mask_token_id: int) -> Unanswered | None:
    """What is wrong with a text whose masks are to be filled: that it has none, or that a cut has removed one."""
    record = text.record
    if text.masks_cut:
        problem = BadText(
            f"{text.masks_cut} of the text's masks would be cut away",
            hint="put the mask nearer to the beginning, or raise --max-length",
        )
    elif mask_token_id not in text.input_ids:
        problem = BadText(
            f"the text has no mask: {shortened(record.text)}",
            hint=f'write {MASK}, in capitals, where a word is missing, and the whole text in quotes: "how {MASK} you"',
        )
    else:
        return None
    return Unanswered(record.index, record.line, problem)


def target_ids(tokenizer: TextTokenizer, words: Sequence[str]) -> list[tuple[str, int]]:
    """Each word with the id of its one piece. Raises WrongUsage for a word of several pieces, or of none."""
    targets = []
    for word in dict.fromkeys(word.strip() for word in words):
        if not word:
            raise WrongUsage(
                "one of the targets is empty", hint="give words with commas between them: --targets are,is"
            )
        if not is_utf8(word):
            raise WrongUsage(f"the target {word!r} is not UTF-8", hint="check the terminal's encoding")
        ids = tokenizer.word_pieces(word)
        unknown = tokenizer.special_tokens.unk
        if word != unknown and [tokenizer.token(id_) for id_ in ids] == [unknown]:
            raise WrongUsage(f"the target {word!r} is not in the vocabulary", hint="give targets that the model knows")
        if len(ids) != 1:
            spelt = " ".join(tokenizer.token(id_) for id_ in ids) or "nothing"
            raise WrongUsage(
                f"the target {word!r} is not one piece of the vocabulary but {len(ids)} ({spelt})",
                hint="give targets that are one piece each",
            )
        targets.append((word, ids[0]))
    return targets
