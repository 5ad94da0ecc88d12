"""`fleet policy`: the permissions a verb needs, printed."""

from enum import StrEnum
from typing import Annotated

import typer

from fleet.cli import options as shared

NEW_ROLE = "fleet-scan"
"""Not OrganizationAccountAccessRole: created accounts have that one already."""

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


class Partition(StrEnum):
    """AWS's partitions that have Lambda."""

    AWS = "aws"
    CHINA = "aws-cn"
    GOVERNMENT = "aws-us-gov"


@policy_app.callback()
def _group() -> None:
    pass


@policy_app.command()
def scan(
    *,
    document: Annotated[
        Document,
        typer.Option(
            "--for",
            help="caller: IAM policy for the credentials that run the scan. member: IAM policy "
            "for the role in each account. template: CloudFormation template of that role, for "
            "a StackSet.",
        ),
    ] = Document.CALLER,
    role_name: Annotated[
        str | None,
        typer.Option(
            "--role-name",
            help="Name of the role in each account (default: what `fleet scan` would assume; "
            "for the template fleet-scan).",
        ),
    ] = None,
    partition: Annotated[
        Partition, typer.Option("--partition", help="Of the accounts.")
    ] = Partition.AWS,
    inspect: Annotated[
        bool, typer.Option("--inspect", help="With what `fleet scan --inspect` needs.")
    ] = False,
    config: shared.Config = None,
) -> None:
    """Print what `fleet scan` needs."""
    import json
    import os

    from fleet.permissions import INSPECT, SCAN
    from fleet.policy import caller_policy, member_policy, role_template
    from fleet.settings import Settings

    needed = (*SCAN, *INSPECT) if inspect else SCAN
    if document is Document.TEMPLATE:
        import yaml

        typer.echo(
            yaml.safe_dump(role_template(needed, role_name or NEW_ROLE), sort_keys=False), nl=False
        )
        return
    if document is Document.MEMBER:
        policy = member_policy(needed)
    else:
        assumed = role_name or Settings.load(config, os.environ).role_name
        policy = caller_policy(needed, assumed, partition.value)
    typer.echo(json.dumps(policy, indent=2))
