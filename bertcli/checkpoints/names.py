"""Names of models: the short names that people use, and the full names on the hub."""

import re

# Models published before the hub required an owner. Their first names, without the owner, still work.
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
# Names in Turc et al. 2019 for their smallest models. The hub names them by their sizes.
SHORT_NAMES = {
    "bert-tiny": "google/bert_uncased_L-2_H-128_A-2",
    "bert-mini": "google/bert_uncased_L-4_H-256_A-4",
    "bert-small": "google/bert_uncased_L-4_H-512_A-8",
    "bert-medium": "google/bert_uncased_L-8_H-512_A-8",
}
_FULL_NAMES = SHORT_NAMES | {name: f"{owner}/{name}" for owner, names in _OWNERS.items() for name in names}
_FIRST_NAMES = {full: name for name, full in _FULL_NAMES.items()}

# The hub's rule: one or two parts of letters, digits, -, _ and ., each ending in a letter, digit or _.
_PART = r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,94}[A-Za-z0-9_])?"
_REPOSITORY = re.compile(rf"(?:{_PART}/)?{_PART}")
_COMMIT = re.compile(r"[0-9a-f]{40}")


def is_repository_name(model: str) -> bool:
    """Return True if a name follows the hub's rules.

    >>> is_repository_name("google-bert/bert-base-uncased"), is_repository_name("./my-bert")
    (True, False)
    """
    return bool(_REPOSITORY.fullmatch(model)) and not re.search(r"--|\.\.|\.git$", model)


def is_commit(revision: str) -> bool:
    """Return True for the full hash of a commit. Unlike a branch or tag, it never changes its meaning."""
    return bool(_COMMIT.fullmatch(revision))


def repository_name(model: str) -> str:
    """Return the full name of a model on the hub.

    >>> repository_name("bert-base-uncased"), repository_name("bert-tiny"), repository_name("my/own")
    ('google-bert/bert-base-uncased', 'google/bert_uncased_L-2_H-128_A-2', 'my/own')
    """
    return _FULL_NAMES.get(model, model)


def cached_names(model: str) -> tuple[str, ...]:
    """Return every name under which a program may have cached a model, the given name first.

    >>> cached_names("bert-base-uncased")
    ('bert-base-uncased', 'google-bert/bert-base-uncased')
    """
    full = repository_name(model)
    names = (model, full, _FIRST_NAMES.get(full, full))
    return tuple(dict.fromkeys(name for name in names if name not in SHORT_NAMES))


def shortest_name(repository: str) -> str:
    """Return the shortest name of a model that bertcli accepts.

    >>> shortest_name("FacebookAI/roberta-base"), shortest_name("my/own")
    ('roberta-base', 'my/own')
    """
    return _FIRST_NAMES.get(repository, repository)
