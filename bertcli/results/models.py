"""Results of shapes and models."""

from collections.abc import Mapping, Sequence

from bertcli.lazy_dataclass import dataclass
from bertcli.results.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Output:
    """An output of a model class: one tensor, or several of the same shape.

    Attributes:
        name: Name of the output in transformers.
        symbolic: Names of the dimensions of one tensor.
        shape: Shape of one tensor.
        count: Number of tensors.
        dtype: Number type.
        nbytes: Size of all tensors together.
        default: True if the class returns the output by default.
        in_checkpoint: True if the checkpoint holds the weights that the output needs, None if there are no weights.
        ran: Shapes of the tensors that a run of the model returned, or None if it was not run.
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
    """A class of transformers for a config.

    Attributes:
        name: Name of the class.
        parameters: Number of parameters, or None if unknown.
        outputs: Outputs of the class.
    """

    name: str
    parameters: int | None
    outputs: Sequence[Output]


@dataclass(frozen=True, slots=True)
class ComputedTensor:
    """Shape and number type of a tensor that a run of the model returned."""

    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """A tensor in the header of a checkpoint."""

    name: str
    shape: Sequence[int]
    dtype: str
    parameters: int
    nbytes: int


@dataclass(frozen=True, slots=True)
class ShapesResult:
    """Outputs of each model class for one batch, or the tensors of the checkpoint.

    Attributes:
        batch_size: Number of texts.
        sequence_length: Number of tokens of each text, padding included.
        classes: The model classes with their outputs.
        tensors: Tensors of the checkpoint, or None if not requested.
        holds: For each optional part of the architecture (pooler, MLM head), True if the checkpoint has it. None if
            there are no weights.
    """

    batch_size: int
    sequence_length: int
    classes: Sequence[ModelClass]
    tensors: Sequence[StoredTensor] | None = None
    holds: Mapping[str, bool] | None = None


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A model on this machine that bertcli can open, from the headers of its files.

    Attributes:
        model: Value for --model.
        revision: Value for --revision, or None for the bundled model.
        refs: Branches and tags of the revision.
        family: The model_type of its config.
        num_hidden_layers: Number of layers.
        hidden_size: Size of hidden states.
        num_attention_heads: Number of heads of each layer.
        parameters: Number of stored parameters, or None for a pickled checkpoint, whose header is not read.
        nbytes: Size of all files of the model.
        has_pooler: True if it has a pooler, or None for a pickled checkpoint.
        has_mlm_head: True if it has an MLM head, or None for a pickled checkpoint.
        recipe: The recipe of its embeddings, None if it declares none or one that bertcli cannot use.
        recipe_error: Why its recipe cannot be used, or None.
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
    recipe: Recipe | None
    recipe_error: str | None


@dataclass(frozen=True, slots=True)
class SkippedModel:
    """A model in the hub's cache that bertcli cannot open.

    Attributes:
        model: Name on the hub.
        revision: Its commit.
        reason: Why it cannot be opened.
    """

    model: str
    revision: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class ModelsResult:
    """Models on this machine.

    Attributes:
        cache: Folder of the hub's cache.
        models: Models that can be opened.
        left_out: Models that cannot.
    """

    cache: str
    models: Sequence[KnownModel]
    left_out: Sequence[SkippedModel]
