"""How the actors of a run share the CPUs and GPUs of a cluster."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bertcli.errors import DeviceUnavailable, WrongUsage

# What the reader asks for, of a CPU. It leaves room for the actors, and they for it.
READER_CPUS = 0.1


@dataclass(frozen=True, slots=True)
class ActorPlan:
    """What each actor is to have. cpus, gpus: what Ray is asked for, of a node's. threads: what it computes on.

    An actor asks for a little less than a CPU for each of its threads: actors that took every CPU would leave Ray none
    for the reader, and the whole would stand still. One that has a GPU asks for that alone, however few CPUs are there.
    """

    actors: int
    threads: int
    gpus: float = 0

    @property
    def cpus(self) -> float:
        """What an actor asks for."""
        return 0 if self.gpus else self.threads - READER_CPUS

    def __str__(self) -> str:
        actors = "1 actor" if self.actors == 1 else f"{self.actors} actors"
        if self.gpus:
            return f"{actors} of {self.gpus:g} GPU"
        return f"{actors} of {self.threads} {'thread' if self.threads == 1 else 'threads'}"


def plan_actors(nodes: Sequence[Mapping[str, float]], actors: int | None, gpus: float) -> ActorPlan:
    """How so many actors share nodes with so many CPU and GPU; None: as many as there is room for.

    On CPUs an actor has one thread where nobody said how many there are to be, and else as many as leave the others
    theirs. Raises WrongUsage, DeviceUnavailable.
    """
    if gpus:
        room = sum(_parts(node.get("GPU", 0), gpus) for node in nodes)
        if not room:
            raise DeviceUnavailable(
                f"no node of the cluster has {gpus:g} GPU", hint="leave --gpus-per-actor out, or give a smaller one"
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
            f"there is room for {room} actors of {need} each, and not for {actors}", hint="give fewer --actors"
        )


def _parts(whole: float, part: float) -> int:
    return int(whole / part + 1e-9)
