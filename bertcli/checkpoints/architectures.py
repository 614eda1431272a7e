"""Architectures: the families of encoders by their model_type in config.json, and their names for BERT's parts.

bertcli's own engines run the families whose layers are BERT's under other names; transformers runs the others.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

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
class Architecture:
    """One family of encoders."""

    # The beginning of its class names in transformers: Bert in BertModel and BertForMaskedLM.
    class_prefix: str
    # The prefix of the body's tensors in a checkpoint that also holds a head.
    tensor_prefix: str
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
    # The same for the next-sentence head, which takes the pooler's output.
    next_sentence_head: tuple[str, ...] = ()
    # The MLM head's only bias is its decoder's. In the other families there is a second one that can be tied to it.
    has_one_mlm_bias: bool = False

    @property
    def has_bert_layers(self) -> bool:
        """True if the layers are BERT's, so that bertcli's own forward pass computes them."""
        return self.renames is not None

    @property
    def body_class(self) -> str:
        """Name of transformers' class of the body alone."""
        return f"{self.class_prefix}Model"

    @property
    def next_sentence_class(self) -> str:
        """Name of transformers' class of the body with the next-sentence head."""
        return f"{self.class_prefix}ForNextSentencePrediction"

    @property
    def mlm_class(self) -> str:
        """Name of transformers' class of the body with the MLM head."""
        return f"{self.class_prefix}ForMaskedLM"


_ANGLE_BRACKET_TOKENS = SpecialTokens(unk="<unk>", sep="</s>", pad="<pad>", cls="<s>", mask="<mask>")
_LM_HEAD = (
    ("lm_head.dense.", "cls.predictions.transform.dense."),
    ("lm_head.layer_norm.", "cls.predictions.transform.LayerNorm."),
    ("lm_head.decoder.", "cls.predictions.decoder."),
    ("lm_head.bias", "cls.predictions.bias"),
)
_DISTILBERT_NAMES = (
    ("transformer.layer.", "encoder.layer."),
    (".attention.q_lin.", ".attention.self.query."),
    (".attention.k_lin.", ".attention.self.key."),
    (".attention.v_lin.", ".attention.self.value."),
    (".attention.out_lin.", ".attention.output.dense."),
    (".sa_layer_norm.", ".attention.output.LayerNorm."),
    (".ffn.lin1.", ".intermediate.dense."),
    (".ffn.lin2.", ".output.dense."),
    (".output_layer_norm.", ".output.LayerNorm."),
    ("vocab_transform.", "cls.predictions.transform.dense."),
    ("vocab_layer_norm.", "cls.predictions.transform.LayerNorm."),
    ("vocab_projector.", "cls.predictions.decoder."),
)


def _roberta(class_prefix: str, vocab_size: int, vocabulary: str) -> Architecture:
    return Architecture(
        class_prefix,
        "roberta.",
        renames=_LM_HEAD,
        config_defaults={"vocab_size": vocab_size, "pad_token_id": 1},
        special_tokens=_ANGLE_BRACKET_TOKENS,
        vocabulary=Vocabulary(vocabulary, is_wordpieces=False),
        mlm_head_name="lm_head",
        mlm_head_act="gelu",  # regardless of hidden_act
        positions_follow_padding=True,
    )


ARCHITECTURES: Mapping[str, Architecture] = {
    "bert": Architecture(
        "Bert",
        "bert.",
        renames=(),
        next_sentence_head=("cls.seq_relationship.weight", "cls.seq_relationship.bias"),
    ),
    "roberta": _roberta("Roberta", 50265, "vocab.json"),
    "xlm-roberta": _roberta("XLMRoberta", 30522, "sentencepiece.bpe.model"),
    "camembert": _roberta("Camembert", 30522, "sentencepiece.bpe.model"),
    "distilbert": Architecture(
        "DistilBert",
        "distilbert.",
        renames=_DISTILBERT_NAMES,
        config_names={
            "hidden_size": "dim",
            "num_hidden_layers": "n_layers",
            "num_attention_heads": "n_heads",
            "intermediate_size": "hidden_dim",
            "hidden_act": "activation",
        },
        config_defaults={"num_hidden_layers": 6, "type_vocab_size": 0},
        fixed_settings=("layer_norm_eps", "type_vocab_size"),
        pooler=(),
        mlm_head_name="vocab_transform",
        has_one_mlm_bias=True,
    ),
    "electra": Architecture(
        "Electra",
        "electra.",
        config_defaults={"hidden_size": 256, "num_attention_heads": 4},
        pooler=(),
        mlm_head=("generator_predictions.dense.weight", "generator_predictions.LayerNorm.weight"),
        mlm_head_name="generator_predictions",
    ),
    "albert": Architecture(
        "Albert",
        "albert.",
        config_defaults={"vocab_size": 30000, "hidden_size": 4096, "num_attention_heads": 64},
        special_tokens=SpecialTokens(unk="<unk>", pad="<pad>"),
        vocabulary=Vocabulary("spiece.model", is_wordpieces=False),
        pooler=("pooler.weight", "pooler.bias"),
        mlm_head=("predictions.dense.weight", "predictions.LayerNorm.weight"),
        mlm_head_name="predictions",
    ),
    "mpnet": Architecture(
        "MPNet",
        "mpnet.",
        fixed_settings=("pad_token_id", "type_vocab_size"),
        config_defaults={"vocab_size": 30527, "type_vocab_size": 0, "pad_token_id": 1},
        special_tokens=SpecialTokens(sep="</s>", pad="<pad>", cls="<s>", mask="<mask>"),
        vocabulary=Vocabulary(is_wordpieces=False),
        mlm_head=("lm_head.dense.weight", "lm_head.layer_norm.weight"),
        mlm_head_name="lm_head",
        positions_follow_padding=True,
    ),
    "deberta-v2": Architecture(
        "DebertaV2",
        "deberta.",
        config_defaults={
            "vocab_size": 128100,
            "hidden_size": 1536,
            "num_hidden_layers": 24,
            "num_attention_heads": 24,
            "type_vocab_size": 0,
        },
        vocabulary=Vocabulary("spm.model", is_wordpieces=False),
        pooler=(),
    ),
    "modernbert": Architecture(
        "ModernBert",
        "model.",
        config_defaults={
            "vocab_size": 50368,
            "num_hidden_layers": 22,
            "max_position_embeddings": 8192,
            "type_vocab_size": 0,
        },
        pooler=(),
        fixed_settings=("type_vocab_size",),
        mlm_head=("head.dense.weight", "head.norm.weight"),
        mlm_head_name="head",
    ),
}
