from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple
from zlib import crc32

import pytest

from fleet.inspection import (
    LAMBDA_LIBRARY,
    BinaryKind,
    Deployed,
    Layer,
    Module,
    PackageFacts,
    Strategy,
    Target,
    Verdict,
)
from fleet.package.shim import SHIM
from fleet.package.verdict.assessment import assess
from fleet.package.verdict.remarks import (
    CHANGED_MEANWHILE,
    COULD_NOT_BE_READ,
    REFUSED_PACKAGE,
    VERDICTS,
)
from tests.package.hand_made import (
    GO1X,
    build_info,
    directory,
    entry,
    layer,
    link,
    old,
    package,
    program,
    shared,
)

OF_SCANS = (COULD_NOT_BE_READ, REFUSED_PACKAGE, CHANGED_MEANWHILE)
"""Said where no facts came to be."""


class Case(NamedTuple):
    verdict: Verdict
    codes: str
    """The codes of the reasons, in their order."""
    facts: PackageFacts | None
    deployed: Deployed = GO1X
    strategy: Strategy | None = None


def ready(codes: str, facts: PackageFacts, deployed: Deployed = GO1X) -> Case:
    return Case(Verdict.READY, codes, facts, deployed, Strategy.RENAME)


def shimmed(codes: str, facts: PackageFacts, deployed: Deployed = GO1X) -> Case:
    codes = f"{codes} runtime-api"
    return Case(Verdict.READY_WITH_SHIM, codes, facts, deployed, Strategy.SHIM)


def rebuild(codes: str, facts: PackageFacts, deployed: Deployed = GO1X) -> Case:
    return Case(Verdict.REBUILD, codes, facts, deployed)


def unknown(codes: str, facts: PackageFacts | None, deployed: Deployed = GO1X) -> Case:
    return Case(Verdict.UNKNOWN, codes, facts, deployed)


def decision(codes: str, facts: PackageFacts, deployed: Deployed = GO1X) -> Case:
    return Case(Verdict.NEEDS_DECISION, codes, facts, deployed)


def custom(codes: str, facts: PackageFacts, deployed: Deployed = GO1X) -> Case:
    return Case(Verdict.ALREADY_CUSTOM, codes, facts, deployed)


FORK = Module(LAMBDA_LIBRARY, "v1.41.0", replacement=Module("github.com/acme/lambda", "v1.9.0"))
DIRECTORY = Module(LAMBDA_LIBRARY, "v1.41.0", replacement=Module("./lambda", ""))
PINNED = Module(LAMBDA_LIBRARY, "v1.41.0", replacement=Module(LAMBDA_LIBRARY, "v1.17.0"))
NO_INFO: dict[str, Any] = {"build": None, "lambda_library": None}
BY_NAME = build_info(path="command-line-arguments", main=None)
SHIM_ENTRY = entry("bootstrap", size=len(SHIM), crc=crc32(SHIM))
SCRIPT = entry("bootstrap", size=60)
SAME = entry("bootstrap", crc=7)
ON_CUSTOM = replace(GO1X, runtime="provided.al2")
AL2023 = replace(GO1X, runtime="provided.al2023", handler="anything")
BOOTSTRAP = replace(GO1X, handler="bootstrap")
NEEDS_Z = program(interpreter="/lib64/ld-linux-x86-64.so.2", needed=("libz.so.1", "libc.so.6"))
LIBZ = shared("lib/libz.so.1")

