"""What comes next: pure, total, and the same whoever asks.

The state that counts is AWS's. Where a function stands on its way is told by its deployment
alone, so going on after a crash, at any point, is asking again. The order that no crash may
disturb: the version to come back to before the first change, aliases of others only after the
proof, tags last, for they say that all else is done.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from fleet.deployment import (
    OWN_ALIASES,
    OWN_TAGS,
    SERVING_ALIAS,
    X86_64_ALIAS,
    AliasNow,
    Baking,
    Deployment,
    Done,
    Observed,
    Prove,
    Publish,
    Published,
    PutAlias,
    PutTags,
    RemoveTags,
    Stale,
    Step,
    Stuck,
    UpdateCode,
    UpdateConfiguration,
    Wait,
    Way,
)
from fleet.model import Alias


def next_step(seen: Observed, way: Way) -> Step:
    """Name the one next step of the way forward.

    An alias of the function's owners moves only if it points, unweighted, at the very version
    that `keep` holds: that it runs what $LATEST ran is certain then, and nothing unreleased goes
    out with it.
    """
    if not seen.settled:
        return Wait("an update is in progress")
    if seen.failure:
        return Stuck(f"AWS could not finish an update: {seen.failure}")
    if not seen.deployment.rest:
        return Stuck(_UNREADABLE)
    if seen.deployment not in way.path:
        return Stale(_elsewhere(seen.deployment, way))
    if seen.deployment == way.start and (first := _before_the_first_change(seen, way)):
        return first
    if seen.kept is None or not _is_kept(seen.kept.deployment, way):
        # Going on would leave nothing to come back to.
        return Stale(f"the alias {way.keep} no longer holds what the function was before")
    if seen.deployment != way.end:
        after = way.path[way.path.index(seen.deployment) + 1]
        return update(seen.deployment, after, seen.revision)
    return _after_the_last_change(seen, way)


def next_step_back(
    seen: Observed,
    way: Way,
    before: Mapping[str, Alias],
    *,
    refused: bool = False,
    stays: bool = False,
) -> Step:
    """Name the one next step of the way back.

    `before` is what each alias was before this way moved it; an alias goes back only if it still
    is where the way has put it. Aliases first: they can go back whatever became of $LATEST.
    `refused` says that AWS refuses the runtime of the way's start by now: $LATEST then stays
    where it is or, from halfway, goes on to the end of the way, which runs on every route. `stays`
    says that $LATEST will not go back, so that tags that say what it is stay as well.
    """
    if not seen.settled:
        return Wait("an update is in progress")
    step = _next_move_back(seen, way, before, refused=refused)
    # Where $LATEST stays what they say it is, they stay.
    marks = () if refused or stays else _marks(seen, way)
    changes = isinstance(step, (PutAlias, UpdateCode, UpdateConfiguration))
    # Before the first move, for they say that all is done; not where nothing goes back.
    if marks and (changes or (isinstance(step, Done) and seen.deployment == way.start)):
        return RemoveTags(marks)
    return step


def moving(seen: Observed, way: Way) -> tuple[AliasNow, ...]:
    """Give the aliases of the function's owners that move, once the version kept is known."""
    kept = seen.kept
    if kept is None or kept.deployment.rest != seen.deployment.rest:
        # With other settings it is not what $LATEST is: moving would release them.
        return ()
    return tuple(
        alias
        for alias in _others(seen)
        if alias.version == kept.version
        if not alias.weights or _is_on_its_way(alias, seen, way)
    )


def _is_on_its_way(alias: AliasNow, seen: Observed, way: Way) -> bool:
    """Whether a canary has sent a share of its calls to what was proven."""
    if way.share is None or alias.provisioned or seen.kept is None or seen.serving is None:
        # Else weights are its owners', and beside provisioned concurrency AWS's.
        return False
    return alias.version == seen.kept.version and alias.weights.keys() == {seen.serving.version}


def update(
    before: Deployment, after: Deployment, revision: str
) -> UpdateCode | UpdateConfiguration:
    """Give the update that leads from one deployment to its neighbour on a path.

    Raises ValueError where it would take more than one.
    """
    code = (before.code_sha256, before.architecture) != (after.code_sha256, after.architecture)
    settings = (before.runtime, before.handler, before.layers) != (
        after.runtime,
        after.handler,
        after.layers,
    )
    if code == settings or before.rest != after.rest:
        msg = "one update changes code or configuration"
        raise ValueError(msg)
    return (UpdateCode if code else UpdateConfiguration)(revision, before, after)


def _before_the_first_change(seen: Observed, way: Way) -> Step | None:
    # Of an earlier migration that was undone by a deploy: they would say that all is done.
    if marked := _marks(seen, way):
        return RemoveTags(marked)
    return _held(seen, way.keep, seen.kept)


def _after_the_last_change(seen: Observed, way: Way) -> Step:
    done = all(seen.tags.get(key) == value for key, value in way.tags.items())
    # Weights are given after the proof; a canary need not be proven at each of its steps.
    shifting = [alias for alias in _others(seen) if _is_on_its_way(alias, seen, way)]
    if any(alias not in moving(seen, way) for alias in shifting):
        # Going on would leave them between two versions of which neither is what $LATEST is.
        return Stale("its settings were changed while its aliases shifted")
    if not (done or seen.proven or shifting):
        return Prove()
    if missing := _held(seen, way.serve, seen.serving):
        return missing
    if done or seen.serving is None:
        # Whoever has moved an alias since then had a reason.
        return Done()
    for alias in moving(seen, way):
        if step := _shifted(alias, seen.serving.version, way.share):
            return step
    for alias in _others(seen):
        for its in (seen.kept, seen.serving):
            if its is not None and _is_shifting_to(alias, its.version):
                return Wait(_shifting(alias))
    return Baking() if moving(seen, way) else PutTags(way.tags)


