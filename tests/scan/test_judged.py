"""From a configuration and facts to what is saved of them."""

from __future__ import annotations

from dataclasses import replace

from fleet.inspection import Verdict
from fleet.scan.inspecting import judged
from tests.package.hand_made import package, program
from tests.store.examples import record

CONFIG = record("orders").config


def test_a_function_whose_code_aws_says_is_signed_needs_a_decision() -> None:
    facts = package(program())
    assert judged(CONFIG, facts, {}).assessment.verdict is Verdict.READY
    signed = replace(CONFIG, signing_profile="arn:aws:signer:eu-west-1:1:/signing-profiles/p/1")
    assert judged(signed, facts, {}).assessment.verdict is Verdict.NEEDS_DECISION
