"""Translators of the tuned lens: how they are trained, written and measured, and those that ship."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from bertcli.analysis.masks.lens import Lens, open_translators
from bertcli.analysis.masks.predictions import predict_masks
from bertcli.checkpoints.find import BUNDLED_FOLDER
from bertcli.checkpoints.translators import BUNDLED_LENS
from bertcli.choices import LensMethod
from tests.tiny import VOCABULARY, one_batch, open_bert
from tools.bundled_model.evaluate_lens import LensReport, evaluate_lens
from tools.bundled_model.evaluate_lens import main as evaluate_main
from tools.bundled_model.lens import Translators, divergences
from tools.bundled_model.model import load_model
from tools.bundled_model.settings import Settings, read_settings
from tools.bundled_model.train_lens import main as train_main
from tools.bundled_model.train_lens import train

CPU = torch.device("cpu")
# A part of the held-out text of the bundled model, in the public domain.
SAMPLE = Path(__file__).parent / "heldout"


@pytest.fixture(scope="module")
def trained(init: Path, data: Path, settings: Settings) -> tuple[Translators, np.ndarray]:
    """Return translators of the tiny model, and the divergence of each layer in each step."""
    translators, curve = train(init, data, settings, CPU, steps=150, rate=1e-2)
    return translators, np.array(curve)


def test_training_lowers_the_divergence_of_each_layer(trained: tuple[Translators, np.ndarray]) -> None:
    _, curve = trained
    assert curve.shape == (150, 2)
    assert (curve[-20:].mean(0) < 0.7 * curve[:5].mean(0)).all()


def test_the_same_seed_gives_the_same_translators(init: Path, data: Path, settings: Settings) -> None:
    first, second = (train(init, data, settings, CPU, steps=3)[0] for _ in range(2))
    other, _ = train(init, data, replace(settings, seed=2), CPU, steps=3)
    assert torch.equal(first.weight, second.weight)
    assert not torch.equal(first.weight, other.weight)


def test_the_divergence_is_that_of_its_definition(init: Path) -> None:
    model, _ = load_model(init, 0)
    model.eval()
    states, last = torch.randn(2, 3, model.config.hidden_size), torch.randn(3, model.config.hidden_size)
    with torch.no_grad():
        log_p, *log_q = (model.cls.predictions(each).double().log_softmax(-1) for each in (last, *states))
        found = torch.stack(list(divergences(model, states, last)))
    expected = torch.stack([(log_p.exp() * (log_p - each)).sum(-1) for each in log_q])
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_bertcli_reads_the_file_that_the_programs_write(
    tmp_path: Path, init: Path, data: Path, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "lens.safetensors"
    monkey = pytest.MonkeyPatch()
    for name in ("train_lens", "evaluate_lens"):
        monkey.setattr(f"tools.bundled_model.{name}.add_settings_option", _with_settings(settings))
    with monkey.context():
        train_main([str(init), str(data), str(path), "--steps", "20", "--rate", "0.01"])
        evaluate_main([str(init), str(data), str(path)])
    monkey.undo()
    printed = capsys.readouterr().out
    assert printed.startswith("step    20 ")
    assert printed.count("\n| ") == 4
    session = open_bert(init)
    translators = open_translators(session, LensMethod.AUTO, str(path))
    batch = one_batch(session, ["how [MASK] you"])
    [record] = predict_masks(
        session, batch, 1, analyses=[Lens(len(VOCABULARY), None, translators)], hidden_states=range(3)
    )
    same, _ = train(init, data, settings, CPU, steps=20, rate=0.01)
    model, _ = load_model(init, 0)
    with torch.no_grad():
        states = model.bert(torch.from_numpy(batch.input_ids), output_hidden_states=True).hidden_states
        at_mask = torch.stack([state[0, 2:3] for state in states[:-1]])
        expected = model.cls.predictions(same(at_mask)).softmax(-1)
    for layer, scores in zip(record.masks[0].lens, expected, strict=False):
        for prediction in layer.predictions:
            assert prediction.score == pytest.approx(float(scores[0, prediction.token]), abs=1e-3)


def _with_settings(settings: Settings) -> object:
    return lambda parser: parser.set_defaults(settings=settings)


@pytest.fixture(scope="module")
def bundled() -> LensReport:
    """Return the report of the bundled translators over a part of the sample."""
    settings = read_settings()
    names = {path.stem for path in SAMPLE.glob("*.npz")}
    texts = replace(settings.texts, source=tuple(each for each in settings.texts.source if each.name in names))
    return evaluate_lens(BUNDLED_FOLDER, SAMPLE.parent, BUNDLED_LENS, replace(settings, texts=texts), CPU, limit=2)


def test_the_bundled_translators_bring_each_layer_nearer_to_the_last(bundled: LensReport) -> None:
    assert bundled.masks > 300
    assert len(bundled.raw) == 6
    for raw, tuned in zip(bundled.raw, bundled.tuned, strict=True):
        assert tuned < 0.8 * raw
    assert list(bundled.tuned) == sorted(bundled.tuned, reverse=True)
