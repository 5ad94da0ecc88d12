"""May this function move to arm64 with this artifact? Pure: the sentences are in artifact_rules.py.

The rules that hold for every change of a function are gates.py's. What could not be read blocks.
https://docs.aws.amazon.com/lambda/latest/dg/foundation-arch.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from fleet.deployment import SERVING_ALIAS, X86_64_ALIAS, Deployment, Route
from fleet.inspection import (
    Assessment,
    BinaryFacts,
    BuildInfo,
    Deployed,
    Entry,
    Layer,
    PackageFacts,
    Target,
    Verdict,
)
from fleet.migration import artifact_rules as rules
from fleet.migration import gate_rules
from fleet.migration.facts import Asked, Finding, GateFacts
from fleet.migration.gates import check, fits_into_a_call
from fleet.model import ROLLBACK_ALIAS, Owner, OwnerKind
from fleet.ownership import owner_of
from fleet.package.archive.modes import spelt
from fleet.package.archive.tree import Nothing
from fleet.package.verdict import remarks
from fleet.package.verdict.assessment import assess
from fleet.package.verdict.started import bootstrap_of, started
from fleet.provenance import origin_of

ARM64 = "arm64"
X86_64 = "x86_64"

_LOGICAL_ID = "aws:cloudformation:logical-id"
_MEGABYTE = 1 << 20
_SAID_HERE = frozenset(
    {
        gate_rules.ALIAS_TAKEN.code,
        gate_rules.AS_IT_IS.code,
        gate_rules.MANAGED_CLOUDFORMATION.code,
        gate_rules.MANAGED_SAM.code,
        gate_rules.MANAGED_SERVERLESS.code,
        gate_rules.MANAGED_BY_RULE.code,
        remarks.OTHER_MACHINE.code,
        # Its extensions run already, since the runtime was changed.
        remarks.LAYER_EXTENSIONS.code,
        remarks.LAYER_ONE_MACHINE.code,
        remarks.LAYER_UNREADABLE.code,
    }
)
"""What the gates say of a move off go1.x, and what is said here in other words or not at all."""
_STACKS: Mapping[OwnerKind, tuple[str, str]] = {
    OwnerKind.CLOUDFORMATION: ("the CloudFormation stack", "`Architectures: [arm64]`"),
    OwnerKind.SAM: ("the SAM stack", "`Architectures: [arm64]`"),
    OwnerKind.SERVERLESS: ("the Serverless stack", "`architecture: arm64`"),
}
_COMPARED_SETTINGS = ("-tags", "-ldflags", "CGO_ENABLED", "-buildmode")
_OURS = "what runs"
_GIVEN = "the artifact"


@dataclass(frozen=True, slots=True)
class Artifact:
    """What was given for arm64, and what it is to replace."""

    file: str
    """Its name, as it is shown."""
    facts: PackageFacts | None
    """None where it could not be read."""
    problem: str
    """Why not, or ''."""
    start: Deployment
    """What runs on x86_64."""
    running: PackageFacts | None
    """What is in the package that runs; None where it could not be read."""
    layers: tuple[Layer, ...] = ()
    """Of the function, in the order they are merged."""
    allow_different_source: bool = False
    attested: bool = False
    """Whether it was built here from the source of what runs, and shown to be just that."""

    @property
    def assessment(self) -> Assessment | None:
        """The verdict on it as the function's package on arm64; None where it was not read."""
        if self.facts is None:
            return None
        # Whoever brings a package has signed it as AWS asks; a rewritten one could not be.
        return assess(self._deployed(ARM64), replace(self.facts, signed=False))

    @property
    def program(self) -> BinaryFacts | None:
        """The program that it starts, itself or through a shim."""
        return _program(self._deployed(ARM64), self.facts)

    @property
    def running_program(self) -> BinaryFacts | None:
        """The program that is started on x86_64."""
        return _program(self._deployed(X86_64), self.running)

    def _deployed(self, architecture: str) -> Deployed:
        return Deployed(
            handler=self.start.handler,
            runtime=self.start.runtime,
            architecture=architecture,
            layers=self.layers,
            target=Target(self.start.runtime or ""),
        )


def check_artifact(
    function: GateFacts, asked: Asked, artifact: Artifact
) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """Say what keeps a function from moving to arm64, and what to know beside it.

    `function` is told as for the gates; its sizes and trial are those of the artifact, where it
    was read. The start's runtime is one of Target.
    """
    as_it_is = replace(
        function,
        # Nothing of it is repackaged: what would be ready after that is refused below.
        assessment=artifact.assessment and replace(artifact.assessment, strategy=None),
        # An artifact may be signed, and then only AWS can judge it.
        signing_policy=None if function.signing_policy is None else "",
        strategy=None,
        layers=(),
    )
    # A package that stays as it is goes by any route: what is left is what holds for any change.
    as_any = replace(asked, route=Route.DIRECT, allow_managed=True, updates_blocked=False)
    general = check(as_it_is, as_any)
    blocking = [each for each in general.blocking if each.code not in _SAID_HERE]
    notes = [each for each in general.notes if each.code not in _SAID_HERE]
    if function.on_blocklist or general.route is None:
        return tuple(blocking), ()
    if artifact.facts is None:
        blocking = [each for each in blocking if each.code != gate_rules.NOT_INSPECTED.code]
    elif bootstrap_of(artifact.facts) is Nothing.MISSING:
        # What Handler names instead is of no consequence.
        blocking = [each for each in blocking if each.code not in remarks.VERDICTS]
    blocking += [*_package(artifact), *_layers(artifact.layers), *_size(function, asked)]
    names = {alias.name for alias in function.aliases}
    if SERVING_ALIAS in names and not names & {ROLLBACK_ALIAS, X86_64_ALIAS}:
        # fleet leaves it only where one of the others has been for long.
        blocking.append(gate_rules.ALIAS_TAKEN.said(alias=SERVING_ALIAS))
    if function.signing_policy and artifact.facts is not None:
        signed = artifact.facts.signed
        rule = rules.SIGNATURE_UNCHECKED if signed else rules.NOT_SIGNED
        (notes if signed else blocking).append(rule.said(policy=function.signing_policy))
    managed = _managed(function)
    if managed is not None:
        (notes if asked.allow_managed else blocking).append(managed)
    notes += _beside(artifact)
    if artifact.program is not None and not artifact.attested:
        different = [*_differing(artifact)]
        (notes if artifact.allow_different_source else blocking).extend(different)
        notes += [] if different else _told(artifact)
    return tuple(blocking), tuple(notes)


