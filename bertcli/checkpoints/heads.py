"""Heads for classification and question answering that a checkpoint holds, and the names of their labels."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bertcli.checkpoints.config import CONFIG_FILE, ModelConfig, read_json_object
from bertcli.checkpoints.layout import Layout, Shape, first_mismatch
from bertcli.checkpoints.weight_files import FLOATS, WeightFiles
from bertcli.choices import HeadTask, LabelScore
from bertcli.errors import BadCheckpoint, UnsupportedModel
from bertcli.lazy_dataclass import dataclass
from bertcli.quoting import shortened
from bertcli.results.labels import HeadInfo

_CLASS = f"[A-Za-z0-9]+?({'|'.join(HeadTask)})"
# Names of the layer that returns the logits, in all families. The first that exists is the one.
_OUTPUTS: Mapping[HeadTask, tuple[str, ...]] = {
    HeadTask.TEXT_LABELS: ("classifier.out_proj", "classifier"),
    HeadTask.TOKEN_LABELS: ("classifier",),
    HeadTask.ANSWER: ("qa_outputs", "classifier"),
}
# The logits of a token as the beginning and as the end of an answer.
_ANSWER_LOGITS = 2
_LEAVE_OUT = "leave its labels out with encode --no-labels"


@dataclass(frozen=True, slots=True)
class TaskHead:
    """A head over the last hidden state.

    Attributes:
        info: The task, the class and the labels.
        output: Name of the layer that returns the logits.
        dense: Name of the layer before it, over the first token. None if the output layer takes each token.
        activation: Function after the dense layer.
    """

    info: HeadInfo
    output: str
    dense: str | None = None
    activation: str = ""

    @property
    def size(self) -> int:
        """Number of logits, of the text or of each token."""
        return len(self.info.labels) or _ANSWER_LOGITS


def find_heads(weight_files: WeightFiles, config: ModelConfig) -> tuple[TaskHead, ...]:
    """Return the heads that a checkpoint holds: `architectures` in config.json names the class, the tensors are there.

    Raises:
        BadCheckpoint: A head lacks a layer, has another size than it must have, or its labels contradict its size.
        UnsupportedModel: The head's weights are not floating-point numbers.
    """
    found, architecture = weight_files.by_canonical_name, weight_files.architecture
    if not (architecture.is_tested and architecture.has_plain_heads):
        return ()
    if not any(f"{output}.weight" in found for outputs in _OUTPUTS.values() for output in outputs):
        return ()
    path = weight_files.folder / CONFIG_FILE
    settings = read_json_object(path)
    return tuple(
        _head(task, output, weight_files, config, settings, path)
        for task in _named_tasks(settings)
        if (output := _output_layer(task, weight_files)) is not None
    )


def head_layout(head: TaskHead, config: ModelConfig) -> Layout:
    """Return the layout of a head, the pooler included if it uses that, in a family whose layers are BERT's."""
    hidden = config.hidden_size
    layout: Layout = {f"{head.output}.weight": (head.size, hidden), f"{head.output}.bias": (head.size,)}
    if head.dense is not None:
        layout |= {f"{head.dense}.weight": (hidden, hidden), f"{head.dense}.bias": (hidden,)}
    return layout


