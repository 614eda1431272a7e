"""Heads that are switched off give the outputs of a checkpoint whose columns for them are zero."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file, save_file

from bertcli.analysis.attention.maps import expansion_rates
from bertcli.errors import WrongUsage
from bertcli.model.ablation import Head, parse_heads
from bertcli.model.session import Session
from tests.families import save_family
from tests.reference import assert_same, engine_outputs
from tests.task_models import save_head
from tests.tiny import one_batch, open_bert, save_bert

TEXTS = ["how are [MASK]", "you", "the cat sat on the [MASK], a mat."]
HEADS = [Head(0, 2), Head(1, 0), Head(1, 1)]
NAMES = "1.0,0.2,-1.1"
# The output projection of each layer, by the way to save a checkpoint.
PROJECTIONS = {
    "bert": "bert.encoder.layer.{}.attention.output.dense.weight",
    "roberta": "roberta.encoder.layer.{}.attention.output.dense.weight",
    "distilbert": "distilbert.transformer.layer.{}.attention.out_lin.weight",
    "modernbert": "model.layers.{}.attn.Wo.weight",
}


def zero_columns(folder: Path, target: Path, projection: str) -> Path:
    """Copy a checkpoint, with zeros in the columns of HEADS."""
    shutil.copytree(folder, target)
    tensors = load_file(target / "model.safetensors")
    for layer, head in HEADS:
        weight = tensors[projection.format(layer)]
        size = weight.shape[1] // 3
        weight[:, head * size : (head + 1) * size] = 0
    save_file(tensors, target / "model.safetensors", {"format": "pt"})
    return target


@pytest.mark.parametrize("engine", ["numpy", "torch"])
@pytest.mark.parametrize("family", PROJECTIONS)
def test_an_ablated_head_equals_zero_columns_of_the_output_projection(tmp_path: Path, family: str, engine: str) -> None:
    folder = tmp_path / "whole"
    folder.mkdir()
    if family == "bert":
        save_bert(folder)
    else:
        save_family(folder, family, num_attention_heads=3, hidden_size=24, num_hidden_layers=2)
    zeroed = open_bert(zero_columns(folder, tmp_path / "zeroed", PROJECTIONS[family]), engine)
    session = open_bert(folder, engine, ablate=NAMES if family != "modernbert" else NAMES.replace("-1", "1"))
    batch = one_batch(session, TEXTS)
    has_pooler = family in ("bert", "roberta")
    expected = engine_outputs(zeroed, batch, pooler=has_pooler)
    assert_same(engine_outputs(session, batch, pooler=has_pooler), expected, batch)
    whole = engine_outputs(open_bert(folder, engine), batch, pooler=has_pooler)
    assert np.abs(whole.last_hidden_state - expected.last_hidden_state).max() > 0.01
    for layer in range(2):
        for which in ("value", "output"):
            found, wanted = (to_numpy(each, layer, which) for each in (session, zeroed))
            np.testing.assert_array_equal(found, wanted)
    rates = [expansion_rates(each.engine, range(2)) for each in (session, zeroed)]
    np.testing.assert_allclose(*rates, rtol=1e-6)


def to_numpy(session: Session, layer: int, which: str) -> np.ndarray:
    return session.to_numpy(session.engine.projection(layer, which).weight)


def test_heads_are_parsed_by_layer_and_head() -> None:
    assert parse_heads("--ablate", "1.2, 0.1,1.2", 2, 3) == ((0, 1), (1, 2))
    assert parse_heads("--ablate", "-1.*", 2, 3) == ((1, 0), (1, 1), (1, 2))
    assert str(Head(3, 11)) == "3.11"


@pytest.mark.parametrize(
    ("value", "error", "hint"),
    [
        ("2.0", "there is no layer 2: this model has 2", "use numbers from 0 to 1, or from -2 to -1"),
        ("2.*", "there is no layer 2: this model has 2", "use numbers from 0 to 1, or from -2 to -1"),
        ("0.3", "there is no head 3 in layer 0: this model has 3 in each layer", "use --ablate 0.0 to 0.2"),
        ("", "--ablate '' is not a list of heads", "use --ablate 1.0"),
        ("1", "--ablate '1' is not a list of heads", "use --ablate 1.0"),
        ("*.1", "--ablate '*.1' is not a list of heads", "use --ablate 1.0"),
        ("1.-1", "--ablate '1.-1' is not a list of heads", "use --ablate 1.0"),
        ("1.0,", "--ablate '1.0,' is not a list of heads", "use --ablate 1.0"),
        ("1.٣", "--ablate '1.٣' is not a list of heads", "use --ablate 1.0"),
        ("9" * 5000 + ".1", "is not a list of heads", "use --ablate 1.0"),
    ],
)
def test_heads_that_do_not_exist_are_an_error(value: str, error: str, hint: str) -> None:
    with pytest.raises(WrongUsage) as raised:
        parse_heads("--ablate", value, 2, 3)
    assert error in raised.value.message
    assert hint in raised.value.hint


@pytest.mark.parametrize(
    ("save", "request_options", "error"),
    [
        (save_bert, {"engine": "transformers"}, "the transformers engine cannot switch heads off"),
        (lambda path: save_family(path, "deberta-v2"), {"engine": "auto"}, "not those of deberta-v2"),
        (
            lambda path: save_head(path, "modernbert", "ForSequenceClassification"),
            {"engine": "auto", "with_heads": True},
            "only transformers computes the labels",
        ),
    ],
)
def test_an_engine_that_cannot_switch_heads_off_is_an_error(
    tmp_path: Path, save: Callable[[Path], Path], request_options: dict[str, object], error: str
) -> None:
    save(tmp_path)
    with pytest.raises(WrongUsage, match=error) as raised:
        assert open_bert(tmp_path, ablate="0.0", **request_options).engine
    assert raised.value.hint