def _program(deployed: Deployed, facts: PackageFacts | None) -> BinaryFacts | None:
    return None if facts is None else started(deployed, facts).program


def _package(artifact: Artifact) -> Iterator[Finding]:
    if artifact.facts is None:
        yield rules.ARTIFACT_UNREADABLE.said(file=artifact.file, problem=artifact.problem)
        return
    found, program, judged = bootstrap_of(artifact.facts), artifact.program, artifact.assessment
    if found is Nothing.MISSING:
        yield rules.NO_BOOTSTRAP.said(runtime=artifact.start.runtime or "")
        return
    if program is not None and program.machine != ARM64:
        yield rules.NOT_ARM64.said(entry=program.entry, machine=program.machine)
    if judged is not None and judged.verdict is Verdict.READY and isinstance(found, Entry):
        mended = remarks.NOT_EXECUTABLE.said(entry=found.name, mode=spelt(found))
        yield Finding(mended.code, mended.text)


def _beside(artifact: Artifact) -> Iterator[Finding]:
    binaries = () if artifact.facts is None else artifact.facts.binaries
    entries = [
        each.entry for each in binaries if each.machine != ARM64 and each != artifact.program
    ]
    if entries:
        yield rules.MORE_FOR_OTHERS.said(entries=remarks.listed(entries))


def _layers(layers: tuple[Layer, ...]) -> Iterator[Finding]:
    for layer in layers:
        if layer.facts is None or not layer.facts.whole:
            problem = layer.problem or "only its index was read"
            yield rules.LAYER_NOT_KNOWN.said(layer=layer.arn, problem=problem)
            continue
        # A layer for both as well: nothing tells which of its programs are started.
        entries = [each.entry for each in layer.facts.binaries if each.machine != ARM64]
        if entries:
            yield rules.LAYER_NOT_ARM64.said(layer=layer.arn, entries=remarks.listed(entries))


def _size(function: GateFacts, asked: Asked) -> Iterator[Finding]:
    size = function.new_size
    if size is not None and not (asked.bucket or fits_into_a_call(size)):
        yield gate_rules.NEEDS_BUCKET.said(size=f"{size / _MEGABYTE:,.1f} MB")


def _managed(function: GateFacts) -> Finding | None:
    # A rule of fleet.yaml may name the team; the line to change is in the stack's template.
    stack = owner_of(function.tags, ())
    owner: Owner = function.owner if stack.kind is OwnerKind.UNKNOWN else stack
    if owner.kind is OwnerKind.UNKNOWN:
        return None
    what, line = _STACKS.get(owner.kind, ("", '`architectures = ["arm64"]`'))
    resource = (function.tags or {}).get(_LOGICAL_ID)
    return rules.MANAGED.said(
        owner=f"{what} {owner.name}".strip(),
        resource=f" as {resource}" if resource else "",
        line=line,
    )


def _differing(artifact: Artifact) -> Iterator[Finding]:
    """Say in what the sources differ, or what of them is not told; nothing where they are one."""
    ours, given = _source(artifact.running_program), _source(artifact.program)
    for what, running in ours.items():
        theirs = given[what]
        silent = [who for who, told in ((_OURS, running), (_GIVEN, theirs)) if not told]
        if silent:
            yield rules.SOURCE_UNKNOWN.said(who=" and ".join(silent), what=what)
        elif running != theirs:
            yield rules.DIFFERENT_SOURCE.said(what=what, given=theirs, running=running)


def _source(program: BinaryFacts | None) -> Mapping[str, str]:
    build = None if program is None else program.build
    origin = origin_of(build)
    # One module may hold the programs of a hundred functions.
    package = "" if build is None or not origin.module else build.path
    return {"module": origin.module, "main package": package, "commit": origin.commit}


def _told(artifact: Artifact) -> Iterator[Finding]:
    """Say what the same source leaves open."""
    ours, given = artifact.running_program, artifact.program
    if ours is None or given is None or ours.build is None or given.build is None:
        return
    origin = origin_of(ours.build)
    if origin.modified:
        yield rules.RUNNING_MODIFIED.said(commit=origin.commit)
    what = [*_built_differently(ours.build, given.build)]
    if what:
        yield rules.BUILT_DIFFERENTLY.said(what=remarks.listed(what))


def _built_differently(ours: BuildInfo, given: BuildInfo) -> Iterator[str]:
    if ours.go_version != given.go_version:
        yield f"{ours.go_version} became {given.go_version}"
    for name in _COMPARED_SETTINGS:
        if ours.settings.get(name) != given.settings.get(name):
            yield name
    versions = [
        {each.path: each.replacement or each for each in build.dependencies}
        for build in (ours, given)
    ]
    for path in sorted(versions[0].keys() | versions[1].keys()):
        if versions[0].get(path) != versions[1].get(path):
            yield path
