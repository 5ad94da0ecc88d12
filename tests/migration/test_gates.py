from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fleet.deployment import BRIDGE_LAYER, Route
from fleet.inspection import Assessment, Remark, Strategy, Target, Verdict
from fleet.migration.facts import Asked, AskedRoute, Checked, CodeStorage, GateFacts, LayerNow
from fleet.migration.gate_rules import RULES, Effect, Rule
from fleet.migration.gates import LARGEST_REQUEST, check, choose, fits_into_a_call
from fleet.model import GO1X, FunctionRef, Owner, OwnerKind, PackageType
from fleet.package.limits import DIRECT_UPLOAD_LIMIT, UNZIPPED_LIMIT
from fleet.package.verdict.remarks import RULES as REMARKS
from tests.strategies import callers, owners, refs, tags, texts

GATES_FOR_PEOPLE = Path(__file__).parents[2] / "docs" / "gates.md"
GB = 1 << 30
REF = FunctionRef("aws", "012345678901", "eu-west-1", "orders")
READY = Assessment(
    Verdict.READY, (Remark("runtime-api", "main speaks the Runtime API"),), (), Strategy.RENAME
)
WITH_SHIM = Assessment(
    Verdict.READY_WITH_SHIM, (Remark("reads-handler", "main reads _HANDLER"),), (), Strategy.SHIM
)
CUSTOM = Assessment(Verdict.ALREADY_CUSTOM, (Remark("own-bootstrap", "it brings one"),))
STACK = {"aws:cloudformation:stack-name": "shop", "aws:cloudformation:logical-id": "OrdersFn"}
MOVES = GateFacts(
    ref=REF,
    package_type=PackageType.ZIP,
    runtime=GO1X,
    assessment=READY,
    tags={"team": "shop"},
    strategy=Strategy.RENAME,
    new_size=5_000_000,
    new_unzipped_size=12_000_000,
    storage=CodeStorage(limit=75 * GB, used=10 * GB),
    trial="starts",
)
AS_IT_IS = replace(MOVES, assessment=CUSTOM, strategy=None)
NOTHING_ASKED = Asked()
BLOCKED_BY_AWS = Asked(updates_blocked=True)
FIVE = tuple(LayerNow(f"arn:aws:lambda:eu-west-1:012345678901:layer:l{n}:1") for n in range(5))
GONE = LayerNow("arn:aws:lambda:eu-west-1:999999999999:layer:gone:3", "it was deleted")


def blocking(facts: GateFacts, asked: Asked = NOTHING_ASKED) -> list[str]:
    return [each.code for each in check(facts, asked).blocking]


def notes(facts: GateFacts, asked: Asked = NOTHING_ASKED) -> list[str]:
    return [each.code for each in check(facts, asked).notes]


def said(code: str, checked: Checked) -> str:
    (found,) = (each for each in (*checked.blocking, *checked.notes) if each.code == code)
    return found.text


def way(facts: GateFacts, asked: Asked = NOTHING_ASKED) -> tuple[Route | None, Strategy | None]:
    checked = check(facts, asked)
    return checked.route, checked.strategy


# The table.


def row(rule: Rule) -> str:
    unless = f", unless {rule.flag}" if rule.flag else ""
    return f"| `{rule.code}` | {rule.effect}{unless} | {rule.text} |"


def test_the_page_for_people_is_the_table_in_the_code() -> None:
    lines = GATES_FOR_PEOPLE.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith("| `")] == [row(rule) for rule in RULES]


def test_every_code_is_there_once_and_is_no_remark_on_a_package() -> None:
    codes = {rule.code for rule in RULES}
    assert len(codes) == len(RULES)
    assert not codes & {rule.code for rule in REMARKS}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_finding_is_one_sentence(rule: Rule) -> None:
    assert ". " not in rule.text
    assert not rule.text.endswith(".")
    assert ":" in rule.text or "so it" in rule.text, "it says what to do, or what comes of it"


# What moves.


def test_a_ready_function_moves_by_the_bridge() -> None:
    checked = check(MOVES, NOTHING_ASKED)
    assert checked.blocking == ()
    assert (checked.route, checked.strategy) == (Route.BRIDGE, Strategy.RENAME)


def test_what_has_no_known_owner_is_told() -> None:
    assert notes(MOVES) == ["owner-unknown", "tried"]


