"""What is said of a function's move to arm64, and of the artifact it brings, as one table."""

from __future__ import annotations

from fleet.migration.gate_rules import Effect, Rule

# Where the function stands.
RUNTIME_FIRST = Rule(
    "runtime-first",
    Effect.BLOCKS,
    "it runs on {runtime}, and runtime and architecture never change together: run `fleet migrate` "
    "on it without --arch first",
)
RUNTIME_UNFINISHED = Rule(
    "runtime-unfinished",
    Effect.BLOCKS,
    "its move off go1.x has not come to its end: run `fleet migrate` on it without --arch first",
)
OTHER_ARTIFACT = Rule(
    "other-artifact",
    Effect.BLOCKS,
    "it stands on arm64 already, unproven and with another package (CodeSha256 {there}) than this "
    "artifact ({given}): give the artifact that this was begun with, or bring it back first with "
    "`fleet rollback --to x86_64`",
)

# What the artifact is.
ARTIFACT_UNREADABLE = Rule(
    "artifact-unreadable",
    Effect.BLOCKS,
    "{file} can't be its package for arm64 ({problem}): give the zip of a bootstrap built with "
    "GOARCH=arm64, or with --artifact a directory of such zips, each ACCOUNT/REGION/NAME.zip or "
    "NAME.zip after its function; or have it built with --rebuild",
)
NO_BOOTSTRAP = Rule(
    "artifact-no-bootstrap",
    Effect.BLOCKS,
    "the artifact has no bootstrap in its root, which is what {runtime} starts: build it with "
    "`GOOS=linux GOARCH=arm64 go build -o bootstrap` and zip that",
)
NOT_ARM64 = Rule(
    "artifact-machine",
    Effect.BLOCKS,
    "{entry} of the artifact is built for {machine}, and on arm64 it dies with an exec format "
    "error: build it with GOARCH=arm64",
)
MORE_FOR_OTHERS = Rule(
    "artifact-holds-others",
    Effect.NOTE,
    "the artifact holds other programs or libraries that are not for arm64 ({entries}) and can't "
    "run there: see that nothing starts or loads them",
)

# What its layers hold.
LAYER_NOT_ARM64 = Rule(
    "layer-not-arm64",
    Effect.BLOCKS,
    "layer {layer} holds programs or libraries that are not for arm64 ({entries}) and can't run "
    "there: put its version for arm64 in its place, or take it off, then run this again",
)
LAYER_NOT_KNOWN = Rule(
    "layer-not-known",
    Effect.BLOCKS,
    "layer {layer} could not be read ({problem}), so it may hold programs for x86_64: allow the "
    "role lambda:GetLayerVersion on it, or take it off",
)

# Whether it is the same program.
SOURCE_UNKNOWN = Rule(
    "source-unknown",
    Effect.BLOCKS,
    "{who} does not tell its {what}, so nobody can say whether both are the same source: build in "
    "the git work tree without -buildvcs=false, or see to it yourself and use "
    "--allow-different-source",
    "--allow-different-source",
)
DIFFERENT_SOURCE = Rule(
    "different-source",
    Effect.BLOCKS,
    "the artifact's {what} is {given}, and what runs has {running}: build what runs for arm64, or "
    "use --allow-different-source if that is meant to be released",
    "--allow-different-source",
)
RUNNING_MODIFIED = Rule(
    "running-modified",
    Effect.NOTE,
    "what runs was built with changes that are in no commit, so the artifact may lack them though "
    "both name the commit {commit}: compare what both do",
)
BUILT_DIFFERENTLY = Rule(
    "built-differently",
    Effect.NOTE,
    "the artifact differs from what runs in more than its architecture ({what}): see that this is "
    "meant",
)

# Who deploys it, and who signs it.
MANAGED = Rule(
    "managed-architecture",
    Effect.BLOCKS,
    "{owner} deploys it{resource}, and the next deploy would put x86_64 and its package back: say "
    "{line} there and deploy the package built for arm64 from there, or move it with "
    "--allow-managed and change that before the next deploy",
    "--allow-managed",
)
NOT_SIGNED = Rule(
    "artifact-not-signed",
    Effect.BLOCKS,
    "its code signing configuration checks packages (policy {policy}), and the artifact carries no "
    "signature: sign it with AWS Signer and give what that makes",
)
SIGNATURE_UNCHECKED = Rule(
    "artifact-signature",
    Effect.NOTE,
    "its code signing configuration checks packages (policy {policy}), and only AWS can say "
    "whether the artifact's signature holds: where it does not, AWS refuses the upload and nothing "
    "changes",
)

RULES: tuple[Rule, ...] = tuple(each for each in globals().values() if isinstance(each, Rule))
"""Every row, in the order above."""