LIBRARY = {
    "newest": ready("runtime-api", package(program())),
    "first that speaks": ready("runtime-api", package(program(library="v1.18.0"))),
    "last that does not": rebuild("library-too-old", package(old())),
    "much older": rebuild("library-too-old", package(old(library="v1.6.0"))),
    "too old, strings unread": rebuild("library-too-old", package(old(runtime_api=None))),
    "1.9 is older than 1.18": rebuild("library-too-old", package(old(library="v1.9.0"))),
    "a major version": rebuild("library-too-old", package(old(library="v0.9.0+incompatible"))),
    "incompatible says nothing": ready(
        "runtime-api", package(program(library="v2.0.0+incompatible"))
    ),
    "pre-release with the client": ready("runtime-api", package(program(library="v1.18.0-pre"))),
    "pre-release without": rebuild("runtime-api-missing", package(old(library="v1.18.0-pre"))),
    "pre-release unread": unknown(
        "library-unknown", package(program(library="v1.18.0-pre", runtime_api=None))
    ),
    "pseudo-version with the client": ready(
        "runtime-api", package(program(library="v1.17.1-0.20200701000000-0123456789ab"))
    ),
    "pseudo-version without": rebuild(
        "runtime-api-missing", package(old(library="v1.17.1-0.20200701000000-0123456789ab"))
    ),
    "pseudo-version of no tag": rebuild(
        "runtime-api-missing", package(old(library="v0.0.0-20200701000000-0123456789ab"))
    ),
    "pseudo-version after 1.18, unread": unknown(
        "library-unknown",
        package(program(library="v1.30.1-0.20220101000000-0123456789ab", runtime_api=None)),
    ),
    "new, strings unread": unknown("library-unknown", package(program(runtime_api=None))),
    "new, and no client": unknown("library-contradicts", package(program(runtime_api=False))),
    "old, and a client": unknown("library-contradicts", package(old(runtime_api=True))),
    "version unknown, client there": ready("runtime-api", package(program(**NO_INFO))),
    "version unknown, server only": rebuild("runtime-api-missing", package(old(**NO_INFO))),
    "version unknown, unread": unknown(
        "library-unknown", package(program(**NO_INFO, runtime_api=None, norpc=None))
    ),
    "no aws-lambda-go": unknown(
        "no-lambda-library", package(program(library=None, runtime_api=False, norpc=None))
    ),
    "its own module": ready(
        "runtime-api",
        package(
            program(
                lambda_library=None,
                build=build_info(None, main=Module(LAMBDA_LIBRARY, "(devel)")),
            )
        ),
    ),
    "fork with the client": ready(
        "runtime-api",
        package(program(lambda_library=None, build=build_info(dependencies=(FORK,)))),
    ),
    "fork without": rebuild(
        "runtime-api-missing",
        package(old(lambda_library=None, build=build_info(dependencies=(FORK,)))),
    ),
    "fork unread": unknown(
        "library-unknown",
        package(
            program(lambda_library=None, build=build_info(dependencies=(FORK,)), runtime_api=None)
        ),
    ),
    "directory without": rebuild(
        "runtime-api-missing",
        package(old(lambda_library=None, build=build_info(dependencies=(DIRECTORY,)), norpc=None)),
    ),
    "pinned to an old version": rebuild(
        "library-too-old", package(old(build=build_info(dependencies=(PINNED,))))
    ),
    "nonsense for a version": unknown(
        "library-unknown", package(program(library="v1.18", runtime_api=None))
    ),
    "go build main.go": ready("runtime-api", package(program(build=BY_NAME))),
}

PROGRAM = {
    "packed by UPX": unknown("packed", package(program(upx=True))),
    "packed, and nothing tells of Go": unknown(
        "packed", package(program(upx=True, is_go=False, runtime_api=None))
    ),
    "read in part": unknown("unreadable", package(program(problem="dynamic section: cut off"))),
    "read in part, yet old": rebuild(
        "library-too-old unreadable", package(old(problem="dynamic section: cut off"))
    ),
    "nothing but a header": unknown(
        "unreadable",
        package(program(library=None, build=None, is_go=False, problem="header: cut off")),
    ),
    "C": Case(
        Verdict.NOT_GO,
        "not-go",
        package(program(library=None, build=None, is_go=False, runtime_api=None)),
    ),
    "a text": Case(Verdict.NOT_GO, "not-a-program", package(also=(entry("main"),))),
    "a script alone": Case(
        Verdict.NOT_GO, "script-without-go", package(also=(entry("main"),), scripts=("main",))
    ),
    "a script beside Go": unknown(
        "handler-script", package(program("app"), also=(entry("main"),), scripts=("main",))
    ),
    "a shared library": decision("shared-library", package(program(kind=BinaryKind.LIBRARY))),
    "an object file": decision("no-executable", package(program(kind=BinaryKind.OTHER))),
    "arm64 on x86_64": decision("other-machine", package(program(machine="arm64"))),
    "arm64 on arm64": ready(
        "runtime-api", package(program(machine="arm64")), replace(GO1X, architecture="arm64")
    ),
    "x86_64 on arm64": decision(
        "other-machine", package(program()), replace(GO1X, architecture="arm64")
    ),
    "32-bit": decision("32-bit", package(program(bits=32, machine="machine 3"))),
}

