from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple
from zlib import crc32

import pytest

from fleet.inspection import (
    LAMBDA_LIBRARY,
    Deployed,
    Layer,
    Module,
    PackageFacts,
    Remark,
    Verdict,
)
from fleet.package.limits import DIRECT_UPLOAD_LIMIT, UNZIPPED_LIMIT
from fleet.package.shim import SHIM
from fleet.package.verdict.assessment import assess
from fleet.package.verdict.remarks import RULES
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


class Case(NamedTuple):
    codes: str
    facts: PackageFacts
    deployed: Deployed = GO1X


def on_go1x(facts: PackageFacts, codes: str) -> Case:
    return Case(codes, facts)


def with_layer(of: Layer, codes: str) -> Case:
    return Case(codes, package(GOOD), replace(GO1X, layers=(of,)))


GOOD = program(norpc=None)
"""Nothing is to be said of it."""
FORK = Module(LAMBDA_LIBRARY, "v1.41.0", replacement=Module("github.com/acme/lambda", "v1.9.0"))
PINNED = Module(LAMBDA_LIBRARY, "v1.9.0", replacement=Module(LAMBDA_LIBRARY, "v1.41.0"))
SHIM_ENTRY = entry("bootstrap", size=len(SHIM), crc=crc32(SHIM))
EXTENSION = entry("extensions/agent")
UNREAD = Layer("arn:aws:lambda:eu-west-1:464622532012:layer:Datadog:1", None, "access denied")

