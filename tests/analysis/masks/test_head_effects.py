"""The effects of heads, against a session for each head in which that head alone is switched off."""

from collections.abc import Sequence
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from bertcli.analysis.masks.head_effects import HeadEffectsAnalysis
from bertcli.analysis.masks.predictions import predict_masks
from bertcli.analysis.masks.targets import TargetScores, parse_targets
from bertcli.errors import NotFinite, WrongUsage
from bertcli.model.ablation import parse_heads
from bertcli.model.engine import OwnEngine
from bertcli.model.requirements import require_head_switches
from bertcli.model.session import Session
from bertcli.results.masks import FillMaskRecord
from tests.families import save_family
from tests.tiny import LETTERS, WORDS, one_batch, open_bert, random_model, save_bert

TEXTS = ["how [MASK] you", "the [MASK] sat on [MASK] mat", ("the cat", "was it a [MASK]?")]
LAYERS, HEADS = 3, 3


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return checkpoints of three layers, one of BERT and one of each family whose forward pass differs."""
    size = {"num_attention_heads": HEADS, "hidden_size": 24, "num_hidden_layers": LAYERS}
    found = {"bert": save_bert(tmp_path_factory.mktemp("bert"), random_model(num_hidden_layers=LAYERS))}
    for family in ("roberta", "modernbert"):
        found[family] = save_family(tmp_path_factory.mktemp(family), family, **size)
    return found


def explain(session: Session, texts: Sequence[object], words: Sequence[str] | None = None) -> list[FillMaskRecord]:
    targets = None if words is None else parse_targets(session.tokenizer, words)
    return predict_masks(session, one_batch(session, texts), 2, analyses=[HeadEffectsAnalysis(targets)])


@pytest.mark.parametrize("batch_tokens", [1, 40, None])
@pytest.mark.parametrize("engine", ["numpy", "torch"])
@pytest.mark.parametrize("family", ["bert", "roberta", "modernbert"])
def test_an_effect_is_the_change_when_one_head_is_off(
    folders: dict[str, Path], family: str, engine: str, batch_tokens: int | None
) -> None:
    texts = [text for text in TEXTS if isinstance(text, str) or family == "bert"]
    opened = partial(open_bert, folders[family], engine, batch_tokens=batch_tokens)
    session = opened()
    words = [word for word in (*WORDS, *LETTERS) if len(session.tokenizer.encode_word(word)) == 1][:2]
    found = explain(session, texts, words)
    targets = parse_targets(session.tokenizer, words)
    batch = one_batch(session, texts)
    scores = {
        ablate: predict_masks(opened(ablate=ablate), batch, 2, analyses=[TargetScores(targets)])
        for ablate in (None, *(f"{layer}.{head}" for layer, head in product(range(LAYERS), range(HEADS))))
    }
    for row, record in enumerate(found):
        for number, mask in enumerate(record.masks):
            assert mask.head_effects is not None
            for index, effects in enumerate(mask.head_effects):
                logprobs = {name: each[row].masks[number].targets[index].logprob for name, each in scores.items()}
                assert (effects.target, effects.token) == (targets[index].word, targets[index].ids[0])
                assert effects.logprob == pytest.approx(logprobs[None], abs=1e-5)
                expected = [
                    [logprobs[f"{layer}.{head}"] - logprobs[None] for head in range(HEADS)] for layer in range(LAYERS)
                ]
                np.testing.assert_allclose(effects.values, expected, rtol=0, atol=2e-5)
                assert np.abs(effects.values).min(axis=1).max() > 1e-4  # the heads of a layer differ from no effect


def test_without_targets_the_top_prediction_is_explained(folders: dict[str, Path]) -> None:
    for record in explain(open_bert(folders["bert"]), TEXTS):
        for mask in record.masks:
            assert mask.head_effects is not None
            [effects] = mask.head_effects
            top = mask.predictions[0]
            assert (effects.target, effects.token) == (top.token_str, top.token)
            assert effects.logprob == pytest.approx(np.log(top.score), abs=1e-5)


@pytest.mark.parametrize("family", ["bert", "modernbert"])
def test_heads_that_are_off_already_stay_off_and_have_no_effect(folders: dict[str, Path], family: str) -> None:
    [record] = explain(open_bert(folders[family], ablate="1.*"), TEXTS[:1], ["cat"])
    [effects] = record.masks[0].head_effects or ()
    np.testing.assert_allclose(effects.values[1], 0, atol=1e-6)
    [other] = explain(open_bert(folders[family], ablate="0.2,1.*"), TEXTS[:1], ["cat"])
    [without] = other.masks[0].head_effects or ()
    assert effects.values[0, 2] == pytest.approx(without.logprob - effects.logprob, abs=1e-5)


def test_layers_below_a_head_are_not_computed_again(folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    session = open_bert(folders["bert"])
    rows: list[tuple[int, int]] = []
    assert isinstance(session.engine, OwnEngine)
    run_layer = type(session.engine)._run_layer

    def count(engine: OwnEngine, number: int, x: np.ndarray, *others: object) -> object:
        rows.append((number, len(x)))
        return run_layer(engine, number, x, *others)

    monkeypatch.setattr(type(session.engine), "_run_layer", count)
    explain(session, TEXTS[:1])
    assert rows == [(0, 3), (1, 6), (2, 9)]


def test_an_output_that_is_not_finite_is_an_error(folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    session = open_bert(folders["bert"])
    monkeypatch.setattr(
        type(session.engine), "_run_layer", lambda engine, number, x, inputs, mask: x + np.float32(np.inf)
    )
    with pytest.raises(NotFinite, match="infinite or NaN"):
        explain(session, TEXTS[:1])


def test_the_transformers_engine_is_refused(folders: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(WrongUsage, match="cannot switch heads off, which --head-effects needs") as raised:
        require_head_switches(open_bert(folders["bert"], "transformers"), "--head-effects")
    assert raised.value.hint == "use --engine numpy or torch"
    with pytest.raises(WrongUsage, match="not those of electra"):
        require_head_switches(open_bert(save_family(tmp_path, "electra"), "auto"), "--head-effects")
    session = open_bert(folders["bert"], "transformers")
    with pytest.raises(WrongUsage, match="cannot switch heads off"):
        session.engine.last_states_without(one_batch(session, ["you"]), [], parse_heads("--ablate", "0.0", 1, 1))
