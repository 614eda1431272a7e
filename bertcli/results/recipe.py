"""The recipe of an embedding: what was done to the vectors of a text's tokens to make one vector."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from bertcli.choices import LayerOp, Pooling, RecipeSource, Similarity
from bertcli.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Recipe:
    """Description of how the embeddings of a run were made.

    Attributes:
        source: Where the recipe comes from.
        pooling: The poolings, whose vectors are joined in this order.
        dense: Number of values that each dense layer returns, in order.
        normalize: True if embeddings have length 1.
        prompt: Text put before each text, or None.
        dimension: Number of values of an embedding.
        max_length: Largest number of tokens in a text, special tokens included.
        layers: Hidden states that are pooled instead of the last one: their weighted mean, or what layer_op makes of
            them. None for the last one.
        layer_norm: True if a LayerNorm is applied to the embedding, else None.
        lexical: Reduction over the tokens of a lexical vector, max or sum, or None.
        similarity: Measure of similarity if it is not the cosine, else None.
        layer_op: How one hidden state is made of `layers`; None for the weighted mean of the recipe, or without layers.
    """

    source: RecipeSource
    pooling: Sequence[Pooling]
    dense: Sequence[int]
    normalize: bool
    prompt: str | None
    dimension: int
    max_length: int
    layers: Sequence[int] | None = None
    layer_norm: bool | None = None
    lexical: str | None = None
    similarity: Similarity | None = None
    layer_op: LayerOp | None = None

    @property
    def is_lexical(self) -> bool:
        """True if an embedding has a weight for each token of the vocabulary."""
        return self.lexical is not None

    def as_json(self) -> Mapping[str, Any]:
        """Return the JSON object. The keys from `layers` on are left out if they are None."""
        values = asdict(self)
        optional = ("layers", "layer_norm", "lexical", "similarity", "layer_op")
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in values.items()
            if value is not None or name not in optional
        }
