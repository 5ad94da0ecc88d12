"""From what was read to what it means: which use a version has, and who calls it. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from fleet.deployment import stands_halfway
from fleet.model import LATEST, ROLLBACK_ALIAS, Alias, Caller, FunctionConfig, PackageType, Use


def serving_aliases(version: str, aliases: Iterable[Alias]) -> tuple[Alias, ...]:
    """The aliases that send calls to a version, as their own or by a weight."""
    return tuple(each for each in aliases if version == each.version or version in each.weights)


def reaching_callers(
    version: str, aliases: Iterable[Alias], callers: Iterable[Caller]
) -> tuple[Caller, ...]:
    """The callers whose calls reach a version, directly or through an alias that serves it."""
    qualifiers = {version} | {each.name for each in serving_aliases(version, aliases)}
    return tuple(each for each in callers if each.qualifier in qualifiers)


def held_for_rollback(versions: Iterable[str], aliases: Iterable[Alias]) -> list[str]:
    """The versions that no alias but `go1x-rollback` serves, and that alias; [] if none."""
    aliases = tuple(aliases)
    held = [
        version
        for version in versions
        if {each.name for each in serving_aliases(version, aliases)} == {ROLLBACK_ALIAS}
    ]
    return [*held, ROLLBACK_ALIAS] if held else []


def is_halfway(config: FunctionConfig) -> bool:
    """Whether a version is a $LATEST that a move, or a way back, has left on its bridge."""
    ref = config.ref
    return ref.qualifier == LATEST and stands_halfway(config.runtime, config.layers, ref.account)


def use_of(
    config: FunctionConfig,
    aliases: Iterable[Alias] | None,
    callers: Iterable[Caller] | None,
) -> Use:
    """Why this version matters.

    `aliases` are all of the function's and `callers` those known, of any qualifier; None where
    they could not be read. A version that only `go1x-rollback` holds is a migration's safety
    net, until something calls it.
    """
    if config.package_type is PackageType.IMAGE:
        return Use.IMAGE
    if config.ref.qualifier == LATEST:
        return Use.HALFWAY if is_halfway(config) else Use.LATEST
    if aliases is None:
        return Use.UNKNOWN
    return _use_of_published(config.ref.qualifier, tuple(aliases), callers)


def _use_of_published(
    version: str, aliases: tuple[Alias, ...], callers: Iterable[Caller] | None
) -> Use:
    serving = serving_aliases(version, aliases)
    if any(each.name != ROLLBACK_ALIAS for each in serving):
        return Use.SERVED
    if callers is None:
        return Use.UNKNOWN
    if reaching_callers(version, aliases, callers):
        return Use.SERVED
    return Use.ROLLBACK if serving else Use.KEPT
