"""Plan of the actors on a cluster: every CPU is used, and the reader gets its plan."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bertcli.cluster.plan import READER_CPUS, ActorPlan, plan_actors
from bertcli.errors import DeviceUnavailable, WrongUsage


def nodes(*cpus: float, gpus: float = 0) -> list[dict[str, float]]:
    return [{"CPU": count, **({"GPU": gpus} if gpus else {})} for count in cpus]


def test_by_default_there_is_an_actor_for_each_cpu_or_gpu() -> None:
    assert plan_actors(nodes(2), None, 0) == ActorPlan(2, 1)
    assert plan_actors(nodes(8, 4, 0), None, 0) == ActorPlan(12, 1)
    assert plan_actors(nodes(16, 16, gpus=4), None, 1) == ActorPlan(8, 1, 1)
    assert plan_actors(nodes(16, gpus=1), None, 0.5) == ActorPlan(2, 1, 0.5)
    assert plan_actors(nodes(16, gpus=1), None, 0.1) == ActorPlan(10, 1, 0.1)
    assert plan_actors(nodes(16, gpus=3), None, 2) == ActorPlan(1, 1, 2)
    assert plan_actors(nodes(2, gpus=2), None, 0.5).cpus == 0


def test_fewer_actors_have_more_threads() -> None:
    assert plan_actors(nodes(8), 2, 0) == ActorPlan(2, 4)
    assert plan_actors(nodes(8), 3, 0) == ActorPlan(3, 2)
    assert plan_actors(nodes(8, 8), 3, 0) == ActorPlan(3, 4)
    assert plan_actors(nodes(8, 2), 1, 0) == ActorPlan(1, 8)
    assert str(plan_actors(nodes(8), 1, 0)) == "1 actor of 8 threads"
    assert str(plan_actors(nodes(8, gpus=1), 2, 0.5)) == "2 actors of 0.5 GPU"


@given(st.lists(st.integers(0, 32), min_size=1, max_size=4), st.none() | st.integers(1, 40))
def test_actors_fit_and_leave_cpus_for_the_reader(cpus: list[int], actors: int | None) -> None:
    assume(sum(cpus) >= (actors or 1))
    plan = plan_actors(nodes(*cpus), actors, 0)
    assert actors is None or plan.actors == actors
    assert sum(count // plan.threads for count in cpus) >= plan.actors
    left = [count - int(count // plan.threads) * plan.cpus for count in cpus if count >= plan.threads]
    assert max(left) >= READER_CPUS - 1e-9


def test_actors_that_do_not_fit_are_refused() -> None:
    for actors, cpus in [(3, 2), (1, 0), (None, 0)]:
        with pytest.raises(WrongUsage, match=f"there is room for {cpus} with a CPU each"):
            plan_actors(nodes(cpus), actors, 0)
    with pytest.raises(WrongUsage, match="room for 4 with 1 GPU each"):
        plan_actors(nodes(16, gpus=4), 5, 1)
    with pytest.raises(DeviceUnavailable, match="no node of the cluster has 1 GPU"):
        plan_actors(nodes(16), None, 1)
