"""The families of encoders by their model_type in config.json.

Tests compare each of them with transformers' own class.
"""

from collections.abc import Mapping
from typing import Any

from bertcli.checkpoints.architectures import Architecture, SequenceHead, SpecialTokens, Vocabulary

_ANGLE_BRACKET_TOKENS = SpecialTokens(unk="<unk>", sep="</s>", pad="<pad>", cls="<s>", mask="<mask>")
_PROTEIN_TOKENS = SpecialTokens(unk="<unk>", sep="<eos>", pad="<pad>", cls="<cls>", mask="<mask>")
_XLM_TOKENS = SpecialTokens(unk="<unk>", sep="</s>", pad="<pad>", cls="<s>", mask="<special1>")
_MIXED_TOKENS = SpecialTokens(unk="<unk>", pad="<pad>")
_BYTE_PAIRS = Vocabulary("vocab.json", is_wordpieces=False)
_UNIGRAMS = Vocabulary("sentencepiece.bpe.model", is_wordpieces=False)
_PIECES = Vocabulary("spiece.model", is_wordpieces=False)
_NO_WORDPIECES = Vocabulary(is_wordpieces=False)
_LM_HEAD_TENSORS = ("lm_head.dense.weight", "lm_head.layer_norm.weight")
_GENERATOR_TENSORS = ("generator_predictions.dense.weight", "generator_predictions.LayerNorm.weight")
_SIZES = {
    "vocab": "vocab_size",
    "hidden": "hidden_size",
    "layers": "num_hidden_layers",
    "heads": "num_attention_heads",
    "positions": "max_position_embeddings",
    "types": "type_vocab_size",
}
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


def _sizes(**sizes: int) -> dict[str, int]:
    """Return a family's defaults for BERT's settings, given by short names."""
    return {_SIZES[name]: size for name, size in sizes.items()}


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
        sequence_head=SequenceHead("classifier.dense", "tanh", "classifier.out_proj"),
    )


def _like_roberta(class_prefix: str, tensor_prefix: str, **others: Any) -> Architecture:
    """Return a family with RoBERTa's tokens, positions and head, but with layers of its own."""
    defaults = {"pad_token_id": 1, **others.pop("config_defaults", {})}
    settings = {
        "special_tokens": _ANGLE_BRACKET_TOKENS,
        "vocabulary": _BYTE_PAIRS,
        "mlm_head": _LM_HEAD_TENSORS,
        "mlm_head_name": "lm_head",
        "positions_follow_padding": True,
        **others,
    }
    return Architecture(class_prefix, tensor_prefix, config_defaults=defaults, **settings)


def _like_xlm(class_prefix: str, **others: Any) -> Architecture:
    return Architecture(
        class_prefix,
        "transformer.",
        config_names={
            "vocab_size": "n_words",
            "hidden_size": "emb_dim",
            "num_hidden_layers": "n_layers",
            "num_attention_heads": "n_heads",
        },
        config_defaults=_sizes(vocab=30145, hidden=2048, heads=16, types=0),
        fixed_settings=("type_vocab_size",),
        special_tokens=_XLM_TOKENS,
        vocabulary=_BYTE_PAIRS,
        pooler=(),
        mlm_head=("pred_layer.proj.bias",),
        mlm_head_name="pred_layer",
        mlm_suffix="WithLMHeadModel",
        **others,
    )


