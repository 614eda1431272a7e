"""Configs of Google's published BERTs, to show their shapes without a download.

Sources: Devlin et al. 2019 and the config.json of each repository; Turc et al. 2019 for the small models, which are
named by their sizes.
"""

from bertcli.checkpoints.config import BertConfig
from bertcli.checkpoints.names import repository_name, shortest_name

# Sizes of the vocabularies.
_UNCASED, _CASED, _CHINESE = 30522, 28996, 21128
_MULTILINGUAL_UNCASED, _MULTILINGUAL_CASED = 105879, 119547


def _base(vocab_size: int) -> BertConfig:
    return BertConfig(vocab_size=vocab_size)


def _large(vocab_size: int) -> BertConfig:
    return BertConfig(
        vocab_size=vocab_size, hidden_size=1024, num_hidden_layers=24, num_attention_heads=16, intermediate_size=4096
    )


def _small(layers: int, hidden: int) -> BertConfig:
    return BertConfig(
        vocab_size=_UNCASED,
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=hidden // 64,
        intermediate_size=4 * hidden,
    )


_CONFIGS = {
    "google-bert/bert-base-uncased": _base(_UNCASED),
    "google-bert/bert-base-cased": _base(_CASED),
    "google-bert/bert-large-uncased": _large(_UNCASED),
    "google-bert/bert-large-cased": _large(_CASED),
    "google-bert/bert-large-uncased-whole-word-masking": _large(_UNCASED),
    "google-bert/bert-large-cased-whole-word-masking": _large(_CASED),
    "google-bert/bert-base-multilingual-uncased": _base(_MULTILINGUAL_UNCASED),
    "google-bert/bert-base-multilingual-cased": _base(_MULTILINGUAL_CASED),
    "google-bert/bert-base-chinese": _base(_CHINESE),
    **{
        f"google/bert_uncased_L-{layers}_H-{hidden}_A-{hidden // 64}": _small(layers, hidden)
        for layers in (2, 4, 6, 8, 10, 12)
        for hidden in (128, 256, 512, 768)
    },
}


def published_config(model: str) -> BertConfig | None:
    """Return the config of a published BERT under any of its names, or None for another model."""
    return _CONFIGS.get(repository_name(model))


def has_bundled_vocabulary(model: str) -> bool:
    """Return True for the published uncased English models, which all share the bundled model's vocabulary."""
    config = published_config(model)
    return config is not None and config.vocab_size == _UNCASED


def published_names() -> list[str]:
    """Return the shortest name of each published BERT."""
    return [shortest_name(repository) for repository in _CONFIGS]
