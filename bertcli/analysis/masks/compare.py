"""The same masks put to a second model: how the ranks of the candidates change, and how far the distributions differ.

Two distributions are over the same things only where the vocabularies are the same. Where they are not there is no
distance, and a candidate of one model is looked for in the other's vocabulary by its spelling.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from bertcli.analysis.masks.distributions import jensen_shannon_distance, log_softmax
from bertcli.analysis.masks.predictions import MaskLogits, ask_masks, candidates
from bertcli.analysis.masks.targets import Target, check_room, score_targets
from bertcli.analysis.masks.variants import mask_positions
from bertcli.errors import BadText
from bertcli.input.records import FailedText
from bertcli.model.batching import batches
from bertcli.model.session import Session
from bertcli.model.tokenizer import TextTokenizer, TokenizedText
from bertcli.results.masks import Change, Comparison, MaskPredictions, Prediction

_Row = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Comparing:
    """The addition that asks a second model. targets: as its tokenizer has them; method: how their pieces count."""

    session: Session
    other: Session
    top_k: int
    targets: Sequence[Target] | None
    method: str

    @cached_property
    def is_one_vocabulary(self) -> bool:
        """Whether every token of one model is the other's, with the same id."""
        one, other = self.session, self.other
        return (
            one.config.vocab_size == other.config.vocab_size
            and one.tokenizer.vocabulary() == other.tokenizer.vocabulary()
        )

    def check(self, text: TokenizedText) -> FailedText | None:
        """What is wrong with a text that the second model is to answer as well."""
        record, other = text.record, self._tokenized(text)
        if isinstance(other, FailedText):
            return self._of_other(other)
        counts = [len(mask_positions(self.session, text)), len(mask_positions(self.other, other))]
        if counts[0] != counts[1]:
            problem = BadText(
                f"the models do not see the same masks: {counts[0]}, and {counts[1]} to {self.other.checkpoint.name}",
                hint="write [MASK], which stands for every model's own mask, and a shorter text if it is cut",
            )
            return record.failed(problem)
        crowded = check_room(other, self.targets or (), self.other.tokenizer.limit)
        return crowded and self._of_other(crowded)

    def _of_other(self, unanswered: FailedText) -> FailedText:
        return replace(unanswered, error=unanswered.error.at(f"to {self.other.checkpoint.name}"))

    def __call__(self, asked: MaskLogits, masks: Sequence[MaskPredictions]) -> list[MaskPredictions]:
        """The masks with their comparisons."""
        compared: dict[tuple[int, int], Comparison] = {}
        for index, ordinal, comparison in self._compare(asked, masks):
            compared[index, ordinal] = comparison
        return [replace(mask, comparison=compared[place]) for mask, place in zip(masks, _ordinals(asked), strict=True)]

    def _compare(self, asked: MaskLogits, masks: Sequence[MaskPredictions]) -> Any:
        """The comparison for each mask, with its text's index and its place among the masks of the text."""
        ours = {place: at for at, place in enumerate(_ordinals(asked))}
        texts = [text for text in map(self._tokenized, asked.batch.texts) if isinstance(text, TokenizedText)]
        logits = self.session.to_numpy(asked.logits)
        for batch in batches(texts, self.other.batch_tokens, self.other.tokenizer.pad_token_id):
            other = ask_masks(self.other, batch)
            assert other is not None
            found = candidates(other, other.logits, self.top_k)
            scored = None if self.targets is None else score_targets(other, other.logits, self.targets, self.method)
            other_logits = self.other.to_numpy(other.logits)
            for at, place in enumerate(_ordinals(other)):
                one = ours[place]
                of_targets = None if scored is None else scored[at]
                comparison = self._comparison(
                    masks[one].predictions, found[at], logits[one], other_logits[at], of_targets
                )
                yield *place, comparison

    def _comparison(
        self, predictions: Sequence[Prediction], found: Sequence[Prediction], row: _Row, other_row: _Row, targets: Any
    ) -> Comparison:
        log_p, log_q = log_softmax(row), log_softmax(other_row)
        distance = float(jensen_shannon_distance(log_p, log_q)) if self.is_one_vocabulary else None
        changes = [
            Change(
                token_str,
                _rank(row, own),
                _rank(other_row, other),
                _score(predictions, log_p, own),
                _score(found, log_q, other),
            )
            for own, other, token_str in self._both(predictions, found)
        ]
        checkpoint = self.other.checkpoint
        return Comparison(checkpoint.name, checkpoint.revision, found, distance, changes, targets)

    def _both(
        self, predictions: Sequence[Prediction], found: Sequence[Prediction]
    ) -> Iterator[tuple[int | None, int | None, str]]:
        """The candidates of both, each once: its id here, its id there, and how it is spelt."""
        own_ids: set[int] = set()
        other_ids: set[int | None] = set()
        for prediction in predictions:
            other_id = self._same(prediction, self.session.tokenizer, self.other.tokenizer)
            own_ids.add(prediction.token)
            other_ids.add(other_id)
            yield prediction.token, other_id, prediction.token_str
        for prediction in found:
            own_id = self._same(prediction, self.other.tokenizer, self.session.tokenizer)
            if prediction.token not in other_ids and own_id not in own_ids:
                yield own_id, prediction.token, prediction.token_str

    def _same(self, prediction: Prediction, tokenizer: TextTokenizer, other: TextTokenizer) -> int | None:
        """The id of the same token in the other's vocabulary: of the same word, where these are not the same."""
        if self.is_one_vocabulary:
            return prediction.token
        word = prediction.token_str.strip()
        # In some vocabularies one piece is a word, and another of the same letters goes on with one.
        if not word or tokenizer.encode_word(word) != [prediction.token]:
            return None
        pieces = other.encode_word(word)
        is_unknown = [other.token(id_) for id_ in pieces] == [other.special_tokens.unk] != [word]
        return pieces[0] if len(pieces) == 1 and not is_unknown else None

    def _tokenized(self, text: TokenizedText) -> TokenizedText | FailedText:
        return self.other.tokenizer.tokenize([text.record])[0]


def _ordinals(asked: MaskLogits) -> list[tuple[int, int]]:
    """For each mask its text's index in the run, and its place among the masks of the text."""
    seen: dict[int, int] = {}
    places = []
    for text, _ in asked.places:
        index = text.record.index
        places.append((index, seen.get(index, 0)))
        seen[index] = seen.get(index, 0) + 1
    return places


def _rank(logits: _Row, id_: int | None) -> int | None:
    return None if id_ is None else 1 + int((logits > logits[id_]).sum())


def _score(predictions: Sequence[Prediction], log_p: _Row, id_: int | None) -> float | None:
    """To the last digit what stands among the predictions, where it stands there."""
    if id_ is None:
        return None
    known = (prediction.score for prediction in predictions if prediction.token == id_)
    return next(known, float(np.exp(log_p[id_])))