def _named_tasks(settings: Mapping[str, Any]) -> list[HeadTask]:
    """Return the tasks of the classes that config.json names, each once."""
    names = settings.get("architectures")
    named = [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
    matches = (re.fullmatch(_CLASS, name) for name in named)
    return list(dict.fromkeys(HeadTask(match[1]) for match in matches if match))


def _output_layer(task: HeadTask, weight_files: WeightFiles) -> str | None:
    found = weight_files.by_canonical_name
    architecture = weight_files.architecture
    names = _OUTPUTS[task]
    if task == HeadTask.TEXT_LABELS and architecture.sequence_head is not None:
        names = (architecture.sequence_head.output,)
    return next((name for name in names if f"{name}.weight" in found), None)


def _head(
    task: HeadTask, output: str, weight_files: WeightFiles, config: ModelConfig, settings: Mapping[str, Any], path: Path
) -> TaskHead:
    architecture = weight_files.architecture
    shape = weight_files.by_canonical_name[f"{output}.weight"].shape
    class_name = f"{architecture.class_prefix}{task}"
    if task == HeadTask.ANSWER:
        if shape[:1] != (_ANSWER_LOGITS,):
            raise _misfit(path, f"{output}.weight has shape {shape}, and {class_name} has {_ANSWER_LOGITS} rows")
        labels: tuple[str, ...] = ()
    else:
        labels = _label_names(settings, shape, f"{output}.weight", path)
    info = HeadInfo(task, class_name, labels, _score_function(task, settings.get("problem_type"), len(labels)))
    layers = architecture.sequence_head if task == HeadTask.TEXT_LABELS else None
    head = TaskHead(info, output) if layers is None else TaskHead(info, output, layers.dense, layers.activation)
    if architecture.has_bert_layers:  # transformers checks the others on loading
        _check_layout(head, weight_files, config, path)
    return head


def _check_layout(head: TaskHead, weight_files: WeightFiles, config: ModelConfig, path: Path) -> None:
    found, layout = weight_files.by_canonical_name, head_layout(head, config)
    if missing := [name for name in layout if name not in found]:
        raise BadCheckpoint(
            f"{weight_files.folder} lacks a part of {head.info.class_name}: {missing[0]} is missing",
            hint=f"use a complete checkpoint, or {_LEAVE_OUT}",
        )
    if misfit := first_mismatch(layout, {name: info.shape for name, info in found.items()}):
        name, expected, shape = misfit
        raise _misfit(path, f"{name} has shape {shape}, and {head.info.class_name} has {expected}")
    if foreign := [name for name in layout if found[name].dtype not in FLOATS]:
        raise UnsupportedModel(
            f"{weight_files.folder} stores {foreign[0]} as {found[foreign[0]].dtype}, which is not supported",
            hint=f"use the unquantised checkpoint, or {_LEAVE_OUT}",
        )


def _score_function(task: HeadTask, problem_type: Any, count: int) -> LabelScore:
    """Return the function that transformers' pipeline applies to the logits: text- or token-classification."""
    if task != HeadTask.TEXT_LABELS:
        return LabelScore.SOFTMAX
    if problem_type == "regression":
        return LabelScore.NONE
    return LabelScore.SIGMOID if problem_type == "multi_label_classification" or count == 1 else LabelScore.SOFTMAX


def _label_names(settings: Mapping[str, Any], shape: Shape, tensor: str, path: Path) -> tuple[str, ...]:
    """Return the names of the labels. A label without a name is LABEL_ and its number, as in transformers.

    Raises:
        BadCheckpoint: num_labels or id2label contradicts the number of logits.
    """
    count = shape[0] if shape else 0
    stated = settings.get("num_labels")
    if stated is not None and stated != count:
        raise _misfit(path, f"num_labels is {shortened(stated)}, but {tensor} has {count:,} rows")
    names = settings.get("id2label")
    if names is None:
        names = {}
    if not isinstance(names, dict):
        raise _misfit(path, f"id2label is {shortened(names)}, not an object of names")
    named = dict(_numbered_names(names, path))
    if named and max(named) + 1 != count:
        raise _misfit(path, f"id2label names labels up to number {max(named):,}, but {tensor} has {count:,} rows")
    return tuple(named.get(number, f"LABEL_{number}") for number in range(count))


def _numbered_names(names: Mapping[str, Any], path: Path) -> Iterator[tuple[int, str]]:
    for key, name in names.items():
        if not re.fullmatch(r"\d{1,9}", key, re.ASCII):
            raise _misfit(path, f"id2label has the key {shortened(key)}, which is not the number of a label")
        if not isinstance(name, (str, int, float)):
            raise _misfit(path, f"id2label has {shortened(name)} as the name of label {shortened(key)}")
        # Half of a surrogate pair cannot be written.
        yield int(key), str(name).encode("utf-8", "backslashreplace").decode("utf-8")


def _misfit(path: Path, problem: str) -> BadCheckpoint:
    return BadCheckpoint(
        f"{path} does not fit the checkpoint's head: {problem}", hint=f"correct config.json, or {_LEAVE_OUT}"
    )
