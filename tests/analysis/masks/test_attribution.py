"""Integrated gradients, against captum over transformers' BertForMaskedLM, and by their sum."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bertcli.analysis.masks.attribution import IntegratedGradients
from bertcli.analysis.masks.predictions import predict_masks
from bertcli.analysis.masks.targets import parse_targets
from bertcli.checkpoints.find import BUNDLED_FOLDER
from bertcli.choices import Baseline
from bertcli.errors import WrongUsage
from bertcli.model.engine import OutputRequest
from bertcli.model.session import Session
from bertcli.results.masks import FillMaskRecord
from tests.families import save_family
from tests.reference import load
from tests.tiny import one_batch, open_bert

TEXTS = ["how [MASK] you", "the [MASK] sat on [MASK] mat", ("the cat", "was it a [MASK]?")]
open_torch = partial(open_bert, engine="torch", with_gradients=True)


def explain(
    session: Session, texts: Sequence[object], words: Sequence[str] | None = None, **options: Any
) -> list[FillMaskRecord]:
    targets = None if words is None else parse_targets(session.tokenizer, words)
    analysis = IntegratedGradients(targets, **options)
    return predict_masks(session, one_batch(session, texts), 2, analyses=[analysis])


def captums(
    folder: Path, record: FillMaskRecord, position: int, target: int, baseline: Baseline, steps: int
) -> np.ndarray:
    """Return captum's attributions of each token, summed over the features."""
    from captum.attr import IntegratedGradients as CaptumGradients  # here, since it takes seconds to import
    from captum.attr import LayerIntegratedGradients

    model = load("BertForMaskedLM", folder)
    ids = torch.tensor([record.text.input_ids])
    types = torch.tensor([record.text.token_type_ids])

    def logprobs(inputs: torch.Tensor, token_type_ids: torch.Tensor) -> torch.Tensor:
        given = {"inputs_embeds" if inputs.is_floating_point() else "input_ids": inputs}
        return model(**given, token_type_ids=token_type_ids).logits[:, position].log_softmax(-1)

    words = model.bert.embeddings.word_embeddings
    is_special = [token in ("[CLS]", "[SEP]") for token in record.text.tokens]
    options = {"target": target, "additional_forward_args": types, "n_steps": steps}
    if baseline == Baseline.ZERO:
        embedded = words(ids).detach()
        start = embedded * torch.tensor(is_special)[None, :, None]
        found = CaptumGradients(logprobs).attribute(embedded, start, **options)
    else:
        id_ = {"mask": 4, "pad": 0}[baseline] if folder != BUNDLED_FOLDER else {"mask": 103, "pad": 0}[baseline]
        start = torch.where(torch.tensor(is_special), ids, id_)
        found = LayerIntegratedGradients(logprobs, words).attribute(ids, start, **options)
    return np.asarray(found.detach().sum(-1)[0])


@pytest.mark.parametrize("baseline", list(Baseline))
@pytest.mark.parametrize("steps", [3, 50])
def test_the_values_are_those_of_captum(tiny_bert: Path, baseline: Baseline, steps: int) -> None:
    for record in explain(open_torch(tiny_bert), TEXTS, ["cat", "!"], baseline=baseline, steps=steps):
        for mask in record.masks:
            for found in mask.attributions or ():
                expected = captums(tiny_bert, record, mask.position, found.token, baseline, steps)
                special = np.isnan(found.values)
                assert [token for token, is_nan in zip(record.text.tokens, special, strict=True) if is_nan] == [
                    token for token in record.text.tokens if token in ("[CLS]", "[SEP]")
                ]
                np.testing.assert_allclose(expected[special], 0, atol=1e-6)
                np.testing.assert_allclose(found.values[~special], expected[~special], rtol=0, atol=1e-4)
                assert (found.method, found.baseline, found.steps) == ("ig", baseline, steps)


