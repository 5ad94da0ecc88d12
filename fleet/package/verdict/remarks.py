"""Everything that is said of a package, as one table: code, what it means, and the sentence.

docs/verdicts.md shows the same table to people; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fleet.inspection import NOT_INSPECTED, Remark, Verdict
from fleet.package.words import shortened

MOST_NAMES = 5

PRECEDENCE = (
    Verdict.IMAGE,
    Verdict.EMPTY,
    Verdict.NOT_GO,
    Verdict.REBUILD,
    Verdict.UNKNOWN,
    Verdict.NEEDS_DECISION,
    Verdict.ALREADY_CUSTOM,
    Verdict.READY_WITH_SHIM,
    Verdict.READY,
)
"""Where findings differ, the first of these is the verdict.

What is certain and stops everything goes first: a rebuild stays due whatever else could not be
read. Unknown goes before a decision, for nobody can decide on what is not known, and before
everything that is ready.
"""


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table."""

    code: str
    verdict: Verdict | None
    """What a function it is said of comes to at best; None for a warning."""
    text: str
    """One sentence with named fields."""

    def said(self, **fields: str) -> Remark:
        """Give the remark; fields from outside are made fit to be shown."""
        shown = {name: shortened(value) for name, value in fields.items()}
        return Remark(self.code, self.text.format_map(shown))


def listed(names: Sequence[str]) -> str:
    """Name the first few of many."""
    more = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


# Nothing in a package to judge.
CONTAINER_IMAGE = Rule(
    "container-image",
    Verdict.IMAGE,
    "it is a container image and its runtime is inside: if /var/runtime/aws-lambda-go is in it, "
    "build it again on the image public.ecr.aws/lambda/provided:al2023",
)
EMPTY_PACKAGE = Rule(
    "empty-package",
    Verdict.EMPTY,
    "the package holds no content, as some tools upload it before the code: deploy the code, or "
    "delete the function",
)
OTHER_RUNTIME = Rule(
    "other-runtime",
    Verdict.NOT_GO,
    "its runtime is {runtime}, which starts no Go programs: nothing is to be moved here",
)

# What is started, and that it is no Go program.
NOT_A_PROGRAM = Rule(
    "not-a-program",
    Verdict.NOT_GO,
    "{entry} is neither an ELF program nor a script, so go1.x cannot start it either: deploy the "
    "right package, or delete the function",
)
NOT_GO = Rule(
    "not-go",
    Verdict.NOT_GO,
    "{entry} is a program in which nothing tells of Go: ask its owner what it is, for a custom "
    "runtime starts it only if it speaks the Runtime API itself",
)
SCRIPT_WITHOUT_GO = Rule(
    "script-without-go",
    Verdict.NOT_GO,
    "{entry} is a script and no Go program is in the package: ask its owner what it starts",
)

# What stops it for certain: the library.
LIBRARY_TOO_OLD = Rule(
    "library-too-old",
    Verdict.REBUILD,
    "{entry} is built with aws-lambda-go {version}, which speaks to go1.x only: on a custom "
    "runtime it prints nothing and hangs until its timeout; {source}, change the line "
    "`github.com/aws/aws-lambda-go {version}` of go.mod by `go get "
    "github.com/aws/aws-lambda-go@latest` (v1.19.1 or newer), then build and deploy it again; or "
    "have that done by `fleet migrate --raise-lambda-go`",
)
CLIENT_MISSING = Rule(
    "runtime-api-missing",
    Verdict.REBUILD,
    "{entry} holds {library} without its Runtime API client, which came with v1.18.0: on a "
    "custom runtime it would hang until its timeout; {source}, run `go get "
    "github.com/aws/aws-lambda-go@latest` (go.mod: `require github.com/aws/aws-lambda-go` "
    "v1.19.1 or newer, and no replace line for it), then build and deploy it again; or have that "
    "done by `fleet migrate --raise-lambda-go`",
)