# What it is, and what could not be seen.


def test_an_account_on_the_blocklist_is_asked_nothing_more() -> None:
    listed = GateFacts(REF, PackageType.ZIP, GO1X, None, on_blocklist=True)
    checked = check(listed, Asked(allow_managed=True))
    assert [each.code for each in checked.blocking] == ["blocklisted"]
    assert "account 012345678901" in checked.blocking[0].text
    assert (checked.notes, checked.route) == ((), None)


def test_an_image_is_blocked_for_being_one() -> None:
    image = GateFacts(REF, PackageType.IMAGE, None, None)
    assert blocking(image) == ["image"]


def test_a_package_run_from_its_owners_bucket_stays() -> None:
    away = GateFacts(REF, PackageType.ZIP, GO1X, None, by_reference=True)
    assert blocking(away) == ["by-reference"]


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        (replace(MOVES, settings_problem="kms:Decrypt was denied"), "settings-unreadable"),
        (replace(MOVES, tags=None), "tags-unreadable"),
        (replace(MOVES, assessment=None), "package-not-inspected"),
        (replace(MOVES, signing_policy=None), "code-signing-unknown"),
        (replace(MOVES, runtime_mode=None), "runtime-mode-unknown"),
        (replace(MOVES, runtime_mode="Sometimes"), "runtime-mode-unknown"),
        (replace(MOVES, state="Deactivated"), "state"),
        (replace(MOVES, storage=None), "code-storage-unknown"),
        (replace(MOVES, new_size=None), "not-repackaged"),
        (replace(MOVES, new_unzipped_size=None), "not-repackaged"),
    ],
)
def test_what_is_not_known_blocks(facts: GateFacts, code: str) -> None:
    assert code in blocking(facts)
    assert code in blocking(facts, Asked(allow_managed=True, bucket=True))


def test_tags_that_could_not_be_read_are_not_told_as_no_owner() -> None:
    assert "owner-unknown" not in notes(replace(MOVES, tags=None))


# The verdict.


@pytest.mark.parametrize("verdict", [each for each in Verdict if not each.is_ready])
def test_a_verdict_that_is_not_ready_blocks_with_its_reasons(verdict: Verdict) -> None:
    reasons = (Remark("library-too-old", "too old"), Remark("signed", "signed"))
    checked = check(replace(MOVES, assessment=Assessment(verdict, reasons)), NOTHING_ASKED)
    assert [(each.code, each.text) for each in checked.blocking] == [
        ("library-too-old", "too old"),
        ("signed", "signed"),
    ]


def test_warnings_of_a_package_are_notes() -> None:
    warned = replace(READY, warnings=(Remark("request-id-lost", "it loses the id"),))
    assert notes(replace(MOVES, assessment=warned)) == ["request-id-lost", "owner-unknown", "tried"]


def test_a_package_with_its_own_bootstrap_goes_as_it_is() -> None:
    assert blocking(AS_IT_IS) == []
    assert "as-it-is" in notes(AS_IT_IS)
    assert way(AS_IT_IS) == (Route.BRIDGE, None)


# Who deploys it.


@pytest.mark.parametrize(
    ("more", "code", "lines"),
    [
        ({}, "managed-cloudformation", ("`Runtime: provided.al2023`", "`Handler: bootstrap`")),
        (
            {"lambda:createdBy": "SAM"},
            "managed-sam",
            (
                "`Runtime: provided.al2023`",
                "`Handler: bootstrap`",
                "`Metadata: BuildMethod: go1.x`",
            ),
        ),
        (
            {"STAGE": "prod"},
            "managed-serverless",
            ("`runtime: provided.al2023`", "`handler: bootstrap`"),
        ),
    ],
)
def test_what_a_stack_deploys_stays_and_the_lines_to_change_are_named(
    more: dict[str, str], code: str, lines: tuple[str, ...]
) -> None:
    owned = replace(MOVES, tags={**STACK, **more})
    assert blocking(owned) == [code]
    text = said(code, check(owned, NOTHING_ASKED))
    for words in ("stack shop deploys it as OrdersFn", *lines):
        assert words in text


def test_the_stack_is_named_even_where_a_rule_names_a_team() -> None:
    owned = replace(MOVES, tags=STACK, owner=Owner(OwnerKind.MAPPED, "payments"))
    assert blocking(owned) == ["managed-cloudformation"]


