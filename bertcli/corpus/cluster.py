"""Ray as a run meets it: connected to, or started for it alone, and its errors for people."""

import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from bertcli.errors import Unreachable
from bertcli.extras import require

if TYPE_CHECKING:
    from bertcli.corpus.pipeline import OpenEncoder, Read
    from bertcli.corpus.share import Share

_QUIET = {
    # Ray tells its makers how it is used, unless it is told not to.
    "RAY_USAGE_STATS_ENABLED": "0",
    # Without it a warning that an actor without a GPU sees none comes with every start.
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}
_PURPOSE = "--ray"


@contextmanager
def connected(address: str | None) -> Iterator[Any]:
    """Ray: at that address, at RAY_ADDRESS, or one that ends with the run. Raises MissingPackage, Unreachable."""
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    ray = require("ray", "ray", _PURPOSE)
    address = address or os.environ.get("RAY_ADDRESS")
    if address is not None and address.startswith("ray://"):
        require("grpc", "ray", f"{_PURPOSE}-address ray://")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Ray's makers announce to programmers
            ray.init(
                address=address or "local",
                log_to_driver=False,
                logging_level="CRITICAL",
                **({} if address else {"include_dashboard": False}),
            )
    except (OSError, RuntimeError, ValueError) as error:  # ConnectionError is an OSError
        where = f"Ray at {address}" if address else "Ray"
        raise Unreachable(
            f"{where} cannot be reached: {_first_line(error)}"
            if address
            else f"{where} does not start: {_first_line(error)}",
            hint="check --ray-address; the versions of Ray and Python have to be the same there"
            if address
            else "look into /tmp/ray/session_latest/logs",
        ) from None
    try:
        yield ray
    finally:
        ray.shutdown()


def nodes(ray: Any) -> list[Mapping[str, float]]:
    """What each node of the cluster has."""
    return [node["Resources"] for node in ray.nodes() if node["Alive"]]


def results(ray: Any, read: "Read", open_encoder: "OpenEncoder", share: "Share") -> Iterator[str]:
    """What has come of each shard, packed, in their order. Raises Unreachable where the cluster gives up."""
    from ray.exceptions import RayError, RayTaskError

    from bertcli.corpus.pipeline import Pipeline

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
        if isinstance(error, RayTaskError) and not isinstance(error.cause, RayError):
            raise  # a mistake of bertcli's own
        raise Unreachable(
            f"Ray gave up: {_first_line(error)}", hint="look at its logs, and at the nodes' memory"
        ) from None
    finally:
        ray.kill(pipeline)


def _first_line(error: Exception) -> str:
    return next((line.strip().rstrip(".") for line in str(error).splitlines() if line.strip()), type(error).__name__)
