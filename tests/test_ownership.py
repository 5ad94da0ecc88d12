from __future__ import annotations

import pytest

from fleet.model import UNKNOWN_OWNER, Owner, OwnerKind
from fleet.ownership import OwnerRule, owner_of

STACK = "aws:cloudformation:stack-name"


@pytest.mark.parametrize(
    ("tags", "owner"),
    [
        (None, UNKNOWN_OWNER),
        ({}, UNKNOWN_OWNER),
        ({"team": "payments"}, UNKNOWN_OWNER),
        ({STACK: "orders"}, Owner(OwnerKind.CLOUDFORMATION, "orders")),
        ({STACK: "orders", "lambda:createdBy": "SAM"}, Owner(OwnerKind.SAM, "orders")),
        ({STACK: "orders", "STAGE": "prod"}, Owner(OwnerKind.SERVERLESS, "orders")),
    ],
)
def test_deployer_is_told_from_its_marks(tags: dict[str, str] | None, owner: Owner) -> None:
    assert owner_of(tags, ()) == owner


def test_copied_sam_mark_without_a_stack_names_nobody() -> None:
    assert owner_of({"lambda:createdBy": "SAM"}, ()) == UNKNOWN_OWNER


def test_a_rule_goes_before_the_stack() -> None:
    rules = [OwnerRule(tag="managed-by", value="terraform*", owner="Terraform {value}")]
    tags = {STACK: "orders", "managed-by": "terraform-prod"}
    assert owner_of(tags, rules) == Owner(OwnerKind.MAPPED, "Terraform terraform-prod")


def test_the_first_rule_that_fits_wins() -> None:
    rules = [OwnerRule(tag="team", value="x"), OwnerRule(tag="t*", owner="any {value}")]
    assert owner_of({"team": "y"}, rules) == Owner(OwnerKind.MAPPED, "any y")
