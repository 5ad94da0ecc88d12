"""The commands, and how each way of ending becomes an exit status."""

import errno
import os
import signal
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from fleet import __version__
from fleet.cli.status import Status
from fleet.cli.verbs import Verbs
from fleet.errors import FileProblem, FleetError, UsageError

_STDOUT = "standard output"
_ANOTHER_PLACE = "send it to a file, a pipe or /dev/null"
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

app = typer.Typer(
    name="fleet",
    cls=Verbs,
    help="Find every AWS Lambda function on go1.x across an organization, and take it off in time.",
    epilog="Exit status: 0 done and complete; 1 error; 2 usage; 3 findings (with "
    "--fail-on-findings), or blocked; 4 coverage incomplete; 130 interrupted.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"fleet {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    *,
    debug: Annotated[
        bool, typer.Option("--debug", help="Log what happens, and show tracebacks.")
    ] = False,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and end."
        ),
    ] = False,
) -> None:
    if debug:
        import logging

        # fleet's own records only: botocore's would show credentials and signed requests.
        logging.basicConfig(stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
        logging.getLogger("fleet").setLevel(logging.DEBUG)


def main() -> NoReturn:
    """Run the command line and end the process with the documented status."""
    # A job that is cancelled politely ends as Ctrl-C does: with what was found kept.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(_status())


def _status() -> int:
    debug = "--debug" in sys.argv[1:2]
    if sys.stderr is None:
        # `2>&-`, as some cron jobs have it: what would be said there is not worth stopping for.
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  # to the end
    try:
        return _ran()
    except FleetError as error:
        _say(error, debug=debug)
        return Status.USAGE if isinstance(error, UsageError) else Status.ERROR
    except KeyboardInterrupt:
        _say("interrupted", debug=False)
        return Status.INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has gone, as `| head` does; nothing more can be said to it.
        _give_up_stdout()
        return Status.ERROR
    except Exception as error:  # noqa: BLE001  # the last place that can answer a defect
        _say(_explained(error), debug=debug)
        return Status.ERROR


def _ran() -> int:
    """Run the command that was asked for; its status, or whatever it raised."""
    if sys.stdout is None:
        # What a command finds must not go nowhere unnoticed, after an hour of calls.
        raise FileProblem(_STDOUT, "is closed, so nothing was done", _ANOTHER_PLACE)
    status: int = Status.DONE
    try:
        app()
    except SystemExit as ended:
        if isinstance(getattr(ended.__context__, "__cause__", None), KeyboardInterrupt):
            # typer ends without a word where Ctrl-C was met: nobody would know what became of it.
            raise KeyboardInterrupt from ended
        status = ended.code if isinstance(ended.code, int) else status
    # Python would flush as it ends: lost output would then be a traceback and status 120.
    sys.stdout.flush()
    return status


def _explained(error: Exception) -> object:
    """What the few errors without a class of their own mean."""
    if isinstance(error, OSError) and error.filename is None and error.errno in _NO_ROOM:
        # Files and the store say so themselves: what is left without a name is our output.
        _give_up_stdout()
        return FileProblem(_STDOUT, os.strerror(error.errno).lower(), _ANOTHER_PLACE)
    return f"unexpected {type(error).__name__}; run `fleet --debug …` to see where"


def _give_up_stdout() -> None:
    # What is still buffered would fail again, and be told, when Python ends.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _say(said: object, *, debug: bool) -> None:
    if debug:
        import traceback

        traceback.print_exc()
    # AWS's words and files' names pass here: none may move the cursor.
    text = "".join(
        each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in str(said)
    )
    typer.echo(f"fleet: {text}", err=True)
