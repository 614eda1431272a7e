"""Tables in a pseudo-terminal: when they are drawn, and that they show every token and text."""

import json
import re
import unicodedata
from pathlib import Path

import pexpect
import pytest

from bertcli.output.formatting import visible
from tests.cli.process import COMMANDS, TEXT, printed, run
from tests.cli.terminal import Screen, show, spawn
from tests.tiny import SPECIAL_TOKENS, write_vocabulary

# Texts that rich would interpret: markup, closing tags, emoji names, styles and links.
MARKUP = ["[mask]", "[/b]", "[bold]", "[/]", ":smile:", "[link=x]", "\\[x]"]
CONTROLS = ["\x1b[31m", "\x1b]0;title\x07", "\u202e", "\x9b2J", "\x7f"]
SCRIPTS = ["שלום", "مرحبا", "中文", "한국어", "🙂", "e\u0301", "ｗｉｄｅ"]
AWKWARD = [*MARKUP, *CONTROLS, *SCRIPTS]
TABLES = {
    "encode": ("encode",),
    "fill-mask": ("fill-mask",),
    "shapes": ("shapes",),
    "attn": ("attn",),
    "attn of a head": ("attn", "--layer", "0", "--head", "0"),
}
TABLES_WITH_TEXT = [table for table in TABLES if table != "shapes"]


