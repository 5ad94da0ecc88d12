"""Which accounts, regions and functions a scan was asked for. Pure.

An option that was given but names nothing selects nothing: never everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

from fleet.deployment import LANGUAGE
from fleet.errors import BadSelection, NothingSelected
from fleet.inspection import Target
from fleet.model import Account, FunctionConfig, PackageType, ScanOptions
from fleet.scan.uses import is_halfway

ACCOUNT_DIGITS = 12
CUSTOM_RUNTIMES = ("provided", *(target.value for target in Target))
"""Runtimes whose name does not tell the language."""


def split_values(values: Iterable[str] | None) -> tuple[str, ...] | None:
    """Values of a repeatable, comma-separated option; None where it was not given at all."""
    if values is None:
        return None
    return tuple(part.strip() for value in values for part in value.split(",") if part.strip())


def check_account_ids(option: str, ids: Iterable[str]) -> None:
    """Raises BadSelection for the first value that cannot be an account id."""
    for each in ids:
        digits = each.isascii() and each.isdigit()
        if digits and len(each) == ACCOUNT_DIGITS:
            continue
        advice = "an account id has 12 digits"
        if digits and len(each) < ACCOUNT_DIGITS:
            advice += f"; with its leading zeros this one would be {each.zfill(ACCOUNT_DIGITS)}"
        raise BadSelection(option, each, advice)


def check_asked(options: ScanOptions) -> None:
    """Raises NothingSelected or BadSelection for what can be told wrong without asking AWS.

    An option that selects nothing is refused: a scan that can find nothing would go on to say
    that nothing is there.
    """
    if () in {options.accounts, options.ous}:
        raise NothingSelected
    for option, values in (
        ("--region", options.regions),
        ("--tag", options.tags),
        ("--runtime", options.runtimes),
    ):
        if values == ():
            raise BadSelection(option, "", "selects nothing, so there is nothing to look at")
        for each in values or ():
            if not each.isprintable():
                raise BadSelection(option, repr(each), "holds what cannot be read as text")
    check_account_ids("--account", options.accounts or ())
    check_account_ids("--exclude-account", options.excluded_accounts)


def choose_accounts(
    options: ScanOptions,
    listed: Sequence[Account],
    units: Mapping[str, str],
    *,
    departed: Callable[[str], None] | None = None,
) -> list[Account]:
    """The accounts to look at, in the order listed; inactive ones stay, to be named as such.

    `units` maps organizational unit ids to paths. Raises BadSelection for an account or unit
    that the organization does not have. Exclusions kept in a settings file outlive accounts:
    `departed` is told of each that names one no longer there, where otherwise it is refused.
    """
    known = {each.id for each in listed}
    for option, ids in (
        ("--account", options.accounts or ()),
        ("--exclude-account", options.excluded_accounts),
    ):
        check_account_ids(option, ids)
        for each in ids:
            if not options.organization or each in known:
                continue
            if departed is None or option == "--account":
                raise BadSelection(option, each, "no such account in this organization")
            departed(each)
    chosen = [each for each in listed if each.id not in options.excluded_accounts]
    if options.accounts is not None:
        chosen = [each for each in chosen if each.id in options.accounts]
    if options.ous is not None:
        paths = [_unit_path(each, units) for each in options.ous]
        chosen = [
            each
            for each in chosen
            if any(each.ou == path or each.ou.startswith(f"{path}/") for path in paths)
        ]
    return chosen


def _unit_path(asked: str, units: Mapping[str, str]) -> str:
    path = units.get(asked, asked.strip("/"))
    if path not in units.values():
        raise BadSelection("--ou", asked, "no such organizational unit; give its id or its path")
    return path


def check_regions(options: ScanOptions, known: Iterable[str]) -> None:
    """Raises BadSelection for a region name or wildcard that matches no region there is."""
    names = set(known)
    asked = (("--region", options.regions or ()), ("--exclude-region", options.excluded_regions))
    for option, patterns in asked:
        for pattern in patterns:
            if not any(fnmatchcase(name, pattern) for name in names):
                raise BadSelection(option, pattern, "no such region in this partition")


def choose_regions(options: ScanOptions, enabled: Iterable[str]) -> tuple[list[str], list[str]]:
    """The regions to look at, and those named outright that the account has not enabled."""
    here = set(enabled)
    if options.regions is not None:
        named = {each for each in options.regions if not _is_wildcard(each)}
        wanted = {name for name in here if _matches(name, options.regions)}
    else:
        named, wanted = set(), here
    excluded = options.excluded_regions
    return (
        sorted(name for name in wanted if not _matches(name, excluded)),
        sorted(name for name in named - here if not _matches(name, excluded)),
    )


def tags_match(options: ScanOptions, tags: Mapping[str, str] | None) -> bool:
    """Whether a function is asked for by its tags; one whose tags are unknown always is."""
    return options.tags is None or tags is None or has_tag(tags, options.tags)


def has_tag(tags: Mapping[str, str], asked: Iterable[str]) -> bool:
    """Whether one of the tags is asked for, as KEY or KEY=VALUE with wildcards."""
    for each in asked:
        key, parted, value = each.partition("=")
        pattern = value if parted else "*"
        if any(fnmatchcase(k, key) and fnmatchcase(v, pattern) for k, v in tags.items()):
            return True
    return False


def runtimes_to_list(options: ScanOptions) -> tuple[str, ...]:
    """The runtimes whose functions have to be looked at to find those asked for."""
    if options.language is None:
        return options.runtimes
    return (*options.runtimes, *CUSTOM_RUNTIMES)


def is_beside(options: ScanOptions, config: FunctionConfig) -> bool:
    """Whether a listed version is on none of the runtimes asked for: only its tags can say why.

    What stands halfway has no tags yet, and needs none.
    """
    return (
        config.package_type is PackageType.ZIP
        and config.runtime not in options.runtimes
        and not is_halfway(config)
    )


def language_matches(
    options: ScanOptions, config: FunctionConfig, tags: Mapping[str, str] | None
) -> bool:
    """Whether a listed version is of the language asked for; with tags unknown it always is."""
    if tags is None or not is_beside(options, config):
        return True
    return tags.get(LANGUAGE) == options.language


def _is_wildcard(text: str) -> bool:
    return any(sign in text for sign in "*?[")


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
