"""What 30 days of a function cost, on each runtime and architecture. Pure and exact.

A request has a price, and so has each GB-second: the function's memory times the time its calls
took. Init counts as a part of that time where it is billed: on custom runtimes always, on go1.x
packages since 2025-08-01.
https://aws.amazon.com/lambda/pricing/
https://aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase/

Left out: the free tier, the tiers beyond the first, Savings Plans, ephemeral storage, provisioned
concurrency. AWS rounds each call up to the next millisecond and CloudWatch adds up what was
measured, so a cost is never less than what it is told as here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from fleet.prices import Price

DAYS = 30
"""Of a month: the span that calls, durations and cold starts were read over."""
INIT_BILLED = date(2025, 8, 1)
"""Since when the init of zip packages on managed runtimes, as go1.x, is billed."""
MB_IN_GB = 1024
"""https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html"""
MS_IN_SECOND = 1000


class NotEstimated(StrEnum):
    """Why there is no estimate of a function."""

    TRAFFIC = "its calls or how long they took are not known"
    MEMORY = "its memory is not known"
    PRICE = "its region has no price here"
    ARCHITECTURE = "it is not on x86_64"
    ELSEWHERE = "no version of it that is on go1.x is called"


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a function used in 30 days."""

    memory_mb: int
    invocations: int
    duration_ms: int
    """All calls together, without init."""
    init_ms: int | None
    """All cold starts together; None: not known."""
    at_least: bool = False
    """Versions of it have other memory, and this is the least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What that costs, in the currency of its price."""

    requests: Decimal
    x86_64: Decimal
    """Duration at x86_64's price, without init; arm64 likewise."""
    arm64: Decimal
    init_x86_64: Decimal | None
    """None: not known. What holds it is then at least so much."""
    init_arm64: Decimal | None
    at_least: bool

    @property
    def go1x_then(self) -> Decimal:
        """On go1.x, as it was billed before INIT_BILLED."""
        return self.requests + self.x86_64

    @property
    def custom(self) -> Decimal:
        """On the custom runtime, then and since; on go1.x since INIT_BILLED it is the same."""
        return self.requests + self.x86_64 + (self.init_x86_64 or 0)

    @property
    def arm64_custom(self) -> Decimal:
        """On the custom runtime and arm64, if every call takes as long there."""
        return self.requests + self.arm64 + (self.init_arm64 or 0)

    @property
    def saving(self) -> Decimal:
        """What arm64 costs less than x86_64, both on the custom runtime."""
        return self.custom - self.arm64_custom

    @property
    def is_lower_bound(self) -> bool:
        """Whether something known to be billed is missing from it."""
        return self.at_least or self.init_x86_64 is None


def gb_seconds(memory_mb: int, milliseconds: int) -> Decimal:
    """What a time on so much memory is billed as."""
    return Decimal(memory_mb * milliseconds) / (MB_IN_GB * MS_IN_SECOND)


def estimate(usage: Usage, price: Price) -> Estimate:
    """Price a function's use."""
    duration = gb_seconds(usage.memory_mb, usage.duration_ms)
    init = None if usage.init_ms is None else gb_seconds(usage.memory_mb, usage.init_ms)
    return Estimate(
        requests=usage.invocations * price.request,
        x86_64=duration * price.x86_64,
        arm64=duration * price.arm64,
        init_x86_64=None if init is None else init * price.x86_64,
        init_arm64=None if init is None else init * price.arm64,
        at_least=usage.at_least,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """Estimates added up."""

    functions: int = 0
    lower_bounds: int = 0
    """How many of them leave out something that is billed."""
    go1x_then: Decimal = Decimal(0)
    custom: Decimal = Decimal(0)
    arm64_custom: Decimal = Decimal(0)

    @property
    def saving(self) -> Decimal:
        """What arm64 costs less than x86_64, both on the custom runtime."""
        return self.custom - self.arm64_custom

    def __add__(self, other: Sum) -> Sum:
        return Sum(
            functions=self.functions + other.functions,
            lower_bounds=self.lower_bounds + other.lower_bounds,
            go1x_then=self.go1x_then + other.go1x_then,
            custom=self.custom + other.custom,
            arm64_custom=self.arm64_custom + other.arm64_custom,
        )


def added(estimates: Iterable[Estimate]) -> Sum:
    """Add up."""
    each = tuple(estimates)
    return Sum(
        functions=len(each),
        lower_bounds=sum(one.is_lower_bound for one in each),
        go1x_then=sum((one.go1x_then for one in each), Decimal(0)),
        custom=sum((one.custom for one in each), Decimal(0)),
        arm64_custom=sum((one.arm64_custom for one in each), Decimal(0)),
    )