ARCHITECTURES: Mapping[str, Architecture] = {
    "bert": Architecture(
        "Bert",
        "bert.",
        renames=(),
        next_sentence_head=("cls.seq_relationship.weight", "cls.seq_relationship.bias"),
        sequence_head=SequenceHead("pooler.dense", "tanh", "classifier"),
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
        config_defaults=_sizes(layers=6, types=0),
        fixed_settings=("layer_norm_eps", "type_vocab_size"),
        pooler=(),
        mlm_head_name="vocab_transform",
        has_one_mlm_bias=True,
        sequence_head=SequenceHead("pre_classifier", "relu", "classifier"),
    ),
    "electra": Architecture(
        "Electra",
        "electra.",
        config_defaults=_sizes(hidden=256, heads=4),
        pooler=(),
        mlm_head=_GENERATOR_TENSORS,
        mlm_head_name="generator_predictions",
    ),
    "albert": Architecture(
        "Albert",
        "albert.",
        config_defaults=_sizes(vocab=30000, hidden=4096, heads=64),
        special_tokens=_MIXED_TOKENS,
        vocabulary=_PIECES,
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
        vocabulary=_NO_WORDPIECES,
        mlm_head=_LM_HEAD_TENSORS,
        mlm_head_name="lm_head",
        positions_follow_padding=True,
    ),
    "deberta-v2": Architecture(
        "DebertaV2",
        "deberta.",
        config_defaults=_sizes(vocab=128100, hidden=1536, layers=24, heads=24, types=0),
        vocabulary=Vocabulary("spm.model", is_wordpieces=False),
        pooler=(),
    ),
    "modernbert": Architecture(
        "ModernBert",
        "model.",
        config_defaults=_sizes(vocab=50368, layers=22, positions=8192, types=0),
        pooler=(),
        fixed_settings=("type_vocab_size",),
        mlm_head=("head.dense.weight", "head.norm.weight"),
        mlm_head_name="head",
        classifier_with_mlm_names=("classifier.weight",),
        has_one_mlm_bias=True,
        final_norm="final_norm",
    ),
    "bert-generation": Architecture(
        "BertGeneration",
        "bert.",
        config_defaults=_sizes(vocab=50358, hidden=1024, layers=24, heads=16, types=0),
        fixed_settings=("type_vocab_size",),
        special_tokens=SpecialTokens(unk="<unk>", sep="<::::>", pad="<pad>", cls="<s>"),
        vocabulary=_PIECES,
        pooler=(),
        mlm_head=(),
        body_suffix="Encoder",
        mlm_suffix="",
    ),
    "big_bird": Architecture(
        "BigBird",
        "bert.",
        config_defaults=_sizes(vocab=50358, positions=4096),
        special_tokens=_MIXED_TOKENS,
        vocabulary=_PIECES,
        pooler=("pooler.weight", "pooler.bias"),
        # The class changes to full attention at the first short text and keeps it, so texts would depend on others.
        overrides={"attention_type": "original_full"},
    ),
    "convbert": Architecture(
        "ConvBert",
        "convbert.",
        pooler=(),
        mlm_head=_GENERATOR_TENSORS,
        mlm_head_name="generator_predictions",
        allows_padding=False,
        head_divisor=("head_ratio", 2),
    ),
    "data2vec-text": _like_roberta("Data2VecText", "data2vec_text."),
    "deberta": Architecture(
        "Deberta", "deberta.", config_defaults=_sizes(vocab=50265, types=0), vocabulary=_BYTE_PAIRS, pooler=()
    ),
    "ernie": Architecture("Ernie", "ernie."),
    "esm": _like_roberta(
        "Esm",
        "esm.",
        config_defaults=_sizes(vocab=33, positions=1026, types=0),
        fixed_settings=("type_vocab_size",),
        special_tokens=_PROTEIN_TOKENS,
        vocabulary=_NO_WORDPIECES,
        position_types=("absolute", "rotary"),
        final_norm="encoder.emb_layer_norm_after",
    ),
    "esmc": Architecture(
        "Esmc",
        "esmc.",
        config_defaults=_sizes(vocab=64, hidden=2560, layers=80, heads=40, positions=2048, types=0),
        fixed_settings=("type_vocab_size",),
        special_tokens=_PROTEIN_TOKENS,
        pooler=(),
        mlm_head=_LM_HEAD_TENSORS,
        mlm_head_name="lm_head",
        final_norm="norm",
    ),
    "eurobert": Architecture(
        "EuroBert",
        "model.",
        config_defaults=_sizes(vocab=128256, positions=8192, types=0),
        fixed_settings=("type_vocab_size",),
        special_tokens=SpecialTokens(
            sep="<|end_of_text|>", pad="<|end_of_text|>", cls="<|begin_of_text|>", mask="<|mask|>"
        ),
        pooler=(),
        mlm_head=("lm_head.weight",),
        mlm_head_name="lm_head",
        final_norm="norm",
    ),
    "flaubert": _like_xlm("Flaubert", refused_settings={"pre_norm": True}),
    "fnet": Architecture(
        "FNet",
        "fnet.",
        config_defaults=_sizes(vocab=32000, types=4, heads=0),
        fixed_settings=("num_attention_heads",),
        special_tokens=_MIXED_TOKENS,
        vocabulary=_PIECES,
        has_attentions=False,
        allows_padding=False,
    ),
    "gte": Architecture(
        "Gte",
        "gte.",
        old_tensor_prefix="new.",
        config_defaults=_sizes(vocab=250048, positions=8192, types=1),
        special_tokens=_ANGLE_BRACKET_TOKENS,
        vocabulary=_UNIGRAMS,
        pooler=(),
        mlm_head=("lm_head.dense.weight",),
        mlm_head_name="lm_head",
        position_types=("absolute", "rope"),
    ),
    "ibert": _like_roberta("IBert", "ibert."),
    "jina_embeddings_v3": _like_roberta(
        "JinaEmbeddingsV3",
        "roberta.",
        config_defaults=_sizes(vocab=250002, hidden=1024, layers=24, heads=16, positions=8194, types=1),
        vocabulary=_UNIGRAMS,
        positions_follow_padding=False,
        position_types=("absolute", "rotary"),
    ),
    # transformers returns the weights inside each token's window. Its classes with a head give some tokens global
    # attention, which changes the hidden states.
    "longformer": _like_roberta("Longformer", "longformer.", has_attentions=False, has_plain_heads=False),
    "luke": _like_roberta("Luke", "luke.", config_defaults=_sizes(vocab=50267)),
    "megatron-bert": Architecture(
        "MegatronBert",
        "bert.",
        config_defaults=_sizes(vocab=29056, hidden=1024, layers=24, heads=16),
        final_norm="encoder.ln",
    ),
    "mobilebert": Architecture(
        "MobileBert",
        "mobilebert.",
        config_defaults=_sizes(hidden=512, layers=24, heads=4),
        allows_padding=False,  # a token's embedding includes those of its neighbours
    ),
    "nomic_bert": Architecture(
        "NomicBert",
        "nomic_bert.",
        config_defaults=_sizes(vocab=30528, positions=2048),
        pooler=(),
        mlm_head=("cls.predictions.transform.dense.weight",),
    ),
    "nystromformer": Architecture(
        "Nystromformer",
        "nystromformer.",
        config_defaults=_sizes(vocab=30000, positions=510),
        special_tokens=_MIXED_TOKENS,
        vocabulary=_PIECES,
        pooler=(),
        allows_padding=False,  # a convolution over the values ignores the mask
    ),
    "rembert": Architecture(
        "RemBert",
        "rembert.",
        config_defaults=_sizes(vocab=250300, hidden=1152, layers=32, heads=18),
        special_tokens=_MIXED_TOKENS,
        vocabulary=Vocabulary("sentencepiece.model", is_wordpieces=False),
        mlm_head=("cls.predictions.dense.weight", "cls.predictions.LayerNorm.weight"),
    ),
    "roberta-prelayernorm": _like_roberta(
        "RobertaPreLayerNorm", "roberta_prelayernorm.", config_defaults=_sizes(vocab=50265), final_norm="LayerNorm"
    ),
    "roc_bert": Architecture(
        "RoCBert",
        "roc_bert.",
        vocabulary=_NO_WORDPIECES,
        token_features={"input_shape_ids": "word_shape.json", "input_pronunciation_ids": "word_pronunciation.json"},
    ),
    "roformer": Architecture(
        "RoFormer",
        "roformer.",
        config_defaults=_sizes(vocab=50000, positions=1536),
        vocabulary=_NO_WORDPIECES,
        pooler=(),
    ),
    "splinter": Architecture("Splinter", "splinter.", pooler=(), mlm_head=(), mlm_suffix=""),
    # transformers returns the scores before their softmax.
    "squeezebert": Architecture("SqueezeBert", "transformer.", has_attentions=False),
    "ultrabert": Architecture(
        "Ultrabert",
        "model.",
        old_tensor_prefix="ultrabert.",
        config_defaults=_sizes(vocab=32000, hidden=4096, layers=32, heads=32, positions=32768, types=0),
        fixed_settings=("type_vocab_size",),
        pooler=(),
        mlm_head=("head.linear1.weight", "head.linear2.weight"),
        mlm_head_name="head",
        final_norm="norm",
    ),
    "xlm": _like_xlm("XLM"),
    "xlm-roberta-xl": _like_roberta(
        "XLMRobertaXL",
        "roberta.",
        config_defaults=_sizes(vocab=250880, hidden=2560, layers=36, heads=32, positions=514, types=1),
        vocabulary=_UNIGRAMS,
        final_norm="encoder.LayerNorm",
    ),
    "xmod": _like_roberta("Xmod", "roberta.", vocabulary=_UNIGRAMS, required_settings={"default_language": "en_XX"}),
    "yoso": Architecture(
        "Yoso",
        "yoso.",
        config_defaults=_sizes(vocab=50265, positions=4096, types=1),
        special_tokens=_MIXED_TOKENS,
        vocabulary=_PIECES,
        pooler=(),
        has_attentions=False,  # transformers returns the values that they weight
        allows_padding=False,
    ),
}
