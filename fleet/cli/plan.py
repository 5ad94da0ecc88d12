"""`fleet plan`: group the functions that can move into waves; check and show such a plan."""

import os
import sys
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from fleet.cli import options as shared
from fleet.cli.options import Shown
from fleet.errors import BadSelection

if TYPE_CHECKING:
    from fleet.model import ScanHeader
    from fleet.store import Store
    from fleet.waves.candidates import Sorted
    from fleet.waves.planning import Planned

_FROM_SCAN = "--from-scan"
_LATEST = "latest"
_STDOUT = Path("-")


class _Plan(TyperGroup):
    """A group in which `--from-scan` may stand alone."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - typer's own
        given: list[str] = []
        for index, each in enumerate(args):
            after = args[index + 1 : index + 2]
            alone = each == _FROM_SCAN and (not after or after[0].startswith("-"))
            given.append(f"{_FROM_SCAN}={_LATEST}" if alone else each)
        return super().parse_args(ctx, given)


plan_app = typer.Typer(
    name="plan",
    cls=_Plan,
    help="Group the functions that can move into waves: a file to read, edit and review.",
    invoke_without_command=True,
    add_completion=False,
    rich_markup_mode=None,
)


class SchemaOf(StrEnum):
    """A kind of file."""

    PLAN = "plan"
    RULES = "rules"


File = Annotated[Path, typer.Argument(metavar="FILE", help="A plan.")]


@plan_app.callback()
def plan(
    ctx: typer.Context,
    *,
    from_scan: Annotated[
        str | None,
        typer.Option(
            _FROM_SCAN,
            metavar="[ID|latest]",
            help="The saved scan, made with --inspect, whose functions are to move.",
        ),
    ] = None,
    rules: Annotated[
        Path | None,
        typer.Option(
            "--rules",
            metavar="FILE",
            help="Who moves in which wave, when and how (docs/plan.md). Default: a canary of at "
            "most ten, a tenth, 40 percent, the rest, on working days from the Monday after the "
            "scan.",
        ),
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The plan (- is stdout).")
    ] = _STDOUT,
    force: Annotated[
        bool, typer.Option("--force", help="Write over a plan that is there, edits and all.")
    ] = False,
    start: Annotated[
        str | None,
        typer.Option(
            "--start",
            metavar="TIME",
            help="Of the first wave, as '2026-12-01 09:00' with --zone, or "
            "2026-12-01T09:00:00+01:00.",
        ),
    ] = None,
    zone: Annotated[
        str | None,
        typer.Option(
            "--zone", metavar="NAME", help="Whose clocks the plan goes by, as Europe/Berlin."
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option("--name", help="Of the plan; its run is remembered under it (default go1x)."),
    ] = None,
    allow_managed: Annotated[
        bool,
        typer.Option(
            "--allow-managed",
            help="In every wave, also functions that a stack or another tool deploys.",
        ),
    ] = False,
    state: shared.State = None,
    config: shared.Config = None,
) -> None:
    """Group the functions that can move into waves: a file to read, edit and review.

    Asks AWS nothing. `fleet plan check` and `fleet plan show` look at the file.
    """
    if ctx.invoked_subcommand is not None:
        if from_scan is not None:
            advice = f"makes a plan, and {ctx.invoked_subcommand} reads one: one of them"
            raise BadSelection(_FROM_SCAN, from_scan, advice)
        return
    if from_scan is None:
        raise BadSelection(_FROM_SCAN, None, "say which saved scan the plan is to be made of")
    _check_output(output, force=force)
    from pydantic import TypeAdapter, ValidationError

    from fleet.settings import Settings
    from fleet.store import Store
    from fleet.waves.candidates import sort_out
    from fleet.waves.plan import Name, Start, Zone
    from fleet.waves.planning import make_plan
    from fleet.waves.rules import RulesFile
    from fleet.waves.writing import plan_text

    def checked(option: str, kind: Any, value: str | None) -> Any:  # noqa: ANN401 - of any kind
        try:
            return None if value is None else TypeAdapter(kind).validate_python(value)
        except ValidationError as error:
            problem = error.errors()[0]["msg"].removeprefix("Value error, ")
            raise BadSelection(option, value, problem) from error

    settings = Settings.load(config, os.environ).overridden(state=state)
    asked = {
        "start": checked("--start", Start, start),
        "zone": checked("--zone", Zone, zone),
        "name": checked("--name", Name, name),
    }
    with Store.open(settings.state, create=False) as store:
        header = store.scan(None if from_scan == _LATEST else from_scan)
        _check_inspected(header)
        said = RulesFile.read(
            rules, traffic=header.options.traffic, allow_managed=allow_managed, **asked
        )
        units = {account.id: account.ou for account in store.accounts(header.id)}
        found = sort_out(
            store.function_rows(header.id),
            header.partition,
            units,
            blocklist={*settings.blocklist, *settings.exclude_accounts},
        )
        gaps = _gaps(store, header)
    planned = make_plan(header, found, said)
    if planned is None:
        raise BadSelection(_FROM_SCAN, header.id, _nobody(found))
    _tell(gaps, planned)
    made_of = f"Made of scan {header.id} of {header.started:%Y-%m-%d}."
    _write(plan_text(planned.plan, (made_of, *gaps)), output)


@plan_app.command()
def check(
    *,
    file: File,
    offline: Annotated[
        bool, typer.Option("--offline", help="Check the file alone; ask AWS nothing.")
    ] = False,
    role_name: shared.RoleName = None,
    external_id: shared.ExternalId = None,
    profile: shared.Profile = None,
    parallelism: Annotated[
        int | None,
        typer.Option("--parallelism", min=1, max=256, help="Functions at once (default 32)."),
    ] = None,
    quiet: shared.Quiet = False,
    output_format: shared.ShownAs = Shown.TABLE,
    config: shared.Config = None,
    no_color: shared.NoColor = False,
) -> None:
    """Look whether every function is still what was planned; changes nothing.

    Exit status 3: some have changed or are gone. 4: some could not be read.
    """
    from fleet.settings import Settings
    from fleet.waves.planfile import PlanFile

    read = PlanFile.read(file)
    if offline:
        moving = sum(len(wave.functions) for wave in read.plan.waves)
        typer.echo(
            f"fleet: {file} is sound: {moving:,} functions in {len(read.plan.waves):,} waves, "
            f"{len(read.plan.staying):,} staying; AWS was not asked",
            err=True,
        )
        return
    from fleet.cli.plan_check import check_live

    settings = Settings.load(config, os.environ).overridden(
        role_name=role_name, external_id=external_id, profile=profile, parallelism=parallelism
    )
    sys.exit(check_live(read, settings, output_format, color=not no_color, quiet=quiet))


@plan_app.command()
def show(
    *,
    file: File,
    output_format: shared.ShownAs = Shown.TABLE,
    lifecycle: shared.Lifecycle = None,
    config: shared.Config = None,
    no_color: shared.NoColor = False,
) -> None:
    """Show when which wave moves, what stays and why, and when all is done; asks AWS nothing."""
    from fleet.cli.plan_show import show_plan
    from fleet.lifecycle import load_lifecycle
    from fleet.settings import Settings
    from fleet.waves.planfile import PlanFile

    settings = Settings.load(config, os.environ).overridden(lifecycle=lifecycle)
    read = PlanFile.read(file)
    show_plan(read.plan, load_lifecycle(settings.lifecycle), output_format, color=not no_color)


@plan_app.command()
def schema(
    *,
    of: Annotated[
        SchemaOf, typer.Option("--of", help="Which kind of file it is for.")
    ] = SchemaOf.PLAN,
) -> None:
    """Print the JSON Schema of plans, with which editors check a file as it is typed."""
    from fleet.waves.planschema import plan_schema, rules_schema, schema_text

    document = plan_schema() if of is SchemaOf.PLAN else rules_schema()
    typer.echo(schema_text(document), nl=False)


def _check_inspected(header: "ScanHeader") -> None:
    if header.options.inspect is None:
        advice = (
            "was made without --inspect, so of no function is it known whether it can move: run "
            "fleet scan --inspect as you ran that one, then plan again"
        )
        raise BadSelection(_FROM_SCAN, header.id, advice)


def _gaps(store: "Store", header: "ScanHeader") -> tuple[str, ...]:
    """What the scan has not seen, a sentence each."""
    totals = store.totals(header.id)
    gaps = []
    if not totals.complete:
        gaps.append("The scan has not seen everything: functions it missed are in no wave.")
    if totals.unread:
        gaps.append(f"{totals.unread:,} packages were not read: their functions stay.")
    return tuple(gaps)


def _nobody(found: "Sorted") -> str:
    from collections import Counter

    if found.candidates:
        return f"holds {len(found.candidates):,} functions that can move, and no wave takes any"
    counted = Counter(each.verdict for each in found.staying).most_common()
    why = ", ".join(f"{number:,} {verdict}" for verdict, number in counted)
    return f"holds no function that can move ({why or 'none is on go1.x'})"


def _tell(gaps: tuple[str, ...], planned: "Planned") -> None:
    for each in (*gaps, *planned.notes):
        typer.echo(f"fleet: {each[0].lower()}{each[1:]}", err=True)
    first = planned.plan.waves[0]
    if planned.plan.start_of(first) < datetime.now(UTC):
        typer.echo(
            f"fleet: wave {first.name} starts in the past, so it is due at once; --start names "
            "another time",
            err=True,
        )


def _check_output(output: Path, *, force: bool) -> None:
    if output != _STDOUT and output.exists() and not force:
        advice = "is there already, perhaps with edits; --force writes over it"
        raise BadSelection("--output", str(output), advice)


def _write(text: str, output: Path) -> None:
    if output == _STDOUT:
        sys.stdout.write(text)
        return
    from fleet.cli.files import written_whole

    with written_whole(output) as file:
        file.write(text)
