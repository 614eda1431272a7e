"""The heads of every family give the logits of transformers' classes, on each engine, padded, packed and for pairs."""

from pathlib import Path

import numpy as np
import pytest
import torch

from bertcli.choices import HeadTask
from bertcli.commands.encode.request import EncodeRequest
from bertcli.commands.options import TextOptions
from bertcli.errors import BadCheckpoint, NotFinite
from bertcli.model.engine import OutputRequest
from bertcli.model.request import SessionRequest
from bertcli.model.session import open_session
from bertcli.output.destination import OutputOptions
from tests.families import OTHER_CONFIGS
from tests.reference import assert_close
from tests.task_models import OTHERS, OWN, PAIRS, TEXTS, expected_logits, load_head, save_head
from tests.tiny import edit_config, one_batch, open_bert

CASES = [
    *((family, engine) for family in OWN for engine in ("numpy", "torch", "transformers")),
    *((family, "transformers") for family in OTHERS),
]
# transformers computes these text by text, since padding would change their outputs.
BY_LENGTH = ("convbert", "mobilebert")
# Families without a class for sequence classification, or whose class has a head of another form.
WITHOUT_HEAD = ("bert-generation", "flaubert", "longformer", "splinter", "xlm")


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, HeadTask], Path]:
    """A checkpoint of each family with each head."""
    return {
        (family, task): save_head(tmp_path_factory.mktemp(f"{family}-{task}"), family, task)
        for family in (*OWN, *OTHERS)
        for task in HeadTask
    }


@pytest.mark.parametrize("task", HeadTask)
@pytest.mark.parametrize(("family", "engine"), CASES)
def test_logits_are_those_of_transformers(
    checkpoints: dict[tuple[str, HeadTask], Path], family: str, engine: str, task: HeadTask
) -> None:
    folder = checkpoints[family, task]
    session = open_bert(folder, engine)
    [head] = session.heads
    assert head.info.class_name == type(load_head(folder, task)).__name__
    has_pairs = session.config.type_vocab_size != 1
    for texts in (TEXTS, *([PAIRS] if has_pairs else []), TEXTS[:1]):
        batch = one_batch(session, texts)
        [found] = session.run(batch, OutputRequest(heads=[head])).head_logits
        expected = expected_logits(folder, task, batch)
        rows = slice(None) if task == HeadTask.TEXT_LABELS else batch.attention_mask
        assert_close(session.to_numpy(found)[rows], expected[rows])


@pytest.mark.parametrize("family", ["bert", "electra"])
@pytest.mark.parametrize("task", HeadTask)
def test_other_outputs_do_not_change_with_a_head(
    checkpoints: dict[tuple[str, HeadTask], Path], family: str, task: HeadTask
) -> None:
    session = open_bert(checkpoints[family, task], "transformers")
    batch = one_batch(session, TEXTS)
    wanted = {"hidden_states": [0, 1], "pooler_output": session.has_pooler}
    alone = session.run(batch, OutputRequest(**wanted))
    found = session.run(batch, OutputRequest(**wanted, heads=session.heads))
    torch.testing.assert_close(found.last_hidden_state, alone.last_hidden_state, rtol=0, atol=1e-6)
    for state, expected in zip(found.hidden_states, alone.hidden_states, strict=True):
        torch.testing.assert_close(state, expected, rtol=0, atol=1e-6)
    assert (found.pooler_output is None) == (alone.pooler_output is None)


@pytest.mark.parametrize("task", HeadTask)
@pytest.mark.parametrize("family", BY_LENGTH)
def test_texts_that_cannot_be_padded_have_the_logits_of_each_text_alone(
    tmp_path: Path, family: str, task: HeadTask
) -> None:
    assert family in OTHER_CONFIGS
    session = open_bert(save_head(tmp_path, family, task), "auto")
    together = one_batch(session, TEXTS)
    [found] = session.run(together, OutputRequest(heads=session.heads)).head_logits
    for row, text in enumerate(TEXTS):
        [expected] = expected_logits(tmp_path, task, one_batch(session, [text]))
        logits = session.to_numpy(found)[row]
        assert_close(logits if task == HeadTask.TEXT_LABELS else logits[: len(expected)], expected)


