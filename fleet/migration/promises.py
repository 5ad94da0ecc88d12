"""Who calls the function by which name, and how far the way back reaches for each. Pure.

A promise of rollback is only true of a name: $LATEST can go back while AWS allows updates of
go1.x, an alias at any time, and a published version never goes anywhere.
https://docs.aws.amazon.com/lambda/latest/dg/configuration-aliases.html
"""

from __future__ import annotations

from collections.abc import Iterator

from fleet.deployment import OWN_ALIASES, AliasNow
from fleet.migration.facts import GateFacts
from fleet.migration.plan import Promise
from fleet.model import LATEST, Caller
from fleet.package.words import shortened

_ON_LATEST = "it points at $LATEST, so it moves with it and goes back only with it"
_BEHIND = (
    "it stays on version {version}, for that is not shown to be what $LATEST is now, and moving it "
    "could release what its owners have not released: it moves once it points at a version "
    "published of $LATEST"
)
_WEIGHTED = (
    "it stays as it is, for it shares its calls between version {version} and {others}, and its "
    "owners may be in the middle of a release: without weights it would move; once the function "
    "has moved, it is theirs to move"
)
_SHIFTING = (
    "it stays as it is, for it shares its calls between version {version} and {others}, as AWS "
    "does by itself while its provisioned concurrency moves: it moves once that is over"
)
_MOVES = "it moves from version {version} to the version that was proven, and goes back at any time"
_VERSION = (
    "it never moves, for a published version does not change: whoever calls it has to call "
    "$LATEST or an alias instead"
)
_NOWHERE = "neither an alias nor a version of this name was seen, so nothing here moves it"
_CALLERS_UNKNOWN = "; what calls it could not be read"


def promises(
    facts: GateFacts, *, same_as_latest: frozenset[str], updates_blocked: bool
) -> tuple[Promise, ...]:
    """Give one promise for $LATEST, each alias of its owners, and each other name that is called.

    `same_as_latest` are the version numbers that publishing $LATEST would answer instead of
    minting one: an alias moves only if it points there. `updates_blocked` says whether AWS
    refuses updates of go1.x functions by now. fleet's own aliases are not listed.
    """
    return tuple(_promises(facts, same_as_latest, updates_blocked))


def _promises(
    facts: GateFacts, same_as_latest: frozenset[str], updates_blocked: bool
) -> Iterator[Promise]:
    yield _promise(facts, LATEST, _latest(updates_blocked))
    aliases = sorted(facts.aliases, key=lambda alias: alias.name)
    for alias in aliases:
        if alias.name not in OWN_ALIASES:
            yield _promise(facts, alias.name, _alias(alias, same_as_latest))
    told = {LATEST, *OWN_ALIASES, *(alias.name for alias in aliases)}
    called = {caller.qualifier for caller in facts.callers or ()} - told
    for name in sorted(called, key=_by_number):
        yield _promise(facts, name, _VERSION if _is_version(name) else _NOWHERE)


def _promise(facts: GateFacts, qualifier: str, text: str) -> Promise:
    if facts.callers is None:
        return Promise(qualifier, (), text + _CALLERS_UNKNOWN)
    return Promise(qualifier, _callers(facts.callers, qualifier), text)


def _callers(callers: tuple[Caller, ...], qualifier: str) -> tuple[Caller, ...]:
    return tuple(caller for caller in callers if caller.qualifier == qualifier)


def _latest(updates_blocked: bool) -> str:
    if updates_blocked:
        return "it moves and can never go back, for AWS refuses updates of go1.x functions by now"
    return "it moves, and goes back until AWS refuses updates of go1.x functions; after that, never"


def _alias(alias: AliasNow, same_as_latest: frozenset[str]) -> str:
    if alias.version == LATEST:
        return _ON_LATEST
    version = shortened(alias.version)
    if alias.weights:
        others = ", ".join(f"version {shortened(other)}" for other in sorted(alias.weights))
        return (_SHIFTING if alias.provisioned else _WEIGHTED).format(
            version=version, others=others
        )
    return (_MOVES if alias.version in same_as_latest else _BEHIND).format(version=version)


def _is_version(name: str) -> bool:
    return name.isascii() and name.isdigit()


def _by_number(name: str) -> tuple[int, str]:
    """Sort versions by number and before other names."""
    return (len(name), name) if _is_version(name) else (1 << 30, name)
