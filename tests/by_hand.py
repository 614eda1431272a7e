"""Long texts read in windows by hand: with transformers' own classes, and with rules that are as simple as possible."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers

from tests.reference import load


@dataclass(frozen=True)
class HandWindow:
    """A window: its tokens of the text, from start to end, and the outputs of transformers for it."""

    start: int
    end: int
    before: int
    ids: Sequence[int]
    states: np.ndarray
    hidden_states: Sequence[np.ndarray]
    pooler_output: np.ndarray
    attentions: Sequence[np.ndarray]

    def state(self, token: int, layer: int = -1) -> np.ndarray:
        """Return the vector of a token of the text."""
        return self.hidden_states[layer][self.before + token - self.start]


class HandDocument:
    """A text, or a pair, whose windows have been run through transformers' classes."""

    def __init__(
        self, folder: Path, text: str | tuple[str, str], limit: int, overlap: int, *, prompt: str = ""
    ) -> None:
        tokenizer = transformers.AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
        divided = text[1] if isinstance(text, tuple) else text
        encoded = tokenizer(divided, add_special_tokens=False)
        self.ids: list[int] = encoded.input_ids
        self.offsets = tokenizer(divided, add_special_tokens=False, return_offsets_mapping=True).offset_mapping
        first = tokenizer(text[0] if isinstance(text, tuple) else prompt, add_special_tokens=False).input_ids
        self.before = [tokenizer.cls_token_id, *first]
        self.before += [tokenizer.sep_token_id] if isinstance(text, tuple) else []
        self.after = [tokenizer.sep_token_id]
        self._types = [0] * len(self.before), int(isinstance(text, tuple))
        size = limit - len(self.before) - 1
        words = encoded.word_ids()
        lengths = [sum(other == word for other in words) for word in words]
        # Windows may begin at the first token of each word, and anywhere in words that are too long.
        self.breaks = [at for at in range(len(words)) if at == 0 or words[at] != words[at - 1] or lengths[at] > size]
        self.breaks.append(len(words))
        self.spans = self._spans(size, overlap)
        self.windows = [self.run(folder, *span) for span in self.spans]

    def _spans(self, size: int, overlap: int) -> list[tuple[int, int]]:
        spans = [(0, max(at for at in self.breaks if at <= size))]
        while spans[-1][1] < len(self.ids):
            _, end = spans[-1]
            following = min(at for at in self.breaks if at > end)
            start = min(at for at in self.breaks if at >= end - overlap and at + size >= following)
            spans.append((start, max(at for at in self.breaks if at <= start + size)))
        return spans

    def run(self, folder: Path, start: int, end: int) -> HandWindow:
        """Run a window through transformers' BertModel."""
        ids = [*self.before, *self.ids[start:end], *self.after]
        before, divided_type = self._types
        types = [*before, *[divided_type] * (len(ids) - len(before))]
        with torch.no_grad():
            output = load("AutoModel", folder)(
                torch.tensor([ids]),
                token_type_ids=torch.tensor([types]),
                output_hidden_states=True,
                output_attentions=True,
            )
        states = [state[0].numpy() for state in output.hidden_states]
        attentions = [each[0].numpy() for each in output.attentions]
        return HandWindow(start, end, len(before), ids, states[-1], states, output.pooler_output[0].numpy(), attentions)

    def best_window(self, token: int) -> HandWindow:
        """Return the window in which a token has most context: the larger of the smaller sides, the first on a tie."""
        inside = [window for window in self.windows if window.start <= token < window.end]
        return max(inside, key=lambda window: min(token - window.start, window.end - 1 - token))

    def token_vectors(self, layer: int = -1) -> np.ndarray:
        """Return the vectors of all tokens as if the text had fitted, (tokens, hidden)."""
        first, last = self.windows[0].hidden_states[layer], self.windows[-1].hidden_states[layer]
        inner = [self.best_window(token).state(token, layer) for token in range(len(self.ids))]
        return np.array([*first[: len(self.before)], *inner, *last[-len(self.after) :]])

    @property
    def input_ids(self) -> list[int]:
        """The ids of all tokens as if the text had fitted."""
        return [*self.before, *self.ids, *self.after]

    def mean_over_windows(self, vectors: Any) -> np.ndarray:
        """Return the mean of a vector of each window."""
        return np.mean([vectors(window) for window in self.windows], axis=0)