@pytest.mark.parametrize("family", sorted(set(OTHER_CONFIGS) - {*WITHOUT_HEAD, *BY_LENGTH}))
def test_labels_of_the_families_that_transformers_computes(tmp_path: Path, family: str) -> None:
    session = open_bert(save_head(tmp_path, family, HeadTask.TEXT_LABELS), "auto")
    assert session.engine.name == "transformers"
    batch = one_batch(session, ["how are you"])
    [found] = session.run(batch, OutputRequest(heads=session.heads)).head_logits
    assert_close(session.to_numpy(found), expected_logits(tmp_path, HeadTask.TEXT_LABELS, batch))


def test_a_class_that_gives_its_body_other_inputs_is_left_alone(tmp_path: Path) -> None:
    assert open_bert(save_head(tmp_path, "longformer", HeadTask.TEXT_LABELS), "auto").heads == ()


@pytest.mark.parametrize("engine", ["numpy", "torch"])
def test_logits_that_are_not_numbers_are_an_error(tmp_path: Path, engine: str) -> None:
    save_head(tmp_path, "bert", HeadTask.TOKEN_LABELS)
    model = load_head(tmp_path, HeadTask.TOKEN_LABELS)
    with torch.no_grad():
        model.classifier.bias[1] = np.nan
    model.save_pretrained(tmp_path)
    session = open_bert(tmp_path, engine)
    batch = one_batch(session, TEXTS)
    session.run(batch, OutputRequest())
    with pytest.raises(NotFinite, match="infinite or NaN"):
        session.run(batch, OutputRequest(heads=session.heads))


def test_a_head_of_another_family_lacks_nothing_or_is_an_error(tmp_path: Path) -> None:
    save_head(tmp_path, "electra", HeadTask.TEXT_LABELS)
    model = load_head(tmp_path, HeadTask.TEXT_LABELS)
    state = {name: x for name, x in model.state_dict().items() if name != "classifier.dense.weight"}
    model.save_pretrained(tmp_path, state_dict=state)
    session = open_bert(tmp_path, "transformers")
    with pytest.raises(BadCheckpoint, match=r"classifier\.dense\.weight is missing"):
        session.run(one_batch(session, TEXTS), OutputRequest(heads=session.heads))


def test_a_pooler_that_a_head_needs_is_never_random(tmp_path: Path) -> None:
    save_head(tmp_path, "albert", HeadTask.TEXT_LABELS)
    model = load_head(tmp_path, HeadTask.TEXT_LABELS)
    state = {name: x for name, x in model.state_dict().items() if "pooler" not in name}
    model.save_pretrained(tmp_path, state_dict=state)
    session = open_bert(tmp_path, "transformers")
    with pytest.raises(BadCheckpoint, match=r"pooler\.\w+ is missing"):
        session.run(one_batch(session, TEXTS), OutputRequest(heads=session.heads))


def test_modernbert_needs_transformers_only_if_its_labels_are_shown(
    checkpoints: dict[tuple[str, HeadTask], Path],
) -> None:
    model = SessionRequest(str(checkpoints["modernbert", HeadTask.TEXT_LABELS]), device="cpu")
    shown = EncodeRequest(TextOptions(), model, OutputOptions()).session
    hidden = EncodeRequest(TextOptions(), model, OutputOptions(), labels=False).session
    engines = [open_session(request).engine_choice.engine for request in (shown, hidden, model)]
    assert engines == ["transformers", "numpy", "numpy"]


def test_labels_of_modernbert_that_contradict_the_weights_matter_only_if_they_are_shown(tmp_path: Path) -> None:
    save_head(tmp_path, "modernbert", HeadTask.TEXT_LABELS)
    edit_config(tmp_path, id2label={"9": "a"})
    with pytest.raises(BadCheckpoint, match="id2label") as raised:
        open_bert(tmp_path, "auto", with_heads=True).engine_choice  # noqa: B018
    assert "--no-labels" in str(raised.value.hint)
    assert open_bert(tmp_path, "auto").engine_choice.engine == "numpy"
