"""Names of models on the hub, short and full, and the configs of the published BERTs."""

import re

from bertcli.checkpoints.config import BertConfig

# Models published before the hub required an owner. Their original names, without the owner, still work.
_OWNERS = {
    "google-bert": (
        "bert-base-uncased", "bert-base-cased", "bert-large-uncased", "bert-large-cased",
        "bert-large-uncased-whole-word-masking", "bert-large-cased-whole-word-masking",
        "bert-large-uncased-whole-word-masking-finetuned-squad", "bert-large-cased-whole-word-masking-finetuned-squad",
        "bert-base-multilingual-uncased", "bert-base-multilingual-cased", "bert-base-chinese",
        "bert-base-german-cased", "bert-base-german-dbmdz-cased", "bert-base-german-dbmdz-uncased",
        "bert-base-cased-finetuned-mrpc",
    ),
    "FacebookAI": (
        "roberta-base", "roberta-large", "roberta-large-mnli", "xlm-roberta-base", "xlm-roberta-large",
        "xlm-roberta-large-finetuned-conll02-dutch", "xlm-roberta-large-finetuned-conll02-spanish",
        "xlm-roberta-large-finetuned-conll03-english", "xlm-roberta-large-finetuned-conll03-german",
    ),
    "distilbert": (
        "distilbert-base-uncased", "distilbert-base-cased", "distilbert-base-multilingual-cased",
        "distilbert-base-german-cased", "distilbert-base-uncased-distilled-squad",
        "distilbert-base-cased-distilled-squad", "distilbert-base-uncased-finetuned-sst-2-english",
        "distilroberta-base",
    ),
    "openai-community": ("roberta-base-openai-detector", "roberta-large-openai-detector"),
    "albert": tuple(f"albert-{size}-v{number}" for number in (1, 2) for size in ("base", "large", "xlarge", "xxlarge")),
    "almanach": ("camembert-base",),
}  # fmt: skip
# Names that Turc et al. 2019 give their smallest models. The hub names them by their sizes.
SHORT_NAMES = {
    "bert-tiny": "google/bert_uncased_L-2_H-128_A-2",
    "bert-mini": "google/bert_uncased_L-4_H-256_A-4",
    "bert-small": "google/bert_uncased_L-4_H-512_A-8",
    "bert-medium": "google/bert_uncased_L-8_H-512_A-8",
}
_FULL_NAMES = SHORT_NAMES | {name: f"{owner}/{name}" for owner, names in _OWNERS.items() for name in names}
_SHORT_NAME_OF = {full: name for name, full in _FULL_NAMES.items()}
# The hub's rule: one or two parts of letters, digits, -, _ and ., each ending in a letter, digit or _.
_PART = r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,94}[A-Za-z0-9_])?"
_REPOSITORY = rf"(?:{_PART}/)?{_PART}"
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


def is_repository_name(model: str) -> bool:
    """Return True if a name follows the hub's rules.

    >>> is_repository_name("google-bert/bert-base-uncased"), is_repository_name("./my-bert")
    (True, False)
    """
    return bool(re.fullmatch(_REPOSITORY, model)) and not re.search(r"--|\.\.|\.git$", model)


def is_commit(revision: str) -> bool:
    """Return True for the full hash of a commit. Unlike a branch or tag, it always means the same files."""
    return bool(re.fullmatch(r"[0-9a-f]{40}", revision))


def repository_name(model: str) -> str:
    """Return the full name of a model on the hub.

    >>> repository_name("bert-base-uncased"), repository_name("bert-tiny"), repository_name("my/own")
    ('google-bert/bert-base-uncased', 'google/bert_uncased_L-2_H-128_A-2', 'my/own')
    """
    return _FULL_NAMES.get(model, model)


def is_published(model: str) -> bool:
    """Return True for the short or full name of a model that bertcli knows, wherever it is."""
    return model in _FULL_NAMES or model in _SHORT_NAME_OF


def cached_names(model: str) -> tuple[str, ...]:
    """Return every name under which a program may have cached a model, the given name first.

    >>> cached_names("bert-base-uncased")
    ('bert-base-uncased', 'google-bert/bert-base-uncased')
    """
    full = repository_name(model)
    names = (model, full, _SHORT_NAME_OF.get(full, full))
    return tuple(dict.fromkeys(name for name in names if name not in SHORT_NAMES))


def shortest_name(repository: str) -> str:
    """Return the shortest name that bertcli accepts for a model.

    >>> shortest_name("FacebookAI/roberta-base"), shortest_name("my/own")
    ('roberta-base', 'my/own')
    """
    return _SHORT_NAME_OF.get(repository, repository)


def published_config(model: str) -> BertConfig | None:
    """Return the config of a published BERT under any of its names, or None for any other model."""
    return _CONFIGS.get(repository_name(model))


def has_bundled_vocabulary(model: str) -> bool:
    """Return True for the published uncased English models, which all share the bundled model's vocabulary."""
    config = published_config(model)
    return config is not None and config.vocab_size == _UNCASED


def published_names() -> list[str]:
    """Return the shortest name of each published BERT."""
    return [shortest_name(repository) for repository in _CONFIGS]
