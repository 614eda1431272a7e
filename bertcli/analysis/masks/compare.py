"""Comparison of two models on the same masks: ranks of the predictions, and the distance between the distributions.

Two distributions have a distance only if both models have the same vocabulary. If the vocabularies differ, there is no
distance, and a prediction of one model is looked up in the other's vocabulary by its spelling.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from bertcli.analysis.masks.distributions import jensen_shannon_distance, log_softmax
from bertcli.analysis.masks.predictions import MaskLogits, compute_mask_logits, top_predictions
from bertcli.analysis.masks.targets import Target, check_targets_fit, score_targets
from bertcli.analysis.masks.variants import mask_positions
from bertcli.choices import TargetScore
from bertcli.errors import BadText
from bertcli.input.records import FailedText
from bertcli.lazy_dataclass import dataclass
from bertcli.model.batching import batches
from bertcli.model.session import Session
from bertcli.model.tokenizer import LongText, TextTokenizer, TokenizedText
from bertcli.results.masks import Change, Comparison, MaskPredictions, Prediction

_Row = np.ndarray[Any, Any]


@dataclass(frozen=True)
class ModelComparison:
    """Analysis that compares each mask with the predictions of a second model.

    Attributes:
        session: The first model.
        other: The second model.
        top_k: Number of predictions of the second model.
        targets: Words for the second model to score, with the pieces of its own tokenizer, or None.
        method: Way to combine the pieces of a target.
    """

    session: Session
    other: Session
    top_k: int
    targets: Sequence[Target] | None
    method: TargetScore

    @cached_property
    def is_one_vocabulary(self) -> bool:
        """True if every token has the same id in both models."""
        one, other = self.session, self.other
        return (
            one.config.vocab_size == other.config.vocab_size
            and one.tokenizer.vocabulary() == other.tokenizer.vocabulary()
        )

    def check(self, text: TokenizedText) -> FailedText | None:
        """Return the text as failed if the second model cannot predict its masks, else None."""
        record, other = text.record, self._tokenize(text)
        if isinstance(other, FailedText):
            return self._failed_in_other(other)
        counts = [len(mask_positions(self.session, text)), len(mask_positions(self.other, other))]
        if counts[0] != counts[1]:
            problem = BadText(
                f"the models do not see the same masks: the first sees {counts[0]}, "
                f"and {self.other.checkpoint.name} sees {counts[1]}",
                hint="write [MASK], which works for every model, and use a shorter text if this one is truncated",
            )
            return record.failed(problem)
        failed = check_targets_fit(other, self.targets or (), self.other.tokenizer.limit)
        return failed and self._failed_in_other(failed)

    def _failed_in_other(self, failed: FailedText) -> FailedText:
        return replace(failed, error=failed.error.with_prefix(self.other.checkpoint.name))

    def __call__(self, mask_logits: MaskLogits, masks: Sequence[MaskPredictions]) -> list[MaskPredictions]:
        """Return the masks with their comparisons."""
        compared = dict(self._compare(mask_logits, masks))
        keys = _mask_keys(mask_logits)
        return [replace(mask, comparison=compared[key]) for mask, key in zip(masks, keys, strict=True)]

    def _compare(
        self, mask_logits: MaskLogits, masks: Sequence[MaskPredictions]
    ) -> Iterator[tuple[tuple[int, int], Comparison]]:
        """Yield the key and the comparison of each mask, in the order in which the second model runs."""
        own_index = {key: index for index, key in enumerate(_mask_keys(mask_logits))}
        texts = [text for text in map(self._tokenize, mask_logits.batch.texts) if isinstance(text, TokenizedText)]
        logits = self.session.to_numpy(mask_logits.logits)
        for batch in batches(
            texts, self.other.batch_tokens, self.other.tokenizer.pad_token_id, self.other.request.batch_size
        ):
            other = compute_mask_logits(self.other, batch)
            assert other is not None
            found = top_predictions(other, other.logits, self.top_k)
            scored = None if self.targets is None else score_targets(other, other.logits, self.targets, self.method)
            other_logits = self.other.to_numpy(other.logits)
            for other_index, key in enumerate(_mask_keys(other)):
                index = own_index[key]
                targets = None if scored is None else scored[other_index]
                comparison = self._comparison(
                    masks[index].predictions, found[other_index], logits[index], other_logits[other_index], targets
                )
                yield key, comparison

    def _comparison(
        self, predictions: Sequence[Prediction], found: Sequence[Prediction], row: _Row, other_row: _Row, targets: Any
    ) -> Comparison:
        """Return the comparison of one mask.

        Args:
            predictions: Predictions of the first model.
            found: Predictions of the second model.
            row: Logits of the first model, (vocab,).
            other_row: Logits of the second model, (its vocab,).
            targets: The second model's scores of the targets, or None.
        """
        log_p, log_q = log_softmax(row), log_softmax(other_row)
        distance = float(jensen_shannon_distance(log_p, log_q)) if self.is_one_vocabulary else None
        changes = [
            Change(
                token_str,
                _rank(row, own_id),
                _rank(other_row, other_id),
                _score(predictions, log_p, own_id),
                _score(found, log_q, other_id),
            )
            for own_id, other_id, token_str in self._union(predictions, found)
        ]
        checkpoint = self.other.checkpoint
        return Comparison(checkpoint.name, checkpoint.revision, found, distance, changes, targets)

    def _union(
        self, predictions: Sequence[Prediction], found: Sequence[Prediction]
    ) -> Iterator[tuple[int | None, int | None, str]]:
        """Yield each token that either model predicts, once: its id in both models, and its spelling.

        An id is None if the vocabulary has no such token.
        """
        own_ids: set[int] = set()
        other_ids: set[int | None] = set()
        for prediction in predictions:
            other_id = self._counterpart(prediction, self.session.tokenizer, self.other.tokenizer)
            own_ids.add(prediction.token)
            other_ids.add(other_id)
            yield prediction.token, other_id, prediction.token_str
        for prediction in found:
            own_id = self._counterpart(prediction, self.other.tokenizer, self.session.tokenizer)
            if prediction.token not in other_ids and own_id not in own_ids:
                yield own_id, prediction.token, prediction.token_str

    def _counterpart(self, prediction: Prediction, tokenizer: TextTokenizer, other: TextTokenizer) -> int | None:
        """Return the id of the same token in the other vocabulary, or of the same word if the vocabularies differ."""
        if self.is_one_vocabulary:
            return prediction.token
        word = prediction.token_str.strip()
        # In some vocabularies two pieces have the same letters: one begins a word, and the other continues one.
        if not word or tokenizer.encode_word(word) != [prediction.token]:
            return None
        pieces = other.encode_word(word)
        is_unknown = [other.token(id_) for id_ in pieces] == [other.special_tokens.unk] != [word]
        return pieces[0] if len(pieces) == 1 and not is_unknown else None

    def _tokenize(self, text: TokenizedText) -> TokenizedText | FailedText:
        found = self.other.tokenizer.tokenize([text.record])[0]
        assert not isinstance(found, LongText)  # --compare does not read windows
        return found


def _mask_keys(mask_logits: MaskLogits) -> list[tuple[int, int]]:
    """Return a key for each mask that both models share: the text's index, and the mask's number within the text."""
    seen: dict[int, int] = {}
    keys = []
    for text, _ in mask_logits.places:
        index = text.record.index
        keys.append((index, seen.get(index, 0)))
        seen[index] = seen.get(index, 0) + 1
    return keys


def _rank(logits: _Row, id_: int | None) -> int | None:
    """Return the rank of a token from 1, or None if the vocabulary does not have it."""
    return None if id_ is None else 1 + int((logits > logits[id_]).sum())


def _score(predictions: Sequence[Prediction], log_p: _Row, id_: int | None) -> float | None:
    """Return the probability of a token, equal to the last digit to that of the prediction if it is predicted."""
    if id_ is None:
        return None
    known = (prediction.score for prediction in predictions if prediction.token == id_)
    return next(known, float(np.exp(log_p[id_])))
