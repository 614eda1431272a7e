"""Predictions for masks against transformers' fill-mask pipeline, and properties that the pipeline does not show."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import transformers

from bertcli.analysis.masks.predictions import check_masks, predict_masks
from bertcli.analysis.masks.targets import TargetScores, parse_targets
from bertcli.checkpoints.find import BUNDLED_FOLDER
from bertcli.errors import BadText
from bertcli.model.session import Session
from bertcli.results.masks import FillMaskRecord
from tests.reference import transformers_outputs
from tests.tiny import VOCABULARY, one_batch, open_bert, random_model, save_bert, tokenize

ENGINES = ["numpy", "torch", "transformers"]
BUNDLED_TEXTS = [
    "how [MASK] you",
    "The capital of France is [MASK].",
    "[MASK] is the largest planet, isn't it?",
    "she didn't [MASK] that she was wrong",
    "snow##[MASK]ing",
]
TINY_TEXTS = ["how [MASK] you", "[MASK]", "the cat sat on the mat [MASK] .", "a [MASK] b, c!"]
LAYOUT = {"[CLS]", "[SEP]", "[PAD]"}


@cache
def pipeline(folder: Path) -> Any:
    return transformers.pipeline("fill-mask", model=str(folder), device="cpu", dtype="float32")


def predict(session: Session, texts: Sequence[str | tuple[str, str]], top_k: int = 5) -> list[FillMaskRecord]:
    return predict_masks(session, one_batch(session, texts), top_k)


def assert_as_the_pipeline_says(folder: Path, session: Session, texts: list[str], top_k: int) -> None:
    """Check scores, tokens, their text and the filled sequence.

    Sequences with a special token differ: the pipeline drops every special token.
    """
    for answer, text in zip(predict(session, texts, top_k), texts, strict=True):
        [mask] = answer.masks
        expected = pipeline(folder)(text, top_k=top_k)
        assert [prediction.rank for prediction in mask.predictions] == list(range(1, top_k + 1))
        np.testing.assert_allclose(
            [prediction.score for prediction in mask.predictions], [wanted["score"] for wanted in expected], 0, 1e-5
        )
        by_token = {wanted["token"]: wanted for wanted in expected}
        for prediction in mask.predictions:
            wanted = by_token[prediction.token]
            assert prediction.score == pytest.approx(wanted["score"], abs=1e-5)
            assert prediction.token_str == wanted["token_str"]
            if not prediction.token_str.startswith("["):
                assert prediction.sequence == wanted["sequence"]


@pytest.mark.parametrize("engine", ENGINES)
def test_the_bundled_model_predicts_what_the_pipeline_predicts(engine: str) -> None:
    assert_as_the_pipeline_says(BUNDLED_FOLDER, open_bert(BUNDLED_FOLDER, engine), BUNDLED_TEXTS, 5)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_random_model_predicts_what_the_pipeline_predicts_for_every_token(tiny_bert: Path, engine: str) -> None:
    assert_as_the_pipeline_says(tiny_bert, open_bert(tiny_bert, engine), TINY_TEXTS, len(VOCABULARY))


@pytest.mark.parametrize("engine", ENGINES)
def test_several_masks_are_predicted_separately_as_in_the_pipeline(tiny_bert: Path, engine: str) -> None:
    text = "the [MASK] sat on [MASK] mat"
    [answer] = predict(open_bert(tiny_bert, engine), [text], top_k=8)
    expected = pipeline(tiny_bert)(text, top_k=8)
    assert [mask.position for mask in answer.masks] == [2, 5]
    for mask, wanted in zip(answer.masks, expected, strict=True):
        assert [prediction.token for prediction in mask.predictions] == [each["token"] for each in wanted]
        scores = [each["score"] for each in wanted]
        assert [prediction.score for prediction in mask.predictions] == pytest.approx(scores, abs=1e-5)
    for prediction in answer.masks[0].predictions:
        if prediction.token_str not in LAYOUT:
            assert prediction.sequence.startswith("the")
            assert prediction.sequence.endswith("sat on [MASK] mat")


def test_one_mask_and_several_have_the_same_schema(tiny_bert: Path) -> None:
    one, two = predict(open_bert(tiny_bert), ["a [MASK]", "a [MASK] [MASK]"])
    assert [len(one.masks), len(two.masks)] == [1, 2]
    assert {type(mask) for answer in (one, two) for mask in answer.masks} == {type(one.masks[0])}


@pytest.mark.parametrize("engine", ENGINES)
def test_logits_equal_those_of_transformers_and_scores_their_softmax(tiny_bert: Path, engine: str) -> None:
    session = open_bert(tiny_bert, engine)
    texts = [*TINY_TEXTS, ("how are you", "the [MASK]")]
    logits = transformers_outputs(tiny_bert, one_batch(session, texts)).logits
    for row, answer in enumerate(predict(session, texts, top_k=3)):
        [mask] = answer.masks
        expected = logits[row, mask.position].astype(np.float64)
        scores = np.exp(expected) / np.exp(expected).sum()
        for prediction in mask.predictions:
            assert prediction.logit == pytest.approx(expected[prediction.token], abs=1e-4)
            assert prediction.score == pytest.approx(scores[prediction.token], abs=1e-5)
            assert VOCABULARY[prediction.token] == prediction.token_str


@pytest.mark.parametrize("engine", ENGINES)
def test_a_text_has_the_same_predictions_alone_and_in_a_batch(tiny_bert: Path, engine: str) -> None:
    session = open_bert(tiny_bert, engine)
    for text, together in zip(TINY_TEXTS, predict(session, TINY_TEXTS), strict=True):
        [alone] = predict(session, [text])
        found = [(each.token, each.sequence) for each in together.masks[0].predictions]
        assert found == [(each.token, each.sequence) for each in alone.masks[0].predictions]
        scores = [each.score for each in alone.masks[0].predictions]
        assert [each.score for each in together.masks[0].predictions] == pytest.approx(scores, abs=1e-5)


def test_a_sequence_has_no_layout_tokens_and_joins_a_pair(tiny_bert: Path) -> None:
    short, pair = predict(open_bert(tiny_bert), ["how [MASK] you", ("how are you", "the [MASK] sat on the mat")])
    for answer, before, after in ((short, "how", "you"), (pair, "how are you the", "sat on the mat")):
        for prediction in answer.masks[0].predictions:
            assert not LAYOUT & set(prediction.sequence.split())
            assert prediction.sequence.startswith(before)
            assert prediction.sequence.endswith(after)


def test_an_unknown_token_of_a_text_stays_in_its_sequence(tiny_bert: Path) -> None:
    [answer] = predict(open_bert(tiny_bert), ["how ☃ [MASK]"])
    assert all(each.sequence.startswith("how [UNK]") for each in answer.masks[0].predictions)


def test_targets_agree_with_the_pipeline() -> None:
    session = open_bert(BUNDLED_FOLDER)
    targets = TargetScores(parse_targets(session.tokenizer, ["are", "is"]))
    [answer] = predict_masks(session, one_batch(session, ["how [MASK] you"]), 1, analyses=[targets])
    expected = {
        each["token_str"]: each["score"] for each in pipeline(BUNDLED_FOLDER)("how [MASK] you", targets=["are", "is"])
    }
    assert {scored.target: scored.score for scored in answer.masks[0].targets} == pytest.approx(expected, abs=1e-5)


def test_a_text_without_a_mask_has_no_predictions(tiny_bert: Path) -> None:
    none, one = predict(open_bert(tiny_bert), ["how are you", "how [MASK] you"])
    assert (len(none.masks), len(one.masks)) == (0, 1)
    assert predict(open_bert(tiny_bert), ["how are you"])[0].masks == []


def test_a_text_without_a_mask_fails_with_a_hint_how_to_write_one(tiny_bert: Path) -> None:
    session = open_bert(tiny_bert)
    none, one = tokenize(session, ["how are you", "how [MASK] you"])
    assert check_masks(session, one) is None
    found = check_masks(session, none)
    assert isinstance(found.error, BadText)
    assert found.error.message == "the text has no mask: 'how are you'"
    assert "[MASK]" in found.error.hint


@pytest.mark.parametrize("other", ["<mask>", "[mask]", "[Mask]", "___"])
def test_the_mask_of_another_model_is_named(tiny_bert: Path, other: str) -> None:
    session = open_bert(tiny_bert)
    for text in (f"how {other} you", ("how are you", f"the {other}.")):
        (found,) = tokenize(session, [text])
        failed = check_masks(session, found)
        assert failed.error.hint == f"the mask of this model is [MASK]; write it instead of {other}"


@pytest.mark.parametrize("engine", ["numpy", "torch"])
def test_logits_are_computed_at_masks_alone(tiny_bert: Path, engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from bertcli.model import bert

    rows: list[int] = []
    whole = bert.mlm_logits

    def watched(ops: Any, w: Any, hidden: Any, config: Any) -> Any:
        rows.append(len(hidden))
        return whole(ops, w, hidden, config)

    monkeypatch.setattr(bert, "mlm_logits", watched)
    predict(open_bert(tiny_bert, engine), ["the [MASK] sat on [MASK] mat", "[MASK] you"])
    assert rows == [3]


@pytest.mark.parametrize("engine", ["numpy", "torch"])
def test_equally_probable_tokens_are_each_predicted_once(tmp_path: Path, engine: str) -> None:
    session = open_bert(save_bert(tmp_path, random_model(std=0)), engine)
    for top_k in (1, 7, len(VOCABULARY)):
        predictions = predict(session, ["a [MASK]"], top_k)[0].masks[0].predictions
        assert len({prediction.token for prediction in predictions}) == top_k
        assert [each.score for each in predictions] == pytest.approx([1 / len(VOCABULARY)] * top_k, abs=1e-6)


def test_ids_beyond_the_tokenizers_vocabulary_are_predicted_too(tmp_path: Path) -> None:
    folder = save_bert(tmp_path, vocab_size=len(VOCABULARY) + 3)
    [answer] = predict(open_bert(folder), ["a [MASK]"], len(VOCABULARY) + 3)
    assert len(answer.masks[0].predictions) == len(VOCABULARY) + 3
    assert sum(each.score for each in answer.masks[0].predictions) == pytest.approx(1, abs=1e-5)
