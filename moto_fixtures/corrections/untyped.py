"""Names for moto's own objects, which come without types."""

from __future__ import annotations

from typing import Any, TypeAlias

MotoBackend: TypeAlias = Any
"""A backend of one service, account and region."""
MotoFunction: TypeAlias = Any
"""$LATEST or a published version of a Lambda function."""
MotoAlias: TypeAlias = Any
"""An alias of a Lambda function."""
MotoUrl: TypeAlias = Any
"""A function URL's configuration."""
MotoPolicy: TypeAlias = Any
"""The resource policy of a function."""
MotoAccount: TypeAlias = Any
"""An account of an organization."""
MotoCode: TypeAlias = Any
"""Whatever holds a package: a function, or a version of a layer."""
