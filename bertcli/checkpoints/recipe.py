"""The recipe that a checkpoint declares for its embeddings: its modules, their settings, and its prompts.

The files are those of sentence-transformers. Nothing in them is imported or run: the modules and the activation
functions that bertcli computes are in tables here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any, Self

from bertcli.checkpoints.config import CONFIG_FILE, ModelConfig, read_json_object
from bertcli.checkpoints.modules import (
    COPY_AGAIN,
    MODULES_FILE,
    TRANSFORMER_CONFIGS,
    TRANSFORMERS,
    Module,
    read_module_config,
    read_modules,
)
from bertcli.choices import Pooling, RecipeSource, Similarity
from bertcli.errors import BadCheckpoint, UnsupportedModel
from bertcli.lazy_dataclass import dataclass
from bertcli.results.recipe import Recipe

# Poolings by their names in `pooling_mode`, and by the older flags, in the order in which their vectors are joined.
_MODES = {
    "cls": Pooling.CLS,
    "max": Pooling.MAX,
    "mean": Pooling.MEAN,
    "mean_sqrt_len_tokens": Pooling.MEAN_SQRT,
    "weightedmean": Pooling.WEIGHTED_MEAN,
    "lasttoken": Pooling.LAST,
}
_FLAGS = {
    "pooling_mode_cls_token": Pooling.CLS,
    "pooling_mode_max_tokens": Pooling.MAX,
    "pooling_mode_mean_tokens": Pooling.MEAN,
    "pooling_mode_mean_sqrt_len_tokens": Pooling.MEAN_SQRT,
    "pooling_mode_weightedmean_tokens": Pooling.WEIGHTED_MEAN,
    "pooling_mode_lasttoken": Pooling.LAST,
}
# torch's activation classes, by the last part of their names. bertcli.analysis.embeddings.layers computes them.
ACTIVATIONS = (
    "Identity", "Tanh", "ReLU", "ReLU6", "LeakyReLU", "ELU", "SELU", "GELU", "SiLU", "Mish", "Sigmoid", "LogSigmoid",
    "Softplus", "Softsign", "Hardtanh", "Hardswish", "Tanhshrink",
)  # fmt: skip
_TORCH = "torch."
_LARGEST_SIZE = 1_000_000
_USE_MEAN = "use --pooling mean or --pooling cls, which need no recipe"


@dataclass(frozen=True, slots=True)
class DenseModule:
    """A linear layer and its activation, with its weights in a folder."""

    folder: Path
    in_features: int
    out_features: int
    has_bias: bool
    activation: str
    is_residual: bool


@dataclass(frozen=True, slots=True)
class LayerNormModule:
    """A LayerNorm over the embedding, with its weights in a folder."""

    folder: Path
    dimension: int


@dataclass(frozen=True, slots=True)
class NormalizeModule:
    """The scaling of the embedding to length 1."""


@dataclass(frozen=True, slots=True)
class LayerWeightsModule:
    """A weighted mean of the hidden states from first_layer to the last, with its weights in a folder."""

    folder: Path
    first_layer: int


@dataclass(frozen=True, slots=True)
class SpladeModule:
    """Lexical weights from the logits of the MLM head (Formal et al. 2021).

    Attributes:
        reduction: Reduction over the tokens, max or sum.
        is_log_twice: Apply ln(1 + x) twice.
    """

    reduction: str = "max"
    is_log_twice: bool = False


LayerModule = DenseModule | LayerNormModule | NormalizeModule


@dataclass(frozen=True, slots=True)
class DeclaredRecipe:
    """The recipe in modules.json and the files that it names.

    Attributes:
        pooling: The poolings, whose vectors are joined in this order. Empty for a lexical recipe.
        includes_prompt: True if the tokens of a prompt are pooled too.
        final_layers: Layers that are applied to the pooled vector, in order.
        layer_weights: The hidden states to pool instead of the last one, or None.
        splade: The lexical weights, or None.
        is_lower_cased: True if texts are lower-cased before the tokenizer sees them.
    """

    pooling: tuple[Pooling, ...]
    includes_prompt: bool = True
    final_layers: tuple[LayerModule, ...] = ()
    layer_weights: LayerWeightsModule | None = None
    splade: SpladeModule | None = None
    is_lower_cased: bool = False

    def with_normalize(self, normalize: bool | None) -> Self:
        """Return the recipe with a normalisation at its end, or without any; None returns it unchanged."""
        layers = [each for each in self.final_layers if normalize is not False or not isinstance(each, NormalizeModule)]
        if normalize and not (layers and isinstance(layers[-1], NormalizeModule)):
            layers.append(NormalizeModule())
        return replace(self, final_layers=tuple(layers))

    def layers(self, config: ModelConfig) -> range | None:
        """Return the hidden states whose weighted mean is pooled, None for the last one alone."""
        first = None if self.layer_weights is None else self.layer_weights.first_layer
        return None if first is None else range(first, config.num_hidden_layers + 1)

    def dimension(self, config: ModelConfig) -> int:
        """Return the number of values of an embedding."""
        if self.splade is not None:
            return config.vocab_size
        sizes = [layer.out_features for layer in self.final_layers if isinstance(layer, DenseModule)]
        return sizes[-1] if sizes else len(self.pooling) * config.hidden_size

    def count_parameters(self, config: ModelConfig) -> int:
        """Return the number of values in the weights of the modules beside the transformer."""
        shapes = [shape for layer in self.final_layers for shape in layer_shapes(layer).values()]
        return sum(map(prod, shapes)) + len(self.layers(config) or ())

    def describe(
        self,
        config: ModelConfig,
        source: RecipeSource,
        max_length: int,
        prompt: str | None = None,
        similarity: Similarity | None = None,
    ) -> Recipe:
        """Return the description of the recipe for the output.

        Args:
            config: The model's config.
            source: Where the recipe comes from.
            max_length: Largest number of tokens in a text.
            prompt: Text put before each text, or None.
            similarity: The declared measure of similarity, or None.
        """
        layers = self.layers(config)
        if self.splade is not None and similarity is None:
            similarity = Similarity.DOT
        return Recipe(
            source=source,
            pooling=(Pooling.LEXICAL,) if self.splade is not None else self.pooling,
            dense=tuple(layer.out_features for layer in self.final_layers if isinstance(layer, DenseModule)),
            normalize=bool(self.final_layers) and isinstance(self.final_layers[-1], NormalizeModule),
            prompt=prompt,
            dimension=self.dimension(config),
            max_length=max_length,
            layers=None if layers is None else tuple(layers),
            layer_norm=True if any(isinstance(layer, LayerNormModule) for layer in self.final_layers) else None,
            lexical=None if self.splade is None else self.splade.reduction,
            similarity=None if similarity == Similarity.COSINE else similarity,
        )


def layer_shapes(layer: LayerModule) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the weights of a layer after the pooling, by name."""
    if isinstance(layer, LayerNormModule):
        return {"norm.weight": (layer.dimension,), "norm.bias": (layer.dimension,)}
    if isinstance(layer, NormalizeModule):
        return {}
    shapes: dict[str, tuple[int, ...]] = {"linear.weight": (layer.out_features, layer.in_features)}
    if layer.has_bias:
        shapes["linear.bias"] = (layer.out_features,)
    if layer.is_residual and layer.in_features != layer.out_features:
        shapes["residual.weight"] = (layer.out_features, layer.in_features)
    return shapes