def test_a_stack_without_a_logical_id_is_told_as_such() -> None:
    owned = replace(MOVES, owner=Owner(OwnerKind.CLOUDFORMATION, "shop"))
    text = said("managed-cloudformation", check(owned, NOTHING_ASKED))
    assert "deploys it as a resource that no tag names" in text


def test_what_an_owner_of_fleet_yaml_deploys_stays() -> None:
    owned = replace(MOVES, owner=Owner(OwnerKind.MAPPED, "terraform payments"))
    assert blocking(owned) == ["managed-by-owner"]
    text = said("managed-by-owner", check(owned, NOTHING_ASKED))
    for words in ("terraform payments deploys it", "`runtime = provided.al2023`", "no code"):
        assert words in text


def test_allow_managed_lets_it_move_and_says_the_same() -> None:
    owned = replace(MOVES, tags=STACK)
    refused, allowed = check(owned, NOTHING_ASKED), check(owned, Asked(allow_managed=True))
    assert allowed.blocking == ()
    assert refused.blocking[0] in allowed.notes


def test_the_lines_to_change_follow_target_and_strategy() -> None:
    owned = replace(MOVES, tags=STACK, assessment=WITH_SHIM, strategy=Strategy.SHIM)
    text = said("managed-cloudformation", check(owned, Asked(target=Target.AL2)))
    assert "`Runtime: provided.al2` (CDK: `Runtime.PROVIDED_AL2`)" in text
    assert "a bootstrap beside the program, Handler as it is" in text
    assert "`Handler: bootstrap`" not in text
    as_it_is = said("managed-cloudformation", check(replace(AS_IT_IS, tags=STACK), NOTHING_ASKED))
    assert "`Runtime: provided.al2023` (CDK: `Runtime.PROVIDED_AL2023`)" in as_it_is
    assert "the package it has" in as_it_is


# What AWS would refuse.


@pytest.mark.parametrize("policy", ["Enforce", "Warn", "Someday"])
def test_code_signing_blocks_whatever_its_policy(policy: str) -> None:
    assert blocking(replace(MOVES, signing_policy=policy)) == ["code-signing"]


def test_the_runtime_mode_manual_blocks_and_the_others_do_not() -> None:
    assert blocking(replace(MOVES, runtime_mode="Manual")) == ["runtime-mode"]
    assert blocking(replace(MOVES, runtime_mode="FunctionUpdate")) == []


@pytest.mark.parametrize("state", ["Pending", "Failed"])
def test_a_function_that_is_not_ready_itself_stays(state: str) -> None:
    assert blocking(replace(MOVES, state=state, updating=True)) == ["state"]


def test_a_function_being_updated_stays() -> None:
    assert blocking(replace(MOVES, updating=True)) == ["updating"]


def test_what_makes_the_proof_inconclusive_is_told() -> None:
    idle = replace(MOVES, state="Inactive", reserved_concurrency=0)
    assert blocking(idle) == []
    assert notes(idle)[:2] == ["inactive", "no-concurrency"]
    assert "no-concurrency" not in notes(replace(MOVES, reserved_concurrency=1))


def test_after_the_block_it_is_told_that_latest_never_goes_back() -> None:
    checked = check(MOVES, BLOCKED_BY_AWS)
    assert (checked.blocking, checked.route) == ((), Route.BRIDGE)
    assert "$LATEST never" in said("updates-blocked", checked)


# The route.


@pytest.mark.parametrize(
    ("layers", "why"),
    [(FIVE, "it has 5 layers already"), ((*FIVE[:2], GONE), "layer:gone:3 could not be put on")],
)
def test_where_the_bridge_cannot_be_it_takes_dual_with_the_shim(
    layers: tuple[LayerNow, ...], why: str
) -> None:
    facts = replace(MOVES, layers=layers, strategy=Strategy.SHIM)
    checked = check(facts, NOTHING_ASKED)
    assert checked.blocking == ()
    assert (checked.route, checked.strategy) == (Route.DUAL, Strategy.SHIM)
    assert why in said("dual-instead", checked)
    assert "believed" in said("dual-belief", checked)


