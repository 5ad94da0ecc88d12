"""Everything that keeps a program from being built again, as one table: code and sentence."""

from __future__ import annotations

from dataclasses import dataclass

_LONGEST = 240


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a program is not built again."""

    code: str
    text: str
    """One sentence a person can act on."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table."""

    code: str
    text: str
    """One sentence with named fields: what it is, and what to do."""

    def said(self, **fields: str) -> Refusal:
        """Give the refusal; fields come out of binaries and are made fit to be shown."""
        shown = {name: fit(value) for name, value in fields.items()}
        return Refusal(self.code, self.text.format_map(shown))


def fit(text: str) -> str:
    """Give a text out of a binary without what could move a cursor, and not too long."""
    kept = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in kept)


# What it is built from.
NO_BUILD_INFO = Rule(
    "no-build-info",
    "it does not tell how it was built (Go writes that from 1.13 on): build it yourself",
)
NO_MODULES = Rule(
    "no-modules",
    "it was built without modules (GO111MODULE=off), so nothing tells the versions of what is in "
    "it: build it yourself",
)
NO_PACKAGE = Rule(
    "no-package",
    "it was built by file names (`go build main.go`), so it names no package: name its main "
    "package with `package:` under `rebuild: functions:` in fleet.yaml",
)
BAD_PACKAGE = Rule(
    "package-name",
    "its main package {package} is none that Go would build: build it yourself",
)
NO_COMMIT = Rule(
    "no-commit",
    "it does not tell the commit it was built from: give it with `commit:` under `rebuild: "
    "functions:` in fleet.yaml",
)
BAD_COMMIT = Rule(
    "commit-name",
    "vcs.revision is {commit}, which is no commit of git: build it yourself",
)
BAD_VERSION = Rule(
    "module-version",
    "it was built from version {version} of its module, which is none: build it yourself",
)
OTHER_COMMIT = Rule(
    "other-commit",
    "it was built from {commit}, and fleet.yaml says {given}: take `commit:` out there",
)
NOT_GIT = Rule(
    "not-git",
    "its source is kept by {vcs}, and only git is read: build it yourself",
)
MODIFIED = Rule(
    "modified",
    "it was built with changes that are in no commit (vcs.modified={modified}), so its source is "
    "not known: if the commit alone will do, say `accept: [modified]` under `rebuild: functions:` "
    "in fleet.yaml",
)

# How it was built.
GO_VERSION = Rule(
    "go-version",
    "{version} is no version of Go that can be had: build it yourself",
)
ARCHITECTURE = Rule(
    "architecture",
    "it is built for {given}, and only linux on x86_64 and arm64 are rebuilt: build it yourself",
)
COMPILER = Rule(
    "compiler",
    "it was built by {compiler}, and only Go's own compiler is used: build it yourself",
)
BUILD_MODE = Rule(
    "build-mode",
    "it was built with -buildmode={mode}, and only programs (exe and pie) are rebuilt: build it "
    "yourself",
)
INSTRUMENTED = Rule(
    "instrumented",
    "it was built with {setting}, which is for tests: deploy a build without it first",
)
PROFILE = Rule(
    "profile",
    "it was built with the profile {profile}, and only default.pgo beside its main package is "
    "known to be the same: build it yourself",
)
CGO = Rule(
    "cgo",
    "it holds C (CGO_ENABLED=1), which takes a C compiler for {architecture}: where that is only "
    "what `net` and `os/user` bring along, say `accept: [without-c]` under `rebuild: functions:` "
    "in fleet.yaml, and it is built in Go alone; else build it yourself",
)
UNKNOWN_SETTING = Rule(
    "unknown-setting",
    "it was built with {setting}, which is not known here: build it yourself",
)
BAD_SETTING = Rule(
    "setting-value",
    "its {setting} is nothing that is handed on to Go ({value}): build it yourself",
)

# Its linker flags; what they hold is never named.
LINKER_FLAG = Rule(
    "linker-flag",
    "its -ldflags hold what is not handed on to Go's linker ({flag}): build it yourself",
)
LINKER_FLAGS_WRONG = Rule(
    "ldflags-wrong",
    "with the `ldflags:` of fleet.yaml the program that runs does not come out again, so it was "
    "built with others: correct them, or take that on with `accept: [lost-ldflags]` beside them",
)
LINKER_FLAGS_LOST = Rule(
    "ldflags-lost",
    "its -ldflags are not recorded (before Go 1.18 its tags neither) and no build can show what "
    "they were ({why}), so values set with -X may be lost: give them with `ldflags:`, or take that "
    "on with `accept: [lost-ldflags]`, both under `rebuild: functions:` in fleet.yaml",
)