def read_recipe(folder: Path) -> DeclaredRecipe | None:
    """Read the recipe of the checkpoint in a folder; None if it declares none.

    Raises:
        BadCheckpoint: A file is missing or damaged.
        UnsupportedModel: bertcli does not compute one of the modules.
    """
    if not (folder / MODULES_FILE).is_file():
        return None
    modules = read_modules(folder / MODULES_FILE)
    for module in modules:
        if module.kind not in (*TRANSFORMERS, *_READERS):
            raise _unsupported(folder, module.kind)
    if modules[0].kind not in TRANSFORMERS or any(module.kind in TRANSFORMERS for module in modules[1:]):
        raise _bad(folder / MODULES_FILE, "does not begin with a Transformer, or has several")
    parts = [(module.kind, _READERS[module.kind](folder / module.path)) for module in modules[1:]]
    return _assemble(folder, modules[0], [(kind, part) for kind, part in parts if part is not None])


def _assemble(folder: Path, transformer: Module, parts: Sequence[tuple[str, Any]]) -> DeclaredRecipe:
    """Return the recipe of the parts after the transformer, after a check of their order."""
    settings = read_module_config(folder / transformer.path, TRANSFORMER_CONFIGS)
    task = settings.get("transformer_task", "fill-mask" if transformer.kind == "MLMTransformer" else None)
    is_lower_cased = settings.get("do_lower_case") is True
    layer_weights = None
    if parts and parts[0][0] == "WeightedLayerPooling":
        # Without this setting the model returns no hidden states, and sentence-transformers skips the module.
        config = read_module_config(folder / transformer.path, (CONFIG_FILE,))
        layer_weights = parts[0][1] if config.get("output_hidden_states") is True else None
        parts = parts[1:]
    first, others = (parts[0][0], parts[1:]) if parts else (None, ())
    expected = "SpladePooling" if task == "fill-mask" else "Pooling"
    if first != expected or any(kind not in _FINAL_LAYERS for kind, _ in others):
        order = ", ".join([transformer.kind, *(kind for kind, _ in parts)])
        raise UnsupportedModel(
            f"{folder / MODULES_FILE} has the modules {order}, an order that bertcli does not compute", hint=_USE_MEAN
        )
    if task == "fill-mask":
        if others or layer_weights is not None:
            raise _unsupported(folder, others[0][0] if others else "WeightedLayerPooling")
        return DeclaredRecipe((), splade=parts[0][1], is_lower_cased=is_lower_cased)
    pooling, includes_prompt = parts[0][1]
    layers = tuple(part for _, part in others)
    return DeclaredRecipe(pooling, includes_prompt, layers, layer_weights, None, is_lower_cased)


