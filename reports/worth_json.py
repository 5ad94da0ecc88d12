"""The estimates of a scan as JSON; report.schema.json describes it."""

from __future__ import annotations

from decimal import Decimal

from fleet.cost import DAYS, INIT_BILLED, Sum
from reports.groups import group_labels
from reports.report import ReportData
from reports.worth import by_group

_CENTS = Decimal("0.01")


def worth_object(data: ReportData) -> dict[str, object] | None:
    """Give totals, groups and prices, ready for orjson with default=float; None without traffic."""
    found = data.worth
    if found is None:
        return None
    return {
        "days": DAYS,
        "init_billed_since": INIT_BILLED,
        "currency": found.currency,
        "total": _sum(found.total),
        "at_least": found.is_lower_bound,
        "not_estimated": {reason.value: number for reason, number in found.why_not.items()},
        **{
            f"by_{group}": [
                {group: label, **_sum(total)}
                for label, total in by_group(found, group_labels(data.functions, group)).items()
            ]
            for group in ("ou", "account")
        },
        "prices": [
            {"region": region, **price.model_dump()} for region, price in found.prices.items()
        ],
    }


def _sum(total: Sum) -> dict[str, object]:
    return {
        "functions": total.functions,
        "lower_bounds": total.lower_bounds,
        "go1x_then": total.go1x_then.quantize(_CENTS),
        "go1x": total.custom.quantize(_CENTS),
        "custom_runtime": total.custom.quantize(_CENTS),
        "arm64": total.arm64_custom.quantize(_CENTS),
        "arm64_saves": total.saving.quantize(_CENTS),
    }
