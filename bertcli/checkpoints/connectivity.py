"""Where the hub is, and whether it can be reached at all, told before anybody waits for it.

To look a name up may take far longer than anyone waits where packets are dropped, and it cannot be interrupted: it is
left to a thread that dies with the process.
"""

import os
import socket
from threading import Thread
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

# With all that goes before and after, an error has to come within five seconds.
_LIMIT_S = 3.5
_PORTS = {"http": 80, "https": 443, "socks4": 1080, "socks5": 1080, "socks5h": 1080}


def endpoint() -> str:
    """The hub's address, as huggingface_hub finds it."""
    return (os.environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")


def shown_endpoint() -> str:
    """The same as a message may show it, without a name and a password in it."""
    scheme, slashes, rest = endpoint().rpartition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{slashes}{host.rpartition('@')[2]}{slash}{path}"


def why_unreachable(url: str) -> str | None:
    """Why nobody answers at the url, or at the proxy that leads there; None where somebody does."""
    try:
        host, port = _door(url)
    except ValueError:
        return "that is no address of a server"
    failures: list[str] = []

    def connect() -> None:
        try:
            socket.create_connection((host, port), timeout=_LIMIT_S).close()
        except UnicodeError:  # a name that no look-up takes
            failures.append(f"{host} is no name of a server")
        except OSError as error:
            failures.append(_describe(error, host))

    thread = Thread(target=connect, daemon=True)
    thread.start()
    thread.join(_LIMIT_S)
    if thread.is_alive():
        return f"no answer from {host} within {_LIMIT_S} seconds"
    return failures[0] if failures else None


def _door(url: str) -> tuple[str, int]:
    """Where the first connection on the way to the url goes. Raises ValueError where it is none."""
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
