"""Which operations are answered here instead of by moto."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from . import (
    function_callers,
    function_code,
    function_lists,
    layers,
    metrics,
    organizations,
    regions,
    sts,
)
from .request import ApiRequest
from .world import World

Operation = Callable[[ApiRequest, World], Mapping[str, object]]

OPERATIONS: Mapping[tuple[str, str], Operation] = {
    ("account", "ListRegions"): regions.list_regions,
    ("cloudwatch", "GetMetricData"): metrics.get_metric_data,
    ("ec2", "DescribeRegions"): regions.describe_regions,
    ("lambda", "AddPermission"): function_callers.add_permission,
    ("lambda", "CreateEventSourceMapping"): function_callers.create_event_source_mapping,
    ("lambda", "CreateFunctionUrlConfig"): function_callers.create_function_url_config,
    ("lambda", "GetFunction"): function_code.get_function,
    ("lambda", "GetLayerVersion"): layers.get_layer_version,
    ("lambda", "GetPolicy"): function_callers.get_policy,
    ("lambda", "ListAliases"): function_lists.list_aliases,
    ("lambda", "ListEventSourceMappings"): function_callers.list_event_source_mappings,
    ("lambda", "ListFunctionUrlConfigs"): function_callers.list_function_url_configs,
    ("lambda", "ListFunctions"): function_lists.list_functions,
    ("lambda", "ListVersionsByFunction"): function_lists.list_versions_by_function,
    ("organizations", "ListAccounts"): organizations.list_accounts,
    ("organizations", "ListAccountsForParent"): organizations.list_accounts_for_parent,
    (
        "organizations",
        "ListOrganizationalUnitsForParent",
    ): organizations.list_organizational_units_for_parent,
    ("sts", "AssumeRole"): sts.assume_role,
    ("sts", "GetCallerIdentity"): sts.get_caller_identity,
}
