"""Start and end of the process: the only place that turns errors into messages and exit codes."""

import os
import signal
import sys
from types import FrameType
from typing import NoReturn

from bertcli.errors import BertcliError, ExitCode


def main() -> NoReturn:
    """Run the command line and leave with its exit code."""
    signal.signal(signal.SIGTERM, _leave_on_sigterm)
    code: int = ExitCode.DONE
    try:
        code = _run()
        if sys.stdout is not None:
            sys.stdout.flush()
    except BertcliError as error:
        from bertcli.output.messages import print_error

        print_error(error.message, error.hint)
        code = error.exit_code
    except KeyboardInterrupt:
        code = ExitCode.INTERRUPTED
    except BrokenPipeError:
        _end_as_closed_pipe()
    except OSError as error:
        from bertcli.output.messages import describe_os_error, print_error

        print_error(*describe_os_error(error))
        code = ExitCode.FAILED
    except MemoryError:
        from bertcli.output.messages import print_error

        print_error("there is not enough memory for this", "use a smaller --batch-tokens, or fewer or shorter texts")
        code = ExitCode.FAILED
    except Exception as bug:
        from bertcli.output.messages import print_bug

        print_bug(bug, with_trace="--debug" in sys.argv)
        code = ExitCode.BUG
    _drop_what_cannot_be_written()
    sys.exit(code)


def _run() -> int:
    from bertcli.cli.completion import complete, is_asked

    if is_asked():
        return complete()
    from bertcli.model.resources import limit_blas_to_one_thread

    limit_blas_to_one_thread()
    from typer import TyperException

    from bertcli.cli.app import make_app

    arguments = sys.argv[1:]
    try:
        code = make_app(arguments)(arguments, prog_name="bertcli", standalone_mode=False)
    except SystemExit as leaving:
        if isinstance(leaving.__context__, BrokenPipeError):
            # Typer turns a closed pipe into exit code 1.
            raise leaving.__context__ from None
        raise
    except TyperException as error:
        from bertcli.cli.usage import explain

        raise explain(error, arguments) from None
    return code if isinstance(code, int) else ExitCode.DONE


def _leave_on_sigterm(signum: int, _frame: FrameType | None) -> NoReturn:
    # As an exception, so that a half-written temporary file is removed on the way out.
    sys.exit(128 + signum)


def _end_as_closed_pipe() -> None:
    """Die of SIGPIPE, like other tools, after the reader of the output has closed the pipe."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGPIPE)


def _drop_what_cannot_be_written() -> None:
    """Keep the interpreter from printing a second error at exit for output that a full disk has refused."""
    for stream in filter(None, (sys.stdout, sys.stderr)):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


if __name__ == "__main__":
    main()
