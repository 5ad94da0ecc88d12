"""Whatever the facts are, there is a verdict, and it never promises what was not seen."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fleet.inspection import (
    LAMBDA_LIBRARY,
    BinaryFacts,
    BinaryKind,
    BuildInfo,
    Deployed,
    Entry,
    EntryKind,
    Layer,
    Module,
    PackageFacts,
    Strategy,
    Target,
    Verdict,
)
from fleet.package.verdict.assessment import assess
from fleet.package.verdict.remarks import PRECEDENCE, VERDICTS
from fleet.package.verdict.versions import is_release, parse

names = st.sampled_from(
    ["main", "bootstrap", "Bootstrap", "bin/main", "lib/libz.so.1", "./main", "main/", "../x", "/m"]
) | st.text(max_size=8)
versions = st.sampled_from(
    [
        "v1.17.0",
        "v1.18.0",
        "v1.41.0",
        "v1.18.0-pre",
        "v1.17.1-0.20200701000000-0123456789ab",
        "v0.0.0-20200701000000-0123456789ab",
        "v2.0.0+incompatible",
        "(devel)",
        "v1",
        "",
    ]
) | st.text(max_size=12)
modules = st.builds(
    Module,
    path=st.sampled_from([LAMBDA_LIBRARY, "github.com/acme/orders", "./lambda"])
    | st.text(max_size=8),
    version=versions,
)
replaced = st.builds(
    Module, path=st.just(LAMBDA_LIBRARY), version=versions, replacement=st.none() | modules
)
builds = st.builds(
    BuildInfo,
    go_version=st.just("go1.20"),
    path=st.sampled_from(["", "command-line-arguments", "github.com/acme/orders"]),
    main=st.none() | modules,
    dependencies=st.lists(modules | replaced, max_size=2).map(tuple),
    settings=st.dictionaries(
        st.sampled_from(["vcs.revision", "vcs.modified"]), st.text(max_size=5) | st.just("true")
    ),
    has_modules=st.booleans(),
)
libraries = st.sampled_from(["libc.so.6", "libz.so.1"]) | st.text(max_size=5)
binaries = st.builds(
    BinaryFacts,
    entry=names,
    kind=st.sampled_from(BinaryKind),
    bits=st.sampled_from([64, 64, 32, 0]),
    machine=st.sampled_from(["x86_64", "x86_64", "arm64", "machine 3"]),
    interpreter=st.sampled_from([None, "/lib64/ld-linux-x86-64.so.2"]) | st.text(max_size=5),
    soname=st.none() | libraries,
    needed=st.lists(libraries, max_size=2).map(tuple),
    glibc=st.sampled_from([None, "2.17", "2.99"]) | st.text(max_size=5),
    build=st.none() | builds,
    is_go=st.booleans(),
    lambda_library=st.none() | versions,
    norpc=st.none() | st.booleans(),
    runtime_api=st.sampled_from([True, True, False, None]),
    reads_handler=st.booleans(),
    asks_where_it_stands=st.booleans(),
    reads_execution_env=st.booleans(),
    upx=st.booleans(),
    problem=st.sampled_from(["", "", "cut off"]),
)
sizes = st.integers(0, 2**32)
entries = st.builds(
    Entry,
    name=names,
    kind=st.sampled_from(EntryKind),
    size=sizes,
    compressed_size=sizes,
    mode=st.none() | st.sampled_from([0o755, 0o644, 0]),
    crc=st.integers(0, 3),
)


@st.composite
def packages(draw: st.DrawFn) -> PackageFacts:
    """Give facts, contradictory ones as well: most binaries have an entry, not all."""
    inside = draw(st.lists(binaries, max_size=3))
    listed = draw(st.lists(entries, max_size=3))
    listed += [
        Entry(each.entry, EntryKind.FILE, 9, 9, draw(st.sampled_from([0o755, 0o644])), 7)
        for each in inside
        if draw(st.integers(0, 9))
    ]
    return PackageFacts(
        code_sha256="",
        size=draw(sizes),
        unzipped_size=draw(sizes),
        entries=tuple(listed),
        binaries=tuple(inside),
        scripts=tuple(draw(st.lists(names, max_size=2))),
        signed=draw(st.integers(0, 9)) == 0,
        whole=draw(st.integers(0, 9)) > 0,
    )


functions = st.builds(
    Deployed,
    handler=st.none() | names,
    runtime=st.sampled_from(["go1.x", "go1.x", "provided.al2", "python3.13", None, ""]),
    architecture=st.sampled_from(["x86_64", "x86_64", "arm64"]),
    is_image=st.integers(0, 9).map(lambda drawn: drawn == 0),
    layers=st.lists(
        st.builds(Layer, arn=st.text(max_size=5), facts=st.none() | packages()), max_size=1
    ).map(tuple),
    code_signing=st.integers(0, 9).map(lambda drawn: drawn == 0),
    target=st.sampled_from(Target),
)


@given(functions, st.none() | packages())
def test_there_is_always_a_verdict_and_a_reason_for_it(
    deployed: Deployed, facts: PackageFacts | None
) -> None:
    judged = assess(deployed, facts)
    verdicts = [VERDICTS[reason.code] for reason in judged.reasons]
    assert judged.verdict is verdicts[0]
    assert verdicts == sorted(verdicts, key=PRECEDENCE.index)
    assert all(remark.text for remark in (*judged.reasons, *judged.warnings))


@given(functions, packages())
def test_nothing_is_ready_whose_client_was_not_seen(
    deployed: Deployed, facts: PackageFacts
) -> None:
    if assess(deployed, facts).verdict.is_ready:
        speaking = [each for each in facts.binaries if each.runtime_api is True]
        assert speaking
        assert any(each.is_go and not each.upx and not each.problem for each in speaking)


@given(functions, packages())
def test_nothing_is_ready_whose_released_library_is_too_old(
    deployed: Deployed, facts: PackageFacts
) -> None:
    if assess(deployed, facts).verdict.is_ready:
        released = [parse(each.lambda_library or "") for each in facts.binaries]
        assert any(
            each is None or not is_release(each) or (each.major, each.minor) >= (1, 18)
            for each in released
        )


@given(functions, packages())
def test_nothing_is_ready_that_was_not_read_to_its_end(
    deployed: Deployed, facts: PackageFacts
) -> None:
    if not facts.whole:
        assert not assess(deployed, facts).verdict.is_ready


@given(functions, packages())
def test_only_what_is_ready_and_lacks_a_bootstrap_is_repackaged(
    deployed: Deployed, facts: PackageFacts
) -> None:
    judged = assess(deployed, facts)
    wanted = {Verdict.READY: Strategy.RENAME, Verdict.READY_WITH_SHIM: Strategy.SHIM}
    assert judged.strategy is wanted.get(judged.verdict)


@given(functions, packages())
def test_what_is_said_can_be_shown(deployed: Deployed, facts: PackageFacts) -> None:
    judged = assess(deployed, facts)
    assert all(remark.text.isprintable() for remark in (*judged.reasons, *judged.warnings))
