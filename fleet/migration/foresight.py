"""The steps a function would take from here, if nobody else touches it. Pure.

The dry run is this: the very rules that lead the real way, asked about what each step leads to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from fleet.deployment import (
    AliasNow,
    Baking,
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

_MOST = 1000
"""Steps: a function has at most a few hundred aliases."""


def foresee(
    seen: Observed,
    way: Way,
    decide: Callable[[Observed], Step],
    *,
    newest: Published | None = None,
) -> tuple[Step, ...]:
    """Give every step to the end, waiting left out; the last one is an end.

    `newest` is the version that was published last: publishing answers it, instead of minting
    another, where $LATEST is the same, and the aliases on it are then those that move.
    """
    return tuple(_steps(seen, way, decide, newest))


def _steps(
    seen: Observed, way: Way, decide: Callable[[Observed], Step], newest: Published | None
) -> Iterator[Step]:
    for _ in range(_MOST):
        step = decide(seen)
        if not isinstance(step, Wait):
            yield step
        if isinstance(step, (Done, Baking, Stale, Stuck)):
            return
        seen = after(seen, way, step, newest)
        newest = seen.minted or newest


def after(seen: Observed, way: Way, step: Step, newest: Published | None = None) -> Observed:
    """Tell what a function looks like once a step has succeeded and everything has settled."""
    match step:
        case Publish():
            if newest is None or newest.deployment != seen.deployment:
                # https://docs.aws.amazon.com/lambda/latest/api/API_PublishVersion.html
                newest = Published(f"(new: {step.alias})", seen.deployment)
            return replace(seen, minted=newest)
        case PutAlias():
            return _with_alias(seen, way, step)
        case UpdateConfiguration() | UpdateCode():
            return replace(seen, deployment=step.after, failure="", proven=False)
        case PutTags():
            return replace(seen, tags={**seen.tags, **step.tags})
        case RemoveTags():
            left = {key: value for key, value in seen.tags.items() if key not in step.keys}
            return replace(seen, tags=left)
        case Prove():
            return replace(seen, proven=True)
        case Wait():
            return _settled(seen)
        case Done() | Baking() | Stale() | Stuck():
            return seen


def _with_alias(seen: Observed, way: Way, step: PutAlias) -> Observed:
    now = AliasNow(
        step.name,
        step.version,
        step.weights,
        provisioned=step.before is not None and step.before.provisioned,
    )
    others = tuple(alias for alias in seen.aliases if alias.name != step.name)
    seen = replace(seen, aliases=(*others, now))
    if step.name == way.keep:
        return replace(seen, kept=seen.minted)
    if step.name == way.serve:
        return replace(seen, serving=seen.minted)
    return seen


def _settled(seen: Observed) -> Observed:
    def ready(version: Published | None) -> Published | None:
        return None if version is None else replace(version, active=True)

    return replace(
        seen,
        settled=True,
        kept=ready(seen.kept),
        serving=ready(seen.serving),
        minted=ready(seen.minted),
        aliases=tuple(
            replace(alias, weights={}) if alias.provisioned else alias for alias in seen.aliases
        ),
    )
