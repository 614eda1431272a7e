"""What goes wrong in a cluster, as the driver tells it."""

from unittest.mock import MagicMock

import pytest
from ray.exceptions import OutOfMemoryError, RayTaskError

from bertcli.cluster.connection import results
from bertcli.cluster.plan import ActorPlan
from bertcli.errors import Unreachable


def of_task(cause: Exception) -> Exception:
    """The error of a task, as `ray.get` raises it."""
    found: Exception = RayTaskError("task", "the trace", cause, "title", 1, "127.0.0.1").as_instanceof_cause()
    return found


def run_that_fails(error: Exception) -> list[str]:
    """The results of a pipeline whose first is this error."""
    ray = MagicMock()
    ray.get.side_effect = error
    return list(results(ray, lambda: iter(()), lambda: str, ActorPlan(1, 1)))


def test_a_mistake_of_our_own_is_told_as_such() -> None:
    for error in (of_task(KeyError("mine")), of_task(of_task(KeyError("mine")))):
        with pytest.raises(KeyError, match="mine") as raised:
            run_that_fails(error)
        assert type(raised.value) is KeyError


def test_what_ray_does_not_manage_is_told_as_rays() -> None:
    for error in (OutOfMemoryError("killed"), of_task(OutOfMemoryError("killed"))):
        with pytest.raises(Unreachable, match="Ray gave up"):
            run_that_fails(error)
