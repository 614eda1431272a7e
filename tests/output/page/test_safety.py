"""Tests of safety: the page shows any text as text, never runs it, and makes no network request."""

import json
import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.cli.process import run
from tests.output.page import chromium
from tests.tiny import SPECIAL_TOKENS, random_model, write_vocabulary

# Each is a single token. None contains a space, because the tokenizer splits at spaces.
HOSTILE = [
    "</script>",
    "</script><script>document.title='gone'</script>",
    "<!--",
    "<img/src=x/onerror=document.title='gone'>",
    "<svg/onload=document.title='gone'>",
    "{{7*7}}",
    "${7*7}",
    "'\"&amp;<b>",
    "שלום",
    "مرحبا",
    "\u202egnp.exe",
    "🙂",
    "e\u0301",
    "\x1b[31m",
    "w" * 200,
    "##ing",
    "##ر",
    "javascript:alert(1)",
    "http://example.org/x.js",
]


@pytest.fixture(scope="module")
def hostile_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a tiny checkpoint whose vocabulary is HOSTILE and whose name is hostile too."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    folder = tmp_path_factory.mktemp("hostile") / "<img src=x onerror=alert(1)>"
    folder.mkdir()
    tokens = [*SPECIAL_TOKENS, *HOSTILE]
    random_model(vocab_size=len(tokens)).save_pretrained(folder)
    tokenizer = Tokenizer(models.WordLevel({token: id_ for id_, token in enumerate(tokens)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", None, [("[CLS]", 2), ("[SEP]", 3)])
    tokenizer.save(str(folder / "tokenizer.json"))
    write_vocabulary(folder, tokens)
    return folder


@pytest.fixture(scope="module")
def hostile_page(tmp_path_factory: pytest.TempPathFactory, hostile_bert: Path) -> Path:
    path = tmp_path_factory.mktemp("page") / "page.html"
    texts = [f"[MASK] {' '.join(HOSTILE)}", HOSTILE[1]]
    run("attn", "-m", hostile_bert, "--html", path, "--", *texts).answer()
    return path


@pytest.mark.parametrize("view", ["heads", "matrix", "model", "neuron", "statistics", "rollout", "masks"])
def test_hostile_tokens_are_shown_and_not_run(browser: Any, hostile_page: Path, view: str) -> None:
    with chromium.tab(browser, hostile_page) as tab:
        tab.open(f"view={view}")
        assert tab.page.title().startswith("Attention · ")
        assert tab.page.query_selector_all("img, svg, iframe, main script, b") == []
        assert tab.page.evaluate(
            "() => document.scripts.length === document.querySelectorAll('head ~ body script').length"
        )
        if view == "heads":
            shown = [element.text_content() for element in tab.page.query_selector_all(".queries li")][2:-1]
            spelt = {"\u202egnp.exe": "\\u{202e}gnp.exe", "\x1b[31m": "\\u{1b}[31m"}
            assert shown == [spelt.get(token, token) for token in HOSTILE]
            heights = tab.page.eval_on_selector_all(".queries li", "rows => rows.map((row) => row.offsetHeight)")
            assert set(heights) == {24}
            for row in range(1, len(HOSTILE), 4):
                tab.page.hover(f".queries [data-position='{row}']")


# The left edges of the first and the last character of each element that shows this token.
PLACES = """(token) => [...document.querySelectorAll("main *")]
    .filter((element) => element.childElementCount === 0 && element.textContent === token && element.offsetWidth)
    .map((element) => [0, token.length - 1].map((at) => {
        const range = document.createRange();
        range.setStart(element.firstChild, at);
        range.setEnd(element.firstChild, at + 1);
        return range.getBoundingClientRect().left;
    }))"""


@pytest.mark.parametrize("view", ["heads", "matrix", "neuron", "rollout", "masks"])
def test_a_piece_of_a_right_to_left_word_is_shown_as_the_tokenizer_spells_it(
    browser: Any, hostile_page: Path, view: str
) -> None:
    position = HOSTILE.index("##ر") + 2
    with chromium.tab(browser, hostile_page) as tab:
        tab.open(f"view={view}&token={position}")
        places = tab.page.evaluate(PLACES, "##ر")
        assert places
        assert all(first < last for first, last in places)


def test_a_text_is_escaped_above_the_views(browser: Any, hostile_bert: Path, tmp_path: Path) -> None:
    run("attn", "-m", hostile_bert, "--html", tmp_path / "one.html", "--", "\u202egnp.exe \x1b[31m").answer()
    with chromium.tab(browser, tmp_path / "one.html") as tab:
        spelt = "\\u{202e}gnp.exe \\u{1b}[31m"
        assert " ".join(filter(None, tab.open().texts("#surface .spelling"))) == spelt


def scripts_of(page: Path) -> list[tuple[str, str]]:
    """Return the type and content of each script element, as found by a parser that does not run scripts."""
    from html.parser import HTMLParser

    found: list[tuple[str, str]] = []

    class Finder(HTMLParser):
        def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
            self.inside = tag == "script"
            if self.inside:
                found.append((str(dict(attributes).get("type", "")), ""))

        def handle_endtag(self, tag: str) -> None:
            self.inside = False

        def handle_data(self, data: str) -> None:
            if getattr(self, "inside", False):
                found[-1] = (found[-1][0], found[-1][1] + data)

    finder = Finder(convert_charrefs=False)
    finder.feed(page.read_text(encoding="utf-8"))
    return found


def test_the_policy_allows_only_the_script_of_the_page_and_no_requests(hostile_page: Path) -> None:
    html = hostile_page.read_text(encoding="utf-8")
    [policy] = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', html)
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert set(rules) == {"default-src", "script-src", "style-src", "base-uri", "form-action"}
    [script] = [content for type_, content in scripts_of(hostile_page) if not type_]
    assert rules["script-src"] == f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'"
    assert "unsafe" not in policy
    assert html.index(policy) < html.index("<style") < html.index("<script")


def test_texts_and_the_model_name_are_data(hostile_page: Path, hostile_bert: Path) -> None:
    found = scripts_of(hostile_page)
    about, first, second = (json.loads(content) for type_, content in found if type_ == "application/json")
    assert about["run"]["model"] == str(hostile_bert)
    assert first["tokens"] == ["[CLS]", "[MASK]", *HOSTILE, "[SEP]"]
    assert second["tokens"] == ["[CLS]", HOSTILE[1], "[SEP]"]
    assert len([type_ for type_, _ in found if not type_]) == 1


def test_an_injected_script_does_not_run(browser: Any, hostile_page: Path) -> None:
    with chromium.tab(browser, hostile_page) as tab:
        tab.open()
        tab.page.evaluate(
            """() => { const s = document.createElement("script"); s.textContent = "document.title = 'gone'";
            document.body.append(s); const i = new Image(); i.src = "http://127.0.0.1:9/x.png"; document.body.append(i);
            return fetch("http://127.0.0.1:9/").catch(() => null) }"""
        )
        tab.settled()
        assert tab.page.title().startswith("Attention · ")
        assert len(tab.complaints) >= 3 and all("Content Security Policy" in said for said in tab.complaints)
        assert set(tab.requests) <= {"http://127.0.0.1:9/x.png"}  # attempted, and blocked by the policy
        tab.complaints.clear()
        tab.requests.clear()


def test_a_page_printed_to_a_terminal_does_not_control_it(hostile_page: Path) -> None:
    assert not set(hostile_page.read_bytes()) & {0x00, 0x07, 0x08, 0x0B, 0x0C, 0x0D, 0x0E, 0x0F, 0x1B, 0x7F}
