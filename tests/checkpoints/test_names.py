"""Names of models, and the hub's rule for them."""

import pytest
from huggingface_hub.errors import HFValidationError
from huggingface_hub.utils import validate_repo_id
from hypothesis import given
from hypothesis import strategies as st

from bertcli.checkpoints.names import cached_names, is_commit, is_repository_name, repository_name, shortest_name

names = st.text(st.sampled_from("abzAZ09-_./é "), max_size=12) | st.from_regex(r"\A[a-z-]{0,99}/[a-z.]{0,99}\Z")


@given(names)
def test_every_accepted_name_is_valid_on_the_hub(name: str) -> None:
    if is_repository_name(name):
        validate_repo_id(name)


@given(st.from_regex(r"\A[A-Za-z0-9_][\w.-]{0,20}/?[\w.-]{0,20}\Z"))
def test_every_valid_name_on_the_hub_is_accepted(name: str) -> None:
    try:
        validate_repo_id(name)
    except HFValidationError:
        return
    # The word boundaries in its pattern allow a few marks at the ends, which no model name has.
    if name.isascii() and not any(part.startswith((".", "-")) or part.endswith((".", "-")) for part in name.split("/")):
        assert is_repository_name(name)


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "./bert", "../bert", "/bert", "~/bert", "a/b/c", "a//b", "a/", "-m", "a--b", "a..b", "x.git"],
)
def test_a_path_is_not_a_model_name(name: str) -> None:
    assert not is_repository_name(name)


@pytest.mark.parametrize(
    ("first", "full"),
    [
        ("bert-base-uncased", "google-bert/bert-base-uncased"),
        ("roberta-large", "FacebookAI/roberta-large"),
        ("xlm-roberta-base", "FacebookAI/xlm-roberta-base"),
        ("distilbert-base-uncased", "distilbert/distilbert-base-uncased"),
        ("albert-xxlarge-v2", "albert/albert-xxlarge-v2"),
        ("camembert-base", "almanach/camembert-base"),
    ],
)
def test_a_model_without_owner_has_two_names(first: str, full: str) -> None:
    assert repository_name(first) == repository_name(full) == full
    assert set(cached_names(first)) == set(cached_names(full)) == {first, full}
    assert (cached_names(first)[0], cached_names(full)[0]) == (first, full)
    assert shortest_name(full) == first


def test_a_short_name_is_not_a_repository() -> None:
    assert cached_names("bert-mini") == ("google/bert_uncased_L-4_H-256_A-4",)
    assert shortest_name("google/bert_uncased_L-4_H-256_A-4") == "bert-mini"


def test_other_names_stay_as_they_are() -> None:
    assert cached_names("my/bert") == ("my/bert",)
    assert repository_name("my/bert") == shortest_name("my/bert") == "my/bert"


@pytest.mark.parametrize("revision", ["main", "0" * 39, "0" * 41, "0" * 39 + "g", "A" * 40])
def test_branches_and_short_hashes_are_not_commits(revision: str) -> None:
    assert not is_commit(revision)
    assert is_commit("0" * 40)
