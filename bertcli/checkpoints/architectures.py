"""Architectures: the traits of a family of encoders, and its names for BERT's parts.

bertcli's own engines run the families whose layers are BERT's under other names; transformers runs the others.
"""

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from bertcli.lazy_dataclass import dataclass

# Pairs of a part of the family's tensor names and BERT's name for it.
Renames = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class SpecialTokens:
    """Spellings of BERT's special tokens."""

    unk: str = "[UNK]"
    sep: str = "[SEP]"
    pad: str = "[PAD]"
    cls: str = "[CLS]"
    mask: str = "[MASK]"


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The vocabulary file of a family's tokenizer, for checkpoints without tokenizer.json.

    is_wordpieces: the file is a list of word pieces, as BERT's.
    """

    file: str = "vocab.txt"
    is_wordpieces: bool = True


@dataclass(frozen=True, slots=True)
class SequenceHead:
    """A family's head for sequence classification: two layers over the last hidden state of the first token.

    Attributes:
        dense: Name of the first layer.
        activation: Function after it.
        output: Name of the layer that returns the logits.
    """

    dense: str
    activation: str
    output: str


@dataclass(frozen=True, slots=True)
class Architecture:
    """One family of encoders."""

    # The beginning of its class names in transformers: Bert in BertModel and BertForMaskedLM.
    class_prefix: str
    # The prefix of the body's tensors in a checkpoint that also holds a head, and its older spelling if there is one.
    tensor_prefix: str
    old_tensor_prefix: str = ""
    # Applied in this order. None if the layers are not BERT's.
    renames: Renames | None = None
    # The family's names in config.json for BERT's settings, and its defaults for missing ones.
    config_names: Mapping[str, str] = field(default_factory=dict)
    config_defaults: Mapping[str, Any] = field(default_factory=dict)
    # BERT's settings that have no effect in this family, even if its config.json holds them.
    fixed_settings: tuple[str, ...] = ()
    special_tokens: SpecialTokens = field(default_factory=SpecialTokens)
    vocabulary: Vocabulary = field(default_factory=Vocabulary)
    # The first token's position is the padding id + 1, not 0.
    positions_follow_padding: bool = False
    # Tensors that a checkpoint with a pooler must hold; empty if the family's classes have no pooler.
    pooler: tuple[str, ...] = ("pooler.dense.weight", "pooler.dense.bias")
    # The same for the MLM head, the prefix of its tensors' names, and its activation if it is not that of the layers.
    mlm_head: tuple[str, ...] = ("cls.predictions.transform.dense.weight", "cls.predictions.transform.LayerNorm.weight")
    mlm_head_name: str = "cls.predictions"
    mlm_head_act: str | None = None
    # A tensor of the family's classifiers, if their head has the names of the MLM head, which they lack.
    classifier_with_mlm_names: tuple[str, ...] = ()
    # The same for the next-sentence head, which takes the pooler's output.
    next_sentence_head: tuple[str, ...] = ()
    # The head for sequence classification, None if only transformers knows it.
    sequence_head: SequenceHead | None = None
    # Its classes with a head run the body on the same inputs as the class of the body alone.
    has_plain_heads: bool = True
    # The MLM head's only bias is its decoder's. In the other families there is a second one that can be tied to it.
    has_one_mlm_bias: bool = False
    # Suffixes of transformers' class names. mlm_suffix is empty if there is no class with an MLM head.
    body_suffix: str = "Model"
    mlm_suffix: str = "ForMaskedLM"
    # Values of position_embedding_type that the family supports.
    position_types: tuple[str, ...] = ("absolute",)
    # The body's norm that applies to its last states only.
    final_norm: str | None = None
    # A layer's attentions are (batch, heads, seq, seq). Otherwise transformers returns none, or only parts of them.
    has_attentions: bool = True
    # Padding does not change the states of a text's tokens. Otherwise only texts of equal length run together.
    allows_padding: bool = True
    # The setting that num_attention_heads is divided by, and its default. None if all heads attend.
    head_divisor: tuple[str, int] | None = None
    # Settings for transformers that override those in config.json.
    overrides: Mapping[str, Any] = field(default_factory=dict)
    # Inputs that depend on the token alone, and the files with their values: JSON objects from token to number.
    token_features: Mapping[str, str] = field(default_factory=dict)
    # Values of settings with which transformers' class fails.
    refused_settings: Mapping[str, Any] = field(default_factory=dict)
    # Settings that must have a value, with an example of one.
    required_settings: Mapping[str, str] = field(default_factory=dict)
    # Tests compare the family with transformers.
    is_tested: bool = True

    @property
    def has_bert_layers(self) -> bool:
        """True if the layers are BERT's, so that bertcli's own forward pass computes them."""
        return self.renames is not None

    @property
    def body_class(self) -> str:
        """Name of transformers' class of the body alone."""
        return f"{self.class_prefix}{self.body_suffix}"

    @property
    def next_sentence_class(self) -> str:
        """Name of transformers' class of the body with the next-sentence head."""
        return f"{self.class_prefix}ForNextSentencePrediction"

    @property
    def mlm_class(self) -> str:
        """Name of transformers' class of the body with the MLM head."""
        return f"{self.class_prefix}{self.mlm_suffix}"

    @property
    def has_mlm_class(self) -> bool:
        """True if transformers has a class of the body with an MLM head."""
        return bool(self.mlm_suffix)


def untested_architecture(class_prefix: str) -> Architecture:
    """Return the architecture of a family that bertcli does not know. transformers checks on loading what it needs."""
    return Architecture(class_prefix, "", pooler=(), mlm_head=(), mlm_head_name="its head", is_tested=False)
