"""Lambda's answers as values, from rows as AWS gives them and from rows as nobody should."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from fleet.aws import functions
from fleet.aws.failures import CallFailed, Situation
from fleet.aws.session import Aws, Lane
from fleet.deployment import BRIDGE_LAYER
from fleet.model import Alias, Caller, CallerKind, FunctionRef, PackageType
from tests.aws.canned import Answer, Canned, Script

OWN, REGION = "000000000001", "eu-west-1"
STEM = f"arn:aws:lambda:{REGION}:{OWN}:function"
REF = FunctionRef("aws", OWN, REGION, "orders")


def row(name: str = "orders", version: str = "$LATEST", **changes: object) -> dict[str, Any]:
    return {
        "FunctionName": name,
        "FunctionArn": f"{STEM}:{name}:{version}",
        "Runtime": "go1.x",
        "Handler": "main",
        "CodeSize": 123,
        "CodeSha256": "abc=",
        "LastModified": "2023-11-07T09:30:00.000+0000",
        "Version": version,
        "PackageType": "Zip",
        "Architectures": ["x86_64"],
        "Environment": {"Variables": {"DB_PASSWORD": "do-not-leak"}},
        **changes,
    }


def page(*rows: object, marker: str | None = None) -> Answer:
    return Answer(json.dumps({"Functions": rows, "NextMarker": marker}))


def listed(aws: Aws, *runtimes: str, latest_only: bool = False) -> functions.Listing:
    lane = aws.lane(OWN, REGION)
    return functions.list_functions(aws, lane, runtimes or ["go1.x"], latest_only=latest_only)


def bridged(name: str, version: str = "$LATEST", **changes: object) -> dict[str, Any]:
    """A version on provided.al2023 that fleet's bridge layer starts."""
    layer = f"arn:aws:lambda:{REGION}:{OWN}:layer:{BRIDGE_LAYER}:1"
    told = {"Runtime": "provided.al2023", "Layers": [{"Arn": layer, "CodeSize": 1}]}
    return row(name, version, **(told | changes))


def test_memory_and_log_groups_are_those_of_the_versions_found(aws: Aws, server: Canned) -> None:
    own = {"LogFormat": "JSON", "LogGroup": "/shop/orders"}
    server.answer = Script(
        page(
            row(MemorySize=512, LoggingConfig=own),
            row(version="1", MemorySize=128, LoggingConfig={"LogGroup": "/aws/lambda/orders"}),
            row(version="2", MemorySize=512, LoggingConfig={}),
            row(version="3", Runtime="python3.12", LoggingConfig={"LogGroup": "/elsewhere"}),
            row("refund"),
        )
    )
    listing = listed(aws)
    assert [each.memory_mb for each in listing.found] == [512, 128, 512, None]
    assert listing.log_groups == {
        "orders": {"/shop/orders", "/aws/lambda/orders"},
        "refund": {"/aws/lambda/refund"},
    }


@pytest.mark.parametrize("memory", [0, -128, "512", 1.5, 2**31])
def test_a_memory_that_can_be_none_is_a_failed_call(
    aws: Aws, server: Canned, memory: object
) -> None:
    server.answer = Script(page(row(MemorySize=memory)))
    with pytest.raises(CallFailed):
        listed(aws)


def test_a_row_becomes_a_value_without_its_environment(aws: Aws, server: Canned) -> None:
    layer = f"arn:aws:lambda:{REGION}:{OWN}:layer:certificates:2"
    server.answer = Script(page(row(Layers=[{"Arn": layer, "CodeSize": 1}])))
    (config,) = listed(aws).found
    assert config.ref == REF
    assert config.last_modified == datetime(2023, 11, 7, 9, 30, tzinfo=UTC)
    assert (config.runtime, config.handler, config.layers) == ("go1.x", "main", (layer,))
    assert "do-not-leak" not in repr(config)


@pytest.mark.parametrize("latest_only", [False, True])
def test_what_stands_halfway_off_go1x_is_found_with_go1x(
    aws: Aws, server: Canned, *, latest_only: bool
) -> None:
    server.answer = Script(page(bridged("orders"), bridged("refund", Runtime="provided.al2")))
    listing = listed(aws, latest_only=latest_only)
    assert [each.ref.name for each in listing.found] == ["orders", "refund"]
    assert listing.latest == {"orders": "provided.al2023", "refund": "provided.al2"}


def test_what_only_looks_like_halfway_is_not_found(aws: Aws, server: Canned) -> None:
    layers = (
        f"arn:aws:lambda:{REGION}:000000000002:layer:{BRIDGE_LAYER}:1",
        f"arn:aws:lambda:{REGION}:{OWN}:layer:{BRIDGE_LAYER}-2:1",
        f"{OWN}:layer:{BRIDGE_LAYER}",
    )
    script = page(
        *(bridged(f"f{at}", Layers=[{"Arn": arn}]) for at, arn in enumerate(layers)),
        bridged("python", Runtime="python3.12"),
        bridged("without", Layers=[]),
        bridged("published", "7"),
    )
    server.answer = Script(script)
    assert listed(aws).found == ()


