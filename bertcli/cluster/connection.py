"""Ray as a run meets it: connected to, or started for it alone, and its errors for people."""

import atexit
import os
import re
import socket
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from bertcli.errors import Unreachable, require
from bertcli.pipeline.halving import OnNote, unheard

if TYPE_CHECKING:
    from bertcli.cluster.dataset import OpenEncoder, Read
    from bertcli.cluster.plan import ActorPlan

_QUIET = {
    # Ray tells its makers how it is used, unless it is told not to.
    "RAY_USAGE_STATS_ENABLED": "0",
    # Without it a warning that an actor without a GPU sees none comes with every start.
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}
_PURPOSE = "--ray"


_HOST = re.compile(r"(?:ray://)?\[?(.+?)\]?:(\d+)/?")
_LONGEST_WAIT = 10.0  # seconds, for a cluster to take a connection


@contextmanager
def connected(address: str | None, note: OnNote = unheard) -> Iterator[Any]:
    """Ray: at that address, at RAY_ADDRESS, or one that ends with the run. Raises MissingPackage, Unreachable.

    note: told what is waited for, as both take seconds.
    """
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    ray = require("ray", "ray", _PURPOSE)
    address = address or os.environ.get("RAY_ADDRESS")
    if address is not None and address.startswith("ray://"):
        require("grpc", "ray", f"{_PURPOSE}-address ray://")
    _check_answers(address)
    note("starting Ray" if address is None else f"connecting to Ray at {address}")
    try:
        _start(ray, address)
        yield ray
    finally:
        ray.shutdown()
        _leave_the_terminal()


def _start(ray: Any, address: str | None) -> None:
    own = {} if address else {"include_dashboard": False}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Ray's makers announce to programmers
            ray.init(address=address or "local", log_to_driver=False, logging_level="CRITICAL", **own)
    except (OSError, RuntimeError, ValueError) as error:  # ConnectionError is an OSError
        raise _not_reached(address, error) from None


def _leave_the_terminal() -> None:
    """Keep the colorama that Ray brings along from writing to standard output in the end, which is for data."""
    colorama = sys.modules.get("colorama")
    if colorama is not None:
        colorama.deinit()
        atexit.unregister(colorama.initialise.reset_all)


def _check_answers(address: str | None) -> None:
    """Raise Unreachable where nothing listens: Ray itself would try for ten minutes."""
    found = _HOST.fullmatch(address or "")
    if found is not None:
        try:
            socket.create_connection((found[1], int(found[2])), _LONGEST_WAIT).close()
        except (OSError, UnicodeError, OverflowError) as error:  # no name of a machine, no number of a port
            raise _not_reached(address, error) from None


def _not_reached(address: str | None, error: Exception) -> Unreachable:
    if address is None:
        return Unreachable(
            f"Ray does not start: {_first_line(error)}",
            hint="look into ray/session_latest/logs, where temporary files are",
        )
    return Unreachable(
        f"there is no Ray at {address}: {_first_line(error)}",
        hint="check --ray-address and RAY_AUTH_MODE, and that Ray and Python are there in the same versions",
    )


def nodes(ray: Any) -> list[Mapping[str, float]]:
    """What each node of the cluster has."""
    return [node["Resources"] for node in ray.nodes() if node["Alive"]]


def results(ray: Any, read: "Read", open_encoder: "OpenEncoder", share: "ActorPlan") -> Iterator[str]:
    """What has come of each shard, packed, in their order. Raises Unreachable where the cluster gives up."""
    from ray.exceptions import RayError

    from bertcli.cluster.dataset import Pipeline

    # It asks for no CPU, and shares the node with those that it drives.
    pipeline = ray.remote(num_cpus=0)(Pipeline).remote(read, open_encoder, share)
    try:
        while (packed := ray.get(pipeline.next.remote())) is not None:
            yield packed
    except RayError as error:
        if "No module named 'bertcli" in str(error):
            raise Unreachable(
                "the nodes of the cluster have no bertcli",
                hint="install it on each of them: pip install 'bertcli[ray]'",
            ) from None
        cause = error
        while isinstance(cause, RayError) and isinstance(getattr(cause, "cause", None), Exception):
            cause = cause.cause
        if not isinstance(cause, RayError):
            raise cause from error  # a mistake of bertcli's own, whoever in the cluster has made it
        raise Unreachable(
            f"Ray gave up: {_first_line(error)}", hint="look at its logs, and at the nodes' memory"
        ) from None
    finally:
        ray.kill(pipeline)


def _first_line(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return next((line.strip().rstrip(".") for line in str(error).splitlines() if line.strip()), type(error).__name__)
