"""Random options, with the names and types that the Typer app itself has, so that a new option is fuzzed at once."""

import random
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from typer.main import get_command

from bertcli.checkpoints.find import BUNDLED_FOLDER
from bertcli.checkpoints.translators import BUNDLED_LENS
from bertcli.cli.app import make_app
from tests.fuzz.texts import draw_text
from tests.tiny import WORDS

# Options for input, model and output, which tests.fuzz.cases draws; and --debug, which shows tracebacks.
_CHOSEN = {"texts", "file", "model", "format", "json", "output", "svg", "html", "png", "force", "debug"}
# Options that start other programs: Ray and a browser. tests/cluster and tests/cli have tests of them.
_NOT_FUZZED = {"on_ray", "ray_address", "open_page"}
_HELP = {"short_help", "full_help"}
# Values that make sense, by the name of the parameter. Others are drawn by type.
_VALUES: Mapping[str, Sequence[str]] = {
    "text_field": ("text", "text", "id", "other", "a\x1b[31m"),
    "id_field": ("id", "id", "text", "other"),
    "pair": ("how are you", "the cat [MASK]", ""),
    "word": ("how", "Cat", "cat", "zzz", "a b", "don't", "", "\u200b"),
    "layers": ("all", "-1", "0", "0,1,2", "1,1", "9", "x", ""),
    "layer": ("all", "-1", "0", "0,1", "9", "x"),
    "head": ("0", "1", "2", "-1", "9"),
    "label": ("previous", "self", "broad", "delimiter", "x"),
    "by": ("entropy", "-entropy", "distance", "x"),
    "stat": ("entropy", "entropy,self", "cls,sep,x", ""),
    "grid": ("entropy", "confidence", "x"),
    "from_token": ("how", "1", "[CLS]", "[MASK]", "-1", "99", "zz"),
    "rows": ("0-2", "1-1", "2-1", "0-", "-", "0-999", "a-b"),
    "cols": ("0-2", "1-1", "3", "0-999"),
    "ablate": ("0.0", "0.1,1.*", "-1.*", "1.0,0.2", "9.0", "0.99", "x", "", "*.*"),
    "pieces": ("1", "2", "1-3", "2-2", "3", "3-1", "0", "1-", "11", "x"),
    "versus": ("text", "id", "other", "B", "B", "how are you", ""),
    "only_words": ("are,is", "cat", "the cat", ",", "zzzz", "\u200b"),
    "group_by": ("id", "id,text", "other", "text,text", ",", ""),
    "target_field": ("text", "id", "other"),
    "targets": ("are,is", "@no-such-file", "@", "cat", '"New York",mat', ",", "", "zzzz", "中,é"),
    "device": ("cpu", "cpu", "auto", "cuda", "cuda:7", "mps", "tpu"),
    "revision": ("main", "v1", "../x"),
    "token": ("hf_abc", "", "é\n"),
    "max_length": ("3", "8", "16", "64", "65", "512", "99999999999999999999"),
    "overlap": ("0", "1", "5", "13", "64", "-1", "99999999999999999999"),
    "batch_tokens": ("1", "8", "64", "2048", "99999999999999999999"),
    "fields": (
        "text", "tokens,truncated,line", "token_str,text", "masks.predictions", "masks.position,masks.targets.target",
        "embedding", "words.word,text", "layer,entropy", "heads", "name,shape", "classes.class", "token", "model,bytes",
        "help", "zzz", "text,text", "text,,", "",
    ),
    "width": ("20", "40", "100", "300"),
    "mass": ("0", "0.5", "0.9", "1", "nan", "1e-9"),
    "lens_file": (
        str(BUNDLED_LENS), str(BUNDLED_LENS), str(BUNDLED_FOLDER / "model.safetensors"), "no-such-file", "", "."
    ),
    "steps": ("1", "3", "50", "0", "1001"),
    "seq": ("1", "3", "8", "64", "65", "512"),
    "batch": ("1", "2", "7"),
}  # fmt: skip
# Options that go together, by the names of their parameters. Options drawn at random mostly contradict each other.
_TOGETHER: Mapping[str, Sequence[Sequence[str]]] = {
    "encode": (
        ("pooling", "normalize"), ("tokens", "layers"), ("pooler", "layers"), ("similarity",), ("similarity", "top_k"),
        ("dedupe", "keep_text"),
        ("words",), ("words", "pretokenized", "word_pooling"), ("word", "similarity"), ("layers", "layer_op"),
        ("layers", "layer_op", "words"),
        ("shard_rows", "resume"), ("shard_rows", "dtype_out", "id_field"), ("batch_tokens", "batch_size"),
        ("long", "max_length"), ("long", "overlap"), ("long", "per_window"), ("ablate",), ("ablate", "pooler"),
    ),
    "fill-mask": (
        ("top_k",), ("mass", "entropy"), ("targets", "target_score"), ("target_field", "aggregate"),
        ("target_field", "target_score", "group_by"), ("joint", "order", "top_k"), ("score",),
        ("pieces",), ("pieces", "rank"), ("pieces", "top_k"), ("pieces", "long", "max_length"), ("pieces", "ablate"),
        ("score", "within_word"), ("score", "versus"), ("score", "versus", "pairs"), ("score", "versus", "aggregate"),
        ("score", "versus", "group_by"), ("score", "versus", "pairs", "only"), ("score", "only_words"),
        ("score", "words"), ("score", "words", "within_word", "pair"),
        ("score", "versus", "aggregate", "group_by"), ("lens", "top_k"), ("lens", "lens_file"),
        ("compare", "targets"), ("mutual",),
        ("long", "max_length"), ("long", "score"),
        ("ablate",), ("ablate", "lens"),
        ("head_effects",), ("head_effects", "targets"), ("head_effects", "ablate"),
        ("attribute",), ("attribute", "targets"), ("attribute", "ablate"), ("attribute", "baseline", "steps"),
        ("attribute", "words"), ("attribute", "words", "pair"),
        ("shard_rows", "resume"), ("score", "keep_text", "fields"), ("lens", "shard_rows"), ("mutual", "keep_text"),
    ),
    "attn": (
        ("layer", "head"), ("layer", "head", "words", "rows"), ("from_token", "top_k"), ("rollout", "cols"),
        ("head_distance",), ("stat", "by"), ("by", "top"), ("grid",), ("aggregate",), ("group",), ("label",),
        ("value_norms",), ("expansion",), ("long", "max_length"), ("ablate",), ("ablate", "expansion"),
        ("layers",), ("layers", "layer"), ("layers", "head"), ("layers", "expansion"), ("attribute",),
        ("attribute", "baseline", "steps"), ("attribute", "head_effects", "layers"), ("head_effects", "ablate"),
        ("shard_rows", "resume"), ("keep_text", "fields"), ("rollout", "shard_rows"),
    ),
    "shapes": (("batch", "seq"), ("run",), ("run", "seq"), ("weights",), ("tokens",), ("lengths",),
               ("lengths", "max_length")),
}  # fmt: skip
_WHOLE = ("1", "2", "3", "5", "20", "0", "-1", "1000000", "9223372036854775808")
_DECIMAL = ("0", "0.5", "1", "2", "-1", "inf", "nan", "1e309")


