"""The recipe of a session: what the checkpoint declares and the options change, with its weights."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from bertcli.checkpoints.config import ModelConfig
from bertcli.checkpoints.find import Checkpoint
from bertcli.checkpoints.module_weights import Shape, read_module_weights
from bertcli.checkpoints.modules import COPY_AGAIN
from bertcli.checkpoints.recipe import (
    DeclaredRecipe,
    DenseModule,
    LayerModule,
    NormalizeModule,
    SpladeModule,
    layer_shapes,
    read_recipe,
)
from bertcli.checkpoints.sentence_settings import read_prompts
from bertcli.choices import LayerOp, Pooling, RecipeSource
from bertcli.errors import BadCheckpoint, WrongUsage
from bertcli.lazy_dataclass import dataclass
from bertcli.model.layer_numbers import hidden_state_indices
from bertcli.model.ops.base import FloatArray
from bertcli.model.ops.numpy_ops import widen
from bertcli.model.request import EmbeddingRequest
from bertcli.results.recipe import Recipe

# A layer after the pooling and its weights by name. Normalize has none.
RecipeLayer = tuple[LayerModule, Mapping[str, FloatArray]]


@dataclass(frozen=True, slots=True)
class LayerMean:
    """The weighted mean of hidden states: indices into hidden_states, and the weight of each."""

    layers: Sequence[int]
    weights: FloatArray


@dataclass(frozen=True, slots=True)
class LayerMix:
    """Hidden states that make one: indices into hidden_states, and the operation."""

    layers: Sequence[int]
    op: LayerOp

    def width(self, hidden_size: int) -> int:
        """Return the number of values of a token's vector."""
        return hidden_size * len(self.layers) if self.op == LayerOp.CONCAT else hidden_size


@dataclass(frozen=True, slots=True)
class ReadyRecipe:
    """A recipe that is ready to be applied.

    Attributes:
        shown: The description of the recipe for the output.
        final_layers: Layers that are applied to the pooled vector, in order, with their weights.
        excluded_tokens: Number of tokens at the beginning of each text that are not pooled: those of the prompt.
        layer_mean: The hidden states to pool instead of the last one, or None.
        splade: How lexical weights are made, or None.
        layer_mix: The hidden states that make the vectors of tokens, None for the last one.
    """

    shown: Recipe
    final_layers: Sequence[RecipeLayer] = ()
    excluded_tokens: int = 0
    layer_mean: LayerMean | None = None
    splade: SpladeModule | None = None
    layer_mix: LayerMix | None = None

    def token_width(self, hidden_size: int) -> int:
        """Return the number of values of a token's vector, for a model of that hidden size."""
        return hidden_size if self.layer_mix is None else self.layer_mix.width(hidden_size)

    @property
    def uses_pooler(self) -> bool:
        """True if the embedding is pooler_output."""
        return Pooling.POOLER in self.shown.pooling


def open_recipe(
    checkpoint: Checkpoint, config: ModelConfig, request: EmbeddingRequest, prompt: str, prompt_tokens: int, limit: int
) -> ReadyRecipe:
    """Open the recipe of a session.

    Args:
        checkpoint: The checkpoint.
        config: Its config.
        request: The options.
        prompt: The text before each text, or "".
        prompt_tokens: Number of tokens at the beginning of each text that the prompt takes, [CLS] included.
        limit: Largest number of tokens in a text.

    Raises:
        BadCheckpoint, UnsupportedModel: The recipe is damaged, contradicts itself, or is not supported.
        WrongUsage: There is no such hidden state, or the recipe does not go together with several of them.
    """
    declared = read_recipe(checkpoint.whole_folder) if request.pooling == Pooling.AUTO else None
    similarity = None
    if declared is not None:
        source, similarity = RecipeSource.CHECKPOINT, read_prompts(checkpoint.whole_folder).similarity
    else:
        source = RecipeSource.DEFAULT if request.pooling == Pooling.AUTO else RecipeSource.OPTIONS
        declared = _plain_recipe(request.pooling)
    declared = declared.with_normalize(request.normalize)
    shown = declared.describe(config, source, limit, prompt or None, similarity)
    mix = _open_layer_mix(declared, config, request)
    width = config.hidden_size
    if mix is not None:
        width = mix.width(width)
        dimension = shown.dimension if shown.dense else len(declared.pooling) * width
        shown = replace(shown, dimension=dimension, layers=tuple(mix.layers), layer_op=mix.op)
    layer_mean, final_layers = _open_layer_mean(declared, config), _open_final_layers(declared, width)
    excluded = 0 if declared.includes_prompt or not prompt else prompt_tokens
    return ReadyRecipe(shown, final_layers, excluded, layer_mean, declared.splade, mix)


