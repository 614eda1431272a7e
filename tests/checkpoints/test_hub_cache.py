"""The hub's cache as bertcli reads it, compared with huggingface_hub."""

import subprocess
import sys
from pathlib import Path

import pytest
from huggingface_hub import scan_cache_dir, try_to_load_from_cache

from bertcli.checkpoints.hub_cache import cache_folder, cached_repositories, find_snapshot, refs, snapshots
from tests.hub import COMMIT, OTHER_COMMIT, fill_cache

FILES = {"config.json": b"{}"}
VARIABLES = [
    {},
    {"XDG_CACHE_HOME": "/x"},
    {"XDG_CACHE_HOME": "/x", "HF_HOME": "/h"},
    {"HF_HOME": "~/h"},
    {"HF_HOME": "/h", "HUGGINGFACE_HUB_CACHE": "/old"},
    {"HF_HOME": "/h", "HUGGINGFACE_HUB_CACHE": "/old", "HF_HUB_CACHE": "$HOME/new"},
]


@pytest.mark.parametrize("variables", VARIABLES, ids=str)
def test_the_cache_folder_is_that_of_huggingface_hub(
    variables: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("XDG_CACHE_HOME", "HF_HOME", "HUGGINGFACE_HUB_CACHE", "HF_HUB_CACHE"):
        monkeypatch.delenv(name, raising=False)
    env = {"HOME": str(tmp_path), **variables}
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    code = "from huggingface_hub.constants import HF_HUB_CACHE; print(HF_HUB_CACHE)"
    theirs = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, check=True).stdout
    assert str(cache_folder()) == theirs.strip()


def test_a_snapshot_is_the_one_that_huggingface_hub_opens(own_cache: Path) -> None:
    fill_cache(own_cache, "my/bert", FILES)
    fill_cache(own_cache, "my/bert", {"config.json": b"[]"}, OTHER_COMMIT, "v2")
    fill_cache(own_cache, "bert-base-uncased", FILES, ref="refs/pr/1")
    for repository, revision in (("my/bert", None), ("my/bert", "v2"), ("my/bert", COMMIT), ("my/bert", OTHER_COMMIT),
                                 ("bert-base-uncased", "refs/pr/1")):  # fmt: skip
        snapshot = find_snapshot(repository, revision)
        assert snapshot is not None
        theirs = try_to_load_from_cache(repository, "config.json", own_cache / "hub", revision)
        assert theirs == str(snapshot.folder / "config.json")
        assert snapshot.folder.name == snapshot.commit


def test_the_cache_is_listed_as_by_huggingface_hub(own_cache: Path) -> None:
    fill_cache(own_cache, "my/bert", FILES)
    fill_cache(own_cache, "my/bert", FILES, OTHER_COMMIT, "v2")
    fill_cache(own_cache, "bert-base-uncased", FILES, ref="refs/pr/1")
    (own_cache / "hub" / "datasets--my--texts" / "snapshots").mkdir(parents=True)
    theirs = {repo.repo_id: repo for repo in scan_cache_dir(own_cache / "hub").repos if repo.repo_type == "model"}
    assert list(cached_repositories()) == sorted(theirs)
    for repository, repo in theirs.items():
        assert {each.commit for each in snapshots(repository)} == {each.commit_hash for each in repo.revisions}
        assert refs(repository) == {name: each.commit_hash for name, each in repo.refs.items()}


def test_a_unique_short_hash_finds_its_commit(own_cache: Path) -> None:
    for commit in (COMMIT, COMMIT[:10] + OTHER_COMMIT[10:], OTHER_COMMIT):
        fill_cache(own_cache, "my/bert", FILES, commit, None)
    found = find_snapshot("my/bert", OTHER_COMMIT[:7])
    assert found is not None and found.commit == OTHER_COMMIT
    found = find_snapshot("my/bert", COMMIT[:11])
    assert found is not None and found.commit == COMMIT
    assert find_snapshot("my/bert", COMMIT[:10]) is find_snapshot("my/bert", OTHER_COMMIT[:6]) is None


@pytest.mark.parametrize(
    "revision", ["v3", OTHER_COMMIT, "../main", "/etc/passwd", ".", "", "main/x", "\0", "x" * 5000]
)
def test_an_unknown_revision_is_not_found(own_cache: Path, revision: str) -> None:
    fill_cache(own_cache, "my/bert", FILES)
    (own_cache / "hub" / "models--my--bert" / "main").write_text(COMMIT)
    if revision:
        assert find_snapshot("my/bert", revision) is None
    assert find_snapshot("my/other", revision) is None


@pytest.mark.parametrize(
    "content", [b"", b"../../../elsewhere", b"\xff\xfe", OTHER_COMMIT.encode(), COMMIT.encode() * 2]
)
def test_a_damaged_ref_is_not_found(own_cache: Path, content: bytes) -> None:
    fill_cache(own_cache, "my/bert", FILES)
    (own_cache / "hub" / "models--my--bert" / "refs" / "main").write_bytes(content)
    assert find_snapshot("my/bert", None) is None


def test_a_missing_cache_is_empty(own_cache: Path) -> None:
    assert list(cached_repositories()) == snapshots("my/bert") == []
    assert refs("my/bert") == {}
    assert find_snapshot("my/bert", None) is None
