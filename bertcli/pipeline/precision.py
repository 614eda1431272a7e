"""Measurement of a run in reduced precision: how far a sample of its texts is from float32."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from bertcli.analysis.precision import in_float32, text_distances
from bertcli.input.records import FailedText, TextRecord
from bertcli.model.batching import Batch, batches
from bertcli.model.session import Session
from bertcli.model.tokenizer import TokenizedText
from bertcli.pipeline.halving import Halving
from bertcli.pipeline.sample import Sample
from bertcli.results.precision import TextDistance

# Share of the run's time to spend on the comparison with float32.
MEASURED_SHARE = 0.02
# Texts to compare between two looks at the clock. The first ones are always compared.
_TEXTS_TOGETHER = 8


class PrecisionMeter:
    """Compares a sample of the texts of a run in reduced precision with float32.

    Args:
        session: The open checkpoint.
        on_note: Called with what the user should know, such as that there is too little memory.
        predicts_tokens: Compare predictions for masks too.
    """

    def __init__(self, session: Session, on_note: Callable[[str], None], *, predicts_tokens: bool = False) -> None:
        self._session, self._exact = session, in_float32(session)
        self._on_note, self._halving = on_note, Halving(session.tokenizer.pad_token_id, on_note)
        self._compare = partial(text_distances, session, self._exact, predicts_tokens=predicts_tokens)
        self._sample: Sample[TokenizedText | TextRecord] = Sample()
        self._spent = 0.0  # seconds
        self._has_enough_memory = True

    def add(self, text: TokenizedText | TextRecord | FailedText) -> None:
        """Add a text to those that the sample is drawn from. It need not be tokenized yet."""
        if not isinstance(text, FailedText):
            self._sample.add(_without_document(text))

    def measure(self, run_seconds: float) -> list[TextDistance]:
        """Return the distances of sampled texts until the time is spent, and begin a new sample.

        Args:
            run_seconds: Duration of the run so far. Two percent of it may be spent in all calls together; only the
                first texts of the first call are compared in any case.
        """
        found: list[TextDistance] = []
        texts, self._sample = self._tokenized(self._sample.items()), Sample()
        for start in range(0, len(texts), _TEXTS_TOGETHER):
            is_late = self._spent > MEASURED_SHARE * run_seconds
            if not self._has_enough_memory or (self._spent and is_late):
                break
            found += self._timed(texts[start : start + _TEXTS_TOGETHER])
        return found

    def _timed(self, texts: Sequence[TokenizedText]) -> list[TextDistance]:
        """Return the distances of texts, none of them if there is too little memory, and count the time."""
        session, started = self._session, time.monotonic()
        pad_token_id, batch_size = session.tokenizer.pad_token_id, session.request.batch_size
        try:
            made: Sequence[Batch] = list(batches(texts, session.batch_tokens, pad_token_id, batch_size))
            return [distance for batch in made for distance in self._halving(self._compare, batch)]
        except MemoryError:
            # The results of the run are not in doubt, so it continues.
            self._has_enough_memory = False
            self._on_note("there is too little memory to compare this run with float32")
            return []
        finally:
            self._spent += time.monotonic() - started

    def _tokenized(self, sample: Sequence[TokenizedText | TextRecord]) -> list[TokenizedText]:
        """Return the tokens of the sampled texts. Those that fail, or are too long, are left out."""
        found: list[TokenizedText] = []
        for text in sample:
            each = self._session.tokenizer.tokenize([text])[0] if isinstance(text, TextRecord) else text
            if isinstance(each, TokenizedText):
                found.append(each)
        return found


def _without_document(text: TokenizedText | TextRecord) -> TokenizedText | TextRecord:
    """Return a text, and a window without its document, which may take megabytes."""
    if isinstance(text, TextRecord) or text.window is None:
        return text
    pair = None if text.record.pair is None else ""
    return replace(text, record=replace(text.record, text="", pair=pair), window=None)
