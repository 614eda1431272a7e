"""Cases: a command line with its files, drawn from a seed."""

import random
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.fuzz.mutate import Files, mutated_checkpoint, mutated_folder
from tests.fuzz.options import draw_options
from tests.fuzz.texts import TextFile, draw_file, draw_text

COMMANDS = {"encode": 35, "fill-mask": 30, "attn": 20, "shapes": 10, "models": 5}
# Formats of standard output by the value of --format, and of files by suffix. `table` is not parsed.
_TEXT_SUFFIXES = (".json", ".jsonl", ".csv", ".tsv", ".svg")
_SUFFIXES: Mapping[str, Sequence[str]] = {
    "encode": (*_TEXT_SUFFIXES, *(".npy", ".npz", ".safetensors", ".parquet", "/", "/") * 2),
    "fill-mask": (*_TEXT_SUFFIXES * 2, ".npz", ".safetensors", ".png", "/"),
    "attn": (*_TEXT_SUFFIXES * 2, ".npz", ".safetensors", ".png", ".html", ".html", "/"),
    "shapes": _TEXT_SUFFIXES,
    "models": _TEXT_SUFFIXES,
}
# Options that need no texts, or that need Parquet.
_WITHOUT_TEXTS = {"batch", "seq", "weights", "expansion"}
_PARQUET_OPTIONS = {"keep_text", "dtype_out", "shard_rows", "resume", "dedupe"}
_NAMES = (*("out",) * 12, "o ut", "-out", "öut\u202e", "out\n", "[b]out", "out\udcff", "out.x")
_SIGNALS = (signal.SIGINT, signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL)
# Command lines without a command to run.
_STRAY = (
    ["help"],
    ["help", "x\x1b"],
    [],
    ["--version"],
    ["-h"],
    ["how [MASK] you"],
    ["encod", "a"],
    ["--json", "attn"],
)


