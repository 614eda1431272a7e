"""Analyses of fill-mask: what each computes for a batch, which texts it can take, and how its records are shown.

Each function imports only the analysis that it sets up, so that a process does not load the others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from bertcli.analysis.masks.predictions import MaskAnalysis, check_masks, predict_masks
from bertcli.choices import FillOrder, LensMethod, TargetScore, WordRank
from bertcli.commands.attributions import attribution_analysis
from bertcli.commands.fill_mask.analysis import FillMaskAnalysis
from bertcli.commands.fill_mask.candidates import checked_top_k, parse_pieces, parse_words, target_scores
from bertcli.commands.fill_mask.request import FillMaskRequest
from bertcli.commands.fill_mask.scores import SCORE_FRACTION, score
from bertcli.errors import BertcliError, WrongUsage
from bertcli.model.requirements import require_mlm
from bertcli.output.schemas.fill_mask import fill_mask_schema

if TYPE_CHECKING:
    from bertcli.analysis.masks.compare import ModelComparison
    from bertcli.analysis.masks.probes import ExpectedWords
    from bertcli.analysis.masks.targets import Target
    from bertcli.checkpoints.hub_cache import OnDownload
    from bertcli.input.records import FailedText
    from bertcli.model.batching import Batch
    from bertcli.model.session import Session
    from bertcli.model.tokenizer import TokenizedText
    from bertcli.pipeline.documents import Check, DocumentPlan
    from bertcli.results.masks import FillMaskRecord

_SAME_VOCABULARY = "Jensen-Shannon distance: 0 if A and B agree, 0.833 if they have nothing in common"
_OTHER_VOCABULARY = "the vocabularies differ: tokens are matched by spelling, and there is no distance"


def set_up(request: FillMaskRequest, session: Session, on_download: OnDownload) -> FillMaskAnalysis:
    """Return the analysis that the request asks for.

    Args:
        request: The options.
        session: The open checkpoint.
        on_download: Called before a second model is downloaded.

    Raises:
        WrongUsage: An option does not fit the vocabulary.
        BertcliError: A second model cannot be opened.
    """
    if request.compare is not None:
        return compare(request, session, on_download)
    functions = {
        "--target-field": probe,
        "--joint": joint,
        "--pieces": whole_words,
        "--score": score,
        "--lens": lens,
        "--mutual": mutual,
        "--head-effects": head_effects,
        "--attribute": attribute,
    }
    return functions.get(request.analysis, predict)(request, session)


def predict(request: FillMaskRequest, session: Session) -> FillMaskAnalysis:
    """Predict each mask on its own."""
    top_k = None if request.mass is not None and request.top_k is None else checked_top_k(request, session)
    analyses: list[MaskAnalysis] = []
    check: Check = partial(check_masks, session)
    targets: Sequence[Target] = ()
    if request.targets is not None:
        targets = parse_words(request.targets, session)
        analyses.append(target_scores(request, targets))
        check = partial(_check_fits, session, targets)
    if request.entropy:
        from bertcli.analysis.masks.distributions import add_entropy

        analyses.append(add_entropy)
    compute = partial(predict_masks, session, top_k=top_k, mass=request.mass, analyses=analyses)
    schema = partial(fill_mask_schema, mass=request.mass, decode=session.tokenizer.decode_text)
    return FillMaskAnalysis(compute, check, schema, documents=_mask_windows(request, session, targets))


def probe(request: FillMaskRequest, session: Session) -> FillMaskAnalysis:
    """Predict the mask of each text, and score the word that the text expects there."""
    from bertcli.analysis.masks.probes import ExpectedWords, ProbeCounter
    from bertcli.commands.fill_mask.summarized import SummarizedRecords
    from bertcli.output.display import probe_summary_lines
    from bertcli.output.schemas.probes import probe_schema
    from bertcli.output.schemas.summaries import probe_summary_schema

    words = ExpectedWords(session, request.target_score or TargetScore.L2R)
    records = SummarizedRecords(request, ProbeCounter, probe_schema, probe_summary_schema, probe_summary_lines)
    return FillMaskAnalysis(
        partial(predict_masks, session, top_k=checked_top_k(request, session), analyses=[words]),
        partial(_check_expects, session, words),
        records.schema,
        join=records.choose,
        closing_notes=records.closing_notes,
    )


def joint(request: FillMaskRequest, session: Session) -> FillMaskAnalysis:
    """Fill all masks of a text together, and predict each on its own beside that."""
    from bertcli.analysis.masks.joint import NARROWEST_BEAM
    from bertcli.output.schemas.fill_mask import joint_schema

    order = request.order or FillOrder.CONFIDENCE
    compute = partial(_joint_records, session, top_k=checked_top_k(request, session), order=order)
    batch_tokens = max(session.batch_tokens // NARROWEST_BEAM, 1)
    return FillMaskAnalysis(compute, partial(check_masks, session), partial(joint_schema, order=order), batch_tokens)


def whole_words(request: FillMaskRequest, session: Session) -> FillMaskAnalysis:
    """Fill each mask with words of one or more pieces."""
    from bertcli.analysis.masks.whole_words import WordSearch, beam_width, check_word_fits
    from bertcli.model.word_pieces import open_word_pieces
    from bertcli.output.schemas.whole_words import whole_words_schema

    top_k, rank = checked_top_k(request, session), request.rank or WordRank.MEAN
    pieces, widths = open_word_pieces(session.tokenizer, session.checkpoint.name), request.widths
    search = WordSearch(pieces, widths, top_k, rank, beam_width(top_k))
    return FillMaskAnalysis(
        partial(predict_masks, session, top_k=top_k, analyses=[search]),
        partial(check_word_fits, session, widths[-1]),
        partial(whole_words_schema, rank=rank, decode=session.tokenizer.decode_text),
        # A mask fills about one batch with its beam.
        batch_tokens=max(session.batch_tokens // search.beam, 1),
        documents=_mask_windows(request, session, (), longest=widths[-1]),
    )


def lens(request: FillMaskRequest, session: Session) -> FillMaskAnalysis:
    """Predict from the hidden state of every layer (logit lens or tuned lens)."""
    from bertcli.analysis.masks.lens import Lens, open_translators
    from bertcli.output.schemas.fill_mask import lens_schema

    top_k = checked_top_k(request, session)
    targets = parse_pieces("--lens", request.targets, session)
    scores: list[MaskAnalysis] = [] if targets is None else [target_scores(request, targets)]
    translators = open_translators(session, request.lens or LensMethod.AUTO, request.lens_file)
    analyses: list[MaskAnalysis] = [*scores, Lens(top_k, targets, translators)]
    every_layer = range(session.config.num_hidden_layers + 1)
    compute = partial(predict_masks, session, top_k=top_k, analyses=analyses, hidden_states=every_layer)
    return FillMaskAnalysis(
        compute, partial(check_masks, session), lens_schema, documents=_mask_windows(request, session, ())
    )


def mutual(request: FillMaskRequest, session: Session) -> FillMaskAnalysis:
    """Compute how much masking one token changes the prediction of another."""
    import numpy as np

    from bertcli.analysis.masks.mutual import check_has_content
    from bertcli.output.files.arrays import ArrayColumn, tensor_writers
    from bertcli.output.schemas.fill_mask import mutual_schema

    matrix = ArrayColumn(lambda record: record.mutual, padding=np.nan, failed=np.nan)
    return FillMaskAnalysis(
        partial(_mutual_records, session, top_k=checked_top_k(request, session)),
        partial(check_has_content, session),
        mutual_schema,
        # A single text fills several batches, and its answer should not wait for the next text's.
        batch_tokens=1,
        is_large=True,
        binary_writers=tensor_writers(session, {"mutual": matrix}),
    )


def head_effects(request: FillMaskRequest, session: Session) -> FillMaskAnalysis:
    """Compute the effect of each attention head on the top prediction of each mask, or on each target."""
    from bertcli.analysis.masks.head_effects import HeadEffectsAnalysis
    from bertcli.model.requirements import require_head_switches
    from bertcli.output.schemas.head_effects import head_effects_schema

    require_head_switches(session, "--head-effects")
    targets = parse_pieces("--head-effects", request.targets, session)
    compute = partial(
        predict_masks, session, top_k=checked_top_k(request, session), analyses=[HeadEffectsAnalysis(targets)]
    )
    return FillMaskAnalysis(
        compute,
        partial(check_masks, session),
        head_effects_schema,
        # A single text fills several batches, and its answer should not wait for the next text's.
        batch_tokens=1,
        documents=_mask_windows(request, session, ()),
    )


def attribute(request: FillMaskRequest, session: Session) -> FillMaskAnalysis:
    """Attribute the top prediction of each mask, or each target, to the tokens of the text."""
    from bertcli.output.schemas.attributions import attributions_schema, word_attributions_schema

    targets = parse_pieces("--attribute", request.targets, session)
    assert request.attribute is not None
    analysis = attribution_analysis(
        session, request.attribute, request.baseline, request.steps, targets, has_words=request.words
    )
    compute: Callable[[Batch], Sequence[FillMaskRecord]] = partial(
        predict_masks, session, top_k=checked_top_k(request, session), analyses=[analysis]
    )
    if request.words:
        from bertcli.analysis.word_attributions import WordAttributions

        compute = WordAttributions(compute, session.tokenizer)
    return FillMaskAnalysis(
        compute,
        partial(check_masks, session),
        word_attributions_schema if request.words else attributions_schema,
        batch_tokens=max(session.batch_tokens // SCORE_FRACTION, 1),
    )


def compare(request: FillMaskRequest, session: Session, on_download: OnDownload) -> FillMaskAnalysis:
    """Predict each mask with two models, side by side."""
    from bertcli.analysis.masks.compare import ModelComparison
    from bertcli.model.session import open_session
    from bertcli.output.schemas.fill_mask import compare_schema

    top_k = checked_top_k(request, session)
    # The revision and the heads that are switched off are the first model's.
    other_request = replace(session.request, model=request.compare, revision=None, ablate=None)
    try:
        other = open_session(other_request, session.text_bytes, on_download)
        require_mlm(other)
        _ = other.engine_choice  # before the texts are read, since it may depend on how many there are
    except BertcliError as error:
        raise error.about_option("-m", "--compare") from None
    other.tokenizer.offers_windows = False
    targets = None if request.targets is None else parse_words(request.targets, session)
    scores: list[MaskAnalysis] = [] if targets is None else [target_scores(request, targets)]
    targets_of_other = None
    if request.targets is not None:
        try:
            targets_of_other = parse_words(request.targets, other)
        except WrongUsage as error:
            raise error.with_prefix(other.checkpoint.name) from None
    method = request.target_score or TargetScore.L2R
    comparing = ModelComparison(session, other, min(top_k, other.config.vocab_size), targets_of_other, method)
    note = _SAME_VOCABULARY if comparing.is_one_vocabulary else _OTHER_VOCABULARY
    return FillMaskAnalysis(
        partial(predict_masks, session, top_k=top_k, analyses=[*scores, comparing]),
        partial(_check_comparable, session, targets or (), comparing),
        partial(compare_schema, explanation=note),
        notes=() if comparing.is_one_vocabulary else (note,),
    )


def _mask_windows(
    request: FillMaskRequest, session: Session, targets: Sequence[Target], longest: int = 1
) -> DocumentPlan[FillMaskRecord] | None:
    """Return the plan that answers each mask of a long text in a window around it.

    Args:
        request: The options.
        session: The open checkpoint.
        targets: Words that a window needs room for.
        longest: Largest number of pieces of other words that it needs room for.
    """
    if not request.model.reads_windows:
        return None
    from bertcli.analysis.masks.windows import JoinedMasks, check_document_masks
    from bertcli.model.windows import CentredWindows
    from bertcli.pipeline.documents import DocumentPlan

    reserved = max(longest, *(len(target.ids) for target in targets), 1) - 1
    return DocumentPlan(
        CentredWindows(session.mask_token_id, reserved),
        partial(JoinedMasks, session.tokenizer),
        partial(check_document_masks, session, targets, longest),
    )


def _joint_records(session: Session, batch: Batch, top_k: int, order: FillOrder) -> list[FillMaskRecord]:
    from bertcli.analysis.masks.joint import fill_jointly

    records = predict_masks(session, batch, top_k)
    filled = fill_jointly(session, batch, top_k, order)
    return [replace(record, sequences=each) for record, each in zip(records, filled, strict=True)]


def _mutual_records(session: Session, batch: Batch, top_k: int) -> list[FillMaskRecord]:
    from bertcli.analysis.masks.mutual import mutual_influence

    records = predict_masks(session, batch, top_k)
    matrices = mutual_influence(session, batch)
    return [replace(record, mutual=each) for record, each in zip(records, matrices, strict=True)]


def _check_expects(session: Session, words: ExpectedWords, text: TokenizedText) -> FailedText | None:
    return check_masks(session, text) or words.check(text)


def _check_fits(session: Session, targets: Sequence[Target], text: TokenizedText) -> FailedText | None:
    """Check that a text has a mask, and room for the pieces of each target."""
    from bertcli.analysis.masks.targets import check_targets_fit

    return check_masks(session, text) or check_targets_fit(text, targets, session.tokenizer.limit)


def _check_comparable(
    session: Session, targets: Sequence[Target], comparing: ModelComparison, text: TokenizedText
) -> FailedText | None:
    return _check_fits(session, targets, text) or comparing.check(text)
