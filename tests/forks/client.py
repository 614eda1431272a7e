"""A program that runs bertcli on a fork server: `python -I -S client.py SERVER ARGUMENT...`.

It hands its arguments, environment, folder and streams over, passes signals on, and ends as the run ends. If the server
refuses, it starts bertcli as usual. It imports only modules in C, so that it starts in some milliseconds.
"""

import _signal
import posix
import sys
from _socket import AF_UNIX, SCM_RIGHTS, SOL_SOCKET, socket

# Signals to pass on. If another one ends the client, the server kills the run.
_SIGNALS = (_signal.SIGINT, _signal.SIGTERM, _signal.SIGHUP)
_STREAMS = (0, 1, 2)


def main() -> None:
    """Run bertcli with this process's arguments, and end as it ends."""
    _, server, *arguments = sys.argv
    _signal.pthread_sigmask(_signal.SIG_BLOCK, _SIGNALS)  # until there is a run to pass them on to
    run = None
    if all(map(_is_open, _STREAMS)) and not any(map(_is_ignored, _SIGNALS)):
        run = _start(server, arguments)
    if run is None:
        _signal.pthread_sigmask(_signal.SIG_UNBLOCK, _SIGNALS)
        posix.execv(sys.executable, [sys.executable, "-m", "bertcli", *arguments])
    for number in _SIGNALS:
        _signal.signal(number, lambda number, _: _pass_on(number, run))
    _signal.pthread_sigmask(_signal.SIG_UNBLOCK, _SIGNALS)
    status = run.recv(4)
    if not status:
        posix._exit(70)  # the server has ended
    code = posix.waitstatus_to_exitcode(int.from_bytes(status, sys.byteorder))
    if code < 0:
        if -code in _SIGNALS or -code == _signal.SIGPIPE:
            _signal.signal(-code, _signal.SIG_DFL)
        posix.kill(posix.getpid(), -code)
    posix._exit(code)


def _pass_on(number: int, run: socket) -> None:
    try:  # noqa: SIM105 - contextlib is slow to import
        run.send(bytes([number]))
    except OSError:  # the run has ended
        pass


def _is_open(descriptor: int) -> bool:
    try:
        posix.fstat(descriptor)
    except OSError:
        return False
    return True


def _is_ignored(number: int) -> bool:
    """Return True if the parent process ignores the signal, as under nohup."""
    return _signal.getsignal(number) == _signal.SIG_IGN


def _start(server: str, arguments: list[str]) -> socket | None:
    """Ask the server to start the run. Return the connection, or None if it refuses."""
    encoding = sys.getfilesystemencoding()
    parts = [argument.encode(encoding, "surrogateescape") for argument in arguments]
    run = socket(AF_UNIX)
    run.connect(b"\0" + server.encode())
    send(run, request_of(parts, posix.environ, posix.getcwdb()), _STREAMS)
    return run if run.recv(1) == b"y" else None


def request_of(arguments: list[bytes], environment: dict[bytes, bytes], folder: bytes) -> bytes:
    """Return a run as the server reads it: the length of a Python literal, and the literal."""
    umask = posix.umask(0)
    posix.umask(umask)
    content = repr((arguments, environment, folder, umask)).encode()
    return len(content).to_bytes(4, sys.byteorder) + content


def send(connection: socket, request: bytes, streams: tuple[int, ...]) -> None:
    """Send a run to the server with the descriptors of its three streams."""
    descriptors = b"".join(descriptor.to_bytes(4, sys.byteorder) for descriptor in streams)
    rest = request[connection.sendmsg([request], [(SOL_SOCKET, SCM_RIGHTS, descriptors)]) :]
    if rest:  # otherwise the server may have refused already
        connection.sendall(rest)


if __name__ == "__main__":
    main()
