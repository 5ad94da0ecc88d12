"""Everything the gates say, as one table: code, whether it blocks, and the sentence.

docs/gates.md shows the same table to people; a test holds the two together.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from fleet.migration.facts import Finding
from fleet.package.words import shortened


class Effect(StrEnum):
    """What a finding does to a function's move."""

    BLOCKS = "blocks"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table."""

    code: str
    effect: Effect
    text: str
    """One sentence with named fields: what it is, and what to do."""
    flag: str = ""
    """The option with which it no longer blocks; '' where there is none."""

    def said(self, **fields: str) -> Finding:
        """Give the finding; fields from outside are made fit to be shown."""
        shown = {name: shortened(value) for name, value in fields.items()}
        return Finding(self.code, self.text.format_map(shown))


# What it is, and whether everything about it could be seen.
BLOCKLISTED = Rule(
    "blocklisted",
    Effect.BLOCKS,
    "account {account} is on the blocklist: take it off `blocklist` and `exclude_accounts` in "
    "fleet.yaml if it is meant to move",
)
IMAGE = Rule(
    "image",
    Effect.BLOCKS,
    "it is a container image, which has no runtime to change: build it again on the image "
    "public.ecr.aws/lambda/provided:al2023",
)
BY_REFERENCE = Rule(
    "by-reference",
    Effect.BLOCKS,
    "Lambda runs its package from its owner's own bucket (S3ObjectStorageMode REFERENCE), where "
    "nothing is changed from here: have its owner deploy what `fleet repackage` makes of it",
)
SETTINGS_UNREADABLE = Rule(
    "settings-unreadable",
    Effect.BLOCKS,
    "not all of its settings could be read ({problem}), so nobody could tell whether somebody "
    "changes them meanwhile: allow the role kms:Decrypt on the function's key",
)
TAGS_UNREADABLE = Rule(
    "tags-unreadable",
    Effect.BLOCKS,
    "its tags could not be read, so it is not known what deploys it: allow the role "
    "lambda:ListTags",
)
NOT_INSPECTED = Rule(
    "package-not-inspected",
    Effect.BLOCKS,
    "its package was not read, and nothing else tells whether it can move: run the command again, "
    "and `fleet inspect` to see what stands in the way",
)

# Who deploys it. The next deploy undoes what the owner's files do not say.
MANAGED_CLOUDFORMATION = Rule(
    "managed-cloudformation",
    Effect.BLOCKS,
    "the CloudFormation stack {stack} deploys it as {resource}, and its next deploy would put the "
    "old runtime or the old package back: give that resource of the template `Runtime: {runtime}` "
    "(CDK: `Runtime.{constant}`) and {package}, or move it with --allow-managed and change the "
    "template before the next deploy",
    "--allow-managed",
)
MANAGED_SAM = Rule(
    "managed-sam",
    Effect.BLOCKS,
    "the SAM stack {stack} deploys it as {resource}, and its next deploy would put the old runtime "
    "or the old package back: give that resource of the template `Runtime: {runtime}` and "
    "{package} (`sam build` makes one with `Metadata: BuildMethod: go1.x` and `Handler: "
    "bootstrap`), or move it with --allow-managed and change the template before the next deploy",
    "--allow-managed",
)
MANAGED_SERVERLESS = Rule(
    "managed-serverless",
    Effect.BLOCKS,
    "the Serverless stack {stack} deploys it as {resource}, and its next deploy would put the old "
    "runtime or the old package back: give that function in serverless.yml `runtime: {runtime}` "
    "and {package} (each function its own, by `package: artifact:`), or move it with "
    "--allow-managed and change the file before the next deploy",
    "--allow-managed",
)
MANAGED_BY_RULE = Rule(
    "managed-by-owner",
    Effect.BLOCKS,
    "by `owners` in fleet.yaml {owner} deploys it, and the next deploy may put the old runtime or "
    "the old package back (Terraform sees a changed runtime, but no code changed outside it): give "
    "it, where it is deployed from, `runtime = {runtime}` and {package}, or move it with "
    "--allow-managed and change that before the next deploy",
    "--allow-managed",
)
OWNER_UNKNOWN = Rule(
    "owner-unknown",
    Effect.NOTE,
    "no tag says what deploys it, and Terraform, for one, leaves none: a later deploy may undo the "
    "move, so find out, and change the runtime there as well",
)

# What AWS would refuse.
CODE_SIGNING = Rule(
    "code-signing",
    Effect.BLOCKS,
    "its code signing configuration checks packages (policy {policy}), and a repackaged one "
    "carries no signature: have its owner build it with a bootstrap and sign it with AWS Signer",
)
CODE_SIGNING_UNKNOWN = Rule(
    "code-signing-unknown",
    Effect.BLOCKS,
    "whether a code signing configuration checks its packages could not be read: allow the role "
    "lambda:ListCodeSigningConfigs and lambda:ListFunctionsByCodeSigningConfig",
)
RUNTIME_MODE = Rule(
    "runtime-mode",
    Effect.BLOCKS,
    "its runtime management mode is Manual, in which AWS lets nobody change the runtime of "
    "$LATEST: `aws lambda put-runtime-management-config --update-runtime-on Auto --function-name "
    "{name}` lifts that",
)
RUNTIME_MODE_UNKNOWN = Rule(
    "runtime-mode-unknown",
    Effect.BLOCKS,
    "its runtime management mode could not be read or is none that is known: allow the role "
    "lambda:GetRuntimeManagementConfig, and see that it is Auto",
)
UPDATING = Rule(
    "updating",
    Effect.BLOCKS,
    "an update of it is in progress, and AWS takes one at a time: wait until LastUpdateStatus is "
    "Successful, and see who else deploys it",
)
STATE = Rule(
    "state",
    Effect.BLOCKS,
    "its state is {state}, in which AWS updates nothing: see its StateReason, and wait until it is "
    "Active",
)
TOO_MANY_TAGS = Rule(
    "too-many-tags",
    Effect.BLOCKS,
    "it has {count} tags, and AWS takes 50: there is no room for those that say it has moved, so "
    "have its owners take some off",
)
PROVISIONED_VERSION = Rule(
    "provisioned-version",
    Effect.BLOCKS,
    "version {version} has provisioned concurrency, which would not follow alias {alias} to "
    "another version: have its owners give it to the alias instead",
)
ALIAS_TAKEN = Rule(
    "alias-taken",
    Effect.BLOCKS,
    "it has an alias {alias} that is not of fleet's making, and fleet would move it: have its "
    "owners give theirs another name",
)
INACTIVE = Rule(
    "inactive",
    Effect.NOTE,
    "it is Inactive, as functions are that nobody has called for weeks: it moves, but its proof "
    "will be inconclusive, so look at the first calls afterwards",
)
NO_CONCURRENCY = Rule(
    "no-concurrency",
    Effect.NOTE,
    "its reserved concurrency is 0, so every call is throttled: it moves, but its proof will be "
    "inconclusive, so look at the first calls once that is lifted",
)
UPDATES_BLOCKED = Rule(
    "updates-blocked",
    Effect.NOTE,
    "AWS refuses updates of go1.x functions by now: bridge and direct still lead out, but only "
    "aliases can go back afterwards, $LATEST never; should AWS not publish its go1.x state either, "
    "it stays as it is",
)

# Which way it takes.
DUAL_INSTEAD = Rule(
    "dual-instead",
    Effect.NOTE,
    "{why}, so it cannot take the bridge route and takes the dual one",
)
BRIDGE_IMPOSSIBLE = Rule(
    "bridge-impossible",
    Effect.BLOCKS,
    "{why}, so it cannot take the bridge route: use {remaining}",
    "another --route",
)
DUAL_BLOCKED = Rule(
    "dual-blocked",
    Effect.BLOCKS,
    "the dual route uploads code while it is still on go1.x, which AWS refuses by now: use "
    "{remaining}",
    "another --route",
)
NO_ROUTE = Rule(
    "no-route",
    Effect.BLOCKS,
    "{why}, so it cannot take the bridge route, nor the dual one since AWS refuses updates of "
    "go1.x code by now: --route direct remains, on which calls of $LATEST fail for some seconds",
    "--route direct",
)
DUAL_BELIEF = Rule(
    "dual-belief",
    Effect.NOTE,
    "the dual route puts a bootstrap into its package while it is still on go1.x, which is "
    "believed to take no notice of it: look at its errors during the move",
)
REBUILT = Rule(
    "rebuilt",
    Effect.NOTE,
    "its program is built anew with a newer aws-lambda-go and lies as bootstrap beside the old "
    "one, which go1.x goes on starting: give its team the patch (`fleet history --patch`), or "
    "their next deploy brings the old library back",
)
NO_BRIDGE_FOR_REBUILT = Rule(
    "rebuilt-no-bridge",
    Effect.BLOCKS,
    "its old program can't run on a custom runtime, so it cannot take the bridge route: use "
    "{remaining}",
    "another --route",
)
REBUILT_BLOCKED = Rule(
    "rebuilt-blocked",
    Effect.BLOCKS,
    "its old program can't run on a custom runtime, and AWS refuses updates of go1.x code by now: "
    "--route direct remains, on which calls of $LATEST fail for some seconds",
    "--route direct",
)
REBUILT_IN_PLACE = Rule(
    "rebuilt-in-place",
    Effect.BLOCKS,
    "go1.x starts a program called bootstrap as well, so the new one can't lie beside the old one: "
    "--route direct remains, on which calls of $LATEST fail for some seconds",
    "--route direct",
)
GAP = Rule(
    "gap",
    Effect.NOTE,
    "on the direct route calls of $LATEST fail from the change of its runtime until the new code "
    "is there, some seconds: move it when nobody calls it, or take another route",
)
AS_IT_IS = Rule(
    "as-it-is",
    Effect.NOTE,
    "its package brings a bootstrap already, so package and Handler stay as they are and nothing "
    "is uploaded: deploys of the same package need the new runtime only",
)
EXTENSIONS = Rule(
    "extensions",
    Effect.NOTE,
    "layer {layer} holds extensions ({names}), which never ran on go1.x and begin to run: see that "
    "they are wanted and have their settings, or take the layer off first",
)

# Room for it.
NOT_REPACKAGED = Rule(
    "not-repackaged",
    Effect.BLOCKS,
    "its package was not repackaged ({strategy}), so neither its size nor its start is known: "
    "run the command again",
)
REPACKAGING_FAILED = Rule(
    "repackaging-failed",
    Effect.BLOCKS,
    "its package could not be repackaged: {problem}; try `fleet repackage` on it, or have its "
    "owner build it with a bootstrap",
)
NEEDS_BUCKET = Rule(
    "needs-bucket",
    Effect.BLOCKS,
    "its package is {size}, more than the 50 MB that a call takes: name a bucket in its region "
    "to upload it through with --bucket",
    "--bucket",
)
TOO_LARGE = Rule(
    "too-large",
    Effect.BLOCKS,
    "package and layers would be {size} unzipped, and Lambda takes 250 MB at most: have its owner "
    "make the package smaller (`-ldflags=-s -w` leaves out symbols), or take a layer off",
)
STORAGE_FULL = Rule(
    "code-storage",
    Effect.BLOCKS,
    "{used} of the {limit} of code storage in {region} are taken, and what would be published "
    "({needed}) leaves less than 5 % free: delete versions that nobody uses, or raise the quota "
    "(Function and layer storage)",
)
STORAGE_UNKNOWN = Rule(
    "code-storage-unknown",
    Effect.BLOCKS,
    "how much code storage is left in {region} could not be read, and every published version "
    "takes some: allow the role lambda:GetAccountSettings",
)

# Whether it would start.
CANNOT_START = Rule(
    "cannot-start",
    Effect.BLOCKS,
    "tried here, what would be uploaded does not start: {reason}; try `fleet repackage --try` on "
    "the package, or have its owner build it with a bootstrap",
)
TRIAL_INCONCLUSIVE = Rule(
    "trial-inconclusive",
    Effect.NOTE,
    "tried here, neither a start nor a failure to start was seen: {reason}; give a test event "
    "(--event), or look at the first calls afterwards",
)
TRIED = Rule(
    "tried",
    Effect.NOTE,
    "it was started here, under AWS's own emulator, and came to the Runtime API, so it is a "
    "program that a custom runtime can run",
)
NOT_TRIED = Rule(
    "not-tried",
    Effect.NOTE,
    "whether it starts was not tried here: give a test event (--event), or look at the first calls "
    "afterwards",
)

RULES: tuple[Rule, ...] = tuple(each for each in globals().values() if isinstance(each, Rule))
"""Every row, in the order above."""