def test_the_bridge_of_an_interrupted_move_is_no_layer_of_its_own() -> None:
    bridge = LayerNow(f"arn:aws:lambda:eu-west-1:012345678901:layer:{BRIDGE_LAYER}:1", "denied")
    assert way(replace(MOVES, layers=(*FIVE[:4], bridge))) == (Route.BRIDGE, Strategy.RENAME)


def test_without_bridge_and_after_the_block_direct_remains() -> None:
    checked = check(replace(MOVES, layers=FIVE), BLOCKED_BY_AWS)
    assert [each.code for each in checked.blocking] == ["no-route"]
    assert checked.route is None
    assert "--route direct remains" in checked.blocking[0].text


def test_a_package_as_it_is_takes_dual_without_a_shim_even_after_the_block() -> None:
    facts = replace(AS_IT_IS, layers=FIVE)
    checked = check(facts, BLOCKED_BY_AWS)
    assert (checked.blocking, checked.route, checked.strategy) == ((), Route.DUAL, None)
    assert "dual-belief" not in [each.code for each in checked.notes]


@pytest.mark.parametrize(
    ("blocked", "remaining"),
    [(False, "use --route dual or --route direct"), (True, "use --route direct")],
)
def test_a_bridge_that_was_asked_for_and_cannot_be_blocks(blocked: bool, remaining: str) -> None:
    asked = Asked(route=Route.BRIDGE, updates_blocked=blocked)
    checked = check(replace(MOVES, layers=FIVE), asked)
    assert [each.code for each in checked.blocking] == ["bridge-impossible"]
    assert checked.route is None
    assert checked.blocking[0].text.endswith(remaining)


@pytest.mark.parametrize(
    ("layers", "remaining"),
    [((), "use --route bridge or --route direct"), (FIVE, "use --route direct")],
)
def test_dual_after_the_block_blocks(layers: tuple[LayerNow, ...], remaining: str) -> None:
    asked = Asked(route=Route.DUAL, updates_blocked=True)
    checked = check(replace(MOVES, layers=layers), asked)
    assert [each.code for each in checked.blocking] == ["dual-blocked"]
    assert checked.blocking[0].text.endswith(remaining)


def test_dual_can_be_asked_for() -> None:
    facts = replace(MOVES, strategy=Strategy.SHIM)
    assert way(facts, Asked(route=Route.DUAL)) == (Route.DUAL, Strategy.SHIM)
    assert notes(facts, Asked(route=Route.DUAL)) == ["owner-unknown", "dual-belief", "tried"]


def test_the_gap_of_direct_is_told_unless_nothing_is_uploaded() -> None:
    direct = Asked(route=Route.DIRECT)
    assert way(MOVES, direct) == (Route.DIRECT, Strategy.RENAME)
    assert "gap" in notes(MOVES, direct)
    assert "gap" not in notes(AS_IT_IS, direct)


def test_the_route_is_known_before_anything_is_repackaged() -> None:
    nothing_yet = replace(MOVES, strategy=None, new_size=None, trial="", layers=FIVE)
    choice = choose(nothing_yet, NOTHING_ASKED)
    assert (choice.route, choice.strategy) == (Route.DUAL, Strategy.SHIM)


def test_extensions_are_named_once() -> None:
    remark = Remark("layer-extensions", "layer l0 has extensions")
    layer = replace(FIVE[0], extensions=("otel", "agent"))
    facts = replace(MOVES, assessment=replace(READY, warnings=(remark,)), layers=(layer,))
    checked = check(facts, NOTHING_ASKED)
    assert [each.code for each in checked.notes] == ["extensions", "owner-unknown", "tried"]
    assert "layer:l0:1 holds extensions (otel, agent)" in checked.notes[0].text
    unread = replace(facts, layers=FIVE[:1])
    assert "layer-extensions" in notes(unread)


# Room for it, and its start.


def test_a_size_of_another_package_counts_for_nothing() -> None:
    assert blocking(replace(MOVES, strategy=Strategy.SHIM)) == ["not-repackaged"]


def test_a_package_that_could_not_be_repackaged_stays() -> None:
    failed = replace(MOVES, repackaging_problem="no room on disk", new_size=None, trial="")
    assert blocking(failed) == ["repackaging-failed"]
    assert notes(failed) == ["owner-unknown"]