LOADING = {
    "cgo with glibc alone": ready(
        "runtime-api",
        package(
            program(
                interpreter="/lib64/ld-linux-x86-64.so.2",
                needed=("libresolv.so.2", "libpthread.so.0", "libc.so.6"),
                glibc="2.17",
            )
        ),
    ),
    "PIE without cgo": ready(
        "runtime-api", package(program(interpreter="/lib64/ld-linux-x86-64.so.2"))
    ),
    "a library nobody brings": decision("libraries-missing", package(NEEDS_Z)),
    "brought in lib": ready("runtime-api", package(NEEDS_Z, LIBZ)),
    "brought in the root": ready("runtime-api", package(NEEDS_Z, shared("libz.so.1"))),
    "brought elsewhere": decision("libraries-missing", package(NEEDS_Z, shared("libs/libz.so.1"))),
    "brought for another machine": decision(
        "libraries-missing", package(NEEDS_Z, shared("lib/libz.so.1", machine="arm64"))
    ),
    "brought as a text": decision(
        "libraries-missing", package(NEEDS_Z, also=(entry("libz.so.1"),))
    ),
    "brought, but unreadable": decision(
        "libraries-missing", package(NEEDS_Z, shared("lib/libz.so.1", problem="cut off"))
    ),
    "brought behind a link": shimmed(
        "started-by-name",
        package(
            NEEDS_Z, shared("lib/libz.so.1.2", soname="libz.so.1"), also=(link("lib/libz.so.1"),)
        ),
    ),
    "brought by a layer": ready(
        "runtime-api", package(NEEDS_Z), replace(GO1X, layers=(layer(LIBZ),))
    ),
    "in a layer, elsewhere": decision(
        "libraries-missing", package(NEEDS_Z), replace(GO1X, layers=(layer(shared("libz.so.1")),))
    ),
    "perhaps in a layer": decision(
        "libraries-missing", package(NEEDS_Z), replace(GO1X, layers=(Layer("arn", None),))
    ),
    "a link to nothing": decision(
        "libraries-missing", package(NEEDS_Z, also=(link("lib/libz.so.1"),))
    ),
    "brought, and needs more": decision(
        "libraries-missing", package(NEEDS_Z, shared("lib/libz.so.1", needed=("libssl.so.10",)))
    ),
    "needs itself": ready(
        "runtime-api", package(NEEDS_Z, shared("lib/libz.so.1", needed=("libz.so.1",)))
    ),
    "musl": decision("loader-missing", package(program(interpreter="/lib/ld-musl-x86_64.so.1"))),
    "musl, brought along": ready(
        "runtime-api",
        package(program(interpreter="/var/task/ld-musl.so"), also=(entry("ld-musl.so"),)),
    ),
    "musl, brought by a layer": ready(
        "runtime-api",
        package(program(interpreter="/opt/ld-musl.so")),
        replace(GO1X, layers=(layer(also=(entry("ld-musl.so"),)),)),
    ),
    "musl, brought elsewhere": decision(
        "loader-missing",
        package(program(interpreter="/opt/ld-musl.so"), also=(entry("ld-musl.so"),)),
    ),
    "as new as al2023": ready("runtime-api", package(program(glibc="2.34"))),
    "newer than al2023": decision("glibc-too-new", package(program(glibc="2.35"))),
    "as new as al2": ready(
        "runtime-api", package(program(glibc="2.26")), replace(GO1X, target=Target.AL2)
    ),
    "newer than al2": decision(
        "glibc-too-new", package(program(glibc="2.34")), replace(GO1X, target=Target.AL2)
    ),
    "2.4 is older than 2.34": ready("runtime-api", package(program(glibc="2.4"))),
    "three numbers": ready("runtime-api", package(program(glibc="2.2.5"))),
    "no number": decision("glibc-too-new", package(program(glibc="ABI_DT_RELR"))),
    "a brought library's": decision(
        "glibc-too-new", package(NEEDS_Z, shared("lib/libz.so.1", glibc="2.38"))
    ),
}

