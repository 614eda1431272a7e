"""The help of each command in words: what it does, its examples, and the options that most people need."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CommandHelp:
    """The words of a command's help.

    Attributes:
        summary: One sentence.
        details: What else there is to know, for --help.
        examples: Examples for -h and --help.
        more_examples: Further examples for --help.
        essentials: Options to list in -h.
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
            "bertcli encode -f corpus.jsonl --field body --id-field doc -o vectors.parquet",
            "bertcli encode -f 'corpus/*.parquet' -o vectors/ --resume",
            'bertcli encode "They met." --pair "They were friends." --pooling cls',
        ],
        essentials=["--file", "--pooling", "--normalize", "--tokens", "--layers", "--similarity", "--model", "--json",
                    "--output"],
    ),
    "fill-mask": CommandHelp(
        summary="Predict the token behind each [MASK], or score whole texts.",
        details="Each mask is predicted separately; the other masks stay masked. --joint, --score, --lens, --compare "
        "and --mutual are other analyses, one at a time; --score and --mutual need no mask.",
        examples=[
            'bertcli fill-mask "how [MASK] you"',
            'bertcli fill-mask "I live in [MASK]." --targets "Paris,New York"',
            'bertcli fill-mask "The keys are on the table." --score',
        ],
        more_examples=[
            'bertcli fill-mask "Thank you [MASK] [MASK]." --joint',
            'bertcli fill-mask "The capital of France is [MASK]." --lens --targets paris',
            'bertcli fill-mask "how [MASK] you" --compare bert-base-uncased',
            "bertcli fill-mask -f lines.txt --json | jq '.records[].masks[0].predictions[0].token_str'",
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
        more_examples=['bertcli shapes "Hello, how are you?" --run --json'],
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
        more_examples=["bertcli models --format tsv | cut -f 1"],
        essentials=["--json", "--output"],
    ),
}  # fmt: skip
