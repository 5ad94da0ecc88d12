"""Which operations are answered here instead of by moto."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from moto_fixtures.invoking.invoke import invoke

from . import (
    account_settings,
    aliases,
    concurrency,
    creating,
    function_callers,
    function_code,
    function_layers,
    function_lists,
    layer_versions,
    layers,
    metrics,
    organizations,
    provisioned,
    regions,
    runtime_management,
    signing,
    sts,
    tags,
    updates,
    versions,
)
from .request import ApiRequest
from .world import World

Operation = Callable[[ApiRequest, World], Mapping[str, object]]

OPERATIONS: Mapping[tuple[str, str], Operation] = {
    ("account", "ListRegions"): regions.list_regions,
    ("cloudwatch", "GetMetricData"): metrics.get_metric_data,
    ("ec2", "DescribeRegions"): regions.describe_regions,
    ("lambda", "AddPermission"): function_callers.add_permission,
    ("lambda", "CreateAlias"): aliases.create_alias,
    ("lambda", "CreateCodeSigningConfig"): signing.create_code_signing_config,
    ("lambda", "CreateEventSourceMapping"): function_callers.create_event_source_mapping,
    ("lambda", "CreateFunction"): creating.create_function,
    ("lambda", "CreateFunctionUrlConfig"): function_callers.create_function_url_config,
    ("lambda", "DeleteAlias"): aliases.delete_alias,
    ("lambda", "DeleteFunction"): versions.delete_function,
    ("lambda", "DeleteFunctionCodeSigningConfig"): signing.delete_function_code_signing_config,
    ("lambda", "DeleteFunctionConcurrency"): concurrency.delete_function_concurrency,
    ("lambda", "DeleteLayerVersion"): function_layers.delete_layer_version,
    (
        "lambda",
        "DeleteProvisionedConcurrencyConfig",
    ): provisioned.delete_provisioned_concurrency_config,
    ("lambda", "GetAccountSettings"): account_settings.get_account_settings,
    ("lambda", "GetAlias"): aliases.get_alias,
    ("lambda", "GetCodeSigningConfig"): signing.get_code_signing_config,
    ("lambda", "GetFunction"): function_code.get_function,
    ("lambda", "GetFunctionCodeSigningConfig"): signing.get_function_code_signing_config,
    ("lambda", "GetFunctionConcurrency"): concurrency.get_function_concurrency,
    ("lambda", "GetFunctionConfiguration"): function_code.get_function_configuration,
    ("lambda", "GetLayerVersion"): layers.get_layer_version,
    ("lambda", "GetLayerVersionByArn"): layers.get_layer_version_by_arn,
    ("lambda", "GetPolicy"): function_callers.get_policy,
    ("lambda", "GetProvisionedConcurrencyConfig"): provisioned.get_provisioned_concurrency_config,
    ("lambda", "GetRuntimeManagementConfig"): runtime_management.get_runtime_management_config,
    ("lambda", "Invoke"): invoke,
    ("lambda", "ListAliases"): function_lists.list_aliases,
    ("lambda", "ListCodeSigningConfigs"): signing.list_code_signing_configs,
    ("lambda", "ListEventSourceMappings"): function_callers.list_event_source_mappings,
    ("lambda", "ListFunctionUrlConfigs"): function_callers.list_function_url_configs,
    ("lambda", "ListFunctions"): function_lists.list_functions,
    ("lambda", "ListFunctionsByCodeSigningConfig"): signing.list_functions_by_code_signing_config,
    ("lambda", "ListLayerVersions"): layer_versions.list_layer_versions,
    ("lambda", "ListLayers"): layer_versions.list_layers,
    (
        "lambda",
        "ListProvisionedConcurrencyConfigs",
    ): provisioned.list_provisioned_concurrency_configs,
    ("lambda", "ListTags"): tags.list_tags,
    ("lambda", "ListVersionsByFunction"): function_lists.list_versions_by_function,
    ("lambda", "PublishLayerVersion"): layer_versions.publish_layer_version,
    ("lambda", "PublishVersion"): versions.publish_version,
    ("lambda", "PutFunctionCodeSigningConfig"): signing.put_function_code_signing_config,
    ("lambda", "PutFunctionConcurrency"): concurrency.put_function_concurrency,
    ("lambda", "PutProvisionedConcurrencyConfig"): provisioned.put_provisioned_concurrency_config,
    ("lambda", "PutRuntimeManagementConfig"): runtime_management.put_runtime_management_config,
    ("lambda", "TagResource"): tags.tag_resource,
    ("lambda", "UntagResource"): tags.untag_resource,
    ("lambda", "UpdateAlias"): aliases.update_alias,
    ("lambda", "UpdateFunctionCode"): updates.update_function_code,
    ("lambda", "UpdateFunctionConfiguration"): updates.update_function_configuration,
    ("organizations", "ListAccounts"): organizations.list_accounts,
    ("organizations", "ListAccountsForParent"): organizations.list_accounts_for_parent,
    (
        "organizations",
        "ListOrganizationalUnitsForParent",
    ): organizations.list_organizational_units_for_parent,
    ("sts", "AssumeRole"): sts.assume_role,
    ("sts", "GetCallerIdentity"): sts.get_caller_identity,
}