HANDLER = {
    "not given": unknown("handler-not-given", package(program()), replace(GO1X, handler=None)),
    "names nothing": decision("handler-missing", package(program()), replace(GO1X, handler="Main")),
    "is empty": decision("handler-directory", package(program()), replace(GO1X, handler="")),
    "leads out": decision(
        "handler-outside", package(program()), replace(GO1X, handler="../../opt/main")
    ),
    "is a directory": decision(
        "handler-directory", package(program("main/app"), also=(directory("main/"),))
    ),
    "is a directory that no entry tells of": decision(
        "handler-directory", package(program("main/app"))
    ),
    "has a slash behind it": decision(
        "handler-missing", package(program()), replace(GO1X, handler="main/")
    ),
    "has ./ before it": ready("runtime-api", package(program()), replace(GO1X, handler="./main")),
    "is an entry with ./ before it": ready("runtime-api", package(program("./main"))),
    "is a link": unknown("handler-link", package(program("app"), also=(link("main"),))),
    "is there twice": unknown("duplicate-name", package(program(), also=(entry("main"),))),
    "lies in a directory": shimmed(
        "handler-in-directory", package(program("bin/main")), replace(GO1X, handler="bin/main")
    ),
    "has others beside it": shimmed("several-programs", package(program(), old("other"))),
    "reads _HANDLER": shimmed("reads-handler", package(program(reads_handler=True))),
    "in a directory, asks where it stands": shimmed(
        "handler-in-directory",
        package(program("bin/main", asks_where_it_stands=True)),
        replace(GO1X, handler="bin/main"),
    ),
    "in the root, asks where it stands": ready(
        "runtime-api", package(program(asks_where_it_stands=True))
    ),
    "has a link beside it": shimmed("started-by-name", package(program(), also=(link("worker"),))),
    "has a script beside it": shimmed(
        "started-by-name", package(program(), also=(entry("run.sh"),), scripts=("run.sh",))
    ),
    "may not be executed": ready("runtime-api", package(program(), mode=0o644)),
    "libraries are no programs": ready("runtime-api", package(program(), LIBZ)),
}

