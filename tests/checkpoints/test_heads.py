"""Heads are recognised by the class that config.json names and by their tensors, and their labels have names."""

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from bertcli.checkpoints.config import read_config
from bertcli.checkpoints.heads import TaskHead, find_heads
from bertcli.checkpoints.shapes import head_class, model_classes
from bertcli.checkpoints.weight_files import find_weight_files
from bertcli.choices import HeadTask, LabelScore
from bertcli.errors import BadCheckpoint, UnsupportedModel
from tests.task_models import OTHERS, OWN, load_head, save_head
from tests.tiny import edit_config, random_model, save_bert


def heads_of(folder: Path) -> list[TaskHead]:
    config = read_config(folder)
    return list(find_heads(find_weight_files(folder, config.architecture), config))


def edit_tensors(folder: Path, **tensors: torch.Tensor | None) -> None:
    """Replace tensors of a checkpoint, or remove those that are None. A double underscore is a dot in a name."""
    file = folder / "model.safetensors"
    changed = {**load_file(file), **{name.replace("__", "."): tensor for name, tensor in tensors.items()}}
    save_file({name: tensor for name, tensor in changed.items() if tensor is not None}, file, {"format": "pt"})


@pytest.mark.parametrize("task", HeadTask)
@pytest.mark.parametrize("family", [*OWN, *OTHERS])
def test_every_family_and_head_is_recognised_and_its_parameters_are_counted(
    tmp_path: Path, family: str, task: HeadTask
) -> None:
    save_head(tmp_path, family, task)
    [head] = heads_of(tmp_path)
    expected = load_head(tmp_path, task)
    assert head.info.task == task
    assert head.info.class_name == type(expected).__name__
    assert head.info.labels == (() if task == HeadTask.ANSWER else ("O", "B-PER", "I-PER", "B-LOC", "I-LOC"))
    config = read_config(tmp_path)
    weights = find_weight_files(tmp_path, config.architecture)
    body, *_ = model_classes(config, 2, 7, "float32", None)
    found = head_class(head, body, config, 2, 7, weights)
    assert (found.name, found.parameters) == (type(expected).__name__, expected.num_parameters())
    shapes = {output.name: tuple(output.shape) for output in found.outputs if output.default}
    assert (
        shapes
        == {
            HeadTask.TEXT_LABELS: {"logits": (2, 5)},
            HeadTask.TOKEN_LABELS: {"logits": (2, 7, 5)},
            HeadTask.ANSWER: {"start_logits": (2, 7), "end_logits": (2, 7)},
        }[task]
    )


@pytest.mark.parametrize("model_class", [transformers.BertForPreTraining, transformers.BertForMultipleChoice])
def test_other_classes_have_no_such_head(tmp_path: Path, model_class: type) -> None:
    assert heads_of(save_bert(tmp_path, random_model(model_class))) == []


@pytest.mark.parametrize("architectures", [None, [], ["BertModel"], "BertForTokenClassification", [1], ...], ids=str)
def test_a_head_that_config_json_does_not_name_is_left_alone(tmp_path: Path, architectures: Any) -> None:
    save_head(tmp_path, "bert", HeadTask.TEXT_LABELS)
    edit_config(tmp_path, architectures=architectures)
    assert heads_of(tmp_path) == []


def test_a_head_whose_tensors_are_gone_is_left_alone(tmp_path: Path) -> None:
    save_head(tmp_path, "bert", HeadTask.TEXT_LABELS)
    edit_tensors(tmp_path, classifier__weight=None, classifier__bias=None)
    assert heads_of(tmp_path) == []


def test_a_checkpoint_may_have_several_heads(tmp_path: Path) -> None:
    save_head(tmp_path, "bert", HeadTask.TEXT_LABELS)
    edit_tensors(tmp_path, qa_outputs__weight=torch.ones(2, 24), qa_outputs__bias=torch.zeros(2))
    edit_config(tmp_path, architectures=["BertForSequenceClassification", "BertForQuestionAnswering"])
    assert [head.info.task for head in heads_of(tmp_path)] == [HeadTask.TEXT_LABELS, HeadTask.ANSWER]


