"""`fleet policy`: the permissions a verb needs, printed."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fleet.cli import options as shared

if TYPE_CHECKING:
    from fleet.permissions import Permission

policy_app = typer.Typer(
    name="policy",
    help="Print the least permissions that a command needs.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)


class Document(StrEnum):
    """What to print."""

    CALLER = "caller"
    MEMBER = "member"
    TEMPLATE = "template"
    REASONS = "reasons"


class Partition(StrEnum):
    """AWS's partitions that have Lambda."""

    AWS = "aws"
    CHINA = "aws-cn"
    GOVERNMENT = "aws-us-gov"


@policy_app.callback()
def _group() -> None:
    pass


WhichDocument = Annotated[
    Document,
    typer.Option(
        "--for",
        help="caller: IAM policy for the credentials that run it. member: IAM policy for the role "
        "in each account. template: CloudFormation template of that role, for a StackSet. "
        "reasons: each action, and why.",
    ),
]
RoleName = Annotated[
    str | None,
    typer.Option(
        "--role-name",
        help="Name of the role in each account (default: what the command would assume; for the "
        "template fleet-scan, fleet-migrate, fleet-rebuild or fleet-waves).",
    ),
]
InPartition = Annotated[Partition, typer.Option("--partition", help="Of the accounts.")]


@policy_app.command()
def scan(
    *,
    document: WhichDocument = Document.CALLER,
    role_name: RoleName = None,
    partition: InPartition = Partition.AWS,
    inspect: Annotated[
        bool, typer.Option("--inspect", help="With what `fleet scan --inspect` needs.")
    ] = False,
    cold_starts: Annotated[
        bool, typer.Option("--cold-starts", help="With what `fleet scan --cold-starts` needs.")
    ] = False,
    config: shared.Config = None,
) -> None:
    """Print what `fleet scan` needs."""
    from fleet.permissions import COLD_STARTS, INSPECT, SCAN

    needed = (
        *SCAN,
        *(INSPECT if inspect else ()),
        *(COLD_STARTS if cold_starts else ()),
    )
    _print("scan", needed, document, role_name, partition, config)


@policy_app.command()
def migrate(
    *,
    document: WhichDocument = Document.CALLER,
    role_name: RoleName = None,
    partition: InPartition = Partition.AWS,
    invoke: Annotated[
        bool, typer.Option("--invoke", help="With what --event and --events need.")
    ] = False,
    bucket: Annotated[bool, typer.Option("--bucket", help="With what --bucket needs.")] = False,
    artifact: Annotated[
        bool, typer.Option("--artifact", help="With what --artifact s3://… needs.")
    ] = False,
    config: shared.Config = None,
) -> None:
    """Print what `fleet migrate`, `fleet rollback` and `fleet cleanup` need with --apply."""
    from fleet.permissions import (
        ARTIFACT,
        BUCKET,
        BUCKET_UNRECORDED,
        CLEANUP,
        DELETE,
        INVOKE,
        MOVE,
        PLAN,
        UNRECORDED,
    )

    needed = (
        *(*PLAN, *MOVE, *UNRECORDED, *CLEANUP, *DELETE),
        *(INVOKE if invoke else ()),
        *((*BUCKET, *BUCKET_UNRECORDED) if bucket else ()),
        *(ARTIFACT if artifact else ()),
    )
    _print("migrate", needed, document, role_name, partition, config)


@policy_app.command()
def rebuild(
    *,
    document: WhichDocument = Document.CALLER,
    role_name: RoleName = None,
    partition: InPartition = Partition.AWS,
    config: shared.Config = None,
) -> None:
    """Print what `fleet rebuild` needs; it writes nothing in AWS."""
    from fleet.permissions import REBUILD

    _print("rebuild", REBUILD, document, role_name, partition, config)


@policy_app.command()
def waves(
    *,
    document: WhichDocument = Document.CALLER,
    role_name: RoleName = None,
    partition: InPartition = Partition.AWS,
    notify: Annotated[
        bool, typer.Option("--notify", help="With what an SNS topic in `notify` needs.")
    ] = False,
    bucket: Annotated[
        bool, typer.Option("--bucket", help="With what `bucket` of a plan needs.")
    ] = False,
    artifact: Annotated[
        bool, typer.Option("--artifact", help="With what `artifact: s3://…` of a plan needs.")
    ] = False,
    config: shared.Config = None,
) -> None:
    """Print what `fleet waves run`, `watch` and `rollback` need with --apply."""
    from fleet.permissions import (
        ARTIFACT,
        BUCKET,
        BUCKET_UNRECORDED,
        CANARY,
        MOVE,
        NOTIFY,
        ORGANIZATION,
        PLAN,
        UNRECORDED,
    )

    needed = (
        *(*PLAN, *ORGANIZATION, *MOVE, *UNRECORDED, *CANARY),
        *(NOTIFY if notify else ()),
        *((*BUCKET, *BUCKET_UNRECORDED) if bucket else ()),
        *(ARTIFACT if artifact else ()),
    )
    _print("waves", needed, document, role_name, partition, config)


def _print(
    verb: str,
    needed: "Sequence[Permission]",
    document: Document,
    role_name: str | None,
    partition: Partition,
    config: Path | None,
) -> None:
    import json
    import os

    from fleet.policy import caller_policy, member_policy, role_template
    from fleet.settings import Settings

    if document is Document.REASONS:
        for action, reason in sorted({(each.action, each.reason) for each in needed}):
            typer.echo(f"{action:<46}{reason}")
        return
    if document is Document.TEMPLATE:
        import yaml

        template = role_template(needed, role_name or f"fleet-{verb}", verb=verb)
        typer.echo(yaml.safe_dump(template, sort_keys=False), nl=False)
        return
    if document is Document.MEMBER:
        policy = member_policy(needed)
    else:
        assumed = role_name or Settings.load(config, os.environ).role_name
        policy = caller_policy(needed, assumed, partition.value)
    typer.echo(json.dumps(policy, indent=2))