CUSTOM = {
    "is the handler": custom("own-bootstrap runtime-api", package(program("bootstrap")), BOOTSTRAP),
    "is the handler, old": rebuild("library-too-old", package(old("bootstrap")), BOOTSTRAP),
    "is the handler, not executable": ready(
        "runtime-api bootstrap-mode", package(program("bootstrap"), mode=0o744), BOOTSTRAP
    ),
    "is the handler, from Windows": ready(
        "runtime-api bootstrap-mode", package(program("bootstrap"), mode=None), BOOTSTRAP
    ),
    "runs already": custom("own-bootstrap runtime-api", package(program("bootstrap")), AL2023),
    "runs already, in another language": Case(
        Verdict.NOT_GO,
        "not-go",
        package(program("bootstrap", None, build=None, is_go=False, runtime_api=None)),
        AL2023,
    ),
    "runs already, not executable": decision(
        "not-executable", package(program("bootstrap"), mode=0o700), AL2023
    ),
    "runs already, a script": unknown(
        "bootstrap-script", package(also=(SCRIPT,), scripts=("bootstrap",)), AL2023
    ),
    "another build of the handler's main package": decision(
        "bootstrap-differs", package(program(), program("bootstrap"))
    ),
    "a newer build of an old handler": rebuild(
        "library-too-old bootstrap-differs", package(old(), program("bootstrap"))
    ),
    "the same bytes": custom(
        "own-bootstrap runtime-api",
        package(program(), program("bootstrap"), entries=(SAME, replace(SAME, name="main"))),
    ),
    "the same bytes, not executable": decision(
        "not-executable",
        package(
            program(),
            program("bootstrap"),
            entries=(replace(SAME, mode=0o644), replace(SAME, name="main")),
        ),
    ),
    "the same CRC of another size": decision(
        "bootstrap-differs",
        package(
            program(), program("bootstrap"), entries=(SAME, replace(SAME, name="main", size=999))
        ),
    ),
    "another program": decision(
        "bootstrap-differs", package(program(), program("bootstrap", build=build_info(path="x")))
    ),
    "another program, and the handler old": rebuild(
        "library-too-old bootstrap-differs",
        package(old(), program("bootstrap", build=build_info(path="x"))),
    ),
    "beside a handler that names nothing": decision(
        "bootstrap-differs handler-missing",
        package(program("bootstrap")),
        replace(GO1X, handler="gone"),
    ),
    "shim": custom(
        "own-shim runtime-api", package(program(), also=(SHIM_ENTRY,), scripts=("bootstrap",))
    ),
    "shim of an old handler": rebuild("library-too-old", package(old(), also=(SHIM_ENTRY,))),
    "shim that may not be read": decision(
        "not-executable",
        package(program(), also=(replace(SHIM_ENTRY, mode=0o711),), scripts=("bootstrap",)),
    ),
    "shim of what may not be executed": decision(
        "not-executable", package(program(), also=(SHIM_ENTRY,), mode=0o644)
    ),
    "shim of nothing": decision("handler-missing", package(also=(SHIM_ENTRY,))),
    "some script": unknown(
        "bootstrap-script", package(program(), also=(SCRIPT,), scripts=("bootstrap",))
    ),
    "some script beside an old handler": rebuild(
        "library-too-old bootstrap-script", package(old(), also=(SCRIPT,), scripts=("bootstrap",))
    ),
    "a link": unknown("bootstrap-link", package(program(), also=(link("bootstrap"),))),
    "a directory": decision(
        "bootstrap-directory", package(program(), also=(entry("bootstrap/readme"),))
    ),
    "a directory with an entry": decision(
        "bootstrap-directory", package(program(), also=(directory("bootstrap/"),))
    ),
    "twice": unknown("duplicate-name", package(program(), also=(SCRIPT, SHIM_ENTRY))),
    "in capitals": ready("runtime-api", package(program(), also=(entry("Bootstrap"),))),
    "none, though the runtime is custom": ready("runtime-api", package(program()), ON_CUSTOM),
}

SHIM_LAYER = layer(also=(SHIM_ENTRY,), scripts=("bootstrap",))
SCRIPT_LAYER = layer(also=(SCRIPT,), scripts=("bootstrap",))
UNREAD = Layer("arn", None, "access denied")
PLAIN = layer(also=(entry("bin/bootstrap"),))


def on_custom(*layers: Layer, handler: str = "main") -> Deployed:
    return replace(ON_CUSTOM, layers=layers, handler=handler)


