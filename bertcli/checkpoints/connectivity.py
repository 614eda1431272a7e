"""Connectivity of the hub, checked before a request that could hang.

If packets are dropped, a name lookup can take minutes and cannot be interrupted. It therefore runs in a daemon thread,
which ends with the process.
"""

import os
import socket
from threading import Thread
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

# Seconds to wait. Together with the work before and after, an error must appear within five seconds.
_LIMIT_S = 3.5
_PORTS = {"http": 80, "https": 443, "socks4": 1080, "socks5": 1080, "socks5h": 1080}


def endpoint() -> str:
    """Return the hub's address, chosen as huggingface_hub does."""
    return (os.environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")


def shown_endpoint() -> str:
    """Return the hub's address for messages, without a user name and password."""
    scheme, slashes, rest = endpoint().rpartition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{slashes}{host.rpartition('@')[2]}{slash}{path}"


def why_unreachable(url: str) -> str | None:
    """Return the reason why no server answers at a URL, or at the proxy on the way to it.

    Returns:
        The reason, for a message; None if a connection succeeds.
    """
    try:
        host, port = _first_hop(url)
    except ValueError:
        return "not a server address"
    failures: list[str] = []

    def connect() -> None:
        try:
            socket.create_connection((host, port), timeout=_LIMIT_S).close()
        except UnicodeError:  # raised for names that cannot be looked up
            failures.append(f"{host} is not a server name")
        except OSError as error:
            failures.append(_describe(error, host))

    thread = Thread(target=connect, daemon=True)
    thread.start()
    thread.join(_LIMIT_S)
    if thread.is_alive():
        return f"no answer from {host} within {_LIMIT_S} seconds"
    return failures[0] if failures else None


def _first_hop(url: str) -> tuple[str, int]:
    """Return the host and port of the first connection on the way to a URL: of its server or a proxy.

    Raises:
        ValueError: The URL or the proxy's address is invalid.
    """
    host, port = _host_and_port(url)
    proxies = getproxies()
    proxy = proxies.get(urlsplit(url).scheme) or proxies.get("all")
    if proxy and not proxy_bypass(host):
        return _host_and_port(proxy if "://" in proxy else f"http://{proxy}")
    return host, port


def _host_and_port(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    if parts.hostname is None or parts.scheme not in _PORTS:
        raise ValueError(url)
    return parts.hostname, parts.port or _PORTS[parts.scheme]


def _describe(error: OSError, host: str) -> str:
    if isinstance(error, socket.gaierror):
        return f"the name {host} cannot be resolved"
    if isinstance(error, TimeoutError):
        return f"no answer from {host} within {_LIMIT_S} seconds"
    return f"{host}: {(error.strerror or str(error)).lower()}"
