"""`fleet demo`: an organization that runs on this machine, and the real command line at work."""

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fleet.cli.status import Status
from fleet.errors import FleetError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from moto_fixtures.server import Emulator

_PAYMENTS, _RETAIL = "012345678901", "666677778888"
_ARN = "arn:aws:lambda:us-east-1:{}:function:{}"
MOVED = ((_PAYMENTS, "tax-validate"), (_PAYMENTS, "invoice-expire"), (_RETAIL, "catalog-archive"))
"""A plain function; one whose alias moves with it; one whose program lies in a directory."""
CALLED = (
    (_PAYMENTS, "tax-validate"),
    (_PAYMENTS, "invoice-expire:live"),
    (_RETAIL, "catalog-archive:live"),
)
EVENT = b'{"lines": [{"article": "tent", "pieces": 2, "cents": 12050}]}'
WAVES = ("canary", "early")
"""Of moto_fixtures/rules.yaml."""
SCAN = ("scan", "--org", "--callers", "--cold-starts", "--inspect")


class DemoNotInstalled(FleetError):
    """The emulator's packages come with an extra."""

    def __str__(self) -> str:
        """One sentence for a person."""
        return "the demo needs the extra `demo`: pip install --constraint constraints.txt '.[demo]'"


def demo(
    *,
    serve: Annotated[
        bool,
        typer.Option("--serve", help="Keep it up until Ctrl-C, for other commands to use."),
    ] = False,
    output: Annotated[
        Path, typer.Option("--output", metavar="DIR", help="Directory for the reports.")
    ] = Path("fleet-report"),
    port: Annotated[
        int, typer.Option("--port", help="Port on 127.0.0.1 (default: a free one).")
    ] = 0,
) -> None:
    """Scan an organization that runs on this machine, and move some of its functions.

    No AWS account is needed.
    """
    from fleet.cli.files import prepare_directory

    prepare_directory(output)
    for file in output.glob("fleet.db*"):
        # Of an organization that is no more.
        file.unlink()
    started = time.monotonic()
    with _organization(port) as emulator:
        _say(f"the organization answers at {emulator.url} ({time.monotonic() - started:.0f} s)")
        status = _fleet(emulator, [*SCAN, "--output", str(output)], output)
        if status not in {Status.DONE, Status.INCOMPLETE}:
            sys.exit(status)
        _say(
            "accounts that refuse are part of the demo: this is what incomplete coverage looks like"
        )
        _move_some(emulator, output)
        _move_waves(emulator, output)
        _say(f"open {output / 'fleet-report.html'} in a browser")
        if serve:
            _keep_up(emulator, output)


def _move_some(emulator: "Emulator", output: Path) -> None:
    """Migrate three functions, call them, and bring one back."""
    event = output / "event.json"
    event.write_bytes(EVENT)
    _call_all(emulator)
    arns = [_ARN.format(*each) for each in MOVED]
    for arguments in (
        ["migrate", *arns, "--event", str(event), "--apply", "--yes"],
        ["rollback", arns[1], "--apply", "--yes"],
        ["history", arns[1]],
    ):
        status = _fleet(emulator, arguments, output)
        if status != Status.DONE:
            sys.exit(status)
        if arguments[0] != "history":
            _call_all(emulator)


def _move_waves(emulator: "Emulator", output: Path) -> None:
    """Plan the rest in waves, run the first two here and now, and write the report anew."""
    import moto_fixtures

    plan, rules = output / "waves.yaml", Path(moto_fixtures.__file__).with_name("rules.yaml")
    plan.unlink(missing_ok=True)
    for arguments in (
        ["plan", "--from-scan", "latest", "--rules", str(rules), "--output", str(plan)],
        ["plan", "show", str(plan)],
        *(["waves", "run", str(plan), "--wave", each, "--apply", "--yes"] for each in WAVES),
        ["report", "--output", str(output)],
    ):
        status = _fleet(emulator, arguments, output)
        if status not in {Status.DONE, Status.INCOMPLETE}:
            sys.exit(status)


def _call_all(emulator: "Emulator") -> None:
    from moto_fixtures.call import call

    for account, function in CALLED:
        environment = emulator.credentials_of(account)
        answer = call(environment, "us-east-1", function, EVENT)
        _say(f"{account} {function} answers as version {answer}")


@contextlib.contextmanager
def _organization(port: int) -> "Iterator[Emulator]":
    try:
        from moto_fixtures.load import load_organization
        from moto_fixtures.seed import seed
        from moto_fixtures.server import Emulator
    except ModuleNotFoundError as error:
        raise DemoNotInstalled from error
    organization = load_organization()
    _say("building Go handlers; the first time takes some minutes")
    with Emulator(organization.rules(), port=port) as emulator:
        seed(emulator, organization, progress=_say)
        yield emulator


def _fleet(emulator: "Emulator", arguments: list[str], output: Path) -> int:
    environment = {**_without_aws(os.environ), **_exports(emulator, output)}
    _say("$ fleet " + " ".join(arguments))
    # The command line of this very installation, as a user would start it: another process.
    command = [sys.executable, "-m", "fleet", *arguments]
    return subprocess.run(command, env=environment, check=False).returncode  # noqa: S603


def _without_aws(environ: "Mapping[str, str]") -> dict[str, str]:
    # A real profile in the environment must never meet the demo.
    return {name: value for name, value in environ.items() if not name.startswith("AWS_")}


def _exports(emulator: "Emulator", output: Path) -> dict[str, str]:
    """What another terminal has to export to work against the organization as the demo does."""
    import moto_fixtures

    return {
        **emulator.environment,
        "FLEET_STATE": f"sqlite:///{(output / 'fleet.db').absolute()}",
        "FLEET_CONFIG": str(Path(moto_fixtures.__file__).with_name("fleet.yaml")),
    }


def _keep_up(emulator: "Emulator", output: Path) -> None:
    _say("in another terminal:")
    for name, value in _exports(emulator, output).items():
        typer.echo(f"export {name}='{value}'")
    sys.stdout.flush()
    _say("Ctrl-C ends it")
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            time.sleep(3600)


def _say(line: str) -> None:
    typer.echo(f"fleet demo: {line}", err=True)