def test_what_stands_halfway_is_none_of_another_runtime(aws: Aws, server: Canned) -> None:
    server.answer = Script(page(bridged("orders")))
    assert listed(aws, "python3.8").found == ()


def test_every_version_is_asked_for_unless_only_the_latest_is_wanted(
    aws: Aws, server: Canned
) -> None:
    server.answer = Script(page())
    listed(aws)
    listed(aws, latest_only=True)
    paths = [each.path for each in server.requests]
    assert "FunctionVersion=ALL" in paths[0]
    assert "FunctionVersion" not in paths[1]


def test_a_version_whose_latest_moved_on_is_found_with_the_runtime_of_latest(
    aws: Aws, server: Canned
) -> None:
    server.answer = Script(page(row(Runtime="provided.al2023"), row(version="1")))
    listing = listed(aws)
    assert [each.ref.qualifier for each in listing.found] == ["1"]
    assert listing.latest == {"orders": "provided.al2023"}
    assert (listing.functions, listing.versions) == (1, 2)


def test_what_is_named_twice_while_the_list_changes_counts_once(aws: Aws, server: Canned) -> None:
    server.answer = Script(
        page(row("a"), row("a", "1"), marker="m"), page(row("a", "1"), row("a"), row("b"))
    )
    listing = listed(aws)
    assert (listing.functions, listing.versions, len(listing.found)) == (2, 3, 3)


def test_images_are_listed_whatever_the_runtime_asked_for(aws: Aws, server: Canned) -> None:
    image = row("scanner", PackageType="Image")
    for key in ("Runtime", "Handler"):
        del image[key]
    server.answer = Script(page(image, row("python", Runtime="python3.13")))
    (config,) = listed(aws).found
    assert (config.package_type, config.runtime) == (PackageType.IMAGE, None)


def test_what_a_row_leaves_out_is_what_it_was_before_there_was_a_choice(
    aws: Aws, server: Canned
) -> None:
    old = row()
    for key in ("Architectures", "PackageType", "Layers"):
        old.pop(key, None)
    server.answer = Script(page(old))
    (config,) = listed(aws).found
    assert (config.architecture, config.package_type) == ("x86_64", PackageType.ZIP)
    assert config.layers == ()


@pytest.mark.parametrize(
    "broken",
    [
        {},
        None,
        7,
        "DB_PASSWORD=do-not-leak",
        row(Architectures=None),
        row(Architectures="x86_64"),
        row(Architectures=[]),
        row(CodeSize=-1),
        row(CodeSize=2**63),
        row(CodeSize="many"),
        row(Layers=[{}]),
        row(LastModified=20231107),
        {key: value for key, value in row().items() if key != "Version"},
        {key: value for key, value in row().items() if key != "CodeSha256"},
    ],
)
def test_a_row_of_another_shape_fails_the_list_and_is_not_left_out(
    aws: Aws, server: Canned, broken: object
) -> None:
    server.answer = Script(page(row("a"), broken))
    with pytest.raises(CallFailed, match="no readable 'Functions'") as caught:
        listed(aws)
    # The next answer may be whole.
    assert caught.value.situation is Situation.TRANSIENT
    assert "do-not-leak" not in str(caught.value)


@pytest.mark.parametrize("body", ['{"Functions": null}', '{"Functions": 7}', '{"Functions": "a"}'])
def test_functions_that_are_no_list_fail(aws: Aws, server: Canned, body: str) -> None:
    server.answer = Script(Answer(body))
    with pytest.raises(CallFailed, match="no readable 'Functions'"):
        listed(aws)


def test_a_date_nobody_can_read_is_unknown_and_costs_nothing_else(aws: Aws, server: Canned) -> None:
    server.answer = Script(page(row(LastModified="yesterday")))
    assert listed(aws).found[0].last_modified is None


def test_aliases_keep_version_and_weights(aws: Aws, server: Canned) -> None:
    weighted = {"AdditionalVersionWeights": {"2": 0.1}}
    aliases = [
        {"Name": "live", "FunctionVersion": "1", "RoutingConfig": weighted},
        {"Name": "plain", "FunctionVersion": "2"},
    ]
    server.answer = Script(Answer(json.dumps({"Aliases": aliases})))
    found = functions.read_aliases(aws, aws.lane(OWN, REGION), "orders")
    assert found == (Alias("live", "1", {"2": 0.1}), Alias("plain", "2"))