CASES = {
    "nothing to say": on_go1x(package(GOOD), ""),
    "first with the client": on_go1x(
        package(program(library="v1.18.0", norpc=None)), "request-id-lost"
    ),
    "last without request id": on_go1x(
        package(program(library="v1.19.0", norpc=None)), "request-id-lost"
    ),
    "first with request id": on_go1x(package(program(library="v1.19.1", norpc=None)), ""),
    "a state before the first": on_go1x(
        package(program(library="v1.18.0-pre", norpc=None)), "request-id-lost"
    ),
    "too old to lose one": on_go1x(package(old(norpc=None)), ""),
    "client of unknown version": on_go1x(
        package(program(norpc=None, lambda_library=None, build=None)), "library-version-unknown"
    ),
    "fork": on_go1x(
        package(program(norpc=None, lambda_library=None, build=build_info(dependencies=(FORK,)))),
        "library-replaced",
    ),
    "pinned to another version": on_go1x(
        package(program(norpc=None, build=build_info(dependencies=(PINNED,)))), ""
    ),
    "server left in": on_go1x(package(program(norpc=False)), "rpc-left-in"),
    "server of an old one": on_go1x(package(old()), ""),
    "server left out": on_go1x(package(program()), "rpc-left-out"),
    "server left out where it runs": Case(
        "",
        package(program("bootstrap")),
        replace(GO1X, handler="bootstrap", runtime="provided.al2"),
    ),
    "server left out of handler and bootstrap": on_go1x(
        package(
            program(),
            program("bootstrap"),
            entries=(entry("main", crc=7), entry("bootstrap", crc=7)),
        ),
        "rpc-left-out",
    ),
    "AWS_EXECUTION_ENV": on_go1x(
        package(program(norpc=None, reads_execution_env=True)), "execution-env-read"
    ),
    "asks where it stands": on_go1x(
        package(program(norpc=None, asks_where_it_stands=True)), "own-name"
    ),
    "asks where it stands, and stays": Case(
        "",
        package(program("bin/main", norpc=None, asks_where_it_stands=True)),
        replace(GO1X, handler="bin/main"),
    ),
    "asks where it stands, and is bootstrap": Case(
        "",
        package(program("bootstrap", norpc=None, asks_where_it_stands=True)),
        replace(GO1X, handler="bootstrap"),
    ),
    "uncommitted changes": on_go1x(
        package(program(norpc=None, build=build_info(settings={"vcs.modified": "true"}))),
        "built-modified",
    ),
    "no uncommitted changes": on_go1x(
        package(program(norpc=None, build=build_info(settings={"vcs.modified": "false"}))), ""
    ),
    "not everyone may execute it": on_go1x(package(GOOD, mode=0o754), "mode-mended"),
    "from Windows": on_go1x(package(GOOD, mode=None), "mode-mended"),
    "Bootstrap": on_go1x(package(GOOD, also=(entry("BootStrap"),)), "bootstrap-case"),
    "Bootstrap is a directory": on_go1x(package(GOOD, also=(directory("Bootstrap/"),)), ""),
    "layer with an extension": with_layer(layer(also=(EXTENSION,)), "layer-extensions"),
    "layer with a linked extension": with_layer(
        layer(also=(link("extensions/agent"),)), "layer-extensions"
    ),
    "layer with an extension, its index": with_layer(
        layer(also=(EXTENSION,), whole=False), "layer-unreadable layer-extensions"
    ),
    "layer with a directory of extensions": with_layer(
        layer(also=(directory("extensions/"), directory("extensions/agent/"))), ""
    ),
    "layer with files below extensions": with_layer(
        layer(also=(entry("extensions/agent/readme"), entry("lib/extensions/x"))), ""
    ),
    "layer for x86_64": with_layer(layer(shared("lib/libz.so.1")), "layer-x86-64"),
    "layer for both": with_layer(
        layer(shared("lib/libz.so.1"), shared("lib/arm64/libz.so.1", machine="arm64")), ""
    ),
    "layer of texts": with_layer(layer(also=(entry("ca.pem"),)), ""),
    "layer with a bootstrap": with_layer(
        layer(also=(entry("bootstrap"),)), "layer-bootstrap-starts"
    ),
    "layer with a bootstrap, its index": with_layer(
        layer(also=(entry("bootstrap"),), whole=False), "layer-unreadable layer-bootstrap-starts"
    ),
    "layer with a bootstrap below a directory": with_layer(
        layer(also=(entry("bin/bootstrap"),)), ""
    ),
    "layer with a bootstrap, and the package has its own": Case(
        "",
        package(program("bootstrap", norpc=None)),
        replace(GO1X, handler="bootstrap", layers=(layer(also=(entry("bootstrap"),)),)),
    ),
    "layer with a bootstrap that runs already": Case(
        "",
        package(GOOD),
        replace(GO1X, runtime="provided.al2", layers=(layer(also=(SHIM_ENTRY,)),)),
    ),
    "layer unreadable": with_layer(UNREAD, "layer-unreadable"),
    "zip sent directly": on_go1x(package(GOOD, size=DIRECT_UPLOAD_LIMIT), ""),
    "zip by way of S3": on_go1x(package(GOOD, size=DIRECT_UPLOAD_LIMIT + 1), "large-zip"),
    "far from the limit": on_go1x(package(GOOD, unzipped_size=UNZIPPED_LIMIT * 9 // 10), ""),
    "close to the limit": on_go1x(
        package(GOOD, unzipped_size=UNZIPPED_LIMIT - 1000), "large-unzipped"
    ),
    "close to it with layers": Case(
        "large-unzipped",
        package(GOOD, unzipped_size=UNZIPPED_LIMIT // 2),
        replace(GO1X, layers=(layer(unzipped_size=UNZIPPED_LIMIT // 2),)),
    ),
}


def said(case: Case) -> tuple[Remark, ...]:
    return assess(case.deployed, case.facts).warnings


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_warnings_follow_from_the_facts(case: Case) -> None:
    assert " ".join(warning.code for warning in said(case)) == case.codes


def test_every_warning_is_shown_by_a_case() -> None:
    shown = {code for case in CASES.values() for code in case.codes.split()}
    assert shown == {rule.code for rule in RULES if rule.verdict is None}


def test_no_warning_makes_a_verdict() -> None:
    verdicts = {
        assess(case.deployed, case.facts).verdict for case in CASES.values() if "old" not in case
    }
    assert verdicts <= {
        Verdict.READY,
        Verdict.READY_WITH_SHIM,
        Verdict.ALREADY_CUSTOM,
        Verdict.REBUILD,
    }


def test_a_layer_is_named_with_what_is_in_it() -> None:
    case = with_layer(layer(also=(EXTENSION, entry("extensions/tracer"))), "")
    (warning,) = said(case)
    assert "layer:tools:3 has extensions (agent, tracer)" in warning.text


def test_why_a_layer_could_not_be_read_is_said() -> None:
    (warning,) = said(with_layer(UNREAD, ""))
    assert "layer:Datadog:1 could not be read (access denied)" in warning.text


def test_sizes_are_said_as_lambda_counts_them() -> None:
    (warning,) = said(on_go1x(package(GOOD, size=60 << 20), ""))
    assert "60.0 MB" in warning.text
