"""Tiny random checkpoints of every supported family, each with a tokenizer of the family's own kind."""

import string
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import transformers
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors

from bertcli.checkpoints.families import ARCHITECTURES
from tests.tiny import LETTERS, VOCABULARY, WORDS, with_random_parameters

_ANGULAR = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
_PIECES = [*(f"▁{word}" for word in WORDS), "▁", *LETTERS, *string.punctuation]
_MERGES = [("Ġ", "h"), ("o", "w"), ("Ġh", "ow"), ("Ġ", "y"), ("o", "u"), ("Ġy", "ou"), ("Ġ", "a"), ("r", "e")]
_BYTES = [*sorted(pre_tokenizers.ByteLevel.alphabet()), *map("".join, _MERGES)]
_SMALL = {
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "intermediate_size": 40,
    "max_position_embeddings": 40,
}
# Fields that differ from _SMALL. All other fields, eps and activations among them, have the defaults of the family.
CONFIGS: Mapping[str, Mapping[str, Any]] = {
    "roberta": {"type_vocab_size": 1, "layer_norm_eps": 1e-5, "hidden_act": "gelu_new"},
    "xlm-roberta": {"type_vocab_size": 1, "layer_norm_eps": 1e-5},
    "camembert": {"type_vocab_size": 1, "tie_word_embeddings": False},
    "distilbert": {"activation": "relu"},
    "electra": {"embedding_size": 10},
    "albert": {"embedding_size": 10, "num_hidden_layers": 3},
    "mpnet": {},
    "deberta-v2": {"relative_attention": True, "pos_att_type": ["p2c", "c2p"], "position_biased_input": False},
    "modernbert": {"local_attention": 4, "pad_token_id": 1, "bos_token_id": 0, "cls_token_id": 0, "eos_token_id": 2,
                   "sep_token_id": 2, "num_hidden_layers": 4},
}  # fmt: skip
# The same for the families that only tests/model/test_families.py opens. They all have BERT's tokens here.
OTHER_CONFIGS: Mapping[str, Mapping[str, Any]] = {
    "bert-generation": {},
    "big_bird": {"attention_type": "original_full"},
    "convbert": {"num_attention_heads": 4, "embedding_size": 10},
    "data2vec-text": {"pad_token_id": 0},
    "deberta": {"relative_attention": True, "pos_att_type": ["p2c", "c2p"], "position_biased_input": False},
    "ernie": {"use_task_id": True},
    "esm": {"pad_token_id": 0, "mask_token_id": 4, "position_embedding_type": "rotary", "token_dropout": True},
    "esmc": {"pad_token_id": 0, "mask_token_id": 4},
    "eurobert": {"pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3, "num_key_value_heads": 1},
    "flaubert": {"pad_token_id": 0},
    "fnet": {"pad_token_id": 0, "type_vocab_size": 2},
    "gte": {"pad_token_id": 0, "type_vocab_size": 2},
    "ibert": {"pad_token_id": 0},
    "jina_embeddings_v3": {"pad_token_id": 0},
    "longformer": {"pad_token_id": 0, "attention_window": 4},
    "luke": {"pad_token_id": 0, "entity_vocab_size": 7, "entity_emb_size": 8},
    "megatron-bert": {},
    "mobilebert": {"embedding_size": 10, "intra_bottleneck_size": 12},
    "nomic_bert": {},
    "nystromformer": {"pad_token_id": 0},
    "rembert": {"input_embedding_size": 10, "output_embedding_size": 14},
    "roberta-prelayernorm": {"pad_token_id": 0},
    "roformer": {},
    "splinter": {},
    "squeezebert": {"embedding_size": 24},
    "ultrabert": {"num_hidden_layers": 4, "sliding_window": 2, "prediction_head_size": 20, "num_key_value_heads": 1},
    "xlm": {"pad_token_id": 0},
    "xlm-roberta-xl": {"pad_token_id": 0},
    "xmod": {"pad_token_id": 0, "languages": ["en_XX", "de_DE"], "default_language": "de_DE"},
    "yoso": {"pad_token_id": 0},
}
OWN_ENGINES = ("roberta", "xlm-roberta", "camembert", "distilbert", "modernbert")
WITH_POOLER = ("roberta", "xlm-roberta", "camembert", "albert", "mpnet")
MASKS = {"roberta": "<mask>", "xlm-roberta": "<mask>", "camembert": "<mask>", "mpnet": "<mask>"}


def save_family(folder: Path, model_type: str, *, std: float = 0.2, **config: Any) -> Path:
    """Save a checkpoint in the folder and return the folder.

    The checkpoint holds a body, an MLM head, a pooler if the family has one, and a tokenizer. std is the standard
    deviation of its parameters.
    """
    tokenizer = _tokenizer(model_type)
    tokenizer.save_pretrained(folder)
    family_config = transformers.AutoConfig.for_model(
        model_type,
        vocab_size=len(tokenizer),
        **_with_family_names(model_type, {**_SMALL, **{**CONFIGS, **OTHER_CONFIGS}[model_type], **config}),
    )
    architecture = ARCHITECTURES[model_type]
    model_class = transformers.AutoModelForMaskedLM if architecture.has_mlm_class else transformers.AutoModel
    model = with_random_parameters(model_class.from_config(family_config), std=std)
    model.save_pretrained(folder)
    if architecture.pooler:
        body = with_random_parameters(transformers.AutoModel.from_config(family_config), seed=1)
        prefix = f"{model.base_model_prefix}."
        pooler = {prefix + name: x for name, x in body.state_dict().items() if name.startswith("pooler.")}
        assert pooler
        tensors = dict(model.state_dict()) | pooler
        save_file({name: x.clone() for name, x in tensors.items()}, folder / "model.safetensors", {"format": "pt"})
    return folder


def _with_family_names(model_type: str, config: dict[str, Any]) -> dict[str, Any]:
    if model_type != "distilbert":
        return config
    names = {
        "hidden_size": "dim",
        "num_hidden_layers": "n_layers",
        "num_attention_heads": "n_heads",
        "intermediate_size": "hidden_dim",
    }
    return {names.get(name, name): value for name, value in config.items()}


def _tokenizer(model_type: str) -> transformers.PreTrainedTokenizerBase:
    scored = [(piece, -float(at)) for at, piece in enumerate(_PIECES)]
    if model_type in ("distilbert", "electra", *OTHER_CONFIGS):
        return transformers.BertTokenizer(vocab=_numbered(VOCABULARY))
    if model_type == "mpnet":
        return transformers.MPNetTokenizer(vocab=_numbered([*_ANGULAR[:3], "[UNK]", "<mask>", *VOCABULARY[5:]]))
    if model_type == "albert":
        special = ["<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]"]
        return transformers.AlbertTokenizer(vocab=[(token, 0.0) for token in special] + scored)
    if model_type == "deberta-v2":
        special = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"]
        return transformers.DebertaV2Tokenizer(vocab=[(token, 0.0) for token in special] + scored)
    if model_type in ("xlm-roberta", "camembert"):
        tokenizer_class = getattr(
            transformers, {"xlm-roberta": "XLMRobertaTokenizer", "camembert": "CamembertTokenizer"}[model_type]
        )
        return tokenizer_class(vocab=[(token, 0.0) for token in _ANGULAR] + scored)
    if model_type == "roberta":
        mask = transformers.AddedToken("<mask>", lstrip=True, special=True)
        return transformers.RobertaTokenizer(vocab=_numbered(_ANGULAR + _BYTES), merges=_MERGES, mask_token=mask)
    return _modernbert_tokenizer()


def _modernbert_tokenizer() -> transformers.PreTrainedTokenizerBase:
    """Return a byte-level tokenizer like RoBERTa's, with BERT's special tokens."""
    names = ["[CLS]", "[PAD]", "[SEP]", "[UNK]", "[MASK]"]
    tokenizer = Tokenizer(models.BPE(_numbered(names + _BYTES), _MERGES))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 0), ("[SEP]", 2)]
    )
    special = {f"{name[1:-1].lower()}_token": name for name in names[:4]}
    mask = transformers.AddedToken("[MASK]", lstrip=True, special=True)
    return transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, mask_token=mask, **special)


def _numbered(tokens: list[str]) -> dict[str, int]:
    return {token: id_ for id_, token in enumerate(dict.fromkeys(tokens))}
