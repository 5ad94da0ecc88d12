"""The setting -ldflags: its arguments, and itself without the values it puts into variables.

Teams hand tokens and passwords to builds by `-X importpath.name=value`, and what is read of a
package is kept, printed and sent around. Names stay: who rebuilds has to ask for the values.
https://pkg.go.dev/cmd/link
"""

from __future__ import annotations

import re

HIDDEN = "(hidden)"

_PATTERN = re.compile(r"\s*[^-'\"\s][^=]*=")
"""`all=` or `./...=`: the packages that the flags are for."""
_FIELD = re.compile(r"'[^']*'?|\"[^\"]*\"?|\S+")
"""One argument as Go parts them: quotes count at its beginning, and nothing is escaped.

https://pkg.go.dev/cmd/go: of the build flags that take a list of arguments.
"""
_SET = re.compile(r"--?X(=|$)")


def arguments(flags: str) -> tuple[str, ...] | None:
    """Give the arguments as the linker is handed them, or None where Go would refuse them."""
    found = []
    for field in _FIELD.finditer(flags, _start(flags)):
        text = field[0]
        if text[0] in "'\"":
            if len(text) == 1 or text[-1] != text[0]:
                return None
            text = text[1:-1]
        found.append(text)
    return tuple(found)


def without_values(flags: str) -> str:
    """Give the flags with `(hidden)` for the value of every -X."""
    start = _start(flags)
    shown = [flags[:start]]
    at, naming, hiding = start, False, False
    for field in _FIELD.finditer(flags, start):
        gap, at = flags[at : field.start()], field.end()
        quote = field[0][0] if field[0][0] in "'\"" else ""
        text = field[0].strip(quote) if quote else field[0]
        flag = _SET.match(text)
        if naming:
            shown += [gap, quote, _named(text), quote]
            naming, hiding = False, True
        elif flag:
            naming, hiding = not flag[1], bool(flag[1])
            shown += [gap, quote, flag[0], _named(text[flag.end() :]) if hiding else "", quote]
        elif not hiding or text.startswith("-"):
            hiding = False
            shown += [gap, field[0]]
        # Else no flag, and behind a value: more of it, by whatever quotes it was written in.
    return "".join(shown)


def _start(flags: str) -> int:
    pattern = _PATTERN.match(flags)
    return pattern.end() if pattern else 0


def _named(text: str) -> str:
    name, equals, _ = text.partition("=")
    return f"{name}={HIDDEN}" if equals else HIDDEN
