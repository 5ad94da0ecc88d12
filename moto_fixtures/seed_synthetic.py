"""Fills an emulator with a synthetic organization, in-process: some 3,000 functions a second."""

from __future__ import annotations

import copy
from typing import Any

from moto.awslambda.utils import get_backend

from moto_fixtures.packages import Package
from moto_fixtures.seed import seed
from moto_fixtures.seed_functions import store_package
from moto_fixtures.server import Emulator
from moto_fixtures.synthetic import Row, Synthetic, SyntheticFunction, tiny_packages


def fill(emulator: Emulator, synthetic: Synthetic) -> None:
    """Create the accounts and all their functions.

    The emulator has to run already, with synthetic.organization.rules().
    """
    seed(emulator, synthetic.organization)
    packages = {package.sha256: package for package in tiny_packages()}
    for account in synthetic.account_ids:
        for region in synthetic.regions:
            backend = get_backend(account, region)
            for function in synthetic.functions_of(account, region):
                _add(backend, function, packages)


def _add(backend: Any, function: SyntheticFunction, packages: dict[str, Package]) -> None:  # noqa: ANN401 - moto's backend has no types
    latest, name = function.latest, function.latest["FunctionName"]
    stored = backend.create_function({**latest, "Code": {"ZipFile": ""}})
    for row in (*function.published, latest):
        _apply(stored, row, packages[row["CodeSha256"]])
        stored.code_or_config_updated = True
        if row is not latest:
            backend.publish_version(name).last_modified = row["LastModified"]
    for alias, version in function.aliases.items():
        backend.create_alias(alias, name, version, "", None)


def _apply(stored: Any, row: Row, package: Package) -> None:  # noqa: ANN401 - moto's function has no types
    store_package(stored, package)
    stored.code = {"S3Key": f"{row['FunctionName']}-{row['RevisionId']}"}
    stored.run_time = row["Runtime"]
    stored.handler = row["Handler"]
    stored.memory_size = row["MemorySize"]
    stored.timeout = row["Timeout"]
    stored._vpc_config = copy.copy(row["VpcConfig"])  # noqa: SLF001 - moto has no other way
    stored.last_modified = row["LastModified"]
