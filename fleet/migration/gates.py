"""May this function move, and by which route? Pure and total: the sentences are in gate_rules.py.

Everything that stands in the way is told at once, so that its owners are asked once. What could
not be read blocks, unless nothing depends on it.
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html has the limits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fleet.deployment import OWN_ALIASES, OWN_TAGS, SERVING_ALIAS, Route, is_bridge
from fleet.inspection import Strategy, Verdict
from fleet.migration import gate_rules as rules
from fleet.migration.facts import Asked, Checked, Finding, GateFacts
from fleet.migration.managed import managed
from fleet.model import ROLLBACK_ALIAS, PackageType
from fleet.package.limits import DIRECT_UPLOAD_LIMIT, UNZIPPED_LIMIT
from fleet.package.verdict.remarks import BUILT_MODIFIED, LAYER_EXTENSIONS, listed
from fleet.toolchain.trial.verdict import TrialOutcome

MOST_LAYERS = 5
LARGEST_REQUEST = 69_905_067
"""Bytes of a request to Lambda; the package is in it as base64.

https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionCode.html says 50 MB; clients
report this number in RequestEntityTooLargeException.
"""
_REST_OF_THE_REQUEST = 4096
"""Bytes that everything but the package takes in it, at most: two ARNs and a few words."""
_BRIDGE_SIZE = 1024
"""Bytes that the bridge layer takes unzipped, at most."""
_MOST_TAGS = 50
"""https://docs.aws.amazon.com/lambda/latest/dg/configuration-tags.html; aws: ones don't count."""
_STORAGE_PERCENT = 95
"""Of code storage: the rest is the customer's own deploys."""
_MEGABYTE = 1 << 20
FREE_MODES = frozenset({"Auto", "FunctionUpdate"})
_FREE_STATES = frozenset({"Active", "Inactive"})


