"""What people call a model, and what the hub calls it."""

import re

# Models published before the hub asked for an owner: their first names still lead to them, as their full ones do.
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
# Turc et al. 2019 call their smallest models so; the hub has them under their sizes.
SHORT_NAMES = {
    "bert-tiny": "google/bert_uncased_L-2_H-128_A-2",
    "bert-mini": "google/bert_uncased_L-4_H-256_A-4",
    "bert-small": "google/bert_uncased_L-4_H-512_A-8",
    "bert-medium": "google/bert_uncased_L-8_H-512_A-8",
}
_FULL_NAMES = SHORT_NAMES | {name: f"{owner}/{name}" for owner, names in _OWNERS.items() for name in names}
_FIRST_NAMES = {full: name for name, full in _FULL_NAMES.items()}

# The hub's own rule: one or two parts of letters, digits, -, _ and ., none of which ends in a mark.
_PART = r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,94}[A-Za-z0-9_])?"
_REPOSITORY = re.compile(rf"(?:{_PART}/)?{_PART}")
_COMMIT = re.compile(r"[0-9a-f]{40}")


def is_repository(model: str) -> bool:
    """Whether the hub could have a model of that name.

    >>> is_repository("google-bert/bert-base-uncased"), is_repository("./my-bert")
    (True, False)
    """
    return bool(_REPOSITORY.fullmatch(model)) and not re.search(r"--|\.\.|\.git$", model)


def is_commit(revision: str) -> bool:
    """Whether it is the full hash of a commit, which is one thing for ever, unlike a branch or a tag."""
    return bool(_COMMIT.fullmatch(revision))


def repository(model: str) -> str:
    """What the hub calls the model.

    >>> repository("bert-base-uncased"), repository("bert-tiny"), repository("my/own")
    ('google-bert/bert-base-uncased', 'google/bert_uncased_L-2_H-128_A-2', 'my/own')
    """
    return _FULL_NAMES.get(model, model)


def repositories(model: str) -> tuple[str, ...]:
    """Every name under which programs may have cached the model, the one that was asked for first.

    >>> repositories("bert-base-uncased")
    ('bert-base-uncased', 'google-bert/bert-base-uncased')
    """
    full = repository(model)
    names = (model, full, _FIRST_NAMES.get(full, full))
    return tuple(dict.fromkeys(name for name in names if name not in SHORT_NAMES))


def shortest(repository: str) -> str:
    """The shortest name that leads to the model.

    >>> shortest("FacebookAI/roberta-base"), shortest("my/own")
    ('roberta-base', 'my/own')
    """
    return _FIRST_NAMES.get(repository, repository)