def _read_pooling(folder: Path) -> tuple[tuple[Pooling, ...], bool]:
    config, path = _required_config(folder)
    includes_prompt = config.get("include_prompt", True) is not False
    if "pooling_mode" not in config:
        return tuple(mode for flag, mode in _FLAGS.items() if config.get(flag)) or (Pooling.MEAN,), includes_prompt
    named = config["pooling_mode"]
    names = [named] if isinstance(named, str) else named
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise _bad(path, f"has the pooling_mode {named!r}, not a name or a list of names")
    if unknown := [name for name in names if name not in _MODES]:
        raise UnsupportedModel(f"{path} has the pooling_mode {unknown[0]!r}, which is not supported", hint=_USE_MEAN)
    return tuple(_MODES[name] for name in names), includes_prompt


def _read_dense(folder: Path) -> DenseModule:
    config, path = _required_config(folder)
    for name in ("module_input_name", "module_output_name"):
        if config.get(name) not in (None, "sentence_embedding"):
            raise UnsupportedModel(
                f"{path} applies a Dense to {config[name]!r}, which is not supported", hint=_USE_MEAN
            )
    name = config.get("activation_function", "torch.nn.modules.activation.Tanh")
    activation = name.rpartition(".")[2] if isinstance(name, str) and name.startswith(_TORCH) else None
    if activation not in ACTIVATIONS:
        raise UnsupportedModel(
            f"{path} has the activation_function {name!r}, which bertcli does not know", hint=_USE_MEAN
        )
    return DenseModule(
        folder,
        _size(config, "in_features", path),
        _size(config, "out_features", path),
        config.get("bias", True) is not False,
        activation,
        config.get("use_residual") is True,
    )


def _read_layer_norm(folder: Path) -> LayerNormModule:
    config, path = _required_config(folder)
    return LayerNormModule(folder, _size(config, "dimension", path))


def _read_normalize(folder: Path) -> NormalizeModule | None:
    # In the checkpoint's own folder, config.json is the transformer's.
    config = read_module_config(folder)
    if config.get("module_input_name", "sentence_embedding") != "sentence_embedding":
        raise UnsupportedModel(
            f"{folder} normalises {config['module_input_name']!r}, which is not supported", hint=_USE_MEAN
        )
    return NormalizeModule()


def _read_layer_weights(folder: Path) -> LayerWeightsModule:
    config, path = _required_config(folder)
    first = config.get("layer_start", 4)
    if type(first) is not int or first < 0:
        raise _bad(path, f"has the layer_start {first!r}, not a whole number from 0")
    return LayerWeightsModule(folder, first)


def _read_splade(folder: Path) -> SpladeModule:
    config = read_module_config(folder)
    reduction, activation = config.get("pooling_strategy", "max"), config.get("activation_function", "relu")
    if reduction not in ("max", "sum") or activation not in ("relu", "log1p_relu"):
        raise UnsupportedModel(
            f"{folder} has the pooling_strategy {reduction!r} and the activation_function {activation!r}, which "
            "bertcli does not know",
            hint="use --pooling lexical, or another checkpoint",
        )
    return SpladeModule(reduction, activation == "log1p_relu")


def _read_dropout(folder: Path) -> None:
    """Return None: dropout has no effect outside of training."""


_READERS: Mapping[str, Any] = {
    "Pooling": _read_pooling,
    "Dense": _read_dense,
    "LayerNorm": _read_layer_norm,
    "Normalize": _read_normalize,
    "WeightedLayerPooling": _read_layer_weights,
    "SpladePooling": _read_splade,
    "Dropout": _read_dropout,
}
_FINAL_LAYERS = ("Dense", "LayerNorm", "Normalize")


def _required_config(folder: Path) -> tuple[dict[str, Any], Path]:
    path = folder / CONFIG_FILE
    if not path.is_file():
        raise BadCheckpoint(f"{path} is missing, which {MODULES_FILE} needs", hint=COPY_AGAIN)
    return read_json_object(path), path


def _size(config: Mapping[str, Any], name: str, path: Path) -> int:
    value = config.get(name)
    if type(value) is not int or not 0 < value <= _LARGEST_SIZE:
        raise _bad(path, f"has the {name} {value!r}, not a positive whole number")
    return value


def _bad(path: Path, why: str) -> BadCheckpoint:
    return BadCheckpoint(f"{path} {why}", hint=COPY_AGAIN)


def _unsupported(folder: Path, kind: str) -> UnsupportedModel:
    return UnsupportedModel(
        f"{folder / MODULES_FILE} has the module {kind}, which bertcli does not compute", hint=_USE_MEAN
    )
