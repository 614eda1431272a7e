"""Start and end of the process. Only this module turns errors into messages and exit codes."""

import atexit
import gc
import os
import signal
import sys
from typing import NoReturn

from bertcli.errors import BertcliError, ExitCode
from bertcli.interrupts import INTERRUPTS

# Importing a command makes 55,000 objects that stay. With Python's threshold of 700, the collector would search them
# 80 times and find nothing.
_GC_THRESHOLD = 100_000


def main() -> NoReturn:
    """Run the command line and end the process with its exit code."""
    gc.set_threshold(_GC_THRESHOLD)
    try:
        INTERRUPTS.watch()
        code = _run_and_report()
        _discard_unwritable_output()
        INTERRUPTS.finish()
    except KeyboardInterrupt:
        # No second one is raised, and finish ends the process.
        code = ExitCode.INTERRUPTED
        INTERRUPTS.finish()
    if not code:  # after an error, threads of a library may still be computing
        atexit._run_exitfuncs()
        _discard_unwritable_output()
    # Python's own end would free each module and array, which takes a fifth of the time of a short command.
    os._exit(code)


def _run_and_report() -> int:
    """Run the command line, print its error if there is one, and return its exit code."""
    try:
        code = _run()
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except BrokenPipeError:
        _die_of_sigpipe()
    except (BertcliError, OSError, MemoryError) as error:
        from bertcli.output.messages import print_failure

        print_failure(error)
        return error.exit_code if isinstance(error, BertcliError) else ExitCode.FAILED
    except Exception as bug:
        # A library may turn an interrupt into an error of its own.
        if INTERRUPTS.exit_code is None:
            from bertcli.output.messages import print_bug

            print_bug(bug, with_trace=_is_debugged())
        return ExitCode.BUG
    return ExitCode.FAILED


def _run() -> int:
    """Run the command line and return its exit code."""
    from bertcli.cli.completion import is_requested, print_models

    if is_requested():
        return print_models()
    from bertcli.model.resources import limit_blas_to_one_thread

    limit_blas_to_one_thread()
    if _is_debugged():
        from bertcli.output.messages import show_debug_notes

        show_debug_notes()
    from typer import TyperException

    from bertcli.cli.app import make_app

    arguments = sys.argv[1:]
    try:
        code = make_app(arguments)(arguments, prog_name="bertcli", standalone_mode=False)
    except SystemExit as exit_:
        if isinstance(exit_.__context__, BrokenPipeError):
            # Typer turns a closed pipe into exit code 1.
            raise exit_.__context__ from None
        raise
    except TyperException as error:
        from bertcli.cli.usage import explain

        raise explain(error, arguments) from None
    return code if isinstance(code, int) else ExitCode.DONE


def _is_debugged() -> bool:
    return "--debug" in sys.argv


def _die_of_sigpipe() -> None:
    """End the process by SIGPIPE, as other tools do when the reader of their output has gone."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGPIPE)


def _discard_unwritable_output() -> None:
    """Discard output that a full disk has refused. Python would fail on it again at exit, with a traceback."""
    for stream in filter(None, (sys.stdout, sys.stderr)):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


if __name__ == "__main__":
    main()