@pytest.mark.parametrize("baseline", list(Baseline))
def test_the_values_sum_to_the_difference_within_one_percent(baseline: Baseline) -> None:
    texts = ["The capital of France is [MASK].", "Thank you very [MASK].", "how [MASK] you"]
    for record in explain(open_torch("bundled"), texts, baseline=baseline):
        for mask in record.masks:
            [found] = mask.attributions or ()
            assert found.gap is not None
            assert found.target == mask.predictions[0].token_str
            assert found.logprob == pytest.approx(np.log(mask.predictions[0].score), abs=1e-4)
            difference = np.nansum(found.values) - found.gap
            assert abs(found.gap) < 0.01 * abs(difference)


@pytest.mark.slow
def test_the_bundled_model_has_the_values_of_captum() -> None:
    [record] = explain(open_torch("bundled"), ["The capital of France is [MASK]."], ["paris"])
    [found] = record.masks[0].attributions or ()
    expected = captums(BUNDLED_FOLDER, record, record.masks[0].position, found.token, Baseline.MASK, 50)
    np.testing.assert_allclose(found.values[1:-1], expected[1:-1], rtol=0, atol=1e-4)


@pytest.mark.parametrize("family", ["roberta", "modernbert"])
def test_other_families_are_complete(tmp_path: Path, family: str) -> None:
    session = open_torch(save_family(tmp_path, family, std=0.1))
    for record in explain(session, TEXTS[:2], steps=100):
        for mask in record.masks:
            [found] = mask.attributions or ()
            assert abs(found.gap or 0) < 0.01 * abs(np.nansum(found.values)) + 1e-5


@pytest.mark.parametrize("batch_tokens", [1, 100])
def test_the_number_of_points_in_a_batch_does_not_change_the_values(tiny_bert: Path, batch_tokens: int) -> None:
    whole, parted = (explain(open_torch(tiny_bert, batch_tokens=each), TEXTS) for each in (None, batch_tokens))
    for one, other in zip(whole, parted, strict=True):
        for mask, same in zip(one.masks, other.masks, strict=True):
            [first], [second] = mask.attributions or (), same.attributions or ()
            np.testing.assert_allclose(first.values, second.values, rtol=0, atol=1e-5)


def test_heads_that_are_off_count(tiny_bert: Path) -> None:
    [record] = explain(open_torch(tiny_bert, ablate="0.*,1.0"), ["how [MASK] you"], ["cat"])
    [whole] = explain(open_torch(tiny_bert), ["how [MASK] you"], ["cat"])
    [found], [other] = record.masks[0].attributions or (), whole.masks[0].attributions or ()
    assert abs(found.gap or 0) < 0.01
    assert np.nanmax(np.abs(found.values - other.values)) > 1e-3


def test_gradients_are_computed_for_embeddings_alone(tiny_bert: Path) -> None:
    session = open_torch(tiny_bert)
    assert session.engine.ops.supports_packing
    batch = one_batch(session, TEXTS)
    output = session.run(batch, OutputRequest(hidden_states=[1], logits_at=...))
    assert not output.logits.requires_grad and not output.hidden_states[0].requires_grad
    expected = open_bert(tiny_bert).run(batch, OutputRequest(logits_at=...)).logits
    found = session.to_numpy(output.logits)
    np.testing.assert_allclose(found[batch.attention_mask], expected[batch.attention_mask], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("engine", "error"), [("numpy", "it computes no gradients"), ("transformers", "by the torch engine alone")]
)
def test_only_the_torch_engine_computes_gradients(tiny_bert: Path, engine: str, error: str) -> None:
    with pytest.raises(WrongUsage, match=error) as raised:
        assert open_bert(tiny_bert, engine, with_gradients=True).engine
    assert raised.value.hint == "use --engine torch, or auto"
    assert open_bert(tiny_bert, "auto", with_gradients=True).engine.name == "torch"


def test_a_family_of_the_transformers_engine_is_refused(tmp_path: Path) -> None:
    session = open_bert(save_family(tmp_path, "electra"), "auto", with_gradients=True)
    with pytest.raises(WrongUsage, match="for BERT and ModernBERT") as raised:
        assert session.engine
    assert raised.value.hint == "use another model, such as -m bundled"
