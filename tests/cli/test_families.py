"""Tests of families other than BERT, from the command line."""

from pathlib import Path

import pytest

from tests.cli.process import assert_failed, run
from tests.families import save_family


@pytest.fixture(scope="module")
def families(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of checkpoints, each named after its family."""
    folder = tmp_path_factory.mktemp("families")
    for model_type in ("roberta", "distilbert", "albert"):
        save_family(folder / model_type, model_type)
    return folder


def test_bracketed_mask_works_for_every_family(families: Path) -> None:
    # Run each text alone: in a batch, a matrix product may round the rows of two equal texts differently.
    berts_run, own_run = (
        run("fill-mask", "-m", families / "roberta", text, "--json").json()
        for text in ("how are [MASK]", "how are<mask>")
    )
    assert berts_run["engine"] == "numpy"
    [berts], [own] = berts_run["records"], own_run["records"]
    assert berts["masks"] == own["masks"]
    assert "<mask>" in berts["tokens"]


def test_a_target_is_a_whole_word_of_the_text(families: Path) -> None:
    [answer] = run("fill-mask", "-m", families / "roberta", "how are [MASK]", "--targets", "you", "--json").records()
    [target] = answer["masks"][0]["targets"]
    assert (target["token_str"], target["sequence"]) == (" you", "how are you")


def test_the_transformers_engine_runs_layers_that_bert_lacks(families: Path) -> None:
    answer = run("fill-mask", "-m", families / "albert", "how [MASK]", "--json").json()
    assert answer["engine"] == "transformers"
    refused = run("fill-mask", "-m", families / "albert", "how [MASK]", "--engine", "torch")
    assert_failed(refused, 2, "torch engine", "albert")


def test_an_output_that_a_family_lacks_is_reported(families: Path) -> None:
    shown = run("shapes", "-m", families / "distilbert", "how are you", "--format", "table").answer().text
    assert "DistilBertModel has no pooler_output" in shown
    assert shown.count("pooler") == 1
    tokens = run("encode", "-m", families / "distilbert", "how are you", "--format", "table").answer().text
    assert [line.split()[3] for line in tokens.splitlines() if line[:1].isdigit()] == ["-"] * 5
    refused = run("encode", "-m", families / "distilbert", "how", "--pool", "pooler")
    assert_failed(refused, 1, "has no pooler: DistilBertModel does not define one")


@pytest.mark.parametrize(("model_type", "counted"), [("distilbert", [13880, 14691]), ("albert", [None, None])])
def test_parameters_are_counted_for_families_with_bert_layers(
    families: Path, model_type: str, counted: list[int | None]
) -> None:
    classes = run("shapes", "-m", families / model_type, "how", "--json").json()["classes"]
    assert [each["parameters"] for each in classes] == counted
