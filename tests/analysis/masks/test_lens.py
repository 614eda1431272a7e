"""The logit lens, against the MLM head of BertForMaskedLM over its hidden states."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings

from bertcli.analysis.masks.lens import LogitLens
from bertcli.analysis.masks.predictions import predict_masks
from bertcli.analysis.masks.targets import TargetScores, parse_targets
from bertcli.model.session import Session
from bertcli.results.masks import FillMaskRecord
from tests.analysis.masks import drawn, slow
from tests.reference import load
from tests.tiny import VOCABULARY, one_batch, open_bert, random_model, save_bert


def look(
    session: Session, texts: Sequence[str], words: Sequence[str] | None = None, top_k: int = 3
) -> list[FillMaskRecord]:
    targets = None if words is None else parse_targets(session.tokenizer, words)
    scores = [] if targets is None else [TargetScores(targets)]
    layers = range(session.config.num_hidden_layers + 1)
    batch = one_batch(session, texts)
    return predict_masks(session, batch, top_k, analyses=[*scores, LogitLens(top_k, targets)], hidden_states=layers)


@given(drawn.engines, drawn.masked_texts())
@settings(max_examples=15)
def test_a_layer_predicts_what_the_head_computes_from_its_hidden_state(tiny_bert: Path, engine: str, text: str) -> None:
    [record] = look(drawn.session_of(tiny_bert, engine), [text], ["cat"])
    model = load("BertForMaskedLM", tiny_bert)
    ids = slow.tokenizer(tiny_bert)(text).input_ids
    with torch.no_grad():
        states = model(torch.tensor([ids]), output_hidden_states=True).hidden_states
        logits = [model.cls(state)[0].double().log_softmax(-1).numpy() for state in states]
    for mask in record.masks:
        assert [layer.layer for layer in mask.lens] == list(range(len(states)))
        for layer, of_layer in zip(mask.lens, logits, strict=True):
            log_p = of_layer[mask.position]
            best = [prediction.score for prediction in layer.predictions]
            assert best == pytest.approx(np.exp(sorted(log_p)[:-4:-1]), abs=1e-5)
            for prediction in layer.predictions:
                assert prediction.score == pytest.approx(np.exp(log_p[prediction.token]), abs=1e-5)
            [target] = layer.targets
            assert target.logprob == pytest.approx(log_p[VOCABULARY.index("cat")], rel=1e-5, abs=1e-5)
            near = np.abs(log_p - log_p[target.token]) < 1e-5
            assert abs(target.rank - 1 - (log_p > log_p[target.token]).sum()) < near.sum()


@pytest.mark.parametrize("engine", drawn.ENGINES)
def test_the_last_layer_predicts_what_the_model_predicts(tmp_path: Path, engine: str) -> None:
    session = open_bert(save_bert(tmp_path, random_model(num_hidden_layers=3)), engine)
    for record in look(session, ["how [MASK] you", "the [MASK] sat on [MASK] mat"], ["cat", "sat"]):
        for mask in record.masks:
            assert len(mask.lens) == 4
            last = mask.lens[-1]
            assert [each.token for each in last.predictions] == [each.token for each in mask.predictions]
            assert [each.score for each in last.predictions] == pytest.approx(
                [each.score for each in mask.predictions], abs=1e-6
            )
            assert [each.rank for each in last.targets] == [each.rank for each in mask.targets]


def test_without_targets_a_layer_has_none(tiny_bert: Path) -> None:
    [record] = look(open_bert(tiny_bert), ["a [MASK]"])
    assert [layer.targets for layer in record.masks[0].lens] == [None, None, None]