# What could not be known.
NOT_READ = Rule(
    "not-read",
    Verdict.UNKNOWN,
    "its package was not read: inspect it, for nothing else tells whether it can move",
)
COULD_NOT_BE_READ = Rule(
    NOT_INSPECTED,
    Verdict.UNKNOWN,
    "its package could not be read: {why}; `fleet scan --resume` asks again",
)
REFUSED_PACKAGE = Rule(
    "refused-package",
    Verdict.UNKNOWN,
    "its package cannot be believed: {why}",
)
CHANGED_MEANWHILE = Rule(
    "changed-meanwhile",
    Verdict.UNKNOWN,
    "its code was changed while the scan ran: scan again",
)
INDEX_ONLY = Rule(
    "index-only",
    Verdict.UNKNOWN,
    "only the index of its package was read, and what is in {entry} decides: inspect the whole "
    "package",
)
HANDLER_NOT_GIVEN = Rule(
    "handler-not-given",
    Verdict.UNKNOWN,
    "nobody said which entry is the handler: name the function's Handler",
)
DUPLICATE_NAME = Rule(
    "duplicate-name",
    Verdict.UNKNOWN,
    "the package holds {entry} {times} times, and which of them Lambda keeps is not known: "
    "package it again with one",
)
ENTRY_OUTSIDE = Rule(
    "entry-outside",
    Verdict.UNKNOWN,
    "the package has an entry {entry} that leads out of it, and what Lambda makes of that is not "
    "known: package it again without",
)
HANDLER_LINK = Rule(
    "handler-link",
    Verdict.UNKNOWN,
    "{entry} is a symbolic link, and where it leads was not followed: package the program itself "
    "under that name",
)
HANDLER_SCRIPT = Rule(
    "handler-script",
    Verdict.UNKNOWN,
    "{entry} is a script, and which program it starts cannot be read from it: look at the "
    "script, make it or the program it starts the bootstrap, and try the package",
)
BOOTSTRAP_LINK = Rule(
    "bootstrap-link",
    Verdict.UNKNOWN,
    "bootstrap is a symbolic link, and where it leads was not followed: package the program "
    "itself as bootstrap",
)
BOOTSTRAP_SCRIPT = Rule(
    "bootstrap-script",
    Verdict.UNKNOWN,
    "the package brings a bootstrap that is no program, and what it starts cannot be read from "
    "it: see that it starts {entry}, and try the package as it is",
)
LAYER_STARTS = Rule(
    "layer-bootstrap",
    Verdict.UNKNOWN,
    "its package has no bootstrap, so layer {layer} brings the one that starts it today, and what "
    "that does was not looked into: see what it starts, and leave package and layer as they are "
    "until then",
)
LAYER_MAY_START = Rule(
    "layer-bootstrap-unread",
    Verdict.UNKNOWN,
    "its package has no bootstrap, so layer {layer}, which could not be read ({problem}), may "
    "bring the one that starts it today: see what is in the layer",
)
PACKED = Rule(
    "packed",
    Verdict.UNKNOWN,
    "{entry} is packed by UPX, so what is inside cannot be seen: unpack it with `upx -d`, or "
    "build it again without UPX, and inspect that",
)
UNREADABLE = Rule(
    "unreadable",
    Verdict.UNKNOWN,
    "{entry} could not be read to its end ({problem}): build it again, or try the package",
)
LIBRARY_UNKNOWN = Rule(
    "library-unknown",
    Verdict.UNKNOWN,
    "whether the aws-lambda-go in {entry} has the Runtime API client cannot be read from it: "
    "{source}, look for github.com/aws/aws-lambda-go (v1.18.0 or newer is enough), or try the "
    "package",
)
LIBRARY_CONTRADICTS = Rule(
    "library-contradicts",
    Verdict.UNKNOWN,
    "{entry} names aws-lambda-go {version}, which {expected}, and {found}: {source}, see which "
    "code was built in, or try the package",
)
NO_LAMBDA_LIBRARY = Rule(
    "no-lambda-library",
    Verdict.UNKNOWN,
    "{entry} is a Go program without aws-lambda-go, and whether it speaks the Runtime API by "
    "other means cannot be told: try the package, or ask its owner",
)

