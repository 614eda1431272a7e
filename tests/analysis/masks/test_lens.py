"""The logit lens and the tuned lens, against the MLM head of BertForMaskedLM over its hidden states."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bertcli.analysis.masks.lens import Lens, Translators, open_translators
from bertcli.analysis.masks.predictions import predict_masks
from bertcli.analysis.masks.targets import TargetScores, parse_targets
from bertcli.checkpoints.find import BUNDLED_FOLDER
from bertcli.checkpoints.translators import BUNDLED_LENS
from bertcli.choices import LensMethod
from bertcli.errors import NotFinite, WrongUsage
from bertcli.model.session import Session
from bertcli.results.masks import FillMaskRecord, MaskPredictions
from tests.analysis.masks import drawn, slow
from tests.families import save_family
from tests.reference import load
from tests.tiny import VOCABULARY, one_batch, open_bert, random_model, save_bert
from tests.translators import Tensors, lens_by_hand, random_translators, save_translators

TEXTS = ["how [MASK] you", "the [MASK] sat on [MASK] mat"]


def look(
    session: Session,
    texts: Sequence[str],
    words: Sequence[str] | None = None,
    top_k: int = 3,
    translators: Translators | None = None,
) -> list[FillMaskRecord]:
    targets = None if words is None else parse_targets(session.tokenizer, words)
    scores = [] if targets is None else [TargetScores(targets)]
    analyses = [*scores, Lens(top_k, targets, translators)]
    layers = range(session.config.num_hidden_layers + 1)
    return predict_masks(session, one_batch(session, texts), top_k, analyses=analyses, hidden_states=layers)


def tuned(session: Session, path: Path) -> Translators:
    """Return the translators in a file."""
    found = open_translators(session, LensMethod.TUNED, str(path))
    assert found is not None
    return found


def assert_predicts(mask: MaskPredictions, logprobs: Sequence[np.ndarray]) -> None:
    """Assert that each layer of a mask predicts the tokens and the target "cat" as ln p at all positions says."""
    assert [layer.layer for layer in mask.lens] == list(range(len(logprobs)))
    for layer, of_layer in zip(mask.lens, logprobs, strict=True):
        log_p = of_layer[mask.position]
        best = [prediction.score for prediction in layer.predictions]
        assert best == pytest.approx(np.exp(sorted(log_p)[:-4:-1]), abs=1e-5)
        for prediction in layer.predictions:
            assert prediction.score == pytest.approx(np.exp(log_p[prediction.token]), abs=1e-5)
        [target] = layer.targets
        assert target.logprob == pytest.approx(log_p[VOCABULARY.index("cat")], rel=1e-5, abs=1e-5)
        near = np.abs(log_p - log_p[target.token]) < 1e-5
        assert abs(target.rank - 1 - (log_p > log_p[target.token]).sum()) < near.sum()


@given(drawn.engines, drawn.masked_texts())
@settings(max_examples=15)
def test_a_layer_predicts_what_the_head_computes_from_its_hidden_state(tiny_bert: Path, engine: str, text: str) -> None:
    [record] = look(drawn.session_of(tiny_bert, engine), [text], ["cat"])
    expected = lens_by_hand(tiny_bert, slow.tokenizer(tiny_bert)(text).input_ids, identities(tiny_bert))
    for mask in record.masks:
        assert mask.lens_method == "raw"
        assert_predicts(mask, expected)


@given(drawn.engines, drawn.masked_texts(), st.integers(0, 3), st.sampled_from(["float32", "float16", "bfloat16"]))
@settings(max_examples=15)
def test_a_layer_predicts_what_the_head_computes_from_its_translated_state(
    tmp_path_factory: pytest.TempPathFactory, tiny_bert: Path, engine: str, text: str, seed: int, dtype: str
) -> None:
    tensors = random_translators(tiny_bert, seed=seed)
    stored = {name: each.to(getattr(torch, dtype)) for name, each in tensors.items()}
    path = save_translators(tmp_path_factory.mktemp("lens") / "lens", stored, getattr(torch, dtype))
    session = drawn.session_of(tiny_bert, engine)
    [record] = look(session, [text], ["cat"], translators=tuned(session, path))
    expected = lens_by_hand(tiny_bert, slow.tokenizer(tiny_bert)(text).input_ids, stored)
    for mask in record.masks:
        assert mask.lens_method == "tuned"
        assert_predicts(mask, expected)


def identities(folder: Path) -> Tensors:
    return random_translators(folder, std=0)


@pytest.mark.parametrize("engine", drawn.ENGINES)
def test_identities_predict_what_the_logit_lens_predicts(tmp_path: Path, tiny_bert: Path, engine: str) -> None:
    session = open_bert(tiny_bert, engine)
    path = save_translators(tmp_path / "lens", identities(tiny_bert))
    raw, same = (look(session, TEXTS, ["cat"], translators=each) for each in (None, tuned(session, path)))
    for before, after in zip(raw, same, strict=True):
        assert [mask.lens for mask in after.masks] == [mask.lens for mask in before.masks]


def of_session(session: Session, std: float) -> Tensors:
    """Return random translators for a model of any family, whose own MLM head is asked for its logits."""
    config, generator = session.config, torch.Generator().manual_seed(0)
    probe = session.engine.ops.load_vector(np.cos(np.arange(config.hidden_size))[None].astype(np.float32))
    tensors = {"head_logits": torch.tensor(session.to_numpy(session.engine.mlm_logits(probe))[0])}
    for layer in range(config.num_hidden_layers):
        for part, shape in (("weight", (config.hidden_size,) * 2), ("bias", (config.hidden_size,))):
            tensors[f"layers.{layer}.{part}"] = std * torch.randn(shape, generator=generator)
    return tensors


@pytest.mark.parametrize("family", ["distilbert", "electra", "albert", "roberta", "mpnet"])
def test_other_families_have_translators_too(tmp_path: Path, family: str) -> None:
    session = open_bert(save_family(tmp_path, family), "transformers")
    [raw] = look(session, TEXTS[:1])
    for std, is_same in ((0, True), (0.5, False)):
        path = save_translators(tmp_path / "lens", of_session(session, std))
        [found] = look(session, TEXTS[:1], translators=tuned(session, path))
        assert (found.masks[0].lens == raw.masks[0].lens) == is_same
        assert found.masks[0].lens[-1] == raw.masks[0].lens[-1]


@pytest.mark.parametrize("engine", drawn.ENGINES)
def test_the_final_norm_of_modernbert_follows_the_translator(tmp_path: Path, engine: str) -> None:
    session = open_bert(save_family(tmp_path, "modernbert"), engine)
    tensors = of_session(session, 0.5)
    [record] = look(session, TEXTS[:1], translators=tuned(session, save_translators(tmp_path / "lens", tensors)))
    [mask] = record.masks
    model = load("ModernBertForMaskedLM", tmp_path)
    with torch.no_grad():
        ids = torch.from_numpy(one_batch(session, TEXTS[:1]).input_ids)
        *states, _ = model(ids, output_hidden_states=True).hidden_states
        for layer, state in enumerate(states):
            vector = state[0, mask.position]
            mapped = vector + tensors[f"layers.{layer}.weight"] @ vector + tensors[f"layers.{layer}.bias"]
            expected = model.decoder(model.head(model.model.final_norm(mapped[None])))[0].softmax(-1)
            for prediction in mask.lens[layer].predictions:
                assert prediction.score == pytest.approx(float(expected[prediction.token]), abs=1e-5)


@pytest.mark.parametrize("engine", drawn.ENGINES)
def test_the_last_layer_predicts_what_the_model_predicts(tmp_path: Path, engine: str) -> None:
    folder = save_bert(tmp_path, random_model(num_hidden_layers=3))
    session = open_bert(folder, engine)
    path = save_translators(tmp_path / "lens", random_translators(folder))
    for translators in (None, tuned(session, path)):
        for record in look(session, TEXTS, ["cat", "sat"], translators=translators):
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


def test_switched_off_heads_are_off_in_both_lenses(tmp_path: Path, tiny_bert: Path) -> None:
    session = open_bert(tiny_bert, ablate="0.*")
    path = save_translators(tmp_path / "lens", random_translators(tiny_bert))
    whole, without = (look(each, TEXTS[:1], translators=tuned(each, path)) for each in (open_bert(tiny_bert), session))
    [before, after] = (record.masks[0].lens for [record] in (whole, without))
    assert before[0] == after[0]  # the embeddings
    assert before[1] != after[1]


def test_one_session_takes_several_files_in_turn(tmp_path: Path, tiny_bert: Path) -> None:
    # As in a dialogue. An array of an earlier file may have had the id of one of the next file.
    session = open_bert(tiny_bert)
    for seed in range(6):
        tensors = {name: each.half() for name, each in random_translators(tiny_bert, seed=seed).items()}
        path = save_translators(tmp_path / "lens", tensors, torch.float16)
        expected = lens_by_hand(tiny_bert, slow.tokenizer(tiny_bert)(TEXTS[0]).input_ids, tensors)
        for _ in range(3):
            [record] = look(session, TEXTS[:1], ["cat"], translators=tuned(session, path))
            assert_predicts(record.masks[0], expected)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_translators_are_recognised_in_reduced_precision(tmp_path: Path, tiny_bert: Path, dtype: str) -> None:
    path = save_translators(tmp_path / "lens", random_translators(tiny_bert))
    exact, session = open_bert(tiny_bert), open_bert(tiny_bert, "torch", dtype=dtype)
    [expected], [found] = (look(each, TEXTS[:1], translators=tuned(each, path)) for each in (exact, session))
    for before, after in zip(expected.masks[0].lens, found.masks[0].lens, strict=True):
        assert after.predictions[0].score == pytest.approx(before.predictions[0].score, abs=0.05)


@pytest.mark.parametrize("engine", drawn.ENGINES)
def test_translators_of_another_model_of_the_same_size_are_refused(
    tmp_path: Path, tiny_bert: Path, engine: str
) -> None:
    other = save_bert(tmp_path, seed=1)
    path = save_translators(tmp_path / "lens", random_translators(other), model="other")
    with pytest.raises(WrongUsage, match=r"lens, was made for another model than .* \(it was made for 'other'\)$"):
        tuned(open_bert(tiny_bert, engine), path)
    flat = {**random_translators(tiny_bert), "head_logits": torch.ones(len(VOCABULARY))}
    with pytest.raises(WrongUsage, match="was made for another model than"):
        tuned(open_bert(tiny_bert, engine), save_translators(tmp_path / "lens", flat))


@pytest.mark.parametrize("name", ["head_logits", "layers.1.weight", "layers.0.bias"])
def test_translators_that_are_not_finite_are_refused(tmp_path: Path, tiny_bert: Path, name: str) -> None:
    tensors = random_translators(tiny_bert)
    tensors[name].view(-1)[3] = torch.nan
    with pytest.raises(WrongUsage, match="holds infinities or NaN"):
        tuned(open_bert(tiny_bert), save_translators(tmp_path / "lens", tensors))


def test_translators_that_overflow_are_an_error(tmp_path: Path, tiny_bert: Path) -> None:
    tensors = random_translators(tiny_bert)
    tensors["layers.0.bias"].fill_(60_000)
    session = open_bert(tiny_bert, "torch", dtype="float16")
    translators = tuned(session, save_translators(tmp_path / "lens", tensors))
    with pytest.raises(NotFinite, match=r"with the translators in .*lens are infinite or NaN"):
        look(session, TEXTS, translators=translators)


def test_only_the_bundled_model_has_translators_of_its_own(tmp_path: Path, tiny_bert: Path) -> None:
    tiny, path = open_bert(tiny_bert), save_translators(tmp_path / "lens", random_translators(tiny_bert))
    assert open_translators(tiny, LensMethod.AUTO, None) is None
    assert open_translators(tiny, LensMethod.AUTO, str(path)).name == str(path)
    with pytest.raises(WrongUsage, match="--lens tuned needs translators, and there are none for"):
        open_translators(tiny, LensMethod.TUNED, None)
    for model in ("bundled", BUNDLED_FOLDER):
        bundled = open_bert(model)
        assert open_translators(bundled, LensMethod.RAW, None) is None
        for method in (LensMethod.AUTO, LensMethod.TUNED):
            assert open_translators(bundled, method, None).name == str(BUNDLED_LENS)
    # The bundled file is not compared with the model at each start, so compare it here.
    assert tuned(open_bert("bundled"), BUNDLED_LENS).name == str(BUNDLED_LENS)
    with pytest.raises(WrongUsage, match="its number of layers is 6, and should be 2"):
        tuned(tiny, BUNDLED_LENS)
