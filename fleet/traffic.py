"""What CloudWatch counted of the calls to a function: the value. Frozen; no I/O."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """Calls of one version, or of several added up, over some span of time.

    What the counts mean: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
    """

    invocations: int = 0
    """Calls that ran, whether they failed or not; throttled ones are not among them."""
    errors: int = 0
    """Invocations that ended in an error of the function, a timeout among them."""
    throttles: int = 0
    """Calls that were turned away."""
    duration_ms: float = 0.0
    """Milliseconds that the timed invocations took, added up; init is not in them."""
    timed: int = 0
    """Invocations whose duration is known."""

    def __add__(self, other: Numbers) -> Numbers:
        return Numbers(
            invocations=self.invocations + other.invocations,
            errors=self.errors + other.errors,
            throttles=self.throttles + other.throttles,
            duration_ms=self.duration_ms + other.duration_ms,
            timed=self.timed + other.timed,
        )

    @property
    def attempts(self) -> int:
        """Calls that ran, and calls that were turned away."""
        return self.invocations + self.throttles

    @property
    def average_ms(self) -> float | None:
        """Milliseconds that an invocation took on average; None where none was timed."""
        return self.duration_ms / self.timed if self.timed else None