def test_event_sources_belong_to_the_qualifier_they_were_made_for(aws: Aws, server: Canned) -> None:
    mappings = [
        {"FunctionArn": f"{STEM}:orders", "EventSourceArn": "arn:aws:sqs:eu-west-1:1:q"},
        {"FunctionArn": f"{STEM}:orders:live", "EventSourceArn": "arn:aws:kinesis:eu-west-1:1:s"},
        {"FunctionArn": f"{STEM}:other:3"},
    ]
    server.answer = Script(Answer(json.dumps({"EventSourceMappings": mappings})))
    found = functions.read_event_sources(aws, aws.lane(OWN, REGION))
    assert found == {
        "orders": (
            Caller(CallerKind.EVENT_SOURCE, "arn:aws:sqs:eu-west-1:1:q", "$LATEST"),
            Caller(CallerKind.EVENT_SOURCE, "arn:aws:kinesis:eu-west-1:1:s", "live"),
        ),
        "other": (Caller(CallerKind.EVENT_SOURCE, "self-managed", "3"),),
    }


def policy(*statements: dict[str, Any]) -> Answer:
    return Answer(json.dumps({"Policy": json.dumps({"Statement": statements})}))


@pytest.mark.parametrize(
    ("statement", "source"),
    [
        ({"Principal": "*"}, "*"),
        ({"Principal": {"Service": "s3.amazonaws.com"}}, "s3.amazonaws.com"),
        ({"Principal": {"AWS": "arn:aws:iam::1:root"}}, "arn:aws:iam::1:root"),
        (
            {
                "Principal": {"Service": "events.amazonaws.com"},
                "Condition": {"ArnLike": {"AWS:SourceArn": "arn:aws:events:eu-west-1:1:rule/r"}},
            },
            "events.amazonaws.com arn:aws:events:eu-west-1:1:rule/r",
        ),
    ],
)
def test_a_permission_names_who_may_call_and_from_where(
    aws: Aws, server: Canned, statement: dict[str, Any], source: str
) -> None:
    server.answer = Script(policy({"Effect": "Allow", **statement}, {"Effect": "Deny"}))
    found = functions.read_permissions(aws, aws.lane(OWN, REGION), "orders", "live")
    assert found == (Caller(CallerKind.PERMISSION, source, "live"),)
    assert server.requests[0].path.endswith("/policy?Qualifier=live")


def test_a_function_without_a_policy_lets_nobody_in(aws: Aws, server: Canned) -> None:
    gone = '{"__type": "ResourceNotFoundException", "Message": "The resource does not exist."}'
    server.answer = Script(Answer(gone, 404))
    assert functions.read_permissions(aws, aws.lane(OWN, REGION), "orders", "$LATEST") == ()


@pytest.mark.parametrize(
    ("read", "body"),
    [
        (lambda aws, lane: functions.read_aliases(aws, lane, "f"), '{"Aliases": [{}]}'),
        (lambda aws, lane: functions.read_aliases(aws, lane, "f"), '{"Aliases": [{"Name": "a"}]}'),
        (
            lambda aws, lane: functions.read_aliases(aws, lane, "f"),
            '{"Aliases": [{"Name": 7, "FunctionVersion": "1"}]}',
        ),
        (lambda aws, lane: functions.read_aliases(aws, lane, "f"), '{"Aliases": 7}'),
        (lambda aws, lane: functions.read_aliases(aws, lane, "f"), '{"Aliases": {"a": 1}}'),
        (lambda aws, lane: functions.read_tags(aws, lane, REF), '{"Tags": 7}'),
        (lambda aws, lane: functions.read_tags(aws, lane, REF), '{"Tags": []}'),
        (lambda aws, lane: functions.read_tags(aws, lane, REF), '{"Tags": {"team": null}}'),
        (functions.read_event_sources, '{"EventSourceMappings": [{}]}'),
        (functions.read_event_sources, '{"EventSourceMappings": [{"FunctionArn": "orders"}]}'),
        (
            lambda aws, lane: functions.read_function_urls(aws, lane, "f"),
            '{"FunctionUrlConfigs": [{"AuthType": "NONE"}]}',
        ),
        (
            lambda aws, lane: functions.read_permissions(aws, lane, "f", "1"),
            '{"Policy": "no json"}',
        ),
        (
            lambda aws, lane: functions.read_permissions(aws, lane, "f", "1"),
            '{"Policy": "{\\"Statement\\": [{}]}"}',
        ),
        (
            lambda aws, lane: functions.read_permissions(aws, lane, "f", "1"),
            '{"Policy": "{\\"Statement\\": {}}"}',
        ),
        (lambda aws, lane: functions.read_permissions(aws, lane, "f", "1"), '{"Policy": 7}'),
    ],
)
def test_a_detail_of_another_shape_is_a_failed_call_and_no_crash(
    aws: Aws, server: Canned, read: Callable[[Aws, Lane], object], body: str
) -> None:
    server.answer = Script(Answer(body))
    with pytest.raises(CallFailed, match="not as the API describes it"):
        read(aws, aws.lane(OWN, REGION))