# What is known, and is a person's to weigh.
SIGNED = Rule(
    "signed",
    Verdict.NEEDS_DECISION,
    "its code is signed, and a changed package has no valid signature: sign the "
    "repackaged one with AWS Signer, or have its owner build and sign it with a bootstrap",
)
HANDLER_MISSING = Rule(
    "handler-missing",
    Verdict.NEEDS_DECISION,
    "Handler {handler} names no entry of the package, so go1.x cannot start it either: correct "
    "Handler, or delete the function (programs in the package: {programs})",
)
HANDLER_OUTSIDE = Rule(
    "handler-outside",
    Verdict.NEEDS_DECISION,
    "Handler {handler} leads out of the package: put the program into the package and name it, "
    "for a custom runtime starts bootstrap",
)
HANDLER_DIRECTORY = Rule(
    "handler-directory",
    Verdict.NEEDS_DECISION,
    "Handler {handler} names a directory, so go1.x cannot start it either: name the program in "
    "it, or delete the function",
)
SHARED_LIBRARY = Rule(
    "shared-library",
    Verdict.NEEDS_DECISION,
    "{entry} is a shared library, which nothing can start: build it as a program (without "
    "-buildmode=c-shared or plugin), or correct Handler",
)
NO_EXECUTABLE = Rule(
    "no-executable",
    Verdict.NEEDS_DECISION,
    "{entry} is an ELF file but no program, so nothing can start it: build it with `go build` of "
    "a main package, or correct Handler",
)
OTHER_MACHINE = Rule(
    "other-machine",
    Verdict.NEEDS_DECISION,
    "{entry} is built for {machine} and the function runs on {architecture}, where it dies with "
    "an exec format error: build it for {architecture}, or move the function's architecture too",
)
BITS_32 = Rule(
    "32-bit",
    Verdict.NEEDS_DECISION,
    "{entry} is a 32-bit program, and nothing promises that {target} starts it: build it with "
    "GOARCH=amd64",
)
LOADER_MISSING = Rule(
    "loader-missing",
    Verdict.NEEDS_DECISION,
    "{entry} asks for the loader {loader}, which is neither part of {target} nor brought along: "
    "build it with CGO_ENABLED=0, or against glibc",
)
LIBRARIES_MISSING = Rule(
    "libraries-missing",
    Verdict.NEEDS_DECISION,
    "{entry} needs {libraries}, which neither the package nor a layer that could be read brings "
    "where the loader looks (the root, or lib/): see whether {target} has them, bring them "
    "along, or build with CGO_ENABLED=0",
)
GLIBC_TOO_NEW = Rule(
    "glibc-too-new",
    Verdict.NEEDS_DECISION,
    "{entry} asks for GLIBC {asked} and {target} has {given}: build it on an older system or "
    "with CGO_ENABLED=0, or choose another target",
)
BOOTSTRAP_DIRECTORY = Rule(
    "bootstrap-directory",
    Verdict.NEEDS_DECISION,
    "the package has a directory called bootstrap, where custom runtimes look for a program: "
    "rename the directory and what uses it",
)
BOOTSTRAP_DIFFERS = Rule(
    "bootstrap-differs",
    Verdict.NEEDS_DECISION,
    "the package brings a bootstrap that is not, byte for byte, the program Handler {handler} "
    "names, and a custom runtime would start it instead: decide which of the two is meant, and "
    "remove the other",
)
NOT_EXECUTABLE = Rule(
    "not-executable",
    Verdict.NEEDS_DECISION,
    "{entry} is the bootstrap that is there already or is started by it, and not everyone may "
    "execute it (mode {mode}): package it again with mode 0755",
)

# It can move.
OWN_BOOTSTRAP = Rule(
    "own-bootstrap",
    Verdict.ALREADY_CUSTOM,
    "the package brings its own bootstrap, a Go program that speaks the Runtime API: switch the "
    "runtime, the package stays as it is",
)
OWN_SHIM = Rule(
    "own-shim",
    Verdict.ALREADY_CUSTOM,
    "the package brings a bootstrap that starts {entry}, which speaks the Runtime API: switch "
    "the runtime, the package and Handler stay as they are",
)
LAYER_SHIM = Rule(
    "layer-shim",
    Verdict.ALREADY_CUSTOM,
    "layer {layer} brings a bootstrap that starts {entry}, which speaks the Runtime API: package, "
    "layer and Handler stay as they are",
)
SEVERAL_PROGRAMS = Rule(
    "several-programs",
    Verdict.READY_WITH_SHIM,
    "the package holds {count} programs, and others than {entry} may be other functions' "
    "handlers: a bootstrap beside them starts the one that Handler names",
)
HANDLER_IN_DIRECTORY = Rule(
    "handler-in-directory",
    Verdict.READY_WITH_SHIM,
    "{entry} lies in a directory and may look for files beside itself: a bootstrap in the root "
    "starts it where it lies",
)
STARTED_BY_NAME = Rule(
    "started-by-name",
    Verdict.READY_WITH_SHIM,
    "the package has links or scripts ({names}) that may lead to {entry} by its name: with a "
    "bootstrap beside it, {entry} stays where it lies",
)
READS_HANDLER = Rule(
    "reads-handler",
    Verdict.READY_WITH_SHIM,
    "{entry} reads _HANDLER and may choose by it what to do: with a bootstrap beside it, Handler "
    "stays as it is",
)
SPEAKS = Rule(
    "runtime-api",
    Verdict.READY,
    "{entry} is built with {library} and holds its Runtime API client, which is all that a "
    "custom runtime asks for",
)
MODE_OF_BOOTSTRAP = Rule(
    "bootstrap-mode",
    Verdict.READY,
    "{entry} has the right name, but not everyone may execute it (mode {mode}): repackaging "
    "makes it 0755",
)

