"""A run over a corpus, into a folder or on Ray: its options, and what its manifest records."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

from bertcli.choices import DtypeName, EngineName
from bertcli.commands.options import CorpusOptions, RayOptions, TextOptions
from bertcli.commands.request import Request
from bertcli.errors import WrongUsage
from bertcli.input.records import MAX_TEXT_BYTES, TextSource
from bertcli.lazy_dataclass import dataclass
from bertcli.model.request import SessionRequest
from bertcli.output.destination import FOLDER, Destination, OutputOptions
from bertcli.output.files.atomic import is_device
from bertcli.results.corpus import Manifest, ShardLimits
from bertcli.results.texts import RunInfo
from bertcli.storage import parse_path

if TYPE_CHECKING:
    from bertcli.model.session import Session
    from bertcli.output.files.record_parquet import RecordLayout
    from bertcli.output.files.shard_job import ShardCommand
    from bertcli.output.schema import Schema

# Bytes of an ordinary text, by which the work of a shard is estimated.
_TEXT_BYTES = 80


def one_pass(size: int) -> float:
    """Return 1: a text of any size goes through the model once."""
    return 1


@dataclass(frozen=True, slots=True)
class CorpusRun:
    """A command over a corpus.

    Attributes:
        name: Name of the command.
        command: What it computes for each text.
        source: The texts.
        texts: The options of the input.
        session: The checkpoint.
        output: The options of the output.
        corpus: The options of the folder.
        ray: The options of Ray.
        passes: Returns how many times a text of the given size in bytes goes through the model.
    """

    name: str
    command: ShardCommand
    source: TextSource
    texts: TextOptions
    session: SessionRequest
    output: OutputOptions
    corpus: CorpusOptions
    ray: RayOptions
    passes: Callable[[int], float] = one_pass

    @classmethod
    def of(
        cls,
        name: str,
        command: ShardCommand,
        request: RecordRequest,
        source: TextSource | None = None,
        passes: Callable[[int], float] = one_pass,
    ) -> Self:
        """Return the run of a request that has a folder, or whose sums Ray computes.

        Args:
            name: Name of the command.
            command: What it computes for each text.
            request: The options.
            source: The texts; None for those that the options of the input name.
            passes: As for the class.
        """
        texts = request.texts
        source = texts.source() if source is None else source
        options = (request.session, request.output, request.corpus, request.ray)
        return cls(name, command, source, texts, *options, passes)

    def info(self, session: Session, planned: SessionRequest | None = None) -> RunInfo:
        """Return the model and engine of the run, with the recipe if the command makes embeddings.

        Args:
            session: The open checkpoint.
            planned: The request for the sessions of actors; None if this session computes.
        """
        recipe = None if session.request.embedding is None else session.recipe.shown
        if planned is None:
            return replace(session.info(self.name), recipe=recipe)
        found = session.checkpoint
        run = (planned.engine, planned.device, str(planned.dtype))
        ablated = tuple(map(str, session.ablated))
        return RunInfo(self.name, found.name, found.revision, *run, recipe, ablated)

    def limits(self, session: Session, device: str, started: Manifest | None = None) -> ShardLimits:
        """Return the size of the shards: the user's, that of the run to resume, or else one for the model and device.

        Args:
            session: The open checkpoint.
            device: The device that computes.
            started: The manifest of the run to resume.
        """
        from bertcli.pipeline.shards import default_limits

        if self.corpus.shard_rows is not None:
            return ShardLimits(self.corpus.shard_rows)
        if started is not None:
            return started.limits
        # In windows, the model sees all of a long text.
        max_tokens = MAX_TEXT_BYTES if self.session.reads_windows else session.tokenizer.limit
        return default_limits(session.config, device, max_tokens, self.passes(_TEXT_BYTES))

    def describe(
        self, info: RunInfo, options: Mapping[str, Any], checkpoint: Path, threads: int, batch_tokens: int
    ) -> Mapping[str, Any]:
        """Return everything except the texts that the records depend on, for the manifest.

        Args:
            info: The model, the engine and the recipe.
            options: Options of the command that change the records.
            checkpoint: Folder of the checkpoint.
            threads: Number of CPU threads.
            batch_tokens: Token budget of a batch.
        """
        from bertcli.checkpoints.required_files import fingerprint

        texts, model = self.texts, self.session
        return {
            **replace(info, ablated=()).as_json(),
            "model_sha256": fingerprint(checkpoint),
            "threads": threads,
            "options": {
                **options,
                "dedupe": self.corpus.dedupe,
                "ray": self.ray.is_requested,
                "batch_tokens": batch_tokens,
                "batch_size": model.batch_size,
                "ablate": ",".join(info.ablated) or None,
                "max_length": model.max_length,
                "long": str(model.on_long),
                "overlap": model.overlap,
                "pair": texts.pair,
                "pairs": texts.pairs,
                "field": texts.text_field,
                "id_field": texts.id_field,
            },
        }


def as_started(model: SessionRequest, started: Manifest | None) -> SessionRequest:
    """Return the request with the engine, device, dtype and threads of the run to resume.

    Others would change digits. An engine, device or dtype that the user names stays, and check_same_run reports it.
    """
    if started is None:
        return model
    engine, device, dtype = (started.about[name] for name in ("engine", "device", "dtype"))
    return replace(
        model,
        engine=engine if model.engine == EngineName.AUTO else model.engine,
        device=device if model.device == "auto" else model.device,
        dtype=dtype if model.dtype == DtypeName.AUTO else model.dtype,
        threads=started.about["threads"],
    )


def option_values(options: Any, *, without: Sequence[str] = ()) -> dict[str, Any]:
    """Return the values of a group of options by name, as the manifest records them.

    Args:
        options: The group, a dataclass.
        without: Fields to leave out.
    """
    values = {each.name: getattr(options, each.name) for each in fields(options) if each.name not in without}
    return {name: str(value) if isinstance(value, (StrEnum, float)) else value for name, value in values.items()}


class RecordRequest(Request, Protocol):
    """A request whose records can be rows of Parquet files."""

    @property
    def texts(self) -> TextOptions:
        """Options of the input."""

    @property
    def session(self) -> SessionRequest:
        """The checkpoint to open."""

    @property
    def corpus(self) -> CorpusOptions:
        """Options of the folder."""

    @property
    def ray(self) -> RayOptions:
        """Options of Ray."""


def record_layout(request: RecordRequest, schema: Schema[Any], info: RunInfo, *, is_large: bool) -> RecordLayout:
    """Return the columns of the records of a request.

    Args:
        request: The options.
        schema: Returns the JSON object of a record.
        info: The model and engine, for the metadata of the files.
        is_large: A record holds a matrix.
    """
    from bertcli.output.files.record_parquet import RecordLayout, row_fields

    catalog, value = request.catalog, request.output.fields
    names = None if value is None else catalog.parse(value)
    return RecordLayout(
        schema,
        row_fields(catalog, names, keeps_text=request.corpus.keep_text),
        has_ids=request.texts.id_field is not None,
        metadata={"bertcli": json.dumps(info.as_json())},
        is_large=is_large,
    )


def check_corpus_options(corpus: CorpusOptions, ray: RayOptions, output: OutputOptions) -> None:
    """Check that the options of a folder and of Ray go together. Raises WrongUsage."""
    if corpus.resume and output.force:
        raise WrongUsage(
            "--resume keeps what a folder holds, and --force replaces it",
            hint="leave out --force to continue the run, or --resume to start over",
        )
    for option, value in {"--actors": ray.actors, "--gpus-per-actor": ray.gpus_per_actor}.items():
        if value is not None and not ray.is_requested:
            raise WrongUsage(f"{option} needs --ray", hint=f"add --ray, or leave {option} out")


def check_needs_folder(
    corpus: CorpusOptions,
    ray: RayOptions,
    destination: Destination,
    *,
    is_summary: bool = False,
    merges_sums: bool = False,
) -> None:
    """Check that options of a folder are given with one. Raises WrongUsage.

    Args:
        corpus: The options of the folder.
        ray: The options of Ray.
        destination: The destination.
        is_summary: The output is one summary, which no folder holds.
        merges_sums: The command merges the sums of Ray's actors, so it needs no folder for --ray.
    """
    given = {
        "--keep-text": corpus.keep_text,
        "--shard-rows": corpus.shard_rows is not None,
        "--resume": corpus.resume,
        "--ray": ray.is_requested and not merges_sums,
    }
    option = next((option for option, is_given in given.items() if is_given), None)
    if option is not None and destination.format != FOLDER:
        raise WrongUsage(
            f"{option} needs a folder (-o out/), not {destination.noun}",
            hint=f"leave {option} out" if is_summary else f"use {destination.instead(FOLDER)}, or leave {option} out",
        )


def check_ray(texts: TextOptions, model: SessionRequest, corpus: CorpusOptions, ray: RayOptions) -> None:
    """Check that the options can be combined with --ray, if it is given. Raises WrongUsage."""
    if not ray.is_requested:
        return
    gpus, device = ray.gpus_per_actor, model.device
    if texts.is_stream:
        raise WrongUsage("--ray cannot read standard input, since it reads in the cluster", hint="give files with -f")
    for path in map(parse_path, texts.file):
        if isinstance(path, Path) and is_device(path) and not path.is_dir():
            raise WrongUsage(
                f"--ray cannot read the stream {path}, since it reads in the cluster", hint="write it to a file first"
            )
    if corpus.dedupe:
        raise WrongUsage(
            "--dedupe and --ray cannot be combined: each actor is a process of its own", hint="leave one of them out"
        )
    if gpus is not None and not (gpus <= 1 or gpus.is_integer()):
        raise WrongUsage(
            f"--gpus-per-actor {gpus:g} is neither a fraction of a GPU nor a whole number of GPUs",
            hint="use a number such as 0.5, 1 or 2",
        )
    if gpus and (device not in ("auto", "cuda") or model.engine == EngineName.NUMPY):
        option = f"--device {device}" if device != "auto" else "--engine numpy"
        raise WrongUsage(f"--gpus-per-actor and {option} contradict each other", hint="leave one of them out")
    if not gpus and device not in ("auto", "cpu"):
        raise WrongUsage(f"--device {device} needs --gpus-per-actor with --ray", hint="add --gpus-per-actor 1")
