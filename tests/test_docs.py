"""README.md and docs/: their commands run and print what the pages show, and every option is explained once."""

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.forks import write_program
from tests.programs import needed
from tools.completions.app import Command, read_app, read_commands
from tools.docs.console import REPOSITORY, Result, blocks, examples, page_paths, run, write_files

PAGES = {path.relative_to(REPOSITORY).as_posix(): path.read_text(encoding="utf-8") for path in page_paths()}
EXAMPLES = {page: examples(text) for page, text in PAGES.items()}
COMMANDS = ("fill-mask", "encode", "shapes", "attn", "models")
# Commands that a test cannot run: they need the network, or take minutes.
NOT_RUN = ("pip install ", "python benchmarks/", "python -m tests.fuzz", ".ci/run")
# Programs other than Python that a command needs, by a word in the command.
PROGRAMS = {"jq": ("jq",), "make": ("make",), "letter.txt": ("vim", "jq")}
# Tolerance of a number on a page: one unit of its last digit.
TOLERANCE = 0.0011
# Sizes of files of text depend on the digits in them.
UNITS, SIZE_TOLERANCE = ("B", "KiB", "MiB"), 0.03
# Pages for the options that commands share.
SHARED_PAGES = ("docs/models.md", "docs/corpus.md", "docs/output.md")
# Phrases that plain English has a simpler word for.
PHRASES = (
    "told of", "tells of", "say of", "gone on with", "goes on behind", "elsewhere", "so many", "as many as", "each two",
    "comes to", "come to", "without an answer", "has room", "parted by", "stands in", "stands for", "whoever",
    "what it is that", "puts a question", "asks of", "has it", "is had", "may be had", "in the place of", "in place of",
)  # fmt: skip


def is_number(word: str) -> bool:
    return re.fullmatch(r"-?\d+(\.\d+)?(e-?\d+)?", word) is not None


def parts(output: str) -> list[str]:
    """Split an output into words, marks and whole numbers. Golden files hold the spaces between them."""
    return re.findall(r"-?\d+\.\d+(?:e-?\d+)?|[^\s,\[\]{}]+|[,\[\]{}]", output)


@pytest.fixture(scope="module")
def transcripts(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], list[Result]]:
    """Return a function that runs all commands of a page, in order and in one folder, and returns their results."""

    programs = tmp_path_factory.mktemp("programs")
    write_program(programs)

    @cache
    def transcript(page: str) -> list[Result]:
        folder = tmp_path_factory.mktemp("page")
        write_files(PAGES[page], folder)
        return [run(example.command, folder, programs) for example in EXAMPLES[page]]

    return transcript


@pytest.mark.parametrize(
    ("page", "number"),
    [
        pytest.param(page, number, id=f"{page}: {example.command}")
        for page in PAGES
        for number, example in enumerate(EXAMPLES[page])
    ],
)
def test_a_command_prints_what_the_page_shows(
    page: str, number: int, transcripts: Callable[[str], list[Result]]
) -> None:
    example, result = EXAMPLES[page][number], transcripts(page)[number]
    for word in PROGRAMS:
        if re.search(rf"\b{re.escape(word)}\b", example.command):
            for program in PROGRAMS[word]:
                needed(program)
    assert result.exit_code == 0, result.output
    expected, actual = parts(example.output), parts(result.output)
    assert len(expected) == len(actual), result.output
    for word, other, following in zip(expected, actual, [*expected, ""][1:], strict=True):
        if is_number(word) and is_number(other) and following in UNITS:
            assert float(other) == pytest.approx(float(word), rel=SIZE_TOLERANCE), result.output
        elif is_number(word) and is_number(other):
            assert float(other) == pytest.approx(float(word), abs=TOLERANCE), result.output
        else:
            assert other == word, result.output


def test_the_readme_begins_with_the_two_commands_of_the_set_up() -> None:
    assert blocks(PAGES["README.md"], "sh")[0].splitlines() == [
        'pip install -c constraints.txt . && bertcli fill-mask "how [MASK] you"',
        "pip install -c constraints.txt -e '.[test]' && pytest",
    ]


def test_the_readme_has_at_most_200_lines() -> None:
    assert len(PAGES["README.md"].splitlines()) <= 200


