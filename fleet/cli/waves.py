"""`fleet waves`: run a plan, see how far it is, stop it, go on, and go back."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fleet.cli import options as shared
from fleet.cli.options import Shown
from fleet.errors import BadSelection

if TYPE_CHECKING:
    from fleet.settings import Settings

waves_app = typer.Typer(
    name="waves",
    help="Run a plan wave by wave; see how far it is, stop it, go on, or go back.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)

File = Annotated[
    Path | None,
    typer.Argument(metavar="[FILE]", help="The plan; without it, the one that was run last."),
]
Name = Annotated[
    str | None,
    typer.Option("--plan", metavar="NAME", help="A plan that was run before, by its name."),
]
OfPlan = Annotated[
    str | None,
    typer.Argument(metavar="[PLAN]", help="Its name; without it, the plan that was run last."),
]
OneWave = Annotated[str | None, typer.Option("--wave", metavar="NAME", help="Only this wave.")]
NoTrial = Annotated[bool, typer.Option("--no-trial", help="Don't start packages here beforehand.")]
OnStop = Annotated[
    bool,
    typer.Option(
        "--rollback-on-stop", help="Bring back what a wave has moved whose budget is spent."
    ),
]
Why = Annotated[str, typer.Option("--why", metavar="TEXT", help="Said beside it by `status`.")]


@waves_app.command()
def run(
    *,
    file: File = None,
    plan: Name = None,
    wave: Annotated[
        str | None,
        typer.Option(
            "--wave", metavar="NAME", help="This wave, here and now, whatever its start and hours."
        ),
    ] = None,
    due: Annotated[
        bool, typer.Option("--due", help="Whatever is due now, within its window; then end.")
    ] = False,
    apply: shared.Apply = False,
    yes: shared.Yes = False,
    rollback_on_stop: OnStop = False,
    no_trial: NoTrial = False,
    cluster: shared.Cluster = None,
    role_name: shared.RoleName = None,
    external_id: shared.ExternalId = None,
    profile: shared.Profile = None,
    parallelism: shared.Parallelism = None,
    quiet: shared.Quiet = False,
    output_format: shared.ShownAs = Shown.TABLE,
    lifecycle: shared.Lifecycle = None,
    state: shared.State = None,
    config: shared.Config = None,
    no_color: shared.NoColor = False,
) -> None:
    """Run one wave, or what is due of all; without --apply, show what would be begun.

    Calling it twice, late, or while another run is at it is harmless: with --due any clock (cron,
    a systemd timer, EventBridge, CI) makes it a schedule.
    """
    from fleet.cli.waves_run import Asked, run_waves

    if (wave is None) == (not due):
        advice = "say --wave NAME for one wave here and now, or --due for whatever is due"
        raise BadSelection("--wave or --due", None, advice)
    settings = _settings(
        config,
        state=state,
        role_name=role_name,
        external_id=external_id,
        profile=profile,
        parallelism=parallelism,
        lifecycle=lifecycle,
    )
    asked = Asked(
        file=file,
        name=plan,
        wave=wave,
        apply=apply,
        yes=yes,
        rollback_on_stop=rollback_on_stop,
        trial=not no_trial,
        cluster=cluster,
        quiet=quiet,
        shown=output_format,
        color=not no_color,
    )
    sys.exit(run_waves(settings, asked))


@waves_app.command()
def watch(
    *,
    file: File = None,
    plan: Name = None,
    apply: shared.Apply = False,
    yes: shared.Yes = False,
    rollback_on_stop: OnStop = False,
    no_trial: NoTrial = False,
    cluster: shared.Cluster = None,
    role_name: shared.RoleName = None,
    external_id: shared.ExternalId = None,
    profile: shared.Profile = None,
    parallelism: shared.Parallelism = None,
    quiet: shared.Quiet = False,
    lifecycle: shared.Lifecycle = None,
    state: shared.State = None,
    config: shared.Config = None,
    no_color: shared.NoColor = False,
) -> None:
    """Do what is due as it comes, sleep until the next start, and end with the plan.

    As `run --due` called by a clock, in the foreground; --apply is needed.
    """
    from fleet.cli.waves_run import Asked, watch_waves

    if not apply:
        advice = "is needed, for watching changes functions; `fleet waves status` only looks"
        raise BadSelection("--apply", None, advice)
    settings = _settings(
        config,
        state=state,
        role_name=role_name,
        external_id=external_id,
        profile=profile,
        parallelism=parallelism,
        lifecycle=lifecycle,
    )
    asked = Asked(
        file=file,
        name=plan,
        wave=None,
        apply=apply,
        yes=yes,
        rollback_on_stop=rollback_on_stop,
        trial=not no_trial,
        cluster=cluster,
        quiet=quiet,
        shown=Shown.TABLE,
        color=not no_color,
    )
    sys.exit(watch_waves(settings, asked))


@waves_app.command()
def status(
    *,
    plan: OfPlan = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Show it again every few seconds, until Ctrl-C.")
    ] = False,
    output_format: shared.ShownAs = Shown.TABLE,
    state: shared.State = None,
    config: shared.Config = None,
    no_color: shared.NoColor = False,
) -> None:
    """Show where every wave stands; asks AWS nothing."""
    from fleet.cli.waves_status import show_status, watch_status

    if watch and output_format is Shown.JSON:
        advice = "is for eyes; leave it out, and ask for the JSON as often as you like"
        raise BadSelection("--watch", None, advice)
    settings = _settings(config, state=state)
    if watch:
        watch_status(settings.state, plan, color=not no_color)
    else:
        show_status(settings.state, plan, output_format, color=not no_color)


@waves_app.command()
def pause(
    *,
    plan: OfPlan = None,
    wave: OneWave = None,
    why: Why = "",
    state: shared.State = None,
    config: shared.Config = None,
) -> None:
    """Begin no further function until `resume`; those that are watched go on being judged."""
    from fleet.cli.waves_orders import give
    from fleet.wave import OrderKind

    give(_settings(config, state=state).state, plan, wave, OrderKind.PAUSE, why)


@waves_app.command()
def resume(
    *,
    plan: OfPlan = None,
    wave: OneWave = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Take back `stop --all`, for every plan.")
    ] = False,
    state: shared.State = None,
    config: shared.Config = None,
) -> None:
    """Take back pause, cancel and stop, of the whole plan or of one wave."""
    from fleet.cli.waves_orders import withdraw

    withdraw(_settings(config, state=state).state, plan, wave, everything=everything)


@waves_app.command()
def cancel(
    *,
    plan: OfPlan = None,
    wave: OneWave = None,
    why: Why = "",
    state: shared.State = None,
    config: shared.Config = None,
) -> None:
    """Never begin what has not begun. Functions whose calls are shifting are brought back."""
    from fleet.cli.waves_orders import give
    from fleet.wave import OrderKind

    give(_settings(config, state=state).state, plan, wave, OrderKind.CANCEL, why)


@waves_app.command()
def stop(
    *,
    plan: OfPlan = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Every plan of this state, wherever it runs.")
    ] = False,
    why: Why = "",
    state: shared.State = None,
    config: shared.Config = None,
) -> None:
    """Stop a plan, or with --all everything, before each worker's next function."""
    from fleet.cli.waves_orders import give, stop_all
    from fleet.wave import OrderKind

    url = _settings(config, state=state).state
    if everything and plan is not None:
        raise BadSelection("--all", None, "is about every plan; leave out the name of one")
    if everything:
        stop_all(url, why)
    else:
        give(url, plan, None, OrderKind.STOP, why)