@dataclass(frozen=True, slots=True)
class Fixtures:
    """Files that all cases use, and that no case may change.

    Attributes:
        home: Folder of the libraries' caches.
        checkpoints: Folders of valid checkpoints, by name.
        shards: Files of a folder that a run with `shard_arguments` has written halfway.
        shard_texts: The input of that run.
    """

    home: Path
    checkpoints: Mapping[str, Path]
    shards: Files
    shard_texts: bytes

    def shard_arguments(self) -> list[str]:
        """Return the command line of the run that has written the shards."""
        return [
            "encode", "-m", str(self.checkpoints["tiny"]), "-f", "in.jsonl", "--id-field", "id", "--keep-text",
            "--shard-rows", "3", "--on-error", "skip", "-o", "out/",
        ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Case:
    """A command line with its files, and the facts that the checks of its run need.

    Attributes:
        seed: The seed that it is drawn from.
        kind: "plain", "folder" for a resumed folder that is damaged, "kill" for a run that is killed and resumed.
        arguments: The command line without the name of the program.
        files: Files in the working directory before the run, by name.
        target: Name of the output file or folder, None for standard output.
        format: Format of the output, "" if it is not to be parsed.
        records: Number of input records, None if unknown.
        stdin: Standard input, None for an empty one.
        stdin_is_pipe, stdout, signals, file_size: As in Job.
        may_connect: The run names a model on the hub.
    """

    seed: int
    kind: str
    arguments: Sequence[str]
    files: Files = field(default_factory=dict)
    target: str | None = None
    format: str = ""
    records: int | None = None
    stdin: bytes | None = None
    stdin_is_pipe: bool = False
    stdout: str = "pipe"
    signals: Sequence[tuple[float, int]] = ()
    file_size: int | None = None
    may_connect: bool = False


def draw_case(seed: int, fixtures: Fixtures) -> Case:
    """Return the case of a seed."""
    rng = random.Random(seed)
    kind = rng.random()
    if kind < 0.02:
        return Case(seed, "plain", rng.choice(_STRAY))
    if kind < 0.10:
        return _draw_folder(rng, seed, fixtures)
    if kind < 0.15:
        return _draw_kill(rng, seed, fixtures)
    return _draw_plain(rng, seed, fixtures)


def _draw_plain(rng: random.Random, seed: int, fixtures: Fixtures) -> Case:
    command = rng.choices(list(COMMANDS), list(COMMANDS.values()))[0]
    options = draw_options(rng, command)
    case = Case(seed, "plain", [command])
    texts: list[str] = []
    if command != "models":
        case = _with_model(rng, case, fixtures, options)
        if not (_WITHOUT_TEXTS & {*options} and rng.random() < 0.8):
            case, texts = _with_input(rng, case, options)
        if "on_error" not in options and rng.random() < 0.6:
            options["on_error"] = ["--on-error", "skip"]
    if command == "encode" and {"words", "word"} & {*options}:  # files have a row for each word
        case = replace(case, records=None)
    case = _with_output(rng, case, command, options)
    if rng.random() < 0.08:
        first = rng.uniform(0.01, 0.5)
        again = [(first + rng.uniform(0, 0.1), int(signal.SIGINT))] if rng.random() < 0.3 else []
        case = replace(case, signals=[(first, int(rng.choice(_SIGNALS))), *again])
    elif rng.random() < 0.04:
        case = replace(case, file_size=rng.choice((0, 100, 4096, 65536)))
    more = [each for arguments in options.values() for each in arguments]
    return replace(case, arguments=[*case.arguments, *more, *texts])


def _with_model(rng: random.Random, case: Case, fixtures: Fixtures, options: dict[str, list[str]]) -> Case:
    """Add -m: a valid checkpoint, a damaged one, or a name that no model has. Let --compare name a model too."""
    names = sorted(fixtures.checkpoints)
    if "compare" in options:
        other = fixtures.checkpoints[rng.choice(names)]
        options["compare"] = ["--compare", rng.choice((str(other), str(other), "zzz"))]
    kind = rng.random()
    name, files = "tiny" if rng.random() < 0.6 else rng.choice(names), dict(case.files)
    model, may_connect = str(fixtures.checkpoints[name]), options.get("compare", [""])[-1] == "zzz"
    if kind < 0.05:
        return replace(case, may_connect=may_connect)
    if kind < 0.25:
        name = rng.choice(names)
        folder = fixtures.checkpoints[name]
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        valid = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
        files |= {f"model/{name}": content for name, content in mutated_checkpoint(rng, valid).items()}
        model = "model"
    elif kind < 0.28:
        model = rng.choice(("", ".", "nowhere", "bert-base", "./x", "a/b/c", "/dev/null", "\udcff", "a\x1b/b"))
        may_connect = True
    return replace(case, arguments=[*case.arguments, "-m", model], files=files, may_connect=may_connect)


def _with_input(rng: random.Random, case: Case, options: dict[str, list[str]]) -> tuple[Case, list[str]]:
    """Add texts: on standard input, in files, or as arguments, which are returned for the end of the command line."""
    kind = rng.random()
    if kind < 0.05:
        return case, []
    if kind < 0.4:
        texts = [draw_text(rng).replace("\0", "") for _ in range(rng.choice((1, 1, 1, 2, 3)))]
        if rng.random() < 0.03:
            texts[0] += "\udcff"
        records = len(texts) if "-" not in texts else None
        if rng.random() < 0.9:
            return replace(case, records=records), ["--", *texts]
        is_unclear = any(text.startswith("-") for text in texts)
        return replace(case, records=None if is_unclear else records), texts
    if kind < 0.6:
        file = draw_file(rng, has_pairs="pairs" in options)
        has_format = file.format != "text" or rng.random() < 0.2
        given = ["--input-format", file.format] if has_format else []
        is_unclear = "input_format" in options or file.suffix.endswith((".gz", ".zst", ".bz2"))
        case = replace(case, stdin=file.content, stdin_is_pipe=rng.random() < 0.6, records=_records(file, is_unclear))
        return replace(case, arguments=[*case.arguments, *given]), rng.choice(([], ["-"]))
    names, files, records = [], dict(case.files), 0
    for number in range(rng.choice((1, 1, 1, 1, 2, 3))):
        file = draw_file(rng, has_pairs="pairs" in options)
        stem = rng.choice((*("in",) * 9, "i n", "-in", "in\n", "ïn", "in\udcff", "in[1]", "[bold]in"))
        name = f"{stem}{number}{file.suffix}"
        if rng.random() < 0.97:
            files[name] = file.content
        names.append(name)
        is_unclear = "input_format" in options or ("pairs" in options and ".tsv" in file.suffix)
        counted = _records(file, is_unclear)
        records = None if records is None or counted is None else records + counted
    given = [each for name in names for each in (rng.choice(("-f", "--file")), name)]
    return replace(case, arguments=[*case.arguments, *given], files=files, records=records), []


def _records(file: TextFile, is_unclear: bool) -> int | None:
    return None if is_unclear else file.records


def _with_output(rng: random.Random, case: Case, command: str, options: Mapping[str, Sequence[str]]) -> Case:
    """Add the output: standard output of some kind in some format, or a file or folder, which may exist."""
    arguments = list(case.arguments)
    suffixes = _SUFFIXES[command]
    if rng.random() < 0.8:  # usually a format that can hold what the options request
        if _PARQUET_OPTIONS & {*options}:
            suffixes = (".parquet", "/") if command == "encode" else ("/",)
        elif command == "fill-mask" and "mutual" not in options:
            suffixes = _TEXT_SUFFIXES
        elif "similarity" in options:
            suffixes = (".json", ".svg", ".jsonl", ".tsv", ".csv")
    if suffixes not in ((".parquet", "/"), ("/",)) and rng.random() < 0.55:
        stdout = rng.choices(("pipe", "file", "terminal", "closed"), (60, 15, 20, 5))[0]
        format_ = rng.choice(("auto", "json", "json", "jsonl", "csv", "tsv", "table", "plain"))
        if format_ != "auto":
            arguments += ["--json"] if format_ == "json" and rng.random() < 0.5 else ["--format", format_]
        is_table = stdout == "terminal" or options.get("color", [""])[-1].endswith("always")
        shown = "table" if is_table and "fields" not in options else "tsv"
        return replace(case, arguments=arguments, stdout=stdout, format=shown if format_ == "auto" else format_)
    suffix = rng.choice(suffixes)
    target = rng.choice(_NAMES) + suffix
    files = dict(case.files)
    if rng.random() < 0.25:
        files[f"{target}other" if suffix == "/" else target] = b"what was there before"
    option = f"--{suffix[1:]}" if suffix in (".svg", ".png", ".html") and rng.random() < 0.5 else "-o"
    arguments += [option, target]
    if rng.random() < 0.3:
        arguments.append("--force")
    return replace(case, arguments=arguments, files=files, target=target, format=suffix)


def _draw_folder(rng: random.Random, seed: int, fixtures: Fixtures) -> Case:
    """Return a run that resumes a folder with a damaged manifest or damaged shards."""
    files = {f"out/{name}": content for name, content in mutated_folder(rng, fixtures.shards).items()}
    files["in.jsonl"] = fixtures.shard_texts
    records = fixtures.shard_texts.count(b"\n")
    return Case(seed, "folder", [*fixtures.shard_arguments(), "--resume"], files, "out/", "/", records)


def _draw_kill(rng: random.Random, seed: int, fixtures: Fixtures) -> Case:
    """Return a run into a folder with one or two signals. tests.fuzz.play sends each to a run, and resumes it."""
    rows = [draw_text(rng) for _ in range(rng.randint(5, 60))]
    file = rng.choice((None, None, draw_file(rng)))
    content = "".join(f"{text.splitlines()[0] if text.strip() else 'a'}\n" for text in rows).encode()
    name = "in.txt"
    if file is not None and file.format in ("jsonl", "csv", "parquet") and file.records:
        name, content = f"in{file.suffix}", file.content
    flags = ("--normalize", "--keep-text", "--dedupe", "--tokens", "--pooler", "--truncate")
    given = [flag for flag in flags if rng.random() < 0.2]
    if "--dedupe" in given and "--tokens" in given:
        given.remove("--tokens")
    given += ["--engine", rng.choice(("numpy", "numpy", "torch"))]
    given += ["--batch-tokens", rng.choice(("16", "64", "2048")), "--shard-rows", str(rng.randint(1, 9))]
    arguments = ["encode", "-m", str(fixtures.checkpoints["tiny"]), "-f", name, "--on-error", "skip", *given]
    # Times are parts of the duration of a run without a signal.
    times = [rng.uniform(0.02, 1.0) for _ in range(rng.choice((1, 1, 2)))]
    kinds = (signal.SIGKILL, signal.SIGKILL, signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    signals = [(time, int(rng.choice(kinds))) for time in times]
    return Case(seed, "kill", arguments, {name: content}, "out/", "/", None, signals=signals)
