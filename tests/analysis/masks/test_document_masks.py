"""Masks and scores of documents equal those that are computed by hand, window by window, with transformers."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertcli.choices import LensMethod, OnLong
from bertcli.commands.fill_mask.analyses import set_up
from bertcli.commands.fill_mask.request import FillMaskRequest
from bertcli.commands.options import TextOptions
from bertcli.input.records import FailedText
from bertcli.model.request import SessionRequest
from bertcli.model.session import open_session
from bertcli.output.destination import OutputOptions
from tests.analysis.masks.slow import log_distribution, target_logprob
from tests.by_hand import HandDocument
from tests.tiny import VOCABULARY, WORDS, answers, record

MASK_ID = VOCABULARY.index("[MASK]")
LIMIT = 20


def fill_mask(folder: Path, *texts: Any, limit: int = LIMIT, overlap: int | None = None, **options: Any) -> list[Any]:
    """Return the answers of the command's analysis for texts."""
    model = SessionRequest(str(folder), max_length=limit, long=OnLong.WINDOWS, overlap=overlap, device="cpu")
    request = FillMaskRequest(TextOptions(), model, OutputOptions(), **options)
    request.check_options()
    session = open_session(model)
    analysis = set_up(request, session, print)
    window = [record(text, index) for index, text in enumerate(texts)]
    return list(answers(session, [window], analysis.compute, check=analysis.check, documents=analysis.documents))