def test_a_package_over_50_mb_needs_a_bucket() -> None:
    large = replace(MOVES, new_size=DIRECT_UPLOAD_LIMIT + 1)
    assert blocking(large) == ["needs-bucket"]
    assert blocking(large, Asked(bucket=True)) == []
    assert blocking(replace(AS_IT_IS, new_size=DIRECT_UPLOAD_LIMIT + 1)) == []


def test_a_package_of_just_50_mb_does_not_fit_into_a_call() -> None:
    assert not fits_into_a_call(DIRECT_UPLOAD_LIMIT)
    assert fits_into_a_call(DIRECT_UPLOAD_LIMIT - 4096)


@given(st.integers(0, 2 * DIRECT_UPLOAD_LIMIT))
@example(DIRECT_UPLOAD_LIMIT - 3072)
def test_what_fits_into_a_call_leaves_room_for_the_rest_of_the_request(size: int) -> None:
    base64 = (size + 2) // 3 * 4
    assert fits_into_a_call(size) == (base64 <= LARGEST_REQUEST - 4096)


@pytest.mark.parametrize(
    ("unzipped", "asked", "blocks"),
    [
        (UNZIPPED_LIMIT, Asked(route=Route.DIRECT), False),
        (UNZIPPED_LIMIT + 1, Asked(route=Route.DIRECT), True),
        (UNZIPPED_LIMIT, NOTHING_ASKED, True),
        (UNZIPPED_LIMIT - 1024, NOTHING_ASKED, False),
    ],
)
def test_package_layers_and_bridge_stay_within_250_mb(
    unzipped: int, asked: Asked, blocks: bool
) -> None:
    facts = replace(MOVES, new_unzipped_size=unzipped)
    assert blocking(facts, asked) == (["too-large"] if blocks else [])


@pytest.mark.parametrize(("used", "blocks"), [(75, False), (76, True)])
def test_what_is_published_leaves_5_percent_of_code_storage(used: int, blocks: bool) -> None:
    full = replace(MOVES, storage=CodeStorage(limit=100, used=used), new_size=10, publishes=2)
    assert blocking(full) == (["code-storage"] if blocks else [])


def test_code_storage_does_not_matter_where_nothing_is_published() -> None:
    assert blocking(replace(MOVES, storage=None, publishes=0)) == []


def test_what_does_not_start_here_stays() -> None:
    broken = replace(MOVES, trial="can't start", trial_reason="exec format error")
    assert blocking(broken) == ["cannot-start"]
    assert "exec format error" in said("cannot-start", check(broken, NOTHING_ASKED))


@pytest.mark.parametrize(
    ("trial", "code"),
    [
        ("inconclusive", "trial-inconclusive"),
        ("who knows", "trial-inconclusive"),
        ("", "not-tried"),
    ],
)
def test_a_start_that_was_not_seen_is_told(trial: str, code: str) -> None:
    assert blocking(replace(MOVES, trial=trial)) == []
    assert code in notes(replace(MOVES, trial=trial))
    assert notes(MOVES) == ["owner-unknown", "tried"]


def test_everything_that_stands_in_the_way_is_told_at_once() -> None:
    facts = replace(
        MOVES,
        settings_problem="denied",
        tags=STACK,
        signing_policy="Enforce",
        runtime_mode="Manual",
        updating=True,
        layers=FIVE,
        new_size=None,
    )
    assert blocking(facts, Asked(route=Route.BRIDGE)) == [
        "settings-unreadable",
        "code-signing",
        "runtime-mode",
        "updating",
        "managed-cloudformation",
        "bridge-impossible",
    ]


# Whatever the facts are.

