"""Integrated gradients (Sundararajan et al. 2017): contributions of tokens along a straight path from a baseline.

The path leads from the word embeddings of a baseline, in which every token but [CLS] and [SEP] is replaced, to those of
the text. The value of a token is the integral of the gradient of ln p(target) along the path, times the length of the
path, summed over the features. The values sum to the difference of ln p at both ends. The integral is computed by
Gauss-Legendre quadrature, captum's default. This is the only analysis that computes gradients and imports torch.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch

from bertcli.analysis.masks.explained import Explained, explained_tokens, masks_by_row
from bertcli.analysis.masks.predictions import MaskLogits
from bertcli.analysis.masks.targets import Target
from bertcli.analysis.masks.variants import content_positions
from bertcli.choices import AttributionMethod, Baseline
from bertcli.lazy_dataclass import dataclass
from bertcli.model.batching import pad
from bertcli.model.engine import OutputRequest
from bertcli.model.session import Session
from bertcli.model.tokenizer import TokenizedText
from bertcli.results.masks import Attribution, MaskPredictions

# A run with gradients keeps the activations of all layers. This fraction of a batch then takes about as much memory.
_BATCH_FRACTION = 4
# Points on the path, unless the user chooses another number.
STEPS = 50


@dataclass(frozen=True, slots=True)
class IntegratedGradients:
    """Analysis that attributes the top prediction of each mask, or each target, to the tokens of the text.

    Attributes:
        targets: Targets of one piece, or None for the top prediction.
        baseline: Where the path begins.
        steps: Number of points on the path.
    """

    targets: Sequence[Target] | None = None
    baseline: Baseline = Baseline.MASK
    steps: int = STEPS

    def __call__(self, mask_logits: MaskLogits, masks: Sequence[MaskPredictions]) -> list[MaskPredictions]:
        """Return the masks with their attributions."""
        found = list(masks)
        for row, indices in masks_by_row(mask_logits).items():
            path = _Path.of(mask_logits.session, mask_logits.batch.texts[row], self.baseline)
            explained = [
                (masks[index].position, token)
                for index in indices
                for token in explained_tokens(masks[index], self.targets)
            ]
            attributions = iter(self._attributions(path, explained))
            count = len(explained) // len(indices)
            for index in indices:
                found[index] = replace(masks[index], attributions=[next(attributions) for _ in range(count)])
        return found

    def _attributions(self, path: "_Path", explained: Sequence[tuple[int, Explained]]) -> Iterator[Attribution]:
        """Yield the attribution of each token that is explained, which is given with the position of its mask."""
        starts, ends = (path.logprobs([alpha], explained)[1][:, 0].tolist() for alpha in (0.0, 1.0))
        gradients = path.integrated_gradients(explained, self.steps)  # (explained, seq, hidden)
        values = (gradients * (path.end - path.start).cpu().double()).sum(-1).numpy()
        for (_, token), start, end, of_token in zip(explained, starts, ends, values, strict=True):
            gap = float(of_token.sum()) - (end - start)
            shown = np.full(len(of_token), np.nan, np.float32)
            shown[path.content] = of_token[path.content]
            yield Attribution(
                token.word, token.id, AttributionMethod.IG, end, shown, gap, str(self.baseline), self.steps
            )


@dataclass(frozen=True, slots=True)
class _Path:
    """The straight path between the word embeddings of a baseline and those of a text.

    Attributes:
        session: The open checkpoint, on the torch engine, with gradients.
        text: The text.
        content: Positions of the tokens that the baseline replaces: all but [CLS] and [SEP].
        start, end: The word embeddings of the baseline and of the text, (seq, hidden).
    """

    session: Session
    text: TokenizedText
    content: Sequence[int]
    start: torch.Tensor
    end: torch.Tensor

    @classmethod
    def of(cls, session: Session, text: TokenizedText, baseline: Baseline) -> "_Path":
        """Return the path to a text."""
        content = content_positions(session, text)
        ids = np.array([text.input_ids], np.int64)
        end = session.engine.word_embeddings(ids)[0]
        start = end.clone()
        if baseline == Baseline.ZERO:
            start[content] = 0
        else:
            id_ = session.mask_token_id if baseline == Baseline.MASK else session.tokenizer.pad_token_id
            start[content] = session.engine.word_embeddings(np.array([[id_]], np.int64))[0, 0]
        return cls(session, text, content, start, end)

    def logprobs(
        self, alphas: Sequence[float], explained: Sequence[tuple[int, Explained]]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Compute the log-probability of each token at points of the path, from 0 at the start to 1 at the end.

        Returns:
            The word embeddings at the points, (points, seq, hidden), and the log-probabilities, (explained, points),
            of which autograd can compute the gradients.

        Raises:
            NotFinite: An output holds an infinity or NaN.
        """
        session, count = self.session, len(alphas)
        batch = pad([self.text] * count, session.tokenizer.pad_token_id)
        with torch.enable_grad():
            steps = torch.tensor(alphas, dtype=self.end.dtype, device=self.end.device)[:, None, None]
            embedded = (self.start + steps * (self.end - self.start)).requires_grad_()
            positions = list(dict.fromkeys(position for position, _ in explained))
            places = np.tile(np.arange(count), len(positions)), np.repeat(positions, count)
            output = session.run(batch, OutputRequest(logits_at=places, word_embeddings=embedded))
            assert output.logits is not None
            logprobs = output.logits.float().log_softmax(-1).reshape(len(positions), count, -1)
            return embedded, torch.stack([logprobs[positions.index(at), :, token.id] for at, token in explained])

    def integrated_gradients(self, explained: Sequence[tuple[int, Explained]], steps: int) -> torch.Tensor:
        """Integrate the gradient of each token's log-probability along the path.

        Returns:
            (explained, seq, hidden), in float64 on the CPU, since some devices have no float64.
        """
        nodes, weights = np.polynomial.legendre.leggauss(steps)  # over -1 to 1
        alphas, weights = (1 + nodes) / 2, weights / 2
        size = max(self.session.batch_tokens // _BATCH_FRACTION // len(self.text), 1)
        total = torch.zeros((len(explained), *self.end.shape), dtype=torch.float64)
        for first in range(0, steps, size):
            part = slice(first, first + size)
            embedded, logprobs = self.logprobs(alphas[part].tolist(), explained)
            scale = torch.from_numpy(weights[part])[:, None, None]
            for index, of_token in enumerate(logprobs):
                [gradient] = torch.autograd.grad(of_token.sum(), embedded, retain_graph=index < len(logprobs) - 1)
                total[index] += (gradient.cpu().double() * scale).sum(0)
        return total