BY_LAYER = {
    "shim": custom("layer-shim runtime-api", package(program()), on_custom(SHIM_LAYER)),
    "shim, its index": custom(
        "layer-shim runtime-api",
        package(program()),
        on_custom(layer(also=(SHIM_ENTRY,), whole=False)),
    ),
    "shim of an old handler": rebuild("library-too-old", package(old()), on_custom(SHIM_LAYER)),
    "shim of what may not be executed": decision(
        "not-executable", package(program(), mode=0o644), on_custom(SHIM_LAYER)
    ),
    "shim of nothing": decision(
        "handler-missing", package(program()), on_custom(SHIM_LAYER, handler="gone")
    ),
    "shim that may not be read": unknown(
        "layer-bootstrap",
        package(program()),
        on_custom(layer(also=(replace(SHIM_ENTRY, mode=0o711),))),
    ),
    "shim over another": custom(
        "layer-shim runtime-api", package(program()), on_custom(SCRIPT_LAYER, SHIM_LAYER)
    ),
    "shim under another": unknown(
        "layer-bootstrap", package(program()), on_custom(SHIM_LAYER, SCRIPT_LAYER)
    ),
    "shim over one unread": custom(
        "layer-shim runtime-api", package(program()), on_custom(UNREAD, SHIM_LAYER)
    ),
    "shim under one unread": unknown(
        "layer-bootstrap-unread", package(program()), on_custom(SHIM_LAYER, UNREAD)
    ),
    "shim under one without": custom(
        "layer-shim runtime-api", package(program()), on_custom(SHIM_LAYER, PLAIN)
    ),
    "some script": unknown("layer-bootstrap", package(program()), on_custom(SCRIPT_LAYER)),
    "some script for what is no program": unknown(
        "layer-bootstrap", package(also=(entry("x.py"),)), on_custom(SCRIPT_LAYER, handler="x.run")
    ),
    "a link": unknown(
        "layer-bootstrap", package(program()), on_custom(layer(also=(link("bootstrap"),)))
    ),
    "a program": unknown(
        "layer-bootstrap", package(program()), on_custom(layer(program("bootstrap")))
    ),
    "not read": unknown("layer-bootstrap-unread", package(program()), on_custom(UNREAD)),
    "none": ready("runtime-api", package(program()), on_custom(PLAIN)),
    "not looked at where the package has its own": custom(
        "own-bootstrap runtime-api", package(program("bootstrap")), on_custom(SCRIPT_LAYER, UNREAD)
    ),
    "started by nobody on go1.x": ready(
        "runtime-api", package(program()), replace(GO1X, layers=(SCRIPT_LAYER, SHIM_LAYER))
    ),
}

WHOLE = {
    "image": Case(
        Verdict.IMAGE,
        "container-image",
        None,
        Deployed(handler=None, runtime=None, is_image=True),
    ),
    "no entries": Case(Verdict.EMPTY, "empty-package", package()),
    "only directories": Case(Verdict.EMPTY, "empty-package", package(also=(directory("a/"),))),
    "only names": Case(Verdict.EMPTY, "empty-package", package(also=(entry("main", size=0),))),
    "not read": unknown("not-read", None),
    "python": Case(Verdict.NOT_GO, "other-runtime", None, replace(GO1X, runtime="python3.13")),
    "signed": decision("signed", package(program(), signed=True)),
    "signed, as AWS says": decision("signed", package(program()), replace(GO1X, code_signing=True)),
    "an entry above": unknown("entry-outside", package(program(), also=(entry("a/../../b"),))),
    "an entry elsewhere": unknown("entry-outside", package(program(), also=(entry("/etc/b"),))),
    "signed and old": rebuild("library-too-old signed", package(old(), signed=True)),
    "index only": unknown("index-only", package(also=(entry("main"),), whole=False)),
    "index only, a bootstrap": unknown(
        "index-only index-only", package(also=(SCRIPT, entry("main")), whole=False)
    ),
    "index only, nothing named": decision(
        "handler-missing", package(also=(entry("app"),), whole=False)
    ),
    "index only, empty": Case(Verdict.EMPTY, "empty-package", package(whole=False)),
    "index only, signed": unknown(
        "index-only signed", package(also=(entry("main"),), whole=False, signed=True)
    ),
    "unknown with several programs": unknown(
        "library-unknown", package(program(runtime_api=None), program("other"))
    ),
    "a decision with several programs": decision(
        "other-machine", package(program(machine="arm64"), program("other"))
    ),
}

CASES = {
    f"{group}: {name}": case
    for group, cases in {
        "library": LIBRARY,
        "program": PROGRAM,
        "loading": LOADING,
        "handler": HANDLER,
        "bootstrap": CUSTOM,
        "bootstrap of a layer": BY_LAYER,
        "package": WHOLE,
    }.items()
    for name, case in cases.items()
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_verdict_reasons_and_strategy_follow_from_the_facts(case: Case) -> None:
    judged = assess(case.deployed, case.facts)
    codes = " ".join(reason.code for reason in judged.reasons)
    assert (judged.verdict, codes, judged.strategy) == (case.verdict, case.codes, case.strategy)


def test_every_reason_is_shown_by_a_case() -> None:
    shown = {code for case in CASES.values() for code in case.codes.split()}
    assert shown == VERDICTS.keys() - {rule.code for rule in OF_SCANS}
