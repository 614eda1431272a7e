"""Plan of a run on Ray: how its actors share the CPUs and GPUs of a cluster."""

from collections.abc import Mapping, Sequence

from bertcli.errors import DeviceUnavailable, WrongUsage
from bertcli.lazy_dataclass import dataclass
from bertcli.output.formatting import counted

# Share of a CPU that the reader asks for. The actors leave this much free.
READER_CPUS = 0.1


@dataclass(frozen=True, slots=True)
class ActorPlan:
    """Number and size of the actors.

    An actor asks for a little less than a CPU for each of its threads. If actors took every CPU, none would be left for
    the reader, and the run would never start. An actor with a GPU asks for the GPU alone.

    Attributes:
        actors: Number of actors.
        threads: CPU threads of each.
        gpus: GPUs of each; 0 to compute on CPUs.
    """

    actors: int
    threads: int
    gpus: float = 0

    @property
    def cpus(self) -> float:
        """CPUs that an actor asks Ray for."""
        return 0 if self.gpus else self.threads - READER_CPUS

    def __str__(self) -> str:
        actors = counted(self.actors, "actor")
        if self.gpus:
            return f"{actors} of {self.gpus:g} GPU"
        return f"{actors} of {counted(self.threads, 'thread')}"


def plan_actors(nodes: Sequence[Mapping[str, float]], actors: int | None, gpus: float) -> ActorPlan:
    """Plan the number and the size of the actors.

    On CPUs, an actor has one thread if actors is None. Otherwise each gets the largest number of threads that fits.

    Args:
        nodes: Resources of each node, such as {"CPU": 8, "GPU": 1}.
        actors: Number of actors; None for the largest number that fits.
        gpus: GPUs of each actor; 0 for none.

    Raises:
        WrongUsage: The actors do not fit.
        DeviceUnavailable: No node has such a GPU.
    """
    if gpus:
        room = sum(_parts(node.get("GPU", 0), gpus) for node in nodes)
        if not room:
            raise DeviceUnavailable(
                f"no node of the cluster has {gpus:g} GPU", hint="leave --gpus-per-actor out, or use a smaller number"
            )
        _check_room(actors, room, f"{gpus:g} GPU")
        return ActorPlan(actors or room, 1, gpus)
    cpus = [int(node.get("CPU", 0)) for node in nodes]
    _check_room(actors or 1, sum(cpus), "a CPU")
    if actors is None:
        return ActorPlan(sum(cpus), 1)
    threads = next(each for each in range(max(cpus), 0, -1) if sum(count // each for count in cpus) >= actors)
    return ActorPlan(actors, threads)


def _check_room(actors: int | None, room: int, need: str) -> None:
    if actors is not None and actors > room:
        raise WrongUsage(
            f"{actors} actors do not fit: there is room for {room} with {need} each",
            hint=f"use --actors {room} or less",
        )


def _parts(whole: float, part: float) -> int:
    """Return how many parts make up the whole. The small number allows for rounding, as in 1 / 0.1."""
    return int(whole / part + 1e-9)
