"""Help in two lengths: -h fits one screen, --help has every option, in groups. Both are plain text.

CommandHelp holds the text about each command. The text about each option is in bertcli.cli.options.
"""

import shutil
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

from bertcli.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class CommandHelp:
    """Text of a command's help.

    Attributes:
        summary: One sentence.
        details: Further sentences, for --help.
        examples: Examples for -h and --help.
        more_examples: Further examples for --help.
        essentials: Names of the options to list in -h.
    """

    summary: str
    details: str
    examples: Sequence[str]
    more_examples: Sequence[str]
    essentials: Sequence[str]


APP = CommandHelp(
    summary="Show what comes out of BERT: predictions, vectors, tensor shapes and attention.",
    details="The first argument is a command. A small BERT is included, so every command works offline.",
    examples=[
        'bertcli fill-mask "how [MASK] you"',
        'bertcli encode "Hello, how are you?"',
        'bertcli shapes "Hello, how are you?"',
        'bertcli attn "The cat sat on the mat"',
    ],
    more_examples=["cat lines.txt | bertcli encode - -o vectors.npy"],
    essentials=[],
)

COMMANDS = {
    "encode": CommandHelp(
        summary="Turn texts into vectors: one for each text, and on request one for each token or layer.",
        details="-o FILE.npy writes a matrix with a row for each text, .parquet a table, and .npz or .safetensors "
        "last_hidden_state. -o FOLDER/ writes Parquet shards, which --resume continues after an interruption.",
        examples=[
            'bertcli encode "Hello, how are you?"',
            "bertcli encode -f lines.txt -o vectors.npy",
            'bertcli encode "a cat" "a dog" "a car" --similarity',
        ],
        more_examples=[
            'bertcli encode "Hello, how are you?" --tokens --layers all --json',
            'bertcli encode "a river bank" "money in the bank" --word bank --similarity',
            "bertcli encode -f lines.txt --similarity --top-k 5 -o nearest.tsv",
            'bertcli encode Hello --layers -4,-3,-2,-1 --layer-op mean -o vectors.npy',
            "bertcli encode -f corpus.jsonl --field body --id-field doc -o vectors.parquet",
            "bertcli encode -f 'corpus/*.parquet' -o vectors/ --resume",
            'bertcli encode "They met." --pair "They were friends." --pooling cls',
        ],
        essentials=["--file", "--pooling", "--normalize", "--tokens", "--layers", "--similarity", "--model", "--json",
                    "--output"],
    ),
    "fill-mask": CommandHelp(
        summary="Predict the token behind each [MASK], or score whole texts.",
        details="Each mask is predicted separately; the other masks stay masked. --joint, --pieces, --score, --lens, "
        "--compare, --mutual, --head-effects and --attribute are other analyses, one at a time; --score and --mutual "
        "need no mask. --score --versus compares two texts.",
        examples=[
            'bertcli fill-mask "how [MASK] you"',
            'bertcli fill-mask "I live in [MASK]." --targets "Paris,New York"',
            'bertcli fill-mask "The keys are on the table." --score',
        ],
        more_examples=[
            'bertcli fill-mask "Thank you [MASK] [MASK]." --joint',
            'bertcli fill-mask "I bought a [MASK]." --pieces 1-3',
            'bertcli fill-mask "The capital of France is [MASK]." --lens --targets paris',
            'bertcli fill-mask "how [MASK] you" --compare bert-base-uncased',
            'bertcli fill-mask "The keys are here." --score --versus "The keys is here."',
            "bertcli fill-mask -f blimp.jsonl --field sentence_good --score --versus sentence_bad --aggregate",
            "bertcli fill-mask -f lines.txt --format jsonl | jq -c .masks",
        ],
        essentials=["--file", "--top-k", "--targets", "--joint", "--score", "--lens", "--compare", "--model", "--json",
                    "--output"],
    ),
    "shapes": CommandHelp(
        summary="Show the name and shape of every output of BertModel and BertForMaskedLM.",
        details="The shapes come from the config; neither torch nor weights are loaded. All texts together make one "
        "batch. The table also shows the size of each output and whether this checkpoint holds its weights.",
        examples=[
            'bertcli shapes "Hello, how are you?"',
            "bertcli shapes --batch 32 --seq 128 -m bert-base-uncased",
            "bertcli shapes --weights",
        ],
        more_examples=[
            'bertcli shapes "Hello, how are you?" --run --json',
            'bertcli shapes "Hello, how are you?" --tokens',
            "bertcli shapes -f lines.txt --lengths",
        ],
        essentials=["--batch", "--seq", "--run", "--weights", "--model", "--json", "--output"],
    ),
    "attn": CommandHelp(
        summary="Show what each attention head looks at.",
        details="The statistics of a head are averages over the tokens of a text: its entropy, and how much attention "
        "goes to the token itself, the previous and the next one, [CLS], [SEP] and punctuation. Layers and heads count "
        "from 0. -o FILE.npz holds all weights.",
        examples=[
            'bertcli attn "The cat sat on the mat"',
            'bertcli attn "The cat sat on the mat" --layer 2 --head 3',
            'bertcli attn "The cat sat on the mat" --html page.html --open',
        ],
        more_examples=[
            "bertcli attn -f lines.txt --aggregate --by -entropy --top 10",
            'bertcli attn "The cat sat on the mat" --from cat --layer 2',
            'bertcli attn "The cat sat on the mat" --grid entropy --png grid.png',
            "bertcli attn --expansion",
        ],
        essentials=["--file", "--layer", "--head", "--label", "--from", "--grid", "--aggregate", "--html", "--model",
                    "--json", "--output"],
    ),
    "models": CommandHelp(
        summary="List the models on this machine that -m can name.",
        details="These are the bundled model and the models in the hub's cache, each with its family, layers (L), "
        "hidden size (H), attention heads (A), parameters and size, and whether it has a pooler and an MLM head.",
        examples=["bertcli models", "bertcli models --json"],
        more_examples=["bertcli models --format plain"],
        essentials=["--json", "--output"],
    ),
}  # fmt: skip

