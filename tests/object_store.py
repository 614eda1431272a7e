"""Servers for tests: an S3 served by moto, and a Ray cluster."""

import logging
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

BUCKET = "corpora"
_START_TIMEOUT = 60.0


@dataclass(frozen=True, slots=True)
class S3:
    """A server with one bucket.

    env: Environment variables with which a process finds it.
    """

    env: Mapping[str, str]
    client: Any

    def put(self, name: str, content: bytes) -> str:
        """Write an object and return its URL."""
        self.client.upload_fileobj(BytesIO(content), BUCKET, name)
        return f"s3://{BUCKET}/{name}"

    def get(self, name: str) -> bytes:
        """Return the content of an object."""
        content: bytes = self.client.get_object(Bucket=BUCKET, Key=name)["Body"].read()
        return content

    def names(self, folder: str) -> list[str]:
        """Return the names of the objects in a folder, relative to it."""
        found = self.client.list_objects_v2(Bucket=BUCKET, Prefix=f"{folder}/").get("Contents", [])
        # pyarrow marks a folder, after removing something from it, with an object whose relative name is empty.
        return sorted(filter(None, (each["Key"].removeprefix(f"{folder}/") for each in found)))

    def download(self, folder: str, into: Path) -> Path:
        """Download the objects of a folder as files."""
        into.mkdir()
        for name in self.names(folder):
            (into / name).write_bytes(self.get(f"{folder}/{name}"))
        return into


@contextmanager
def s3_server() -> Iterator[S3]:
    """Serve S3 on this machine while the context is open."""
    import boto3
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
    env = {**keys, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}", "AWS_EC2_METADATA_DISABLED": "true"}
    client = boto3.client(
        "s3",
        endpoint_url=env["AWS_ENDPOINT_URL"],
        aws_access_key_id="test",
        aws_secret_access_key="test",
        region_name="us-east-1",
    )
    try:
        client.create_bucket(Bucket=BUCKET)
        yield S3(env, client)
    finally:
        client.close()
        server.stop()


@dataclass(frozen=True, slots=True)
class RayCluster:
    """A cluster with two CPUs.

    address: For drivers on the cluster's machines. client_address: For drivers outside it.
    env: Environment variables for its drivers.
    """

    address: str
    client_address: str
    env: Mapping[str, str]


@contextmanager
def ray_cluster(folder: Path, env: Mapping[str, str]) -> Iterator[RayCluster]:
    """Run a Ray cluster independent of any driver, with its own token.

    Args:
        folder: Folder for its log.
        env: Environment variables for its processes.
    """
    port, client_port = _free_port(), _free_port()
    token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32), "RAY_USAGE_STATS_ENABLED": "0"}
    # A server that is read from a cold disk may take longer to start than the 30 seconds that Ray waits.
    # Ray forks and executes that server, and gRPC's handlers of forks sometimes abort it.
    server = {"RAY_CLIENT_SERVER_CHECK_CHANNEL_TIMEOUT_S": "120", "GRPC_ENABLE_FORK_SUPPORT": "0"}
    full_env = {**os.environ, **env, **token, **server}
    command = [
        str(Path(sys.executable).with_name("ray")), "start", "--head", "--block", "--num-cpus", "2",
        "--include-dashboard=false", "--port", str(port), "--ray-client-server-port", str(client_port),
    ]  # fmt: skip
    with (folder / "ray.log").open("wb") as log:
        # Start a process session, so that all its processes can be killed together.
        process = subprocess.Popen(command, env=full_env, stdout=log, stderr=log, start_new_session=True)
    try:
        _wait_for(client_port, process)
        yield RayCluster(f"127.0.0.1:{port}", f"ray://127.0.0.1:{client_port}", token)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _START_TIMEOUT
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise AssertionError("Ray did not start")
