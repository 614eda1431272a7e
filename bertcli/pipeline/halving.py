"""A batch that is too much for the device is halved until it is not."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from bertcli.model.batching import Batch, pad

Answer = TypeVar("Answer")
# Told what the user should know.
OnNote = Callable[[str], None]


def unheard(message: str) -> None:
    """For those whom notes do not interest."""


@dataclass
class Halving:
    """What has been learnt of the device's memory. note: told of the first batch that did not fit.

    token_budget: how many tokens, padding included, a batch may have; None where none was too much yet.
    """

    pad_token_id: int
    note: OnNote
    token_budget: int | None = field(default=None, init=False)

    def __call__(self, compute: Callable[[Batch], Sequence[Answer]], batch: Batch) -> list[Answer]:
        """The answers for the batch, in its order, from as many parts as it takes. Raises MemoryError."""
        size = batch.shape[0] * batch.shape[1]
        if self.token_budget is None or size <= self.token_budget or len(batch.texts) == 1:
            try:
                return list(compute(batch))
            except MemoryError:
                if len(batch.texts) == 1:
                    raise
            # Here the error is forgotten, and with it the arrays that its frames held.
            if self.token_budget is None:
                self.note(
                    f"a batch of {size:,} tokens is too much for the memory, and is halved; "
                    f"--batch-tokens {size // 2} saves the attempt"
                )
            self.token_budget = size // 2
        middle = len(batch.texts) // 2
        halves = (pad(part, self.pad_token_id) for part in (batch.texts[:middle], batch.texts[middle:]))
        return [answer for half in halves for answer in self(compute, half)]
