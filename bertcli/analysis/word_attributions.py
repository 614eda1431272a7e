"""Contributions of words. Not in masks, since words are found by the analysis of embeddings."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from bertcli.analysis.embeddings.words import find_words
from bertcli.choices import AttributionMethod
from bertcli.lazy_dataclass import dataclass
from bertcli.model.batching import Batch
from bertcli.model.tokenizer import TextTokenizer, TokenizedText
from bertcli.results.embeddings import WordVector
from bertcli.results.masks import Attribution, FillMaskRecord, WordValue
from bertcli.results.texts import FloatArray


@dataclass(frozen=True, slots=True)
class WordAttributions:
    """Computation of records whose attributions have words.

    Attributes:
        compute: Returns the records of a batch, with attributions. Occlusion must mask words.
        tokenizer: The tokenizer that the texts are from.
    """

    compute: Callable[[Batch], Sequence[FillMaskRecord]]
    tokenizer: TextTokenizer

    def __call__(self, batch: Batch) -> list[FillMaskRecord]:
        """Return the records of a batch."""
        return [self._with_words(record, text) for record, text in zip(self.compute(batch), batch.texts, strict=True)]

    def _with_words(self, record: FillMaskRecord, text: TokenizedText) -> FillMaskRecord:
        words = [word for word in find_words(text, self.tokenizer) if word.positions]
        is_pair = text.record.pair is not None
        masks = [
            replace(mask, attributions=[_of_words(each, words, is_pair=is_pair) for each in mask.attributions or ()])
            for mask in record.masks
        ]
        return replace(record, masks=masks)


def _of_words(found: Attribution, words: Sequence[WordVector], *, is_pair: bool) -> Attribution:
    """Return an attribution with the value of each word.

    The value of a word is the sum over its tokens. With occlusion it is that of the word, which each of its tokens has.
    No token has a value of its own then.
    """
    is_occlusion = found.method == AttributionMethod.OCCLUSION
    values = [_value(found.values[word.positions], is_occlusion=is_occlusion) for word in words]
    named = [
        WordValue(
            word.word, word.sentence if is_pair else None, word.index, word.start, word.end, word.positions, value
        )
        for word, value in zip(words, values, strict=True)
    ]
    return replace(found, words=named, values=np.full_like(found.values, np.nan) if is_occlusion else found.values)


def _value(of_tokens: FloatArray, *, is_occlusion: bool) -> float | None:
    value = float(of_tokens[0] if is_occlusion else of_tokens.sum(dtype=np.float64))
    return value if value == value else None
