"""A function to be moved in a small organization, and what can be told of it from outside."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from fleet.aws.session import Aws
from fleet.model import OWN_ALIASES
from moto_fixtures.packages import zipped
from moto_fixtures.server import Call, Moment
from tests.migration.seeded import Snapshot, snapshot
from tests.migration.victims import RENAMED, SHIMMED, package
from tests.moto_fixtures.small_organization import HOME, MEMBER, Client, Organization