def fits_into_a_call(size: int) -> bool:
    """Whether a zip of so many bytes can be sent in UpdateFunctionCode itself, or needs S3."""
    request = 4 * -(-size // 3) + _REST_OF_THE_REQUEST
    return size <= DIRECT_UPLOAD_LIMIT and request <= LARGEST_REQUEST


@dataclass(frozen=True, slots=True)
class Choice:
    """The route a function takes, and how its package has to be repackaged for it."""

    route: Route | None
    """None where none is left of what was asked for; the findings say why, and what is left."""
    strategy: Strategy | None
    """None where the package stays as it is."""
    findings: tuple[Finding, ...] = ()


def choose(facts: GateFacts, asked: Asked) -> Choice:
    """Choose route and strategy, before anything is repackaged: by layers and verdict alone."""
    if facts.rebuilt:
        return _rebuilt(facts, asked)
    strategy = facts.assessment.strategy if facts.assessment else None
    as_it_is = strategy is None
    why = _why_no_bridge(facts)
    # A package that has its bootstrap already is on no route uploaded to a go1.x function.
    dual = as_it_is or not asked.updates_blocked
    match asked.route:
        case Route.DIRECT:
            return Choice(Route.DIRECT, strategy, () if as_it_is else (rules.GAP.said(),))
        case Route.DUAL if not dual:
            remaining = "--route direct" if why else "--route bridge or --route direct"
            return Choice(None, strategy, (rules.DUAL_BLOCKED.said(remaining=remaining),))
        case Route.DUAL:
            return _dual(strategy)
        case _ if not why:
            return Choice(Route.BRIDGE, strategy)
        case Route.BRIDGE:
            remaining = "--route dual or --route direct" if dual else "--route direct"
            said = rules.BRIDGE_IMPOSSIBLE.said(why=why, remaining=remaining)
            return Choice(None, strategy, (said,))
        case None if not dual:
            return Choice(None, strategy, (rules.NO_ROUTE.said(why=why),))
        case None:
            return _dual(strategy, rules.DUAL_INSTEAD.said(why=why))


def check(facts: GateFacts, asked: Asked) -> Checked:
    """Say what keeps a go1.x function from moving, what to know beside it, and how it goes."""
    if facts.on_blocklist:
        return Checked((rules.BLOCKLISTED.said(account=facts.ref.account),), (), None)
    if facts.package_type is PackageType.IMAGE:
        return Checked((rules.IMAGE.said(),), (), None)
    if facts.by_reference:
        # Its package is not Lambda's to give: nothing more of it was asked.
        return Checked((rules.BY_REFERENCE.said(),), (), None)
    choice = choose(facts, asked)
    owned = managed(facts, asked.target, choice.strategy)
    blocking = [
        *_unseen(facts),
        *_package(facts),
        *_refused_by_aws(facts),
        *_no_room(facts),
        *_storage(facts),
    ]
    notes = [*_told(facts, asked)]
    if owned is not None:
        (notes if asked.allow_managed else blocking).append(owned)
    elif facts.tags is not None:
        notes.append(rules.OWNER_UNKNOWN.said())
    (notes if choice.route else blocking).extend(choice.findings)
    if not blocking:
        # Nobody repackages what cannot move: only here are size and start worth asking for.
        blocking += _repackaged(facts, asked, choice)
        notes += () if blocking else _tried(facts)
    return Checked(tuple(blocking), tuple(notes), choice.route, choice.strategy)


def _dual(strategy: Strategy | None, *why: Finding) -> Choice:
    if strategy is None:
        return Choice(Route.DUAL, None, why)
    # Only a package that keeps its program where it lies runs on both runtimes.
    return Choice(Route.DUAL, Strategy.SHIM, (*why, rules.DUAL_BELIEF.said()))


def _rebuilt(facts: GateFacts, asked: Asked) -> Choice:
    """Only a package with both programs runs on both runtimes: the old one for go1.x alone."""
    match asked.route:
        case Route.DIRECT:
            return Choice(Route.DIRECT, None, (rules.GAP.said(),))
        case Route.BRIDGE:
            no_dual = asked.updates_blocked or facts.replaces_its_bootstrap
            remaining = "--route direct" if no_dual else "--route dual"
            return Choice(None, None, (rules.NO_BRIDGE_FOR_REBUILT.said(remaining=remaining),))
        case _ if asked.updates_blocked:
            return Choice(None, None, (rules.REBUILT_BLOCKED.said(),))
        case _ if facts.replaces_its_bootstrap:
            return Choice(None, None, (rules.REBUILT_IN_PLACE.said(),))
        case _:
            return Choice(Route.DUAL, None, (rules.DUAL_BELIEF.said(),))


def _why_no_bridge(facts: GateFacts) -> str:
    """Say why the bridge layer can't be added to a function's layers, or ''."""
    # On a function that was left half-way it is there already.
    own = [layer for layer in facts.layers if not is_bridge(layer.arn)]
    if len(own) >= MOST_LAYERS:
        return f"it has {len(own)} layers already, of the {MOST_LAYERS} that Lambda allows"
    for layer in own:
        if layer.problem:
            return f"its layer {layer.arn} could not be put on it again ({layer.problem})"
    return ""


def _unseen(facts: GateFacts) -> Iterator[Finding]:
    if facts.settings_problem:
        yield rules.SETTINGS_UNREADABLE.said(problem=facts.settings_problem)
    if facts.tags is None:
        yield rules.TAGS_UNREADABLE.said()


def _package(facts: GateFacts) -> Iterator[Finding]:
    judged = facts.assessment
    if judged is None:
        yield rules.NOT_INSPECTED.said()
    elif not judged.verdict.is_ready:
        yield from (Finding(reason.code, reason.text) for reason in judged.reasons)


def _refused_by_aws(facts: GateFacts) -> Iterator[Finding]:
    if facts.signing_policy is None:
        yield rules.CODE_SIGNING_UNKNOWN.said()
    elif facts.signing_policy:
        yield rules.CODE_SIGNING.said(policy=facts.signing_policy)
    if facts.runtime_mode == "Manual":
        yield rules.RUNTIME_MODE.said(name=facts.ref.arn)
    elif facts.runtime_mode not in FREE_MODES:
        yield rules.RUNTIME_MODE_UNKNOWN.said()
    if facts.state not in _FREE_STATES:
        yield rules.STATE.said(state=facts.state)
    elif facts.updating:
        yield rules.UPDATING.said()


def _no_room(facts: GateFacts) -> Iterator[Finding]:
    """Give what its owners' own tags, aliases and versions leave no room for."""
    theirs = [key for key in facts.tags or {} if not key.startswith("aws:")]
    if len({*theirs, *OWN_TAGS}) > _MOST_TAGS:
        yield rules.TOO_MANY_TAGS.said(count=str(len(theirs)))
    for alias in facts.aliases:
        moves = alias.name not in OWN_ALIASES and not alias.weights
        if moves and alias.version in facts.provisioned_versions:
            yield rules.PROVISIONED_VERSION.said(version=alias.version, alias=alias.name)
    names = {alias.name for alias in facts.aliases}
    if SERVING_ALIAS in names and ROLLBACK_ALIAS not in names:
        # A migration leaves it only where the other has been for long.
        yield rules.ALIAS_TAKEN.said(alias=SERVING_ALIAS)


def _storage(facts: GateFacts) -> Iterator[Finding]:
    storage = facts.storage
    if not facts.publishes:
        return
    if storage is None:
        yield rules.STORAGE_UNKNOWN.said(region=facts.ref.region)
        return
    needed = facts.publishes * (facts.new_size or 0)
    if (storage.used + needed) * 100 > storage.limit * _STORAGE_PERCENT:
        yield rules.STORAGE_FULL.said(
            region=facts.ref.region,
            used=_megabytes(storage.used),
            limit=_megabytes(storage.limit),
            needed=_megabytes(needed),
        )


def _told(facts: GateFacts, asked: Asked) -> Iterator[Finding]:
    """Give what keeps nothing from moving, but has to be known."""
    judged = facts.assessment
    if asked.updates_blocked:
        yield rules.UPDATES_BLOCKED.said()
    if judged is not None and judged.verdict is Verdict.ALREADY_CUSTOM and not facts.rebuilt:
        yield rules.AS_IT_IS.said()
    if facts.rebuilt:
        yield rules.REBUILT.said()
    if facts.state == "Inactive":
        yield rules.INACTIVE.said()
    if facts.reserved_concurrency == 0:
        yield rules.NO_CONCURRENCY.said()
    for layer in facts.layers:
        if layer.extensions:
            yield rules.EXTENSIONS.said(layer=layer.arn, names=listed(layer.extensions))
    if judged is not None:
        # Of extensions the gates speak themselves.
        said = {LAYER_EXTENSIONS.code} if any(each.extensions for each in facts.layers) else set()
        if facts.rebuilt:
            # The changes that are in no commit are the raised library's.
            said |= {BUILT_MODIFIED.code}
        warnings = (each for each in judged.warnings if each.code not in said)
        yield from (Finding(warning.code, warning.text) for warning in warnings)


def _repackaged(facts: GateFacts, asked: Asked, choice: Choice) -> Iterator[Finding]:
    if facts.repackaging_problem:
        yield rules.REPACKAGING_FAILED.said(problem=facts.repackaging_problem)
        return
    size, unzipped = facts.new_size, facts.new_unzipped_size
    if size is None or unzipped is None or facts.strategy is not choice.strategy:
        yield rules.NOT_REPACKAGED.said(strategy=choice.strategy or "it stays as it is")
        return
    uploaded = choice.strategy is not None or facts.rebuilt
    if uploaded and not (asked.bucket or fits_into_a_call(size)):
        yield rules.NEEDS_BUCKET.said(size=_megabytes(size))
    unzipped += _BRIDGE_SIZE if choice.route is Route.BRIDGE else 0
    if unzipped > UNZIPPED_LIMIT:
        yield rules.TOO_LARGE.said(size=_megabytes(unzipped))
    if facts.trial == TrialOutcome.CANNOT_START:
        yield rules.CANNOT_START.said(reason=facts.trial_reason)


def _tried(facts: GateFacts) -> Iterator[Finding]:
    match facts.trial:
        case TrialOutcome.STARTS:
            yield rules.TRIED.said()
        case TrialOutcome.CANNOT_START:
            return
        case "":
            yield rules.NOT_TRIED.said()
        case _:
            yield rules.TRIAL_INCONCLUSIVE.said(reason=facts.trial_reason or facts.trial)


def _megabytes(size: int) -> str:
    return f"{size / _MEGABYTE:,.1f} MB"
