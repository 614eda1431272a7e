"""The options of a corpus: how its vectors are written, and whether on Ray. As bertcli.options has the others."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import typer

SHARD_ROWS = 20_000


class DtypeOut(StrEnum):
    """What vectors are written in."""

    FLOAT32 = "float32"
    FLOAT16 = "float16"


@dataclass(frozen=True, slots=True)
class CorpusOptions:
    """How vectors of many texts are written. dtype_out None: float32. shard_rows None: SHARD_ROWS."""

    dtype_out: Annotated[
        DtypeOut | None, typer.Option("--dtype-out", help="The numbers to write in.", show_default="float32")
    ] = None
    keep_text: Annotated[bool, typer.Option("--keep-text", help="To Parquet, write each text beside its vector.")] = (
        False
    )
    shard_rows: Annotated[
        int | None,
        typer.Option(
            "--shard-rows", metavar="N", min=1, show_default="20000", help="Rows to a file, of a folder (-o out/)."
        ),
    ] = None
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a folder where a run broke off.")] = False
    dedupe: Annotated[bool, typer.Option("--dedupe", help="Compute equal texts once.")] = False


@dataclass(frozen=True, slots=True)
class RayOptions:
    """Whether a corpus is encoded on Ray, and how. on_ray: --ray."""

    on_ray: Annotated[bool, typer.Option("--ray", help="Into a folder, encode on Ray: here, or on a cluster.")] = False
    ray_address: Annotated[
        str | None,
        typer.Option(
            "--ray-address",
            metavar="ADDRESS",
            help="The cluster, such as ray://head:10001; else one is started.",
        ),
    ] = None
    actors: Annotated[
        int | None,
        typer.Option("--actors", metavar="N", min=1, help="How many models run; by default one for each CPU, or GPU."),
    ] = None
    gpus_per_actor: Annotated[
        float | None, typer.Option("--gpus-per-actor", metavar="X", min=0, help="GPUs for each, such as 1 or 0.5.")
    ] = None

    @property
    def is_asked(self) -> bool:
        """Whether the run goes to Ray: an address says so too."""
        return self.on_ray or self.ray_address is not None
