"""bertcli models: the list in each format, and models that cannot be listed."""

from pathlib import Path

import pytest

from tests.cli.process import run
from tests.cli.terminal import show
from tests.hub import COMMIT, OTHER_COMMIT, files_in, fill_cache

KEYS = [
    "model", "revision", "refs", "family", "num_hidden_layers", "hidden_size", "num_attention_heads", "parameters",
    "bytes", "pooler", "mlm_head", "recipe", "recipe_error",
]  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, tiny_bert: Path) -> Path:
    """A cache with a model at two revisions, a damaged model and an unsupported one."""
    home = tmp_path_factory.mktemp("home")
    files = files_in(tiny_bert)
    fill_cache(home, "google-bert/bert-base-cased", files)
    fill_cache(home, "google-bert/bert-base-cased", files, OTHER_COMMIT, "v2")
    fill_cache(home, "my/damaged", {**files, "model.safetensors": b"damaged"})
    fill_cache(home, "openai-community/gpt2", {**files, "config.json": b'{"model_type": "gpt2"}'})
    return home


def test_json_has_every_model_and_the_skipped_ones(home: Path) -> None:
    finished = run("models", "--json", "-q", env={"HF_HOME": str(home)})
    document = finished.json()
    header = {name: document[name] for name in ("command", "model", "revision", "engine", "device", "dtype")}
    assert header == {"command": "models", **dict.fromkeys(("model", "revision", "engine", "device", "dtype"))}
    assert list(document)[-3:] == ["cache", "models", "left_out"]
    assert document["cache"] == f"{home}/hub"
    assert [list(model) for model in document["models"]] == [KEYS] * 3
    assert [(model["model"], model["revision"], model["refs"]) for model in document["models"]] == [
        ("bundled", None, []),
        ("bert-base-cased", COMMIT, ["main"]),
        ("bert-base-cased", OTHER_COMMIT, ["v2"]),
    ]
    assert [(each["model"], each["revision"]) for each in document["left_out"]] == [
        ("my/damaged", COMMIT),
        ("openai-community/gpt2", COMMIT),
    ]
    assert ["damaged" in each["reason"] or "gpt2" in each["reason"] for each in document["left_out"]] == [True, True]


def test_the_other_formats_have_a_row_for_each_model(home: Path) -> None:
    env = {"HF_HOME": str(home)}
    models = run("models", "--json", "-q", env=env).json()["models"]
    assert run("models", "--format", "jsonl", "-q", env=env).lines() == models
    for options, delimiter in (((), "\t"), (("--format", "csv"), ",")):
        header, *rows = run("models", *options, "-q", env=env).rows(delimiter)
        assert header == KEYS
        assert rows[1] == [
            "bert-base-cased",
            COMMIT,
            "main",
            "bert",
            "2",
            "24",
            "3",
            *rows[1][7:9],
            "true",
            "true",
            "",
            "",
        ]
        assert [row[0] for row in rows] == [model["model"] for model in models]


def test_a_terminal_shows_a_table_and_what_is_missing_from_it(home: Path) -> None:
    screen = show("models", width=80, env={"HF_HOME": str(home)})
    assert screen.exit_code == 0
    models = [line.split()[0] for line in screen.lines if "✓" in line]
    assert models == ["bundled", "bert-base-cased", "bert-base-cased"]
    assert f"bert · v2 · {OTHER_COMMIT[:8]}" in screen.lines
    assert screen.stderr == (
        "bertcli: note: not listed, since bertcli cannot open them: my/damaged, openai-community/gpt2 "
        "(--json gives the reasons)\n"
    )


def test_without_a_cache_there_is_the_bundled_model(tmp_path: Path) -> None:
    env = {"HF_HOME": str(tmp_path / "nowhere")}
    _, (name, *_) = run("models", env=env).rows()
    assert name == "bundled"
    assert not (tmp_path / "nowhere").exists()


def test_models_does_not_read_standard_input() -> None:
    assert run("models", stdin=b"not read").answer().stdout.startswith(b"model\t")


def test_listed_models_can_be_opened_by_name_and_revision(home: Path) -> None:
    env = {"HF_HOME": str(home)}
    for model in run("models", "--json", "-q", env=env).json()["models"][1:]:
        for revision in (model["revision"], model["revision"][:8], *model["refs"]):
            answer = run("shapes", "how", "-m", model["model"], "--revision", revision, "--json", env=env).json()
            assert answer["revision"] == model["revision"]
