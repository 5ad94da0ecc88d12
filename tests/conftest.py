from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache

import pytest
from botocore.loaders import create_loader
from hypothesis import settings

# Machines that run tests are sometimes busy: a slow example is no failure.
settings.register_profile("fleet", deadline=None)
settings.load_profile("fleet")


@pytest.fixture(scope="session", autouse=True)
def _nobodys_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test may use, or depend on, the AWS configuration of whoever runs it."""
    nothing = tmp_path_factory.mktemp("aws")
    with pytest.MonkeyPatch.context() as environment:
        for name in os.environ:
            if name.startswith(("AWS_", "FLEET_")) and name != "AWS_CA_BUNDLE":
                environment.delenv(name)
        environment.setenv("AWS_CONFIG_FILE", str(nothing / "config"))
        environment.setenv("AWS_SHARED_CREDENTIALS_FILE", str(nothing / "credentials"))
        environment.setenv("AWS_EC2_METADATA_DISABLED", "true")
        yield


@pytest.fixture(scope="session", autouse=True)
def _models_are_read_once() -> Iterator[None]:
    """Reading botocore's models costs more than most tests: one loader keeps them for all."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("botocore.session.create_loader", cache(create_loader))
        yield
