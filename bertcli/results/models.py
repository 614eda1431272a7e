"""What shapes and models return."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Output:
    """One output of a model class. symbolic and shape: of one tensor, of which there are `count`.

    nbytes: of all of them together. default: returned without being asked for. in_checkpoint: whether the checkpoint
    holds the weights for it, None where there are no weights to see. ran: the shapes of the tensors that came out
    where the model was run.
    """

    name: str
    symbolic: Sequence[str]
    shape: Sequence[int]
    count: int
    dtype: str
    nbytes: int
    default: bool
    in_checkpoint: bool | None
    ran: Sequence[Sequence[int]] | None = None


@dataclass(frozen=True, slots=True)
class ModelClass:
    """One of transformers' classes over this config: its number of parameters, where known, and its outputs."""

    name: str
    parameters: int | None
    outputs: Sequence[Output]


@dataclass(frozen=True, slots=True)
class ComputedTensor:
    """A tensor that came out of a model."""

    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """A tensor as the checkpoint's header tells of it."""

    name: str
    shape: Sequence[int]
    dtype: str
    parameters: int
    nbytes: int


@dataclass(frozen=True, slots=True)
class ShapesResult:
    """The outputs of each class for one batch, or the tensors of the checkpoint.

    holds: which parts beside the body the checkpoint has, of those that its architecture knows; None where there are no
    weights to see.
    """

    batch_size: int
    sequence_length: int
    classes: Sequence[ModelClass]
    tensors: Sequence[StoredTensor] | None = None
    holds: Mapping[str, bool] | None = None


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A model that is here, as its files' headers tell of it. model, revision: what to give as -m and --revision.

    refs: the branches and tags that stand for the revision. parameters: how many numbers are stored; None, as are
    has_pooler and has_mlm_head, where a pickle keeps that to itself. nbytes: of all the model's files.
    """

    model: str
    revision: str | None
    refs: Sequence[str]
    family: str
    num_hidden_layers: int
    hidden_size: int
    num_attention_heads: int
    parameters: int | None
    nbytes: int
    has_pooler: bool | None
    has_mlm_head: bool | None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A model in the hub's cache that bertcli cannot open, and why."""

    model: str
    revision: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class ModelsResult:
    """What is here. cache: the folder of the hub's cache."""

    cache: str
    models: Sequence[KnownModel]
    left_out: Sequence[LeftOut]
