"""Halving of batches that do not fit in the memory of the device."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from bertcli.model.batching import Batch, pad

Answer = TypeVar("Answer")


class Halving:
    """Computes batches, in halves if they are too large, and remembers the size that fits.

    Attributes:
        token_budget: Tokens that a batch may have, padding included. None as long as every batch has fitted.
    """

    def __init__(self, pad_token_id: int, on_note: Callable[[str], None]) -> None:
        """Create one that has seen no batch.

        Args:
            pad_token_id: Id of the padding token, to pad the halves with.
            on_note: Called once, when the first batch does not fit.
        """
        self.token_budget: int | None = None
        self._pad_token_id, self._on_note = pad_token_id, on_note
        self._is_noted = False

    def forget_budget(self) -> None:
        """Forget the size that fits, so that later batches do not depend on earlier ones."""
        self.token_budget = None

    def __call__(self, compute: Callable[[Batch], Sequence[Answer]], batch: Batch) -> list[Answer]:
        """Return the answers of the batch, in its order.

        Args:
            compute: Returns the answers of a batch, and raises MemoryError if it does not fit.
            batch: The texts to compute.

        Raises:
            MemoryError: A single text does not fit.
        """
        size = batch.shape[0] * batch.shape[1]
        if self.token_budget is None or size <= self.token_budget or len(batch.texts) == 1:
            try:
                return list(compute(batch))
            except MemoryError:
                if len(batch.texts) == 1:
                    raise
            # The error is released here, and with it the arrays that its frames held.
            if not self._is_noted:
                self._is_noted = True
                self._on_note(
                    f"a batch of {size:,} tokens does not fit in memory and is halved; "
                    f"use --batch-tokens {size // 2} to avoid this"
                )
            self.token_budget = size // 2
        middle = len(batch.texts) // 2
        halves = (pad(part, self._pad_token_id) for part in (batch.texts[:middle], batch.texts[middle:]))
        return [answer for half in halves for answer in self(compute, half)]
