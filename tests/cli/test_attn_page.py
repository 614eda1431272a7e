"""attn --html FILE, attn -o FILE.html and attn --open."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.cli.process import assert_failed, run
from tests.tiny import edit_config, random_model

TEXT = "the cat sat"


def data(page: Path) -> list[Any]:
    """The JSON in the page: about the model, then of each text."""
    found = re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', page.read_text(encoding="utf-8"))
    return [json.loads(each) for each in found]


def test_html_and_output_write_the_page_silently(tiny_bert: Path, tmp_path: Path) -> None:
    by_option, by_suffix = tmp_path / "a.html", tmp_path / "b.HTML"
    assert run("attn", "-m", tiny_bert, TEXT, "--html", by_option).answer().stdout == b""
    run("attn", "-m", tiny_bert, TEXT, "-o", by_suffix).answer()
    assert by_option.read_bytes() == by_suffix.read_bytes()
    assert by_option.read_bytes().startswith(b"<!DOCTYPE html>")
    assert by_option.read_bytes().endswith(b"</html>\n")


def test_the_page_holds_the_statistics_of_each_text(tiny_bert: Path, tmp_path: Path) -> None:
    texts = [TEXT, "how are you"]
    run("attn", "-m", tiny_bert, *texts, "--html", tmp_path / "a.html").answer()
    about, *shown = data(tmp_path / "a.html")
    records = run("attn", "-m", tiny_bert, *texts, "--json").records()
    for page, record in zip(shown, records, strict=True):
        assert page["tokens"] == record["tokens"]
        for numbers, head in zip(page["statistics"], record["heads"], strict=True):
            assert numbers == pytest.approx([head[name] for name in about["statistics"]], abs=1e-5)
        assert page["labels"] == [head["label"] for head in record["heads"]]


@pytest.mark.parametrize(
    ("options", "start"),
    [
        ([], {"view": "heads"}),
        (["--layer", "1", "--head", "2"], {"view": "heads", "layer": 1, "head": 2}),
        (["--grid", "entropy"], {"view": "statistics", "statistic": "entropy"}),
        (["--label", "broad"], {"view": "statistics", "find": "broad"}),
        (["--rollout"], {"view": "rollout"}),
    ],
)
def test_options_set_the_initial_view_of_the_page(
    tiny_bert: Path, tmp_path: Path, options: list[str], start: dict[str, Any]
) -> None:
    run("attn", "-m", tiny_bert, TEXT, "--html", tmp_path / "a.html", *options).answer()
    assert data(tmp_path / "a.html")[0]["start"] == start


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--html", "a.html", "-o", "b.html"], "--html"),
        (["--html", "a.html", "--svg", "b.svg"], "--svg"),
        (["--html", "a.txt"], ".html"),
        (["--html", "a.html", "--from", "cat"], "page"),
        (["--html", "a.html", "--aggregate"], "page"),
        (["--html", "a.html", "--expansion"], "page"),
        (["--html", "a.html", "--json"], "json"),
        (["--html", "a.html", "--layer", "2"], "layer 2"),
        (["--open"], "--open"),
        (["--open", "-o", "a.json"], "--open"),
    ],
    ids=" ".join,
)
def test_options_that_do_not_fit_the_page_are_wrong_usage(
    tiny_bert: Path, tmp_path: Path, options: list[str], word: str
) -> None:
    assert_failed(run("attn", "-m", tiny_bert, TEXT, *options, cwd=tmp_path), 2, word)
    assert list(tmp_path.iterdir()) == []


def test_only_force_replaces_an_existing_page(tiny_bert: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    path.write_text("mine")
    assert_failed(run("attn", "-m", tiny_bert, TEXT, "--html", path), 1, "a.html")
    assert path.read_text() == "mine"
    run("attn", "-m", tiny_bert, TEXT, "--html", path, "--force").answer()
    assert path.read_text(encoding="utf-8") != "mine"


def test_a_failed_text_is_left_out_of_the_page(tiny_bert: Path, tmp_path: Path) -> None:
    done = run("attn", "-m", tiny_bert, TEXT, "", TEXT, "--on-error", "skip", "--html", tmp_path / "a.html")
    assert done.exit_code == 1
    assert "bertcli: error: skipped 1 failed text\n" in done.stderr
    assert len(data(tmp_path / "a.html")) == 1 + 2


def test_encode_cannot_write_a_page(tiny_bert: Path, tmp_path: Path) -> None:
    assert_failed(run("encode", "-m", tiny_bert, TEXT, "-o", tmp_path / "a.html"), 2, ".html")


def test_a_checkpoint_without_an_mlm_head_has_no_predictions(own_tiny_bert: Path, tmp_path: Path) -> None:
    import transformers

    random_model(transformers.BertModel).save_pretrained(own_tiny_bert)
    edit_config(own_tiny_bert, architectures=["BertModel"])
    run("attn", "-m", own_tiny_bert, "how [MASK] you", "--html", tmp_path / "a.html").answer()
    about, text = data(tmp_path / "a.html")
    assert about["hasMlmHead"] is False
    assert text["masks"] == []


def test_the_page_holds_the_chosen_layers(tiny_bert: Path, tmp_path: Path) -> None:
    page = tmp_path / "a.html"
    run("attn", "-m", tiny_bert, TEXT, "--html", page, "--layers", "-1", "--layer", "1").answer()
    about, text = data(page)
    assert (about["layers"], about["layerNumbers"], about["start"]["layer"]) == (1, [1], 0)
    run("attn", "-m", tiny_bert, TEXT, "--html", page, "--force").answer()
    whole = data(page)
    assert whole[0]["layerNumbers"] == [0, 1]
    assert text["statistics"] == whole[1]["statistics"][whole[0]["heads"] :]


def test_the_page_cannot_start_with_a_layer_that_it_does_not_hold(tiny_bert: Path, tmp_path: Path) -> None:
    options = ["--html", tmp_path / "a.html", "--layers", "1", "--layer", "0"]
    done = run("attn", "-m", tiny_bert, TEXT, *options)
    assert_failed(done, 2, "layer 0")
    assert "hint: use --layer 1, or leave --layers out\n" in done.stderr


@pytest.mark.parametrize("options", [["--json"], ["--from", "cat"], ["--aggregate", "--group", "layer"]], ids=" ".join)
def test_layers_choose_the_rows_of_every_list_of_heads(tiny_bert: Path, options: list[str]) -> None:
    by_layers = run("attn", "-m", tiny_bert, TEXT, "--layers", "-1", *options).answer()
    assert by_layers.stdout == run("attn", "-m", tiny_bert, TEXT, "--layer", "1", *options).answer().stdout


def test_the_page_explains_the_predictions(tiny_bert: Path, tmp_path: Path) -> None:
    page, explained = tmp_path / "a.html", ["--attribute", "occlusion"]
    texts = ["how [MASK] you", TEXT]
    run("attn", "-m", tiny_bert, *texts, "--html", page, *explained, "--head-effects", "--layers", "1").answer()
    about, first, second = data(page)
    [mask] = first["masks"]
    [record] = run("fill-mask", "-m", tiny_bert, texts[0], *explained, "--json").records()
    [of_fill_mask] = record["masks"][0]["attributions"]
    [attribution] = mask["attributions"]
    assert attribution["target"] == of_fill_mask["target"] == mask["predictions"][0]["token"]
    assert attribution["values"] == [None if x is None else pytest.approx(x, abs=1e-4) for x in of_fill_mask["values"]]
    assert [len(layer) for layer in mask["headEffects"]["values"]] == [about["heads"]]
    assert second["masks"] == []


@pytest.mark.parametrize(("texts", "notes"), [(["how are you", TEXT], 1), (["how [MASK] you", TEXT], 0)])
def test_texts_without_a_mask_give_a_note(tiny_bert: Path, tmp_path: Path, texts: list[str], notes: int) -> None:
    done = run("attn", "-m", tiny_bert, *texts, "--html", tmp_path / "a.html", "--head-effects")
    assert done.exit_code == 0
    assert done.stderr.count("no text has a mask, so --head-effects had nothing to explain") == notes


def test_explanations_need_an_mlm_head(own_tiny_bert: Path, tmp_path: Path) -> None:
    import transformers

    random_model(transformers.BertModel).save_pretrained(own_tiny_bert)
    edit_config(own_tiny_bert, architectures=["BertModel"])
    text, of_fill_mask = "how [MASK] you", run("fill-mask", "-m", own_tiny_bert, "how [MASK] you")
    done = run("attn", "-m", own_tiny_bert, text, "--html", tmp_path / "a.html", "--attribute", "occlusion")
    assert (done.exit_code, done.stderr) == (of_fill_mask.exit_code, of_fill_mask.stderr)
    assert not (tmp_path / "a.html").exists()


def test_a_page_of_windows_has_places_and_explanations(tiny_bert: Path, tmp_path: Path) -> None:
    text = "how [MASK] you the cat 🙂 SAT on [MASK] mat"
    options = ["--long", "windows", "--max-length", "7", "--attribute", "occlusion", "--head-effects"]
    assert run("attn", "-m", tiny_bert, text, "--html", tmp_path / "a.html", *options).exit_code == 0
    _, *windows = data(tmp_path / "a.html")
    assert len(windows) > 1
    for window in windows:
        assert [span is None for span in window["spans"]] == [token in ("[CLS]", "[SEP]") for token in window["tokens"]]
        assert all(len(mask["attributions"][0]["values"]) == len(window["tokens"]) for mask in window["masks"])
    assert sum(len(window["masks"]) for window in windows) >= 2


def recording_browser(folder: Path) -> str:
    """Return a value of BROWSER for a browser that records the URL that it opens."""
    script = folder / "browser"
    script.write_text(f'#!/bin/sh\necho "$1" > {folder}/opened\n')
    script.chmod(0o755)
    return f"{script} %s"


def test_open_shows_the_page_in_the_browser(tiny_bert: Path, tmp_path: Path) -> None:
    env = {"BROWSER": recording_browser(tmp_path)}
    run("attn", "-m", tiny_bert, TEXT, "--html", "a page.html", "--open", cwd=tmp_path, env=env).answer()
    assert (tmp_path / "opened").read_text() == f"{(tmp_path / 'a page.html').as_uri()}\n"


def test_a_browser_that_does_not_start_gives_a_note(tiny_bert: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    done = run("attn", "-m", tiny_bert, TEXT, "--html", path, "--open", env={"BROWSER": "false %s", "PATH": "/bin"})
    assert done.exit_code == 0
    assert str(path) in done.stderr and path.exists()
