"""The configs of Google's published BERTs, so that their shapes can be told where they are not.

Sources: Devlin et al. 2019 and the config.json of each repository; Turc et al. 2019 for the small ones, whose sizes
are in their names.
"""

from bertcli.checkpoints.config import BertConfig
from bertcli.checkpoints.names import repository, shortest

# The vocabularies, by their sizes.
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
    """The config of a published BERT under any of its names; None of another model."""
    return _CONFIGS.get(repository(model))


def has_bundled_vocabulary(model: str) -> bool:
    """Whether it is one of the uncased English ones, which all have the vocabulary that ships inside."""
    config = published_config(model)
    return config is not None and config.vocab_size == _UNCASED


def published_names() -> list[str]:
    """The shortest name of each."""
    return [shortest(repository) for repository in _CONFIGS]