def test_ci_runs_the_two_commands_as_the_readme_spells_them() -> None:
    script = (REPOSITORY / ".ci" / "run").read_text(encoding="utf-8")
    assert "pip install -c constraints.txt -e '.[test]' && pytest" in script
    assert "pip install -c constraints.txt . && " in script
    assert 'bertcli fill-mask "how [MASK] you"' in script


def test_commands_outside_console_blocks_need_the_network_or_minutes() -> None:
    lines = [line for page in PAGES.values() for block in blocks(page, "sh") for line in block.splitlines()]
    assert lines
    assert [line for line in lines if not line.startswith(NOT_RUN)] == []


@pytest.mark.parametrize("page", ["README.md", *(f"docs/{command}.md" for command in COMMANDS)])
def test_a_page_shows_its_commands(page: str) -> None:
    for command in COMMANDS if page == "README.md" else [Path(page).stem]:
        assert any(f"bertcli {command}" in example.command for example in EXAMPLES[page]), command


def test_files_of_tests_and_benchmarks_that_a_page_names_exist() -> None:
    named = {name for page in PAGES.values() for name in re.findall(r"`((?:tests|benchmarks)/[\w./]+)`", page)}
    assert "tests/fuzz/test_checks.py" in named
    assert [name for name in sorted(named) if not (REPOSITORY / name).exists()] == []


def test_benchmarks_are_listed_on_the_performance_page() -> None:
    modules = (REPOSITORY / "benchmarks").glob("*.py")
    programs = {path.name for path in modules if "\ndef main(" in path.read_text(encoding="utf-8")}
    listed = set(re.findall(r"^\| `(\w+\.py)` \|", PAGES["docs/performance.md"], re.MULTILINE))
    assert listed == programs


def defined_options(page: str) -> list[str]:
    """Return the names in the first column of the page's option tables."""
    tables = re.findall(r"^\| option \|.*\n\|---.*\n((?:\|.*\n)*)", page, re.MULTILINE)
    first_cells = [re.split(r"(?<!\\)\|", row)[1] for table in tables for row in table.splitlines()]
    return [name for cell in first_cells for name in re.findall(r"`(-{1,2}[a-zA-Z][\w-]*)", cell)]


DEFINED = {page: defined_options(text) for page, text in PAGES.items()}


# `bertcli help` has no options.
WITH_OPTIONS = [command for command in (read_app(), *read_commands()) if command.options]


def test_all_commands_have_options_to_explain() -> None:
    assert {command.name for command in WITH_OPTIONS} == {"bertcli", *COMMANDS}


@pytest.mark.parametrize("command", WITH_OPTIONS, ids=lambda command: command.name)
def test_every_option_is_explained_on_exactly_one_page(command: Command) -> None:
    pages = [page for page in (f"docs/{command.name}.md", *SHARED_PAGES) if page in PAGES]
    places = {
        name: [page for page in dict.fromkeys(pages) for defined in DEFINED[page] if defined == name]
        for option in command.options
        for name in option.names
    }
    assert {name: pages for name, pages in places.items() if len(pages) != 1} == {}


def test_options_are_explained_on_no_other_page() -> None:
    allowed = {*SHARED_PAGES, *(f"docs/{command}.md" for command in COMMANDS)}
    assert [page for page in PAGES if DEFINED[page] and page not in allowed] == []


def test_every_explained_option_exists() -> None:
    names = {name for command in WITH_OPTIONS for option in command.options for name in option.names}
    assert {name for defined in DEFINED.values() for name in defined} - names == set()


def prose(page: str) -> str:
    """Return the page without code."""
    without_blocks = re.sub(r"^```.*?^```", "", page, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`\n]*`", "", without_blocks).lower()


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_in_plain_english(page: str) -> None:
    text = prose(PAGES[page])
    assert [phrase for phrase in PHRASES if re.search(rf"\b{phrase}\b", text)] == []


def anchors(page: str) -> set[str]:
    """Return the anchors of the headings of a page, as GitHub spells them."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```", "", page, flags=re.MULTILINE | re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    folder = (REPOSITORY / page).parent
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", PAGES[page]) if "://" not in link]
    for link in links:
        name, _, anchor = link.partition("#")
        path = folder / name if name else REPOSITORY / page
        assert path.exists(), link
        assert not anchor or anchor in anchors(path.read_text(encoding="utf-8")), link
