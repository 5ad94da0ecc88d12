"""From a configuration and facts to what is saved of them."""

from __future__ import annotations

from dataclasses import replace
from zlib import crc32

from fleet.deployment import BRIDGE_LAYER
from fleet.inspection import Verdict
from fleet.package.shim import SHIM
from fleet.scan.inspecting import judged
from tests.package.hand_made import entry, layer, package, program
from tests.store.examples import record

CONFIG = record("orders").config


def test_a_function_whose_code_aws_says_is_signed_needs_a_decision() -> None:
    facts = package(program())
    assert judged(CONFIG, facts, {}).assessment.verdict is Verdict.READY
    signed = replace(CONFIG, signing_profile="arn:aws:signer:eu-west-1:1:/signing-profiles/p/1")
    assert judged(signed, facts, {}).assessment.verdict is Verdict.NEEDS_DECISION


def test_the_bridge_that_a_move_has_left_on_is_no_reason_to_leave_things_as_they_are() -> None:
    ref = CONFIG.ref
    bridge = f"arn:aws:lambda:{ref.region}:{ref.account}:layer:{BRIDGE_LAYER}:1"
    halfway = replace(CONFIG, runtime="provided.al2023", layers=(bridge,))
    shim = entry("bootstrap", size=len(SHIM), crc=crc32(SHIM))
    read = {bridge: replace(layer(also=(shim,)), arn=bridge)}
    facts = package(program())
    before, now = (judged(each, facts, read).assessment for each in (CONFIG, halfway))
    assert before.verdict is Verdict.READY
    assert (now.verdict, now.reasons, now.strategy) == (
        before.verdict,
        before.reasons,
        before.strategy,
    )
    # A version that was published so stays so.
    published = replace(halfway, ref=replace(ref, qualifier="3"))
    assert judged(published, facts, read).assessment.verdict is Verdict.ALREADY_CUSTOM
