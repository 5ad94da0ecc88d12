"""`fleet policy`: the permissions a verb needs, printed."""

from enum import StrEnum
from typing import Annotated

import typer

DEFAULT_ROLE = "fleet-scan"

policy_app = typer.Typer(
    name="policy",
    help="Print the least permissions that a command needs.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


class Document(StrEnum):
    """What to print."""

    CALLER = "caller"
    MEMBER = "member"
    TEMPLATE = "template"


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
        str, typer.Option("--role-name", help="Name of the role in each account.")
    ] = DEFAULT_ROLE,
    partition: Annotated[
        str, typer.Option("--partition", help="aws, aws-cn or aws-us-gov.")
    ] = "aws",
) -> None:
    """Print what `fleet scan` needs."""
    import json

    from fleet.permissions import SCAN
    from fleet.policy import caller_policy, member_policy, role_template

    if document is Document.TEMPLATE:
        import yaml

        typer.echo(yaml.safe_dump(role_template(SCAN, role_name), sort_keys=False), nl=False)
        return
    policy = (
        member_policy(SCAN)
        if document is Document.MEMBER
        else caller_policy(SCAN, role_name, partition)
    )
    typer.echo(json.dumps(policy, indent=2))