def _shifted(alias: AliasNow, version: str, share: float | None) -> PutAlias | None:
    """Give the step that sends a share of an alias's calls to a version; None if it does."""
    # https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html: weights and
    # provisioned concurrency exclude each other.
    if share is None or share >= 1 or alias.provisioned:
        return PutAlias(alias.name, version, alias)
    if abs(alias.weights.get(version, 0.0) - share) < _LEAST_SHARE:
        return None
    return PutAlias(alias.name, alias.version, alias, {version: share})


def _next_move_back(
    seen: Observed, way: Way, before: Mapping[str, Alias], *, refused: bool
) -> Step:
    # Ours last: by it is told where the others were put.
    for alias in sorted(seen.aliases, key=lambda each: each.name in OWN_ALIASES):
        was = before.get(alias.name)
        if was is not None and _is_where_it_was_put(alias, seen, was):
            return PutAlias(alias.name, was.version, alias, was.weights)
    if not seen.deployment.rest:
        return Stuck(_UNREADABLE)
    if seen.deployment not in way.path:
        return Stale(_elsewhere(seen.deployment, way))
    here, home = way.path.index(seen.deployment), 0
    if refused:
        # Nothing on go1.x can be updated to go1.x any more, but it runs.
        on_start = seen.deployment.runtime == way.start.runtime
        home = here if on_start else len(way.path) - 1
    if here != home:
        after = way.path[here + (1 if here < home else -1)]
        return update(seen.deployment, after, seen.revision)
    if seen.failure:
        return Stuck(f"AWS could not finish an update: {seen.failure}")
    for alias in seen.aliases:
        if alias.name in before and _is_shifting_to(alias, before[alias.name].version):
            return Wait(_shifting(alias))
    return Done()


def _is_kept(kept: Deployment, way: Way) -> bool:
    """Whether a version is what the way began with, but for settings changed halfway."""
    return replace(kept, rest=way.start.rest) == way.start


def _held(seen: Observed, name: str, holds: Published | None) -> Step | None:
    """Give what is missing for an alias of ours to hold $LATEST as it is; None if nothing is."""
    if holds is not None and holds.deployment == seen.deployment:
        return None if holds.active else Wait(f"version {holds.version} is not ready yet")
    minted = seen.minted
    if minted is not None and minted.deployment.rest != seen.deployment.rest:
        # Publishing once more would answer the same, over and over.
        return Stuck(f"version {minted.version} does not show the settings it was published with")
    if minted is None or minted.deployment != seen.deployment:
        return Publish(seen.revision, seen.deployment.code_sha256, name)
    if not minted.active:
        return Wait(f"version {minted.version} is not ready yet")
    now = next((alias for alias in seen.aliases if alias.name == name), None)
    return PutAlias(name, minted.version, now)


def _is_where_it_was_put(alias: AliasNow, seen: Observed, was: Alias) -> bool:
    there = (alias.version, dict(alias.weights)) == (was.version, dict(was.weights))
    if seen.serving is None or there or _is_shifting_to(alias, was.version):
        return False
    # It may have been moved twice, first for the runtime and then for the architecture, or be
    # between the two while traffic shifts little by little.
    ours = {each.version for each in seen.aliases if each.name in {SERVING_ALIAS, X86_64_ALIAS}}
    return {alias.version, *alias.weights} <= {*ours, seen.serving.version, was.version}


def _is_shifting_to(alias: AliasNow, version: str) -> bool:
    """Whether AWS is still moving its provisioned concurrency there, by weights of its own."""
    return alias.provisioned and bool(alias.weights) and alias.version == version


def _shifting(alias: AliasNow) -> str:
    return f"AWS still shifts the provisioned concurrency of {alias.name}"


def _marks(seen: Observed, way: Way) -> tuple[str, ...]:
    """Give the tags of the way that the function carries."""
    return tuple(key for key in OWN_TAGS if key in seen.tags and key in way.tags)


def _others(seen: Observed) -> Iterator[AliasNow]:
    return (alias for alias in seen.aliases if alias.name not in OWN_ALIASES)


def _elsewhere(now: Deployment, way: Way) -> str:
    """Say what differs from the nearest deployment of the way."""

    def differing(other: Deployment) -> list[str]:
        return [name for name in _WORDS if getattr(now, name) != getattr(other, name)]

    nearest = min((differing(other) for other in way.path), key=len)
    return f"somebody else changed it: {', '.join(_WORDS[name] for name in nearest)}"


_LEAST_SHARE = 0.005
"""AWS may give a weight back as another float than it was sent."""

_UNREADABLE = "not every setting can be read, so nobody can tell what has changed"

_WORDS: Mapping[str, str] = {
    "runtime": "runtime",
    "handler": "handler",
    "layers": "layers",
    "code_sha256": "code",
    "architecture": "architecture",
    "rest": "environment or other settings",
}
