"""Errors in a cluster, as the driver reports them."""

import socket
from collections.abc import Iterator
from unittest.mock import MagicMock

import pytest
import ray
from ray.exceptions import OutOfMemoryError, RayTaskError

from bertcli.cluster.connection import connected, results
from bertcli.cluster.plan import ActorPlan
from bertcli.errors import Unreachable


def task_error(cause: Exception) -> Exception:
    """Return the error of a task, as `ray.get` raises it."""
    found: Exception = RayTaskError("task", "the trace", cause, "title", 1, "127.0.0.1").as_instanceof_cause()
    return found


def run_failing_task(error: Exception) -> list[str]:
    """Collect the results of a pipeline whose first task fails with this error."""
    ray = MagicMock()
    ray.get.side_effect = error
    return list(results(ray, lambda: iter(()), lambda: str, ActorPlan(1, 1)))


def test_a_bug_in_a_task_is_raised_as_its_own_error() -> None:
    for error in (task_error(KeyError("mine")), task_error(task_error(KeyError("mine")))):
        with pytest.raises(KeyError, match="mine") as raised:
            run_failing_task(error)
        assert type(raised.value) is KeyError


def test_a_failure_of_ray_is_reported_as_unreachable() -> None:
    for error in (OutOfMemoryError("killed"), task_error(OutOfMemoryError("killed"))):
        with pytest.raises(Unreachable, match="Ray gave up"):
            run_failing_task(error)


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("it is full.\nmore", "Ray gave up: it is full"),
        (
            "Initialization failure from server:\nTraceback ...\nRuntimeError: the server failed.\n",
            "Ray gave up: Initialization failure from server: RuntimeError: the server failed",
        ),
        ("", "Ray gave up: OutOfMemoryError"),
    ],
)
def test_the_cause_is_shown_in_one_line(message: str, shown: str) -> None:
    with pytest.raises(Unreachable) as raised:
        run_failing_task(OutOfMemoryError(message))
    assert raised.value.message == shown


ABORTED_FORK = RuntimeError(
    "Initialization failure from server:\nTraceback ...\n"
    "RuntimeError: Starting Ray client server failed. See ray_client_server_23000.err for detailed logs.\n"
)


@pytest.fixture
def listening() -> Iterator[str]:
    """Yield the address of a port at which something listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"ray://127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize("port", ["99999", "1" * 5000], ids=len)
def test_a_number_that_is_no_port_is_unreachable(port: str) -> None:
    with pytest.raises(Unreachable, match=r"there is no Ray at 127\.0\.0\.1:"), connected(f"127.0.0.1:{port}"):
        pass


@pytest.mark.parametrize(
    ("errors", "calls", "is_connected"),
    [
        ([ABORTED_FORK, ABORTED_FORK, None], 3, True),
        ([ABORTED_FORK] * 3, 3, False),
        ([RuntimeError("the versions differ")], 1, False),
    ],
)
def test_a_server_that_was_aborted_in_its_fork_is_started_again(
    listening: str, monkeypatch: pytest.MonkeyPatch, errors: list[Exception | None], calls: int, is_connected: bool
) -> None:
    init = MagicMock(side_effect=errors)
    monkeypatch.setattr(ray, "init", init)
    if is_connected:
        with connected(listening) as found:
            assert found is ray
    else:
        with pytest.raises(Unreachable, match="there is no Ray at ray://"), connected(listening):
            pass
    assert init.call_count == calls