def _plain_recipe(pooling: Pooling) -> DeclaredRecipe:
    """Return the recipe that only pools."""
    if pooling == Pooling.LEXICAL:
        return DeclaredRecipe((), splade=SpladeModule())
    return DeclaredRecipe((Pooling.MEAN if pooling == Pooling.AUTO else pooling,))


def _open_layer_mean(declared: DeclaredRecipe, config: ModelConfig) -> LayerMean | None:
    module, layers = declared.layer_weights, declared.layers(config)
    if module is None or layers is None:
        return None
    if not layers:
        raise BadCheckpoint(
            f"{module.folder} begins with hidden state {module.first_layer}, and the model has "
            f"{config.num_hidden_layers + 1}",
            hint=COPY_AGAIN,
        )
    weights = _read_weights(module.folder, {"layer_weights": (len(layers),)})["layer_weights"]
    return LayerMean(layers, weights)


def _open_layer_mix(declared: DeclaredRecipe, config: ModelConfig, request: EmbeddingRequest) -> LayerMix | None:
    """Return the hidden states that --layer-op makes one of, after a check that the recipe can pool it."""
    if request.mixed_layers is None or request.layer_op is None:
        return None
    mix = LayerMix(hidden_state_indices(request.mixed_layers, config.num_hidden_layers), request.layer_op)
    option = f"--layer-op {mix.op}"
    if declared.splade is not None:
        raise WrongUsage(
            f"{option} changes the vectors that are pooled, and lexical vectors are made from logits",
            hint="leave --layer-op out, or add --pooling mean",
        )
    if Pooling.POOLER in declared.pooling:
        raise WrongUsage(
            f"{option} changes the vectors that are pooled, and pooler_output is made from the last hidden state",
            hint="use another --pooling, such as mean or cls",
        )
    if declared.layer_weights is not None:
        raise WrongUsage(
            f"{option} and the checkpoint's recipe both choose hidden states: the recipe takes a weighted mean of them",
            hint="add --pooling mean, which leaves out the recipe",
        )
    sized = any(not isinstance(layer, NormalizeModule) for layer in declared.final_layers)
    if sized and mix.width(config.hidden_size) != config.hidden_size:
        raise WrongUsage(
            f"{option} gives vectors of {mix.width(config.hidden_size):,} values, and the checkpoint's recipe has "
            f"further layers that take the {config.hidden_size:,} of one hidden state",
            hint="use --layer-op mean, or add --pooling mean, which leaves out the recipe",
        )
    return mix


def _open_final_layers(declared: DeclaredRecipe, width: int) -> list[RecipeLayer]:
    """Read the weights of the layers after the pooling, after a check that each takes what the one before it returns.

    Args:
        declared: The recipe.
        width: Number of values of a token's vector.
    """
    size = len(declared.pooling) * width
    layers: list[RecipeLayer] = []
    for module in declared.final_layers:
        if isinstance(module, NormalizeModule):
            layers.append((module, {}))
            continue
        taken = module.in_features if isinstance(module, DenseModule) else module.dimension
        if taken != size:
            raise BadCheckpoint(
                f"{module.folder} takes vectors of {taken} values, but gets vectors of {size}",
                hint=COPY_AGAIN,
            )
        layers.append((module, _read_weights(module.folder, layer_shapes(module))))
        size = module.out_features if isinstance(module, DenseModule) else size
    return layers


def _read_weights(folder: Path, shapes: Mapping[str, Shape]) -> dict[str, FloatArray]:
    return {name: widen(stored) for name, stored in read_module_weights(folder, shapes).items()}
