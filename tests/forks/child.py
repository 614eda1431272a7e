"""The child of a fork: it becomes a bertcli process, as Python would start it."""

import atexit
import os
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Sequence
from typing import Any, NoReturn


def take_streams(descriptors: Sequence[int]) -> None:
    """Make the descriptors the standard input, output and error of this process, in a new session that Ctrl-C ends."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        is_line_buffered = name == "stderr" or os.isatty(number)
        started = getattr(sys, name)  # Python chooses the encoding and the error handler when it starts
        stream = open(  # noqa: SIM115
            number, "r" if number == 0 else "w", 1 if is_line_buffered else -1, started.encoding, started.errors,
            closefd=False,
        )  # fmt: skip
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def run(main: Callable[[], object], arguments: Sequence[str]) -> NoReturn:
    """Run main as the main function of bertcli, and end this process as the interpreter does.

    Args:
        main: The function to run.
        arguments: The command line without the name of the program.
    """
    sys.argv = ["bertcli", *arguments]
    tempfile.tempdir = None  # the next use reads TMPDIR
    atexit._clear()  # functions that this run has not registered
    code: Any = 0
    try:
        main()
    except SystemExit as exit_:
        code = exit_.code
    except BaseException:  # the interpreter would end with the traceback of any of them
        traceback.print_exc()
        code = 1
    _end(code)


def _end(code: Any) -> NoReturn:
    """End the process, but do not tear down the modules that the server has loaded."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
    threading._shutdown()  # type: ignore[attr-defined]  # waits for threads; nothing public does
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code if isinstance(code, int) else 1)