_words = st.none() | st.sampled_from(["", "Auto", "Manual", "Enforce", "Active"]) | texts
_sizes = st.none() | st.integers(0, 1 << 30)
_routes: list[AskedRoute | None] = [None, Route.BRIDGE, Route.DIRECT, Route.DUAL]
_facts = st.builds(
    GateFacts,
    ref=refs("012345678901", "eu-west-1"),
    package_type=st.sampled_from(PackageType),
    runtime=st.none() | st.just(GO1X),
    assessment=st.sampled_from([None, READY, WITH_SHIM, CUSTOM, Assessment(Verdict.UNKNOWN, ())]),
    owner=owners,
    tags=st.none() | tags | st.just(STACK),
    on_blocklist=st.booleans(),
    signing_policy=_words,
    runtime_mode=_words,
    updating=st.booleans(),
    state=st.sampled_from(["Active", "Inactive", "Pending"]) | texts,
    settings_problem=st.just("") | texts,
    by_reference=st.booleans(),
    layers=st.lists(st.builds(LayerNow, arn=texts, problem=texts), max_size=6).map(tuple),
    strategy=st.none() | st.sampled_from(Strategy),
    new_size=_sizes,
    new_unzipped_size=_sizes,
    storage=st.none() | st.builds(CodeStorage, limit=st.integers(0, 1 << 40), used=st.integers(0)),
    trial=st.sampled_from(["", "starts", "can't start"]) | texts,
    trial_reason=texts,
    repackaging_problem=st.just("") | texts,
    callers=st.none() | st.lists(callers, max_size=2).map(tuple),
)
_asked = st.builds(
    Asked,
    target=st.sampled_from(Target),
    route=st.sampled_from(_routes),
    allow_managed=st.booleans(),
    bucket=st.booleans(),
    updates_blocked=st.booleans(),
)
EFFECTS = {rule.code: rule for rule in RULES}


@given(_facts, _asked)
def test_whatever_is_known_nothing_unknown_passes(facts: GateFacts, asked: Asked) -> None:
    checked = check(facts, asked)
    for each in (*checked.blocking, *checked.notes):
        assert each.text.isprintable()
    for each in checked.blocking:
        assert EFFECTS[each.code].effect is Effect.BLOCKS
    for each in checked.notes:
        rule = EFFECTS[each.code]
        assert rule.effect is Effect.NOTE or (
            asked.allow_managed and rule.flag == "--allow-managed"
        )
    if checked.route is None:
        assert checked.blocking
    if not checked.blocking:
        assert facts.assessment is not None
        assert facts.tags is not None
        assert facts.assessment.verdict.is_ready
        assert facts.state in {"Active", "Inactive"}
        assert facts.runtime_mode in {"Auto", "FunctionUpdate"}
        assert facts.new_size is not None
        assert checked.strategy is facts.strategy


# --- built anew ------------------------------------------------------------------------------

MADE_BY_US = Remark("built-modified", "bootstrap was built with changes that are in no commit")
ANEW = replace(AS_IT_IS, assessment=replace(CUSTOM, warnings=(MADE_BY_US,)), rebuilt=True)


def test_a_function_with_a_rebuilt_program_beside_its_old_one_takes_the_dual_route() -> None:
    checked = check(ANEW, NOTHING_ASKED)
    assert (checked.blocking, checked.route, checked.strategy) == ((), Route.DUAL, None)
    codes = [each.code for each in checked.notes]
    assert "rebuilt" in codes
    assert "dual-belief" in codes
    # Its package does not stay, and the changes that are in no commit are ours.
    assert not {"as-it-is", "built-modified"} & set(codes)


@pytest.mark.parametrize(
    ("facts", "asked", "code"),
    [
        (ANEW, Asked(route=Route.BRIDGE), "rebuilt-no-bridge"),
        (ANEW, BLOCKED_BY_AWS, "rebuilt-blocked"),
        (replace(ANEW, replaces_its_bootstrap=True), NOTHING_ASKED, "rebuilt-in-place"),
        (replace(ANEW, replaces_its_bootstrap=True), Asked(route=Route.DUAL), "rebuilt-in-place"),
        (replace(ANEW, new_size=60_000_000), NOTHING_ASKED, "needs-bucket"),
    ],
)
def test_a_rebuilt_program_goes_no_way_on_which_the_old_one_would_run_where_it_can_not(
    facts: GateFacts, asked: Asked, code: str
) -> None:
    assert [each.code for each in check(facts, asked).blocking] == [code]


@pytest.mark.parametrize("in_place", [False, True])
def test_the_direct_route_is_left_to_every_rebuilt_program_and_has_its_gap(
    *, in_place: bool
) -> None:
    facts = replace(ANEW, replaces_its_bootstrap=in_place)
    for blocked in (False, True):
        checked = check(facts, Asked(route=Route.DIRECT, updates_blocked=blocked))
        assert (checked.blocking, checked.route) == ((), Route.DIRECT)
        assert "gap" in [each.code for each in checked.notes]