def centred(document: HandDocument, mask: int, size: int) -> tuple[int, int]:
    """Return the window around a mask: as many tokens on both sides as possible, and whole words."""
    count = len(document.ids)
    first = min(max(mask - size // 2, 0), max(count - size, 0))
    last = min(first + size, count)
    inside = [at for at in document.breaks if first <= at <= last]
    return inside[0], inside[-1]


@given(st.lists(st.sampled_from([*WORDS, "caning", "[MASK]"]), min_size=1, max_size=70), st.integers(5, 24))
@settings(max_examples=12)
def test_each_mask_is_answered_in_a_window_centred_on_it(tiny_bert: Path, words: list[str], limit: int) -> None:
    text = " ".join([*words, "[MASK]"])
    document = HandDocument(tiny_bert, text, limit, 0)
    [found] = fill_mask(tiny_bert, text, limit=limit, top_k=3)
    masks = [at for at, id_ in enumerate(document.ids) if id_ == MASK_ID]
    assert [mask.position for mask in found.masks] == [at + 1 for at in masks]
    assert list(found.text.input_ids) == document.input_ids
    is_long = len(document.ids) + 2 > limit
    spans = [centred(document, mask, limit - 2) for mask in masks]
    assert [(window.start, window.end) for window in found.text.windows] == (spans if is_long else [])
    for at, (start, end), mask in zip(masks, spans, found.masks, strict=True):
        ids = [document.before[0], *document.ids[start:end], *document.after]
        expected = log_distribution(tiny_bert, ids, at - start + 1)
        assert mask.predictions[0].token == int(expected.argmax())
        for prediction in mask.predictions:
            assert prediction.score == pytest.approx(float(np.exp(expected[prediction.token])), abs=1e-5)


@given(st.lists(st.sampled_from([*WORDS, "caning", "[MASK]"]), min_size=30, max_size=40), st.integers(8, 16))
@settings(max_examples=4)
def test_words_of_several_pieces_fit_the_window_around_a_mask(tiny_bert: Path, words: list[str], limit: int) -> None:
    text = " ".join([*words, "[MASK]"])
    document = HandDocument(tiny_bert, text, limit, 0)
    [found] = fill_mask(tiny_bert, text, limit=limit, pieces="1-3", top_k=2)
    masks = [at for at, id_ in enumerate(document.ids) if id_ == MASK_ID]
    for at, mask in zip(masks, found.masks, strict=True):
        start, end = centred(document, at, limit - 2 - 2)  # room for two more pieces
        ids = [document.before[0], *document.ids[start:end], *document.after]
        assert mask.position == at + 1
        for each in mask.candidates:
            assert each.logprob == pytest.approx(
                target_logprob(tiny_bert, ids, at - start + 1, each.ids, "l2r"), abs=1e-4
            )


def test_a_window_without_room_for_a_word_is_an_error(tiny_bert: Path) -> None:
    [found] = fill_mask(tiny_bert, "how are you [MASK]", limit=4, pieces="3")
    assert isinstance(found, FailedText)
    assert str(found.error) == "a word of 3 pieces needs more than a window, which has room for 2 tokens"
    assert found.error.hint == "use fewer --pieces, or raise --max-length"


@given(st.lists(st.sampled_from([*WORDS, "caning", "xyz"]), min_size=20, max_size=50), st.integers(0, 10))
@settings(max_examples=4)
@pytest.mark.parametrize("within_word", [None, "l2r"])
def test_each_token_is_scored_in_its_best_window(
    tiny_bert: Path, within_word: str | None, words: list[str], overlap: int
) -> None:
    text = " ".join(words)
    document = HandDocument(tiny_bert, text, LIMIT, overlap)
    [found] = fill_mask(tiny_bert, text, overlap=overlap, score=True, within_word=within_word)
    assert [token.position for token in found.score.tokens] == list(range(1, len(document.ids) + 1))
    assert [(window.start, window.end) for window in found.text.windows] == document.spans
    total = 0.0
    for at, token in enumerate(found.score.tokens):
        window = document.best_window(at)
        ids = list(window.ids)
        masked = [at]
        if within_word:
            ends = [each for each in document.breaks if each > at]
            masked = list(range(at, min(ends[0], window.end)))
        for each in masked:
            ids[each - window.start + 1] = MASK_ID
        expected = log_distribution(tiny_bert, ids, at - window.start + 1)[document.ids[at]]
        assert token.logprob == pytest.approx(expected, abs=1e-4)
        assert token.id == document.ids[at]
        total += expected
    assert found.score.sum == pytest.approx(total, abs=1e-3)
    assert found.score.perplexity == pytest.approx(np.exp(-total / len(document.ids)), rel=1e-4)


def test_masks_are_answered_and_not_scored_with_a_score(tiny_bert: Path) -> None:
    text = " ".join([*WORDS, "[MASK]", *WORDS])
    [found] = fill_mask(tiny_bert, text, score=True)
    [mask] = found.masks
    assert mask.position not in [token.position for token in found.score.tokens]
    assert found.text.tokens[mask.position] == "[MASK]"


def test_targets_of_several_pieces_fit_into_the_window(tiny_bert: Path) -> None:
    text = " ".join([*WORDS, "[MASK]", *WORDS])
    document = HandDocument(tiny_bert, text, LIMIT, 0)
    [found] = fill_mask(tiny_bert, text, targets="cat,xyz")
    mask = document.ids.index(MASK_ID)
    start, end = centred(document, mask, LIMIT - 2 - 2)
    ids = [document.before[0], *document.ids[start:end], *document.after]
    at = mask - start + 1
    expected = log_distribution(tiny_bert, ids, at)[VOCABULARY.index("cat")]
    assert found.masks[0].targets[0].logprob == pytest.approx(expected, abs=1e-5)
    pieces = [VOCABULARY.index(piece) for piece in ("x", "##y", "##z")]
    total = 0.0
    for known in range(3):
        filled = [*ids[:at], *pieces[:known], *[MASK_ID] * (3 - known), *ids[at + 1 :]]
        total += log_distribution(tiny_bert, filled, at + known)[pieces[known]]
    assert found.masks[0].targets[1].logprob == pytest.approx(total, abs=1e-4)


def test_a_target_that_no_window_has_room_for_fails_the_text(tiny_bert: Path) -> None:
    [found] = fill_mask(tiny_bert, " ".join([*WORDS, "[MASK]"]), limit=5, targets="abcdef")
    assert isinstance(found, FailedText)
    assert found.error.message == "the target 'abcdef' has 6 pieces, and a window has room for 3 tokens"
    assert found.error.hint == "leave the target out, or raise --max-length"


def test_entropy_and_layers_are_those_of_the_window(tiny_bert: Path) -> None:
    text = " ".join([*WORDS, "[MASK]", *WORDS])
    [found] = fill_mask(tiny_bert, text, entropy=True)
    [lens] = fill_mask(tiny_bert, text, lens=LensMethod.AUTO)
    start, end = ((window.start, window.end) for window in found.text.windows).__next__()
    document = HandDocument(tiny_bert, text, LIMIT, 0)
    ids = [document.before[0], *document.ids[start:end], *document.after]
    log_p = log_distribution(tiny_bert, ids, found.masks[0].position - start)
    assert found.masks[0].entropy == pytest.approx(float(-(np.exp(log_p) * log_p).sum() / np.log(2)), abs=1e-4)
    assert [layer.layer for layer in lens.masks[0].lens] == [0, 1, 2]
    assert lens.masks[0].lens[-1].predictions[0].token == found.masks[0].predictions[0].token


def test_documents_that_cannot_be_answered_fail_alone(tiny_bert: Path) -> None:
    long = " ".join(WORDS * 3)
    without, masked = fill_mask(tiny_bert, long, f"{long} [MASK]")
    assert isinstance(without, FailedText)
    assert without.error.message.startswith("the text has no mask")
    assert len(masked.masks) == 1
    only_masks, scored = fill_mask(tiny_bert, "[MASK] " * 40, long, score=True)
    assert isinstance(only_masks, FailedText)
    assert "no token to score" in only_masks.error.message
    assert len(scored.score.tokens) == len(HandDocument(tiny_bert, long, LIMIT, 0).ids)


def test_masks_of_both_sentences_of_a_pair_are_answered(tiny_bert: Path) -> None:
    pair = ("how [MASK] you", " ".join([*WORDS, "[MASK]", *WORDS]))
    [found] = fill_mask(tiny_bert, pair)
    document = HandDocument(tiny_bert, pair, LIMIT, 0)
    assert [mask.position for mask in found.masks] == [
        at for at, id_ in enumerate(document.input_ids) if id_ == MASK_ID
    ]
    assert found.text.windows[0].start == 0


def test_a_record_needs_no_more_than_the_windows_of_its_masks(tiny_bert: Path) -> None:
    computed: list[int] = []
    text = " ".join([*WORDS * 30, "[MASK]", *WORDS * 30])
    model = SessionRequest(str(tiny_bert), max_length=LIMIT, long=OnLong.WINDOWS, device="cpu")
    session = open_session(model)
    analysis = set_up(FillMaskRequest(TextOptions(), model, OutputOptions()), session, print)
    compute = partial(_count_texts, computed, analysis.compute)
    list(answers(session, [[record(text)]], compute, check=analysis.check, documents=analysis.documents))
    assert computed == [1]


def _count_texts(computed: list[int], compute: Any, batch: Any) -> Any:
    computed.append(len(batch.texts))
    return compute(batch)