# Warnings.
REQUEST_ID_LOST = Rule(
    "request-id-lost",
    None,
    "aws-lambda-go {version} loses the request id on custom runtimes, so logs and traces lack "
    "it: v1.19.1 or newer mends that",
)
LIBRARY_VERSION_UNKNOWN = Rule(
    "library-version-unknown",
    None,
    "the version of aws-lambda-go in {entry} is not known, so the request id may be lost on "
    "custom runtimes (v1.18.0 to v1.19.0 do): look for it in the function's logs",
)
LIBRARY_REPLACED = Rule(
    "library-replaced",
    None,
    "go.mod replaces aws-lambda-go by {replacement}, whose version says nothing of what it does: "
    "try the package",
)
EXECUTION_ENV_READ = Rule(
    "execution-env-read",
    None,
    "{entry} may read AWS_EXECUTION_ENV, which custom runtimes do not set: see what it does "
    "without, or set a variable of your own",
)
OWN_NAME = Rule(
    "own-name",
    None,
    "{entry} may ask for its own path, whose last part becomes bootstrap: if it goes by its "
    "name, repackage with --strategy shim",
)
WITH_RPC = Rule(
    "rpc-left-in",
    None,
    "{entry} carries the RPC server that only go1.x uses: the build tag lambda.norpc makes it "
    "smaller once there is no way back",
)
WITHOUT_RPC = Rule(
    "rpc-left-out",
    None,
    "{entry} is built with lambda.norpc, so go1.x cannot call it: it does not work today, and "
    "going back will not make it work",
)
BUILT_MODIFIED = Rule(
    "built-modified",
    None,
    "{entry} was built with changes that are in no commit: the source at {commit} is not all of it",
)
MODE_MENDED = Rule(
    "mode-mended",
    None,
    "not everyone may execute {entry} (mode {mode}), so go1.x may fail to start it today: "
    "repackaging makes it 0755",
)
BOOTSTRAP_CASE = Rule(
    "bootstrap-case",
    None,
    "{entry} is not the bootstrap that custom runtimes look for, which is written in small letters",
)
LAYER_UNREADABLE = Rule(
    "layer-unreadable",
    None,
    "layer {layer} could not be read ({problem}): whether its extensions or its bootstrap begin "
    "to run, and what it holds for one architecture only, is not known",
)
LAYER_EXTENSIONS = Rule(
    "layer-extensions",
    None,
    "layer {layer} has extensions ({extensions}), which go1.x never ran and custom runtimes "
    "start: see that they are wanted, or take the layer off",
)
LAYER_BOOTSTRAP = Rule(
    "layer-bootstrap-starts",
    None,
    "layer {layer} has a bootstrap, which go1.x never ran and custom runtimes start where the "
    "package has none: repackage before the runtime is switched, or take the layer off",
)
LAYER_ONE_MACHINE = Rule(
    "layer-x86-64",
    None,
    "layer {layer} holds programs or libraries for x86_64 only ({entries}): the function cannot "
    "move to arm64 with it",
)
LARGE_ZIP = Rule(
    "large-zip",
    None,
    "the package is {size} zipped, more than the 50 MB that Lambda takes directly: uploads go by "
    "way of S3",
)
LARGE_UNZIPPED = Rule(
    "large-unzipped",
    None,
    "package and layers are {size} unzipped and Lambda's limit is 250 MB: make room before "
    "anything is added",
)

RULES: tuple[Rule, ...] = tuple(each for each in globals().values() if isinstance(each, Rule))
"""Every row, in the order above."""

VERDICTS = {rule.code: rule.verdict for rule in RULES if rule.verdict is not None}
"""Code → what it makes of a function, for everything that is no warning."""