def columns(line: str) -> int:
    """Return the number of terminal columns that a line takes."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in line)
    return len(line) + wide - sum(unicodedata.combining(character) > 0 for character in line)


@pytest.fixture(scope="module")
def awkward_bert(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Create a tiny checkpoint whose vocabulary has only special tokens and awkward ones; return its folder."""
    from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers, processors

    from tests.tiny import random_model

    folder = tmp_path_factory.mktemp("awkward")
    tokens = [*SPECIAL_TOKENS, *AWKWARD]
    random_model(vocab_size=len(tokens)).save_pretrained(folder)
    tokenizer = Tokenizer(models.WordLevel({token: id_ for id_, token in enumerate(tokens)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", None, [("[CLS]", 2), ("[SEP]", 3)])
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in SPECIAL_TOKENS])
    tokenizer.save(str(folder / "tokenizer.json"))
    write_vocabulary(folder, tokens)
    return str(folder)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_terminal_gets_a_table_and_a_pipe_gets_tsv(tiny: tuple[str, str], command: str) -> None:
    screen = show(command, TEXT, *tiny)
    assert (screen.exit_code, screen.stderr) == (0, "")
    assert "\t" not in screen.text
    assert "─" in screen.text
    assert screen.text.replace("\n", "").count(tiny[1]) == 1  # the caption names the model
    assert printed(command, TEXT, *tiny).text.splitlines()[0].count("\t") >= 3


def test_format_overrides_the_default_in_a_pipe_and_on_a_terminal(tiny: tuple[str, str]) -> None:
    assert (
        run("shapes", TEXT, *tiny, "--format", "table", "--width", "120").answer().text
        == show("shapes", TEXT, *tiny, "--color", "never").text
    )
    assert show("shapes", TEXT, *tiny, "--format", "tsv").text == printed("shapes", TEXT, *tiny).text


@pytest.mark.parametrize("table", TABLES_WITH_TEXT)
def test_a_text_of_markup_and_control_characters_is_shown_in_full(tiny: tuple[str, str], table: str) -> None:
    text = f"[MASK] {' '.join(MARKUP + CONTROLS)} {' '.join(SCRIPTS)}"
    command, *options = TABLES[table]
    screen = show(command, *tiny, *options, "-q", "--", text, width=300)
    assert (screen.exit_code, screen.stderr) == (0, "")
    assert visible(text) in screen.text
    assert_harmless(screen)


@pytest.mark.parametrize("table", TABLES_WITH_TEXT)
@pytest.mark.parametrize("width", [60, 200])
def test_tokens_of_markup_and_control_characters_are_shown_in_full(awkward_bert: str, table: str, width: int) -> None:
    command, *options = TABLES[table]
    if command == "fill-mask":
        options = ["-k", str(len(AWKWARD) + len(SPECIAL_TOKENS))]
    screen = show(command, "-m", awkward_bert, *options, "--", " ".join(["[MASK]", *AWKWARD]), width=width)
    assert (screen.exit_code, screen.stderr) == (0, "")
    assert_harmless(screen)
    # Folding may split a token, but must not drop a character.
    squeezed = "".join(screen.text.split())
    assert [token for token in AWKWARD if visible(token) not in squeezed] == []
    assert max(map(columns, screen.lines)) <= width


@pytest.mark.parametrize("format_", ["json", "jsonl", "csv", "tsv"])
def test_rows_and_json_are_harmless_on_a_terminal_and_exact_elsewhere(
    awkward_bert: str, folder: Path, format_: str
) -> None:
    text = " ".join(["[MASK]", *AWKWARD])
    command = ("fill-mask", "-m", awkward_bert, "-k", str(len(AWKWARD)), "--format", format_, "--", text)
    screen = show(*command)
    assert (screen.exit_code, screen.stderr) == (0, "")
    assert screen.raw == screen.text
    controls = {character for character in screen.raw if unicodedata.category(character) in ("Cc", "Cf")}
    assert controls == ({"\n", "\t"} if format_ == "tsv" else {"\n"})
    exact = run(*command).answer().text
    assert text in exact.replace(r"\\", "\\").replace(r"\u001b", "\x1b").replace(r"\u0007", "\x07")
    if format_ == "json":
        assert json.loads(screen.raw) == json.loads(exact)
    run(*command[:5], "-o", folder / f"out.{format_}", *command[7:]).answer()
    assert (folder / f"out.{format_}").read_text() == exact


@pytest.mark.parametrize(
    "arguments",
    [("-f", f"{CONTROLS[0]}.txt"), ("-m", CONTROLS[1]), (f"--{CONTROLS[2]}",), (TEXT, "-o", CONTROLS[3])],
    ids=ascii,
)
def test_messages_are_harmless(folder: Path, arguments: tuple[str, ...]) -> None:
    finished = run("fill-mask", *arguments, cwd=folder)
    assert finished.exit_code in (1, 2)
    assert {each for each in finished.stderr if unicodedata.category(each) in ("Cc", "Cf")} == {"\n"}


def assert_harmless(screen: Screen) -> None:
    """Check that the output has no control characters, and none that change the direction of text."""
    controls = {character for character in screen.text if unicodedata.category(character) in ("Cc", "Cf")}
    assert controls <= {"\n"}


def test_names_of_tensors_are_not_markup(awkward_bert: str, folder: Path) -> None:
    from safetensors.numpy import load_file, save_file

    tensors = load_file(Path(awkward_bert) / "model.safetensors")
    names = ["[/b].weight", ":smile:", "\x1b[31mred"]
    save_file({**tensors, **dict.fromkeys(names, tensors["cls.predictions.bias"])}, folder / "model.safetensors")
    (folder / "config.json").write_bytes((Path(awkward_bert) / "config.json").read_bytes())
    screen = show("shapes", "--weights", "-m", folder, width=200)
    assert (screen.exit_code, screen.stderr) == (0, "")
    assert [name for name in names if visible(name) not in screen.text] == []
    assert_harmless(screen)


@pytest.mark.parametrize("table", TABLES)
def test_a_table_fits_the_width_option(tiny: tuple[str, str], table: str) -> None:
    command, *options = TABLES[table]
    screen = show(command, *tiny, *options, "--width", "60", "--", TEXT, width=200)
    assert screen.exit_code == 0
    assert 30 < max(map(columns, screen.lines)) <= 60


@pytest.mark.parametrize(
    ("options", "env", "is_coloured"),
    [
        ((), {}, True),
        ((), {"NO_COLOR": "1"}, False),
        (("--color", "never"), {}, False),
        (("--color", "always"), {"NO_COLOR": "1"}, True),
    ],
)
def test_colour_on_a_terminal(
    tiny: tuple[str, str], options: tuple[str, ...], env: dict[str, str], is_coloured: bool
) -> None:
    assert show("fill-mask", TEXT, *tiny, *options, env=env).is_coloured == is_coloured


def test_colour_in_a_pipe_needs_color_always(tiny: tuple[str, str]) -> None:
    plain, coloured = (
        run("fill-mask", TEXT, *tiny, "--format", "table", *options).answer().text
        for options in ((), ("--color", "always"))
    )
    assert "\x1b" not in plain
    assert "\x1b[" in coloured


def test_without_a_text_a_file_does_not_wait_for_the_terminal(tiny: tuple[str, str], folder: Path) -> None:
    screen = show("encode", *tiny, "-o", folder / "out.npy")
    assert (screen.exit_code, screen.raw) == (2, "")
    assert screen.stderr.startswith("bertcli: error: there is no text to read\nhint: ")


def test_arrays_are_written_to_a_file_and_not_to_the_terminal(tiny: tuple[str, str], folder: Path) -> None:
    screen = show("encode", TEXT, *tiny, "-o", folder / "out.npy")
    assert (screen.exit_code, screen.raw) == (0, "")
    assert (folder / "out.npy").stat().st_size == 128 + 24 * 4


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_arrays_are_refused_if_the_path_is_a_terminal(tiny: tuple[str, str], folder: Path, suffix: str) -> None:
    link = folder / f"link{suffix}"
    link.symlink_to("/dev/stdout")
    screen = show("encode", TEXT, *tiny, "-o", link)
    assert (screen.exit_code, screen.raw) == (1, "")
    assert screen.stderr.startswith(f"bertcli: error: {link} is a terminal")


def paged(pager: str, *arguments: str | Path, height: int = 12, **changes: str) -> pexpect.spawn:
    """Start bertcli with a pager and changes of the environment on a terminal of a few lines."""
    return spawn(arguments, env={"PAGER": pager, **changes}, dimensions=(height, 100))


def test_a_long_table_is_shown_in_the_pager_and_messages_follow_it(tiny: tuple[str, str]) -> None:
    process = paged("sed 's/^/paged /'", "encode", "how are ☃ you", *tiny)
    process.expect(pexpect.EOF)
    process.close()
    assert process.exitstatus == 0
    *table, note = re.sub(r"\x1b\[[0-9;]*m", "", process.before).splitlines()
    assert [line for line in table if not line.startswith("paged ")] == []
    assert note.startswith("bertcli: note: unknown to this model")


@pytest.mark.parametrize(
    ("pager", "options"), [("sed s/^/paged/", ("--no-pager",)), ("", ()), ("cat", ()), ("no-such-pager", ()), ("'", ())]
)
def test_a_table_is_not_paged_without_a_pager(tiny: tuple[str, str], pager: str, options: tuple[str, ...]) -> None:
    process = paged(pager, "encode", "how are you", *tiny, *options)
    process.expect(pexpect.EOF)
    assert "paged" not in process.before and "pooler_output" in process.before


def test_a_table_is_not_paged_on_a_terminal_that_cannot_move_its_cursor(tiny: tuple[str, str]) -> None:
    process = paged("sed s/^/paged/", "encode", "how are you", *tiny, TERM="dumb")
    process.expect(pexpect.EOF)
    assert "paged" not in process.before and "pooler_output" in process.before


def test_a_table_that_fits_is_not_paged_whatever_lines_says(tiny: tuple[str, str]) -> None:
    process = paged("sed s/^/paged/", "encode", "how are you", *tiny, height=50, LINES="12")
    process.expect(pexpect.EOF)
    assert "paged" not in process.before and "pooler_output" in process.before


def test_the_run_ends_when_the_user_leaves_the_pager(tiny: tuple[str, str], folder: Path) -> None:
    (folder / "texts.txt").write_text("how are you\n" * 20_000)
    process = paged("head -n 3", "encode", "-f", folder / "texts.txt", *tiny)
    process.expect(pexpect.EOF)
    process.close()
    assert process.exitstatus == 0
    assert process.before.count("\n") == 3
