"""Help in two lengths, the version, and errors of usage."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bertcli import __version__
from bertcli.cli.help import APP, COMMANDS
from tests.cli.process import TEXT, assert_failed, environment, run
from tests.cli.terminal import spawn

ALL_COMMANDS = ("encode", "fill-mask", "shapes", "attn", "models")
# Options of every command that takes texts, by their names; those of one command below.
SHARED = {
    "-f", "--file", "--field", "--column", "--id-field", "--id-column", "--input-format",
    "--pair", "--pairs", "--on-error",
    "-m", "--model", "--revision", "--offline", "--token", "--engine", "--device", "--dtype",
    "--batch-tokens", "--batch-size", "--max-length", "--truncate", "--long", "--overlap",
    "--format", "--json", "--fields", "-o", "--output", "--svg", "--force", "--color", "--width",
    "--pager", "--no-pager",
    "-q", "--quiet", "--debug",
    "-h", "--help",
}  # fmt: skip
# Options of the commands that write folders of shards.
FOLDER = {"--keep-text", "--shard-rows", "--resume", "--ray", "--ray-address", "--actors", "--gpus-per-actor"}
OWN = {
    "encode": {"--pooling", "--normalize", "--no-normalize", "--prompt", "--prompt-name", "--tokens", "--layers",
               "--pooler", "--similarity", "-k", "--top-k", "--layer-op", "--words", "--word", "--word-pooling",
               "--pretokenized",
                "--no-labels",
                "--per-window",
               "--dtype-out", "--dedupe", *FOLDER, "--ablate"},
    "fill-mask": {
        "-k", "--top-k", "--mass", "--entropy", "--targets", "--target-field", "--target-score", "--joint", "--order",
        "--pieces", "--rank",
        "--score", "--within-word", "--words", "--lens", "--lens-file", "--compare", "--mutual", "--versus",
        "--only", "--only-words", "--aggregate", "--group-by",
        "--head-effects", "--attribute", "--baseline", "--steps", "--png", "--ablate", *FOLDER,
    },
    "shapes": {"--batch", "--seq", "--run", "--weights", "--tokens", "--lengths"},
    "attn": {
        "--layer", "--head", "--from", "-k", "--top-k", "--label", "--top", "--by", "--group", "--stat", "--grid",
        "--aggregate", "--rollout", "--value-norms", "--head-distance", "--words", "--rows", "--cols", "--html",
        "--open", "--png", "--expansion", "--ablate", "--layers", "--attribute", "--baseline", "--steps",
        "--head-effects", *FOLDER,
    },
}  # fmt: skip
# Options with fixed values, as --help shows them.
CHOICES = (
    "--engine auto|numpy|torch|transformers",
    "--dtype auto|float32|float16|bfloat16",
    "--on-error stop|skip",
    "--long error|truncate|windows",
    "--input-format auto|text|jsonl|csv|tsv|parquet",
    "--format auto|table|json|jsonl|csv|tsv|plain",
    "--color auto|always|never",
)
PANELS = {
    "encode": ["Input", "Vectors", "Model", "Output", "Corpus", "Other"],
    "fill-mask": ["Input", "Predictions", "Scores of texts", "Summaries", "Model", "Output", "Corpus", "Other"],
    "shapes": ["Input", "Shapes", "Model", "Output", "Other"],
    "attn": ["Input", "Heads", "Matrices", "Pages and pictures", "Model", "Output", "Corpus", "Other"],
    "models": ["Output", "Other"],
}


def option_names(help_text: str) -> set[str]:
    """Return the names of the options that a help lists."""
    entries = re.findall(r"^  (-.*?)(?:  |$)", help_text, re.MULTILINE)
    return {name for entry in entries for name in re.findall(r"(?<!\S)--?[a-z][a-z-]*", entry)}


def on_terminal(*arguments: str, columns: int) -> list[str]:
    """Return the lines that bertcli prints on a terminal of that width."""
    process = spawn(arguments, dimensions=(200, columns))
    lines = process.read().replace("\r\n", "\n").splitlines()
    process.close()
    assert process.exitstatus == 0
    return lines


@pytest.mark.parametrize("command", ["", *ALL_COMMANDS])
def test_short_help_fits_a_screen(command: str) -> None:
    lines = on_terminal(*filter(None, [command]), "-h", columns=80)
    assert len(lines) <= 40
    assert max(map(len, lines)) <= 80
    assert sum(line.startswith("  bertcli ") for line in lines) in (2, 3, 4)


@pytest.mark.parametrize("command", ALL_COMMANDS)
def test_short_help_has_a_sentence_examples_and_the_essential_options(command: str) -> None:
    text = run(command, "-h").answer().text
    assert text.startswith(f"Usage: bertcli {command} ")
    about = COMMANDS[command]
    assert about.summary.split()[0] in text.splitlines()[2]
    assert [example for example in about.examples if f"  {example}\n" not in text] == []
    assert set(about.essentials) <= option_names(text) < option_names(run(command, "--help").text)
    assert text.endswith("Use --help for all options.\n")


@pytest.mark.parametrize("command", ALL_COMMANDS)
@pytest.mark.parametrize("columns", [60, 80, 100, 200])
def test_full_help_is_as_wide_as_the_terminal_up_to_100_columns(command: str, columns: int) -> None:
    lines = [line for line in on_terminal(command, "--help", columns=columns) if not line.startswith("  bertcli ")]
    widest = max(map(len, lines))
    assert min(columns, 100) - 12 <= widest <= min(columns, 100)


@pytest.mark.parametrize("command", ALL_COMMANDS)
def test_full_help_groups_the_options(command: str) -> None:
    text = run(command, "--help").answer().text
    assert [line[:-1] for line in text.splitlines()[4:] if re.fullmatch(r"[A-Z][a-z ]+:", line)] == [
        "Examples", *PANELS[command],
    ]  # fmt: skip


@pytest.mark.parametrize("command", OWN)
def test_a_command_has_every_option(command: str) -> None:
    assert option_names(run(command, "--help").answer().text) == SHARED | OWN[command]


def test_models_takes_no_text_and_no_model() -> None:
    assert option_names(run("models", "--help").answer().text) == {
        "--format", "--json", "--fields", "-o", "--output", "--svg", "--force", "--color", "--width",
    "--pager", "--no-pager",
        "-q", "--quiet", "--debug",
        "-h", "--help",
    }  # fmt: skip


@pytest.mark.parametrize("command", OWN)
def test_full_help_shows_choices_defaults_and_variables(command: str) -> None:
    text = run(command, "--help").answer().text
    assert [choice for choice in CHOICES if choice not in text] == []
    assert "BERTCLI_MODEL" in text
    assert re.search(r"--dtype .*?\[default:\s+float32\]", text, re.DOTALL)


@pytest.mark.parametrize("about", [APP, *COMMANDS.values()], ids=["app", *COMMANDS])
def test_every_sentence_of_the_help_is_a_sentence(about: object) -> None:
    for sentence in (about.summary, about.details):  # type: ignore[attr-defined]
        assert re.fullmatch(r"[A-Z-].*\.", sentence), sentence


@pytest.mark.parametrize("command", ALL_COMMANDS)
def test_every_option_is_explained_in_a_sentence(command: str) -> None:
    text = run(command, "--help").answer().text
    options = text[text.index("\n\n", text.index("Examples:")) :]
    entries = re.split(r"\n  (?=\S)", options)[1:]
    for entry in entries:
        words = " ".join(entry.split("\n\n")[0].split())
        sentence = re.sub(r" \[[^\]]*\]$", "", words)
        assert sentence.endswith("."), entry


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_of_the_app_lists_the_commands(option: str) -> None:
    text = run(option).answer().text
    assert 'bertcli fill-mask "how [MASK] you"' in text
    listed = re.findall(r"^  ([a-z-]+)  ", text.partition("Commands:")[2].partition("Examples:")[0], re.MULTILINE)
    assert listed == list(ALL_COMMANDS)


def test_without_arguments_help_is_shown_as_wrong_usage() -> None:
    finished = run()
    assert (finished.exit_code, finished.text) == (2, "")
    assert finished.stderr == run("-h").text


def test_the_command_help_is_full_help() -> None:
    assert run("help").answer().text == run("--help").text
    assert run("help", "attn").answer().text == run("attn", "--help").text
    assert_failed(run("help", "fill"), 2, "there is no command 'fill'")


@pytest.mark.parametrize("option", ["--version", "-V"])
def test_the_version_is_the_packages(option: str) -> None:
    assert run(option).answer().text == f"bertcli {__version__}\n"


def test_the_console_script_is_the_module() -> None:
    script = shutil.which("bertcli", path=str(Path(sys.executable).parent))
    assert script is not None
    shown = subprocess.run([script, "--help"], capture_output=True, env=environment(), check=True).stdout
    assert shown == run("--help").stdout


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["attn", "-h"], ["help", "encode"]], ids=" ".join)
def test_help_and_version_load_no_library_that_computes(arguments: list[str]) -> None:
    lister = (
        "import atexit, sys\n"
        "atexit.register(lambda: print(*sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr))\n"
        f"sys.argv = ['bertcli', *{arguments!r}]\n"
        "from bertcli.__main__ import main\n"
        "main()\n"
    )
    process = subprocess.run([sys.executable, "-c", lister], capture_output=True, text=True, env=environment())
    loaded = set(process.stderr.split())
    assert "typer" in loaded
    assert loaded & {"torch", "transformers", "numpy", "tokenizers", "rich", "safetensors"} == set()


@pytest.mark.parametrize(
    ("arguments", "error", "hint"),
    [
        (("nonsense",), "there is no command 'nonsense'", "the commands are encode, fill-mask, shapes, attn, models"),
        (("fillmask", TEXT), "there is no command 'fillmask'", "did you mean fill-mask?"),
        ((TEXT,), "there is no command, only a text", f"did you mean: bertcli fill-mask '{TEXT}'"),
        (("how are you", "--json"), "only a text", "did you mean: bertcli encode 'how are you' --json"),
        (("--nonsense",), "bertcli has no option --nonsense", "run `bertcli --help`"),
        (("-m", "x", "fill-mask", TEXT), "-m must come after the command", "write bertcli fill-mask -m ..."),
        (("fill-mask", "--nonsense", TEXT), "fill-mask has no option --nonsense", "run `bertcli fill-mask --help`"),
        (("fill-mask", "--target", "a"), "fill-mask has no option --target", "did you mean --targets"),
        (("encode", "-m"), "-m needs a value", "run `bertcli encode --help`"),
        (("encode", "hi", "--quiet=yes"), "--quiet takes no value", "write only --quiet, or leave it out"),
        (("models", "bert"), "models does not take the argument 'bert'", "leave it out"),
        (("help", "--help"), "help has no option --help", "run `bertcli help`, or `bertcli help COMMAND`"),
        (("fill-mask", "--k", "3", TEXT), "fill-mask has no option --k", "did you mean -k?"),
        (("fill-mask", "-topk", "3", TEXT), "fill-mask has no option -t", "did you mean --top-k"),
        (
            ("fill-mask", "\u2014k", "3", TEXT),
            "the option '\u2014k' begins with another dash than a hyphen",
            "write -k;",
        ),
        (("fill-mask", "\u2013-top-k=3", TEXT), "begins with another dash than a hyphen", "write --top-k;"),
        (
            ("fill-mask", "--5"),
            "fill-mask has no option --5",
            "if it is a text, write -- before it, after all options: -- --5",
        ),
        (
            ("encode", "-hello"),
            "encode has no option -e",
            "If it is a text, write -- before it, after all options: -- -hello",
        ),
        (
            ("fill-mask", "-a [MASK]"),
            "the text '-a [MASK]' begins with a dash",
            "write -- before it, after all options: -- '-a [MASK]'",
        ),
        (("fill-mask", "-how [MASK] you"), "the text '-how [MASK] you' begins", "-- '-how [MASK] you'"),
        (
            ("encode", "-friendly"),
            "the text '-friendly' begins with a dash",
            "write -- before it, after all options: -- -friendly",
        ),
        (
            ("encode", "hi", "--pool", "median"),
            "--pooling cannot be 'median'",
            "use one of auto, mean, cls, max, mean-sqrt, weighted-mean, last, pooler, lexical",
        ),
        (("encode", "hi", "--engine", "jax"), "--engine cannot be 'jax'", "use one of auto, numpy"),
        (
            ("encode", "hi", "--dtype", "int8"),
            "--dtype cannot be 'int8'",
            "use one of auto, float32, float16, bfloat16",
        ),
        (("encode", "hi", "--on-error", "ask"), "--on-error cannot be 'ask'", "use one of stop, skip"),
        (("encode", "hi", "--format", "xml"), "--format cannot be 'xml'", "use one of auto, table, json"),
        (("encode", "hi", "--color", "blue"), "--color cannot be 'blue'", "use one of auto, always, never"),
        (("encode", "hi", "--width", "3"), "--width cannot be '3'", "use a whole number of at least 20"),
        (("encode", "hi", "--batch-tokens", "0"), "--batch-tokens cannot be '0'", "a whole number of at least 1"),
        (("encode", "hi", "--max-length", "many"), "--max-length cannot be 'many'", "a whole number of at least 3"),
        (("fill-mask", TEXT, "-k", "0"), "--top-k cannot be '0'", "use a whole number of at least 1"),
        (("fill-mask", TEXT, "--mass", "1.5"), "--mass cannot be '1.5'", "use a number from 0 to 1"),
        (("fill-mask", TEXT, "--order", "random"), "--order cannot be 'random'", "use one of confidence, l2r"),
        (("fill-mask", TEXT, "--target-score", "max"), "--target-score cannot be 'max'", "use one of l2r, mean"),
        (("fill-mask", TEXT, "--within-word", "all"), "--within-word cannot be 'all'", "use one of original, l2r"),
        (("fill-mask", TEXT, "--rank", "max", "--pieces", "2"), "--rank cannot be 'max'", "use one of mean, sum"),
        (("fill-mask", TEXT, "--only", "a"), "--only cannot be 'a'", "use one of shared, b"),
        (("attn", "hi", "--head", "one"), "--head cannot be 'one'", "use a whole number"),
        (("attn", "hi", "--layer", "one"), "--layer", "one"),
        (("shapes", "--batch", "0", "--seq", "4"), "--batch cannot be '0'", "use a whole number of at least 1"),
    ],
)
def test_wrong_usage_is_reported_like_every_error(arguments: tuple[str, ...], error: str, hint: str) -> None:
    finished = run(*arguments)
    assert_failed(finished, 2, error)
    assert hint.rstrip("'") in finished.stderr.splitlines()[1] or hint == "one"
    assert not re.search(r"range x|not a valid|No such|Usage:|Error:", finished.stderr)
