"""What Lambda costs, by region. Pure, but for one file.

Prices change and agreements differ, so they are data: prices.toml, each region with its source and
the day it was looked up, and a file of the user's goes over it. A region that is in neither has no
price, and nothing there is estimated by another region's.
https://aws.amazon.com/lambda/pricing/
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fleet.errors import FileProblem

SHIPPED = Path(__file__).with_name("prices.toml")
OWN = "prices of your own"
"""Source of a region in the user's file that names none."""

_PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov", "us-iso": "aws-iso"}
_OF_ONE = "must be the price of one, above 0 and at most 0.01: not that of a million"
_ADVICE = {
    "extra_forbidden": "there is no such key",
    "missing": "is needed as well",
    "greater_than": _OF_ONE,
    "less_than_equal": _OF_ONE,
    "finite_number": _OF_ONE,
    "is_instance_of": "must be a number with a point, as 0.0000166667",
    "decimal_type": "must be a number with a point, as 0.0000166667",
}
"""Better words than the validator's, by kind of error."""

# Above 0.01 a price can't be of one GB-second or one request: those of a million are read so.
_OfOne = Annotated[Decimal, Field(gt=0, le=Decimal("0.01"), allow_inf_nan=False)]


class Price(BaseModel):
    """Of one region, on demand, in the first tier."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    x86_64: _OfOne
    """Of one GB-second."""
    arm64: _OfOne
    """The same on arm64."""
    request: _OfOne
    """Of one request, whatever the architecture."""
    currency: str = Field(default="USD", pattern="^[A-Z]{3}$")
    source: str = OWN
    looked_up: date | None = None


@dataclass(frozen=True, slots=True)
class Prices:
    """The prices of every region known."""

    regions: Mapping[str, Price]

    def of(self, region: str) -> Price | None:
        """One region's; None where it has none."""
        return self.regions.get(region)


def load_prices(own: Path | None = None) -> Prices:
    """The shipped prices with the user's file over them, region by region and key by key.

    Raises FileProblem for a file that cannot be read, or holds anything but prices, or would mix
    currencies within a partition, so that nothing there could be added up.
    """
    regions = _read(SHIPPED, {})
    return Prices(regions if own is None else _read(own, regions))


def _read(path: Path, below: Mapping[str, Price]) -> dict[str, Price]:
    try:
        # As they are written: a float would be near it, and a thousand million of them less near.
        content = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except OSError as error:
        raise _problem(path, error.strerror or str(error)) from error
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise _problem(path, f"it is not TOML ({error})") from error
    unknown = content.keys() - {"regions"}
    tables = content.get("regions", {})
    if unknown or not isinstance(tables, dict):
        raise _problem(path, 'it may hold nothing but [regions."NAME"] tables')
    regions = dict(below)
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise _problem(path, f'[regions."{name}"] must be a table')
        regions[name] = _price(path, name, table, regions.get(name))
    _check_currencies(path, regions)
    return regions


def _price(path: Path, name: str, table: Mapping[str, object], known: Price | None) -> Price:
    # Who gives a price of their own does not have it from where ours was looked up.
    kept = {} if known is None else known.model_dump(exclude={"source", "looked_up"})
    try:
        return Price.model_validate({**kept, **table})
    except ValidationError as error:
        first = error.errors()[0]
        said = _ADVICE.get(first["type"], first["msg"])
        raise _problem(path, f'[regions."{name}"] {first["loc"][0]} {said}') from error


def _check_currencies(path: Path, regions: Mapping[str, Price]) -> None:
    found: dict[str, str] = {}
    for name, price in regions.items():
        partition = next((its for start, its in _PARTITIONS.items() if name.startswith(start)), "")
        if found.setdefault(partition, price.currency) != price.currency:
            raise _problem(path, f'[regions."{name}"] has another currency than those beside it')


def _problem(path: Path, problem: str) -> FileProblem:
    return FileProblem(
        str(path),
        problem,
        "mend it, or name no such file (--prices, FLEET_PRICES, prices in fleet.yaml)",
    )
