"""Attention for the HTML page, from one forward pass."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bertcli.analysis.attention.heads import AttnOptions, compute_attention
from bertcli.analysis.attention.page import compute_page_attention
from bertcli.analysis.masks.attribution import IntegratedGradients
from bertcli.analysis.masks.head_effects import HeadEffectsAnalysis
from bertcli.analysis.masks.occlusion import Occlusion
from bertcli.analysis.masks.predictions import predict_masks
from bertcli.results.attention import AttentionOfLayer
from tests.tiny import one_batch, open_bert, save_bert

TEXTS = ["how [MASK] you", ("the cat [MASK] on the mat", "are you on [MASK]?"), "cat"]


def kept(layer: AttentionOfLayer) -> AttentionOfLayer:
    """Return the layer itself. A page would compress it."""
    return layer


def test_a_text_has_the_same_page_record_alone_and_in_a_batch(tiny_bert: Path) -> None:
    session = open_bert(tiny_bert)
    together = compute_page_attention(session, one_batch(session, TEXTS), kept)
    for text, record in zip(TEXTS, together, strict=True):
        [alone] = compute_page_attention(session, one_batch(session, [text]), kept)
        assert record.text.tokens == alone.text.tokens
        for layer, other in zip(record.layers, alone.layers, strict=True):
            for name in ("weights", "rollout", "query", "key"):
                assert getattr(layer, name) == pytest.approx(getattr(other, name), abs=1e-5)
        assert [mask.position for mask in record.masks] == [mask.position for mask in alone.masks]


def test_weights_statistics_and_rollout_equal_those_of_attn(tiny_bert: Path) -> None:
    session = open_bert(tiny_bert)
    batch = one_batch(session, TEXTS)
    options = AttnOptions(layers=range(2), heads=range(3), tensors=True, rollout=True)
    pages, records = compute_page_attention(session, batch, kept), compute_attention(session, batch, options)
    for page, record in zip(pages, records, strict=True):
        assert np.array_equal(np.stack([layer.weights for layer in page.layers]), record.attentions)
        assert page.heads == record.heads
        assert page.layers[-1].rollout == pytest.approx(record.rollout)


def test_mask_predictions_equal_those_of_fill_mask(tiny_bert: Path) -> None:
    session = open_bert(tiny_bert)
    batch = one_batch(session, TEXTS)
    answered: list[Any] = predict_masks(session, batch, 10, None)
    for page, expected in zip(compute_page_attention(session, batch, kept), answered, strict=True):
        assert [mask.position for mask in page.masks] == [mask.position for mask in expected.masks]
        for mask, other in zip(page.masks, expected.masks, strict=True):
            assert [one.token for one in mask.predictions] == [one.token for one in other.predictions]
            scores = [one.score for one in other.predictions]
            assert [one.score for one in mask.predictions] == pytest.approx(scores, abs=1e-6)


@pytest.mark.parametrize("engine", ["numpy", "torch", "transformers"])
@pytest.mark.parametrize("texts", [TEXTS, ["cat", "how are you"]], ids=["masks", "no masks"])
def test_a_page_of_some_layers_equals_those_of_the_whole_page(tmp_path: Path, engine: str, texts: list[Any]) -> None:
    session = open_bert(save_bert(tmp_path, num_hidden_layers=5), engine)
    batch = one_batch(session, texts)
    chosen = [1, 3]
    of_all = compute_page_attention(session, batch, kept)
    for page, whole in zip(compute_page_attention(session, batch, kept, chosen), of_all, strict=True):
        assert [layer.layer for layer in page.layers] == [0, 1]
        for layer, number in zip(page.layers, chosen, strict=True):
            for name in ("weights", "rollout", "query", "key"):
                assert np.array_equal(getattr(layer, name), getattr(whole.layers[number], name))
        assert page.heads == [head for head in whole.heads if head.layer in chosen]
        assert page.masks == whole.masks


def test_explanations_equal_those_of_fill_mask(tmp_path: Path) -> None:
    session = open_bert(save_bert(tmp_path, num_hidden_layers=4), "torch", with_gradients=True)
    batch, layers = one_batch(session, TEXTS), [1, 2]
    analyses = [IntegratedGradients(steps=5), HeadEffectsAnalysis(layers=layers)]
    of_fill_mask = predict_masks(session, batch, 10, None, [IntegratedGradients(steps=5), HeadEffectsAnalysis()])
    pages = compute_page_attention(session, batch, kept, layers, analyses)
    assert [len(page.masks) for page in pages] == [1, 2, 0]
    for page, expected in zip(pages, of_fill_mask, strict=True):
        for mask, other in zip(page.masks, expected.masks, strict=True):
            [attribution], [of_other] = mask.attributions or (), other.attributions or ()
            assert attribution.target == of_other.target == mask.predictions[0].token_str
            np.testing.assert_allclose(attribution.values, of_other.values, atol=1e-5)
            [effects], [of_all] = mask.head_effects or (), other.head_effects or ()
            np.testing.assert_allclose(effects.values, of_all.values[layers], atol=1e-5)


def test_occlusion_on_a_page_equals_that_of_fill_mask(tiny_bert: Path) -> None:
    session = open_bert(tiny_bert)
    batch = one_batch(session, TEXTS)
    pages = compute_page_attention(session, batch, kept, analyses=[Occlusion()])
    for page, expected in zip(pages, predict_masks(session, batch, 10, None, [Occlusion()]), strict=True):
        for mask, other in zip(page.masks, expected.masks, strict=True):
            [attribution], [of_other] = mask.attributions or (), other.attributions or ()
            np.testing.assert_allclose(attribution.values, of_other.values, atol=1e-5)


def test_sentences_follow_token_types_or_else_the_separator(tiny_bert: Path, tmp_path: Path) -> None:
    from tests.families import save_family

    session = open_bert(tiny_bert)
    pages = compute_page_attention(session, one_batch(session, TEXTS), kept)
    assert [list(page.sentences) for page in pages][::2] == [[], []]
    assert list(pages[1].sentences) == list(pages[1].text.token_type_ids)
    assert 1 in pages[1].sentences
    roberta = open_bert(save_family(tmp_path, "roberta"))
    [page] = compute_page_attention(roberta, one_batch(roberta, [("a b", "c")]), kept)
    first = list(page.text.tokens).index("</s>")
    assert list(page.sentences) == [int(at > first) for at in range(len(page.text.tokens))]
    assert 0 in page.sentences and 1 in page.sentences