_MIN_WIDTH, _MAX_WIDTH = 60, 100
# Columns for the names of options; longer names get a line of their own.
_NAMES_WIDTH = 26
# Old names that still work and are not shown.
HIDDEN_ALIASES = {"--pool"}
_PANEL_ORDER = ("Input", "Vectors", "Predictions", "Scores of texts", "Summaries", "Shapes", "Heads", "Matrices",
                "Pages and pictures", "Model", "Output", "Corpus", "Other")  # fmt: skip


def app_help(*, is_full: bool) -> str:
    """Return the help of bertcli itself.

    Args:
        is_full: Return the text of --help, not of -h.
    """
    lines = ["Usage: bertcli COMMAND [OPTIONS] [TEXT]...", "", *_wrap(APP.summary)]
    if is_full:
        lines += ["", *_wrap(APP.details)]
    lines += ["", "Commands:", *_table([(name, COMMANDS[name].summary) for name in COMMANDS])]
    lines += ["", *_examples(APP, is_full=is_full)]
    options = [("-h", "Show this help."), ("--help", "Show this help with more examples.")]
    options.append(("-V, --version", "Show the version."))
    lines += ["", "Options:", *_table(options), ""]
    return "\n".join([*lines, *_wrap("Run `bertcli COMMAND -h` for the options of a command.")])


def command_help(name: str, parameters: Sequence[Any], context: Any, *, is_full: bool) -> str:
    """Return the help of a command.

    Args:
        name: The command.
        parameters: Its parameters, as Typer's objects.
        context: Typer's context, which Typer needs to show values.
        is_full: Return the text of --help, not of -h.
    """
    about = COMMANDS[name]
    takes_texts = any(parameter.param_type_name == "argument" for parameter in parameters)
    usage = f"Usage: bertcli {name} [OPTIONS]{' [TEXT]...' if takes_texts else ''}"
    if is_full:
        lines = [usage, "", *_wrap(f"{about.summary} {about.details}"), "", *_examples(about, is_full=True)]
        return "\n".join([*lines, *_grouped(parameters, context)])
    essential = [parameter for each in about.essentials for parameter in parameters if each in parameter.opts]
    rows = [_row(parameter, context) for parameter in essential]
    lines = [usage, "", *_wrap(about.summary), "", *_examples(about, is_full=False), "", "Options:", *_table(rows), ""]
    return "\n".join([*lines, "Use --help for all options."])


def _examples(about: CommandHelp, *, is_full: bool) -> list[str]:
    examples = [*about.examples, *(about.more_examples if is_full else ())]
    return ["Examples:", *(f"  {example}" for example in examples)]


def _grouped(parameters: Sequence[Any], context: Any) -> Iterable[str]:
    panels: dict[str, list[tuple[str, str]]] = {panel: [] for panel in _PANEL_ORDER}
    for parameter in parameters:
        panels[parameter.rich_help_panel or "Other"].append(_row(parameter, context))
    for panel, rows in panels.items():
        if rows:
            yield from ("", f"{panel}:", *_table(rows))


def _row(parameter: Any, context: Any) -> tuple[str, str]:
    """Return the names of a parameter with its value, and its sentence with its default."""
    if parameter.param_type_name == "argument":
        return parameter.make_metavar(context), parameter.help
    every = [*parameter.opts, *parameter.secondary_opts]
    names = ", ".join(name for name in every if name not in HIDDEN_ALIASES)
    value = "" if parameter.is_flag else f" {_value(parameter)}"
    notes = _notes(parameter)
    return f"{names}{value}", f"{parameter.help} [{', '.join(notes)}]" if notes else parameter.help


def _notes(parameter: Any) -> list[str]:
    """Return the default of an option and its environment variable, if it has them."""
    notes = []
    if isinstance(parameter.show_default, str):
        notes.append(f"default: {parameter.show_default}")
    elif parameter.show_default and not parameter.is_flag and parameter.default not in (None, []):
        notes.append(f"default: {parameter.default}")
    if parameter.envvar:
        notes.append(f"variable: {parameter.envvar}")
    return notes


def _value(parameter: Any) -> str:
    choices = getattr(parameter.type, "choices", None)
    if choices and not parameter.metavar:
        return "|".join(map(str, (getattr(choice, "value", choice) for choice in choices)))
    return str(parameter.metavar)


def _table(rows: Sequence[tuple[str, str]]) -> list[str]:
    """Return rows of two columns, the second one wrapped."""
    width = _width()
    lines = []
    for name, text in rows:
        first, *rest = textwrap.wrap(text, width - _NAMES_WIDTH - 2, break_on_hyphens=False) or [""]
        if len(name) > _NAMES_WIDTH - 2:
            lines.append(f"  {name}")
            lines.append(f"{' ' * (_NAMES_WIDTH + 2)}{first}")
        else:
            lines.append(f"  {name:<{_NAMES_WIDTH}}{first}".rstrip())
        lines += [f"{' ' * (_NAMES_WIDTH + 2)}{line}" for line in rest]
    return lines


def _wrap(text: str) -> list[str]:
    return textwrap.wrap(text, _width(), break_on_hyphens=False)


def _width() -> int:
    return max(_MIN_WIDTH, min(shutil.get_terminal_size().columns, _MAX_WIDTH))
