"""Words of one or more pieces for a mask, found by a beam search for each number of pieces.

For words of n pieces, the mask is widened to n masks. They are filled from left to right: the first piece is predicted
with all of them masked, and each later one given the pieces before it. The first piece must be one that begins a word,
and the others continue it. The log-probability of a word is the sum over its pieces, as with TargetScore.L2R.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from bertcli.analysis.masks.predictions import MaskLogits, check_masks
from bertcli.analysis.masks.variants import Variant, run_variants, with_ids_at
from bertcli.choices import WordRank
from bertcli.errors import BadText
from bertcli.input.records import FailedText
from bertcli.lazy_dataclass import dataclass
from bertcli.model.ops.base import Array, FloatArray, IntArray
from bertcli.model.session import Session
from bertcli.model.tokenizer import TokenizedText
from bertcli.model.word_pieces import WordPieces
from bertcli.results.masks import MaskPredictions, WordCandidate

# Width of the beam for each requested word, and the smallest width in all.
_BEAM_OF_WORD, _NARROWEST_BEAM = 5, 25
# More next pieces than the beam holds are tried, since some make no word.
_TRIED_PIECES = 4


def beam_width(count: int) -> int:
    """Return the number of partial words to keep at each step, for a number of words to find."""
    return max(_BEAM_OF_WORD * count, _NARROWEST_BEAM)


@dataclass(frozen=True, slots=True)
class _Partial:
    """The first pieces of a word.

    Attributes:
        mask: Index of the mask.
        width: Number of pieces that the whole word has.
        ids: Ids of the pieces so far.
        logprob: Sum of their log-probabilities.
    """

    mask: int
    width: int
    ids: tuple[int, ...]
    logprob: float


@dataclass(frozen=True, slots=True)
class _Continued:
    """A partial word and its best next pieces.

    Attributes:
        partial: The partial word.
        ids: Ids of the pieces, best first.
        logprobs: Log-probability of the word with each of them.
    """

    partial: _Partial
    ids: IntArray
    logprobs: FloatArray


@dataclass(frozen=True, slots=True)
class WordSearch:
    """Analysis that finds the best words for each mask. The other masks of a text stay as they are.

    Attributes:
        pieces: The pieces of the vocabulary.
        widths: Numbers of pieces.
        count: Number of words to return for each mask.
        rank: Their order.
        beam: Number of partial words to keep at each step, for each mask and each width.
    """

    pieces: WordPieces
    widths: range
    count: int
    rank: WordRank
    beam: int

    def __call__(self, mask_logits: MaskLogits, masks: Sequence[MaskPredictions]) -> list[MaskPredictions]:
        """Return the masks with their candidates."""
        after_space = [self.pieces.follows_space(*place) for place in mask_logits.places]
        found: list[list[_Partial]] = [[] for _ in masks]
        # Neighbours of the same width need no padding beside each other.
        growing = [_Partial(mask, width, (), 0.0) for width in reversed(self.widths) for mask in range(len(masks))]
        while growing:
            grown: dict[tuple[int, int], list[_Continued]] = defaultdict(list)
            for each in self._continue(mask_logits, growing, after_space):
                grown[each.partial.width, each.partial.mask].append(each)
            best = [
                partial
                for (_, mask), each in grown.items()
                for partial in self._best(each, after_space=after_space[mask])
            ]
            for partial in best:
                if len(partial.ids) == partial.width:
                    found[partial.mask].append(partial)
            growing = [partial for partial in best if len(partial.ids) < partial.width]
        return [
            replace(mask, candidates=self._candidates(mask_logits, partials))
            for mask, partials in zip(masks, found, strict=True)
        ]

    def _continue(
        self, mask_logits: MaskLogits, partials: Sequence[_Partial], after_space: Sequence[bool]
    ) -> Iterator[_Continued]:
        """Yield each partial word with its best next pieces."""
        # For words of one piece, the mask is not widened, so its logits are there.
        single = [partial for partial in partials if partial.width == 1]
        if single:
            yield from self._with_next_pieces(mask_logits, single, mask_logits.logits, after_space)
        variants = (self._variant(mask_logits, partial) for partial in partials if partial.width > 1)
        for run, logits in run_variants(mask_logits.session, variants):
            of_run = [variant.about for variant in run]
            yield from self._with_next_pieces(mask_logits, of_run, logits, after_space)

    def _variant(self, mask_logits: MaskLogits, partial: _Partial) -> Variant[_Partial]:
        """Return the text with the mask widened and the pieces of a partial word filled in."""
        text, column = mask_logits.places[partial.mask]
        known = len(partial.ids)
        masks = [mask_logits.session.mask_token_id] * (partial.width - known)
        return Variant(with_ids_at(text, column, [*partial.ids, *masks]), [column + known], partial)

    def _with_next_pieces(
        self, mask_logits: MaskLogits, partials: Sequence[_Partial], logits: Array, after_space: Sequence[bool]
    ) -> Iterator[_Continued]:
        """Yield each partial word with its best next pieces.

        Args:
            mask_logits: The masks.
            partials: The partial words.
            logits: (partials, vocab) at the next piece of each.
            after_space: True for each mask that follows a space.
        """
        ops = mask_logits.session.engine.ops
        normalizers = ops.to_numpy(ops.log_sum_exp(logits)).astype(np.float64)
        rows: dict[tuple[bool, bool], list[int]] = defaultdict(list)
        for row, partial in enumerate(partials):
            rows[not partial.ids, after_space[partial.mask]].append(row)
        for (is_first, follows_space), chosen in rows.items():
            allowed = self.pieces.starting(after_space=follows_space) if is_first else self.pieces.continuing
            allowed = allowed[allowed < logits.shape[-1]]  # a tokenizer may have tokens that the model does not know
            if not len(allowed):
                continue
            of_allowed = logits[ops.asarray(np.array(chosen))][:, ops.asarray(allowed)]
            best, places = (
                ops.to_numpy(x) for x in ops.top_k(of_allowed, min(_TRIED_PIECES * self.beam, len(allowed)))
            )
            for row, own, at in zip(chosen, best.astype(np.float64), places, strict=True):
                yield _Continued(partials[row], allowed[at], partials[row].logprob + own - normalizers[row])

    def _best(self, continued: Sequence[_Continued], *, after_space: bool) -> Iterator[_Partial]:
        """Yield the best partial words of one mask and width with one more piece, at most one beam of them."""
        logprobs = np.concatenate([each.logprobs for each in continued])
        next_ids = np.concatenate([each.ids for each in continued])
        count = len(continued[0].ids)  # the same for each
        kept = 0
        for at in np.argsort(-logprobs, kind="stable").tolist():
            partial = continued[at // count].partial
            ids = (*partial.ids, int(next_ids[at]))
            is_possible = self.pieces.is_word if len(ids) == partial.width else self.pieces.begin_word
            if is_possible(ids, after_space=after_space):
                yield replace(partial, ids=ids, logprob=float(logprobs[at]))
                kept += 1
                if kept == self.beam:
                    return

    def _candidates(self, mask_logits: MaskLogits, partials: Sequence[_Partial]) -> list[WordCandidate]:
        """Return the best words of a mask."""
        best = sorted(partials, key=self._order)[: self.count]
        token = mask_logits.session.tokenizer.token
        return [
            WordCandidate(
                rank,
                self.pieces.word(partial.ids),
                [token(id_) for id_ in partial.ids],
                partial.ids,
                partial.width,
                partial.logprob,
                partial.logprob / partial.width,
                mask_logits.sequence(partial.mask, partial.ids),
            )
            for rank, partial in enumerate(best, 1)
        ]

    def _order(self, partial: _Partial) -> float:
        return -partial.logprob / (partial.width if self.rank == WordRank.MEAN else 1)


def check_word_fits(session: Session, width: int, text: TokenizedText) -> FailedText | None:
    """Return the text as failed if it has no mask, or no room for a word of that many pieces, else None."""
    limit = session.tokenizer.limit
    failed = check_masks(session, text)
    if failed is not None or len(text) + width - 1 <= limit:
        return failed
    problem = BadText(
        f"a word of {width} pieces makes the text too long: it has {len(text)} tokens, and the limit is {limit}",
        hint="use a shorter text, or fewer --pieces",
    )
    return text.record.failed(problem)
