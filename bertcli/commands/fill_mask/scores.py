"""Set-up of fill-mask --score: pseudo-log-likelihoods of texts, of their words, and of pairs of texts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from bertcli.analysis.masks.predictions import predict_masks
from bertcli.choices import WithinWord
from bertcli.commands.fill_mask.analysis import FillMaskAnalysis
from bertcli.commands.fill_mask.candidates import checked_top_k
from bertcli.commands.fill_mask.request import FillMaskRequest, split_words

if TYPE_CHECKING:
    from bertcli.analysis.masks.scored_tokens import ScoredTokens
    from bertcli.commands.fill_mask.summarized import SummarizedRecords
    from bertcli.input.records import FailedText
    from bertcli.model.batching import Batch
    from bertcli.model.session import Session
    from bertcli.pipeline.documents import DocumentPlan
    from bertcli.results.masks import FillMaskRecord

# --score computes one variant of a text for each token. This fraction of a batch then fills several batches.
SCORE_FRACTION = 8
_WORD_METHOD = "--words scores each token with the later pieces of its word masked too (--within-word l2r)"


def score(request: FillMaskRequest, session: Session) -> FillMaskAnalysis:
    """Compute pseudo-log-likelihoods, and predictions for the masks of a text if it has any."""
    from bertcli.output.schemas.fill_mask import score_schema, word_score_schema

    chosen = _scored_tokens(request, session)
    analysis = FillMaskAnalysis(
        partial(
            _scored_records,
            session,
            top_k=checked_top_k(request, session),
            within_word=request.score_method,
            chosen=chosen,
            has_words=request.words,
        ),
        partial(chosen.check, session),
        word_score_schema if request.words else score_schema,
        max(session.batch_tokens // SCORE_FRACTION, 1),
        notes=(_WORD_METHOD,) if request.words and request.within_word is None else (),
        documents=_score_windows(request, session),
    )
    if request.pairs.versus is None:
        return analysis
    return _compare_pairs(request, analysis)


def _compare_pairs(request: FillMaskRequest, analysis: FillMaskAnalysis) -> FillMaskAnalysis:
    """Return the analysis that scores the two texts of each row, and compares them."""
    from bertcli.analysis.masks.minimal_pairs import PairCounter, split_pairs
    from bertcli.commands.fill_mask.summarized import SummarizedRecords
    from bertcli.output.display import pair_summary_lines
    from bertcli.output.schemas.pairs import pair_schema
    from bertcli.output.schemas.summaries import pair_summary_schema

    pairs = SummarizedRecords(request, PairCounter, pair_schema, pair_summary_schema, pair_summary_lines)
    return replace(
        analysis,
        schema=pairs.schema,
        divide=split_pairs,
        parts=2,
        join=partial(_join_pairs, pairs),
        closing_notes=pairs.closing_notes,
    )


def _join_pairs(pairs: SummarizedRecords, answers: Iterable[FillMaskRecord | FailedText]) -> Iterator[Any]:
    from bertcli.analysis.masks.minimal_pairs import join_pairs

    return pairs.choose(join_pairs(answers))


def _score_windows(request: FillMaskRequest, session: Session) -> DocumentPlan[FillMaskRecord] | None:
    """Return the plan that scores each token of a long text in the window in which it has most context."""
    if not request.model.reads_windows:
        return None
    from bertcli.analysis.masks.windows import JoinedMasks, check_document_scorable
    from bertcli.model.windows import OverlappingWindows
    from bertcli.pipeline.documents import DocumentPlan

    return DocumentPlan(
        OverlappingWindows(), partial(JoinedMasks, session.tokenizer), partial(check_document_scorable, session)
    )


def _scored_tokens(request: FillMaskRequest, session: Session) -> ScoredTokens:
    from bertcli.analysis.masks.scored_tokens import ScoredTokens, parse_scored_words

    only, named = request.pairs.only, request.pairs.only_words
    if named is None:
        return ScoredTokens(only)
    words = split_words(named, "--only-words")
    return ScoredTokens(only, words, parse_scored_words(session.tokenizer, words))


def _scored_records(
    session: Session, batch: Batch, top_k: int, within_word: WithinWord, chosen: ScoredTokens, *, has_words: bool
) -> list[FillMaskRecord]:
    from bertcli.analysis.masks.pseudo_likelihood import score_texts

    records = predict_masks(session, batch, top_k)
    scores = score_texts(session, batch, within_word, chosen)
    if has_words:
        from bertcli.analysis.word_scores import add_words

        scores = add_words(batch, scores, session.tokenizer)
    return [replace(record, score=each) for record, each in zip(records, scores, strict=True)]