@waves_app.command()
def retry(
    *,
    plan: OfPlan = None,
    wave: OneWave = None,
    state: shared.State = None,
    config: shared.Config = None,
) -> None:
    """Let functions that failed, were brought back or stayed wait to be begun again."""
    from fleet.cli.waves_orders import try_again

    try_again(_settings(config, state=state).state, plan, wave)


@waves_app.command()
def rollback(
    *,
    file: File = None,
    plan: Name = None,
    wave: Annotated[str, typer.Option("--wave", metavar="NAME", help="Which wave.")],
    apply: shared.Apply = False,
    yes: shared.Yes = False,
    cluster: shared.Cluster = None,
    role_name: shared.RoleName = None,
    external_id: shared.ExternalId = None,
    profile: shared.Profile = None,
    parallelism: shared.Parallelism = None,
    quiet: shared.Quiet = False,
    output_format: shared.ShownAs = Shown.TABLE,
    lifecycle: shared.Lifecycle = None,
    state: shared.State = None,
    config: shared.Config = None,
    no_color: shared.NoColor = False,
) -> None:
    """Bring back every function of a wave; it is cancelled, so that it does not begin again."""
    from fleet.cli.waves_run import Asked, roll_back_wave

    settings = _settings(
        config,
        state=state,
        role_name=role_name,
        external_id=external_id,
        profile=profile,
        parallelism=parallelism,
        lifecycle=lifecycle,
    )
    asked = Asked(
        file=file,
        name=plan,
        wave=wave,
        apply=apply,
        yes=yes,
        rollback_on_stop=False,
        trial=False,
        cluster=cluster,
        quiet=quiet,
        shown=output_format,
        color=not no_color,
    )
    sys.exit(roll_back_wave(settings, asked))


def _settings(config: Path | None, **flags: object) -> "Settings":
    from fleet.settings import Settings

    return Settings.load(config, os.environ).overridden(**flags)