def test_token_classification_with_an_unused_pooler_is_not_sequence_classification(tmp_path: Path) -> None:
    save_head(tmp_path, "bert", HeadTask.TOKEN_LABELS)
    edit_tensors(tmp_path, bert__pooler__dense__weight=torch.ones(24, 24), bert__pooler__dense__bias=torch.zeros(24))
    [head] = heads_of(tmp_path)
    assert (head.info.class_name, head.dense) == ("BertForTokenClassification", None)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (None, ("LABEL_0", "LABEL_1")),
        ({}, ("LABEL_0", "LABEL_1")),
        ({"0": "[red]x[/red]", "1": "\x1b[31m"}, ("[red]x[/red]", "\x1b[31m")),
        ({"1": "yes"}, ("LABEL_0", "yes")),
        ({"1": "same", "0": "same"}, ("same", "same")),
        ({"0": 1, "1": 2.5}, ("1", "2.5")),
        ({"0": "\ud800", "1": ""}, (r"\ud800", "")),
    ],
    ids=["none", "empty", "markup", "missing", "duplicate", "numbers", "surrogate"],
)
def test_labels_have_the_names_of_id2label(
    tmp_path: Path, names: dict[str, Any] | None, expected: tuple[str, ...]
) -> None:
    save_head(tmp_path, "bert", HeadTask.TEXT_LABELS, {0: "a", 1: "b"})
    edit_config(tmp_path, id2label=... if names is None else names)
    assert heads_of(tmp_path)[0].info.labels == expected


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"id2label": {"0": "a", "1": "b", "2": "c"}}, "id2label names labels up to number 2, but classifier.weight"),
        ({"id2label": {"0": "a"}}, "id2label names labels up to number 0, but classifier.weight has 2 rows"),
        ({"num_labels": 3}, "num_labels is 3, but classifier.weight has 2 rows"),
        ({"id2label": {"first": "a"}}, "id2label has the key 'first'"),
        ({"id2label": {"-1": "a"}}, "id2label has the key '-1'"),
        ({"id2label": {"1" * 5000: "a"}}, "id2label has the key '1111"),
        ({"id2label": {"0": ["a"], "1": "b"}}, "id2label has ['a'] as the name of label '0'"),
        ({"id2label": ["a", "b"]}, "id2label is ['a', 'b'], not an object"),
    ],
    ids=["more", "fewer", "num_labels", "key", "negative", "digits", "value", "list"],
)
def test_labels_that_contradict_the_weights_are_an_error(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    save_head(tmp_path, "bert", HeadTask.TEXT_LABELS, {0: "a", 1: "b"})
    edit_config(tmp_path, **changes)
    with pytest.raises(BadCheckpoint) as raised:
        heads_of(tmp_path)
    assert words in raised.value.message
    assert "--no-labels" in raised.value.hint


@pytest.mark.parametrize("family", ["bert", "electra"])
def test_a_head_for_answers_has_two_logits(tmp_path: Path, family: str) -> None:
    save_head(tmp_path, family, HeadTask.ANSWER)
    edit_tensors(tmp_path, qa_outputs__weight=torch.ones(3, 24), qa_outputs__bias=torch.ones(3))
    with pytest.raises(BadCheckpoint, match=r"qa_outputs\.weight has shape \(3, 24\).*has 2 rows"):
        heads_of(tmp_path)


@pytest.mark.parametrize(
    ("family", "tensors", "words"),
    [
        ("bert", {"classifier__bias": None}, "classifier.bias is missing"),
        ("bert", {"classifier__bias": torch.ones(4)}, r"classifier.bias has shape \(4,\)"),
        ("bert", {"classifier__weight": torch.ones(5, 23)}, r"classifier.weight has shape \(5, 23\)"),
        ("bert", {"bert__pooler__dense__weight": None}, "pooler.dense.weight is missing"),
        ("roberta", {"classifier__dense__weight": None}, "classifier.dense.weight is missing"),
        ("distilbert", {"pre_classifier__weight": torch.ones(24, 9)}, r"pre_classifier.weight has shape \(24, 9\)"),
    ],
)
def test_a_head_of_another_size_or_without_a_layer_is_an_error(
    tmp_path: Path, family: str, tensors: dict[str, Any], words: str
) -> None:
    save_head(tmp_path, family, HeadTask.TEXT_LABELS)
    edit_tensors(tmp_path, **tensors)
    with pytest.raises(BadCheckpoint, match=words):
        heads_of(tmp_path)


def test_a_quantised_head_is_not_supported(tmp_path: Path) -> None:
    save_head(tmp_path, "bert", HeadTask.TOKEN_LABELS)
    edit_tensors(tmp_path, classifier__weight=torch.ones(5, 24, dtype=torch.int8))
    with pytest.raises(UnsupportedModel, match=r"classifier\.weight as I8"):
        heads_of(tmp_path)


@pytest.mark.parametrize(
    ("count", "problem_type", "expected"),
    [
        (3, None, LabelScore.SOFTMAX),
        (3, "single_label_classification", LabelScore.SOFTMAX),
        (3, "multi_label_classification", LabelScore.SIGMOID),
        (3, "regression", LabelScore.NONE),
        (1, "regression", LabelScore.NONE),
        (1, None, LabelScore.SIGMOID),
        (1, "multi_label_classification", LabelScore.SIGMOID),
        (3, "another", LabelScore.SOFTMAX),
    ],
)
def test_the_function_of_the_scores_follows_the_pipeline(
    tmp_path: Path, count: int, problem_type: str | None, expected: LabelScore
) -> None:
    save_head(tmp_path, "bert", HeadTask.TEXT_LABELS, {number: f"L{number}" for number in range(count)})
    edit_config(tmp_path, problem_type=problem_type)
    assert heads_of(tmp_path)[0].info.score == expected
