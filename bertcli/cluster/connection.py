"""Connection to Ray: to a cluster, or to a Ray that is started for the run. Its errors become bertcli's own."""

import atexit
import os
import re
import socket
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from tempfile import gettempdir
from typing import Any

from bertcli.cluster.plan import ActorPlan
from bertcli.cluster.tasks import Failure, OpenWorker, ReadTasks, TaskResult
from bertcli.errors import Unreachable, require
from bertcli.interrupts import INTERRUPTS

_QUIET = {
    # Otherwise Ray sends usage statistics to its developers.
    "RAY_USAGE_STATS_ENABLED": "0",
    # Without this, every start warns that an actor without a GPU sees none.
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}
_PURPOSE = "--ray"
_HOST = re.compile(r"(?:ray://)?\[?(.+?)\]?:(\d+)/?")
_LONGEST_WAIT = 10.0  # seconds to wait for a connection to a cluster
_CLIENT_SERVER_STARTS = 3  # number of attempts to start a server for this driver on the cluster


@contextmanager
def connected(address: str | None, on_note: Callable[[str], None] = lambda message: None) -> Iterator[Any]:
    """Yield the module ray, connected to a cluster.

    Args:
        address: The cluster; None for RAY_ADDRESS, or else for a Ray on this machine that ends with the run.
        on_note: Called before each step that takes seconds.

    Raises:
        MissingPackage: ray, or a package that its data part imports, is not installed.
        Unreachable: The cluster does not answer, or Ray does not start.
    """
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    ray = require("ray", _PURPOSE)
    address = address or os.environ.get("RAY_ADDRESS")
    if address is not None and address.startswith("ray://"):
        require("grpc", f"{_PURPOSE}-address ray://")
    _check_answers(address)
    require("ray.data", _PURPOSE)
    on_note("starting Ray" if address is None else f"connecting to Ray at {address}")
    try:
        _start(ray, address)
        yield ray
    finally:
        ray.shutdown()
        _leave_the_terminal()


def _start(ray: Any, address: str | None) -> None:
    own = {} if address else {"include_dashboard": False}
    for attempt in range(_CLIENT_SERVER_STARTS):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # announcements to programmers
                ray.init(address=address or "local", log_to_driver=False, logging_level="CRITICAL", **own)
            break
        except (OSError, RuntimeError, ValueError) as error:  # ConnectionError is an OSError
            # The cluster forks a server for each ray:// driver, and gRPC sometimes aborts in the fork.
            is_aborted_fork = "Starting Ray client server failed" in str(error)
            if not is_aborted_fork or attempt == _CLIENT_SERVER_STARTS - 1:
                raise _not_reached(address, error) from None
    INTERRUPTS.handle_signals()  # Ray's own handler prints a stack trace


def _leave_the_terminal() -> None:
    """Keep colorama, which Ray loads, from writing to standard output at exit: standard output is for data."""
    colorama = sys.modules.get("colorama")
    if colorama is not None:
        colorama.deinit()
        atexit.unregister(colorama.initialise.reset_all)


def _check_answers(address: str | None) -> None:
    """Check that something listens at the address: Ray itself would try for ten minutes. Raises Unreachable."""
    found = _HOST.fullmatch(address or "")
    if found is not None:
        try:
            socket.create_connection((found[1], int(found[2])), _LONGEST_WAIT).close()
        except (OSError, ValueError, OverflowError) as error:  # not a host name, not a port number
            raise _not_reached(address, error) from None


def _not_reached(address: str | None, error: Exception) -> Unreachable:
    if address is None:
        return Unreachable(
            f"Ray does not start: {_first_line(error)}",
            hint=f"see the logs in {gettempdir()}/ray/session_latest/logs",
        )
    return Unreachable(
        f"there is no Ray at {address}: {_first_line(error)}",
        hint="check --ray-address and RAY_AUTH_MODE, and that the cluster has the same versions of Ray and Python",
    )


def nodes(ray: Any) -> list[Mapping[str, float]]:
    """Return the resources of each node that is alive."""
    return [node["Resources"] for node in ray.nodes() if node["Alive"]]


def results(ray: Any, read: ReadTasks, open_worker: OpenWorker, plan: ActorPlan) -> Iterator[TaskResult]:
    """Yield the result of each task, in the order of the input.

    Args:
        ray: The module, connected.
        read: Reads the input as tasks.
        open_worker: Makes the worker of an actor.
        plan: Number and size of the actors.

    Raises:
        Unreachable: The cluster gives up.
        BertcliError, OSError: An expected error in a process of the cluster.
    """
    from ray.exceptions import RayError

    from bertcli.cluster.dataset import DataFlow

    # It reserves no CPU, since it shares a node with the actors that it drives.
    flow = ray.remote(num_cpus=0)(DataFlow).remote(read, open_worker, plan)
    try:
        while (result := ray.get(flow.next.remote())) is not None:
            if isinstance(result, Failure):
                raise result.error
            yield result
    except RayError as error:
        if "No module named 'bertcli" in str(error):
            raise Unreachable(
                "the nodes of the cluster have no bertcli", hint="install bertcli and ray[data] on each of them"
            ) from None
        cause = error
        while isinstance(cause, RayError) and isinstance(getattr(cause, "cause", None), Exception):
            cause = cause.cause
        if not isinstance(cause, RayError):
            raise cause from error  # a bug of bertcli, in whichever process of the cluster
        raise Unreachable(
            f"Ray gave up: {_first_line(error)}", hint="check the logs of Ray, and the memory of the nodes"
        ) from None
    finally:
        ray.kill(flow)


def _first_line(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    lines = [line.strip().rstrip(".") for line in str(error).splitlines() if line.strip()]
    if not lines:
        return type(error).__name__
    # A heading, a trace of the server, and the cause.
    return f"{lines[0]} {lines[-1]}" if lines[0].endswith(":") and len(lines) > 1 else lines[0]
