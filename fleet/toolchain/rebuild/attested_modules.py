"""Whether two programs were built from the same modules. Pure.

Checksums are those of go.sum (https://go.dev/ref/mod#go-sum-files): vendored builds carry none
from Go 1.24 on, and then nothing compares their content but the commit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from fleet.inspection import Module
from fleet.toolchain.rebuild.commit import BY_FILES, is_published
from fleet.toolchain.rebuild.differences import Change, Difference, Pair


def module_differences(pair: Pair) -> Iterator[Difference]:
    """Give what differs in the main module and in every dependency."""
    was, now = pair.before.main, pair.after.main
    if was != now:
        yield Difference("mod", _shown(was), _shown(now), _of_main(was, now, pair))
    yield from _dependencies(pair)


def _of_main(was: Module | None, now: Module | None, pair: Pair) -> Change | None:
    if now is None or is_published(pair.before) or is_published(pair.after):
        return None
    if was is None:
        return Change.NOT_TOLD if pair.before.path == BY_FILES and pair.allowed.named else None
    alike = (was.path, was.replacement) == (now.path, now.replacement) and not was.sum + now.sum
    # The version comes from tags, which people move; what holds is the commit.
    return Change.MAIN_VERSION if alike and pair.allowed.commit else None


def _dependencies(pair: Pair) -> Iterator[Difference]:
    before, after = pair.before.dependencies, pair.after.dependencies
    if before == after:
        return
    for modules in (before, after):
        for path, times in Counter(each.path for each in modules).items():
            if times > 1:
                yield Difference(f"dep {path}", f"{times} times", "", None)
    old = {each.path: each for each in before}
    new = {each.path: each for each in after}
    for path in sorted(old.keys() | new.keys()):
        was, now = old.get(path), new.get(path)
        if was != now:
            yield Difference(f"dep {path}", _shown(was), _shown(now), _raised(path, now, pair))


def _raised(path: str, now: Module | None, pair: Pair) -> Change | None:
    """Tell whether raising the library explains it: to this very version, and not replaced."""
    expected = pair.allowed.raised.get(path)
    if expected is None or (now and now.replacement):
        return None
    return Change.LIBRARY if expected == (now.version if now else "") else None


def _shown(module: Module | None) -> str:
    if module is None:
        return ""
    words = " ".join(filter(None, (module.path, module.version, module.sum)))
    return f"{words} => {_shown(module.replacement)}" if module.replacement else words
