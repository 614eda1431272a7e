"""Tests that a resumed run equals an uninterrupted one, and that an exported run is an ordinary checkpoint."""

import json
import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from safetensors import safe_open

from tests.reference import assert_same, engine_outputs, transformers_outputs
from tests.tiny import one_batch, open_bert
from tools.bundled_model.evaluate import evaluate, print_report
from tools.bundled_model.export import export
from tools.bundled_model.model import load_model, make_optimizer, rate_share
from tools.bundled_model.run_folder import RunFolder
from tools.bundled_model.settings import Settings
from tools.bundled_model.train import Stop, Trainer

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def own_signals() -> Iterator[None]:
    """Restore the handlers of SIGINT and SIGTERM, which training replaces."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def train(data: Path, run: Path, init: Path, settings: Settings, steps: int | None, begun: float = 0.0) -> Trainer:
    """Train for `steps` steps, or to the end if it is None."""
    trainer = Trainer(data, RunFolder(run), settings, CPU, init, begun)
    trainer.train(Stop(steps=steps))
    return trainer


def weights(trainer: Trainer) -> dict[str, torch.Tensor]:
    return trainer.model.state_dict()


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, data: Path, init: Path, settings: Settings) -> Path:
    """Return the folder of a finished run."""
    run = tmp_path_factory.mktemp("finished")
    train(data, run, init, settings, None)
    return run


@pytest.mark.parametrize("stops", [(4, 9), (1, 1, 1, 10), (30,)])
def test_a_resumed_run_equals_an_uninterrupted_one(
    stops: tuple[int, ...], tmp_path: Path, data: Path, init: Path, settings: Settings
):
    whole = train(data, tmp_path / "whole", init, settings, 40)
    for steps in stops:
        train(data, tmp_path / "pieces", init, settings, steps)
    pieces = train(data, tmp_path / "pieces", init, settings, 40 - sum(stops))
    assert replace(pieces.position, seconds=0) == replace(whole.position, seconds=0)
    assert pieces.position.round == 1
    for name, tensor in weights(whole).items():
        assert torch.equal(tensor, weights(pieces)[name]), name


def test_sigterm_saves_a_checkpoint(tmp_path: Path, data: Path, init: Path, settings: Settings):
    trainer = Trainer(data, RunFolder(tmp_path), settings, CPU, init, 0.0)
    stop = Stop()
    os.kill(os.getpid(), signal.SIGTERM)
    trainer.train(stop)
    _, position = RunFolder(tmp_path).load(CPU)
    assert position.steps == 1


def test_a_run_stops_at_its_time_limit(tmp_path: Path, data: Path, init: Path, settings: Settings):
    trainer = Trainer(data, RunFolder(tmp_path), settings, CPU, init, 0.0)
    trainer.train(Stop(minutes=0))
    assert trainer.position.steps == 1


def test_training_lowers_the_loss_and_writes_its_curve(finished: Path):
    points = [json.loads(line) for line in (finished / "curve.jsonl").read_text().splitlines()]
    losses = [point["loss"] for point in points if "loss" in point]
    assert np.mean(losses[-5:]) < np.mean(losses[:5]) - 0.3
    assert points[-1]["heldout"]["masks"] > 0


def test_resuming_drops_curve_points_after_the_checkpoint(tmp_path: Path, data: Path, init: Path, settings: Settings):
    train(data, tmp_path, init, settings, 4)
    RunFolder(tmp_path).log({"step": 6, "loss": 1.0})
    train(data, tmp_path, init, settings, 2)
    steps = [json.loads(line)["step"] for line in (tmp_path / "curve.jsonl").read_text().splitlines()]
    assert steps == [2, 4, 6]


def test_a_run_refuses_other_settings(tmp_path: Path, data: Path, init: Path, settings: Settings):
    train(data, tmp_path, init, settings, 1)
    with pytest.raises(SystemExit, match="other settings"):
        train(data, tmp_path, init, replace(settings, seed=2), 1)


def test_a_new_run_can_start_late_with_a_short_warm_up(tmp_path: Path, data: Path, init: Path, settings: Settings):
    trainer = train(data, tmp_path, init, settings, 1, begun=0.5)
    assert trainer.position.round == 1
    training = replace(settings.training, warmup=0.1, warmup_again=0.01, floor=0.0)
    assert rate_share(0.5, 0.5, training) == 0
    assert rate_share(0.505, 0.5, training) == pytest.approx(0.25, rel=0.05)
    assert rate_share(0.52, 0.5, training) == pytest.approx(0.5, rel=0.1)
    assert rate_share(0.05, 0.0, training) == pytest.approx(0.5, rel=0.01)
    assert rate_share(1.0, 0.0, training) == 0


def test_a_run_can_skip_ahead(tmp_path: Path, data: Path, init: Path, settings: Settings):
    before = train(data, tmp_path, init, settings, 2)
    after = train(data, tmp_path, init, settings, 1, begun=0.5)
    assert (before.position.round, before.position.batch) == (0, 2)
    assert (after.position.round, after.position.batch, after.position.steps) == (1, 1, 3)
    assert after.position.begun == 0
    assert train(data, tmp_path, init, settings, 1, begun=0.5).position.batch == 2


def test_every_parameter_is_in_one_group_and_the_heads_learn_faster(init: Path, settings: Settings):
    model, has_next_head = load_model(init, 0)
    optimizer = make_optimizer(model, settings.training)
    grouped = [id(parameter) for group in optimizer.param_groups for parameter in group["params"]]
    assert sorted(grouped) == sorted(map(id, model.parameters()))
    peaks = {id(parameter): group["peak"] for group in optimizer.param_groups for parameter in group["params"]}
    assert peaks[id(model.bert.pooler.dense.weight)] == settings.training.head_rate
    assert peaks[id(model.cls.predictions.decoder.weight)] == settings.training.body_rate
    assert all((group["weight_decay"] > 0) == (group["params"][0].ndim > 1) for group in optimizer.param_groups)
    assert not has_next_head


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_transformers_and_bertcli_load_an_export_as_the_trained_model(dtype: str, tmp_path: Path, finished: Path):
    export(RunFolder(finished), tmp_path, dtype)
    state, _ = RunFolder(finished).load(CPU)
    model, loading = transformers.BertForPreTraining.from_pretrained(
        tmp_path, dtype=torch.float32, output_loading_info=True
    )
    assert not any(loading[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, state["model"][name].to(getattr(torch, dtype)).float()), name
    session = open_bert(tmp_path)
    batch = one_batch(session, ["how [MASK] you", ("the cat sat", "on the mat")])
    assert_same(engine_outputs(session, batch), transformers_outputs(tmp_path, batch), batch)
    assert session.has_pooler


def test_an_export_has_no_decoder(tmp_path: Path, finished: Path):
    export(RunFolder(finished), tmp_path, "float16")
    with safe_open(tmp_path / "model.safetensors", "pt") as tensors:
        names = set(tensors.keys())
    assert {"bert.pooler.dense.weight", "cls.seq_relationship.weight", "cls.predictions.bias"} <= names
    assert not any("decoder" in name for name in names)


def test_evaluate_reports_each_source(
    tmp_path: Path,
    finished: Path,
    data: Path,
    settings: Settings,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr("tools.bundled_model.probes.PROBES", (("how [MASK] you", "are"),))
    monkeypatch.setattr("tools.bundled_model.evaluate._SENTENCE_PAIRS", 100)
    export(RunFolder(finished), tmp_path / "export", "float32")
    capsys.readouterr()
    report = evaluate(tmp_path / "export", data, settings, CPU)
    lines = {line.name: line for line in report.sources}
    assert set(lines) == {"talk", "novel", "glosses", "all"}
    assert lines["all"].masks == sum(line.masks for name, line in lines.items() if name != "all")
    assert lines["glosses"].next_sentence is None
    assert lines["talk"].pairs > 0
    assert report.has_next_head
    assert [probe.wanted for probe in report.probes] == ["are"]
    again = evaluate(tmp_path / "export", data, settings, CPU, reference=tmp_path / "export")
    assert again == replace(report, sentence_vectors=1.0)
    print_report(report)
    assert "first: " in capsys.readouterr().out