@cache
def all_parameters(command: str) -> Mapping[str, Any]:
    """Return all parameters of a command, by name."""
    group: Any = get_command(make_app([command]))
    context = group.make_context("bertcli", [], resilient_parsing=True)
    return {each.name: each for each in group.commands[command].get_params(context)}


def parameters(command: str) -> Mapping[str, Any]:
    """Return the parameters of a command that are to be drawn, by name."""
    return {name: each for name, each in all_parameters(command).items() if name not in _CHOSEN | _NOT_FUZZED | _HELP}


def draw_options(rng: random.Random, command: str) -> dict[str, list[str]]:
    """Return options of a command: the arguments of each, by the name of its parameter."""
    available = parameters(command)
    if command in _TOGETHER and rng.random() < 0.6:
        names = [name for name in rng.choice(_TOGETHER[command]) if name in available]
    else:
        names = rng.sample(sorted(available), min(rng.choice((0, 1, 1, 2, 3, 5)), len(available)))
    if "engine" in available and rng.random() < 0.25:
        names = [*names, "engine"]
    return {name: _arguments(rng, available[name]) for name in names}


def _arguments(rng: random.Random, parameter: Any) -> list[str]:
    option = rng.choice(parameter.opts)
    if parameter.is_flag:
        return [option]
    value = _draw_value(rng, parameter)
    return [f"{option}={value}"] if option.startswith("--") and rng.random() < 0.2 else [option, value]


def _draw_value(rng: random.Random, parameter: Any) -> str:
    if rng.random() < 0.04:
        return rng.choice(("", "-", "None", draw_text(rng).replace("\0", "")))
    if parameter.name in _VALUES:
        return rng.choice(_VALUES[parameter.name])
    if choices := getattr(parameter.type, "choices", None):
        return str(rng.choice([getattr(choice, "value", choice) for choice in choices]))
    if "int" in parameter.type.name:
        return rng.choice(_WHOLE)
    if "float" in parameter.type.name:
        return rng.choice(_DECIMAL)
    return rng.choice((*WORDS, "0", "text"))
