from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from fleet.errors import FileProblem
from fleet.prices import OWN, Price, load_prices
from fleet.settings import Settings

VIRGINIA = "us-east-1"


def of_file(directory: Path, text: str) -> Path:
    file = directory / "prices.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_the_shipped_prices_are_exact_dated_and_named() -> None:
    prices = load_prices()
    assert prices.of(VIRGINIA) == Price(
        x86_64=Decimal("0.0000166667"),
        arm64=Decimal("0.0000133334"),
        request=Decimal("0.0000002"),
        currency="USD",
        source="AWS Pricing Calculator, meteredUnitMaps/lambda/USD",
        looked_up=date(2026, 11, 21),
    )
    for region, price in prices.regions.items():
        assert price.looked_up is not None, region
        assert price.source != OWN, region
        # What AWS says of arm64 everywhere: a fifth less.
        assert abs(price.arm64 / price.x86_64 - Decimal("0.8")) < Decimal("0.01"), region


@pytest.mark.parametrize("region", ["eu-south-2", "cn-north-1", "us-gov-west-1", "us-east-9", ""])
def test_a_region_that_is_not_there_has_no_price_and_not_another_region_s(region: str) -> None:
    assert load_prices().of(region) is None


def test_a_price_of_the_user_s_goes_over_the_shipped_one_and_is_not_said_to_be_aws_s(
    tmp_path: Path,
) -> None:
    own = load_prices(of_file(tmp_path, f'[regions."{VIRGINIA}"]\nx86_64 = 0.0000147\n'))
    found, shipped = own.of(VIRGINIA), load_prices().of(VIRGINIA)
    assert found is not None
    assert shipped is not None
    assert found.x86_64 == Decimal("0.0000147")
    assert (found.arm64, found.request) == (shipped.arm64, shipped.request)
    assert (found.source, found.looked_up) == (OWN, None)
    assert own.of("eu-west-1") == load_prices().of("eu-west-1")


def test_a_region_can_be_added_with_its_own_currency(tmp_path: Path) -> None:
    text = """
[regions."cn-north-1"]
x86_64 = 0.0001134
arm64 = 0.0000907
request = 0.00000136
currency = "CNY"
source = "our contract"
looked_up = 2026-10-01
"""
    found = load_prices(of_file(tmp_path, text)).of("cn-north-1")
    assert found is not None
    assert (found.currency, found.source) == ("CNY", "our contract")
    assert found.looked_up == date(2026, 10, 1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[regions."us-east-1"]\nx86_64 = 15', "x86_64 must be a number with a point"),
        ('[regions."us-east-1"]\nx86_64 = "0.1"', "x86_64 must be a number with a point"),
        ('[regions."us-east-1"]\nrequest = 0.20', "request must be the price of one"),
        ('[regions."us-east-1"]\nrequest = 0.0', "request must be the price of one"),
        ('[regions."us-east-1"]\narm64 = -0.00001', "arm64 must be the price of one"),
        ('[regions."us-east-1"]\narm64 = inf', "arm64 must be the price of one"),
        ('[regions."us-east-1"]\narm64 = nan', "arm64 must be the price of one"),
        ('[regions."us-east-1"]\nfree = 1', "free there is no such key"),
        ('[regions."us-east-1"]\nlooked_up = "today"', "looked_up"),
        ('[regions."us-east-1"]\ncurrency = "dollars"', "currency"),
        ('[regions."us-east-1"]\ncurrency = "EUR"', "another currency than those beside it"),
        ('[regions."mars-1"]\nx86_64 = 0.00001', "arm64 is needed as well"),
        ("[regions]\nmars-1 = 1", 'regions."mars-1"] must be a table'),
        ("regions = 1", "nothing but"),
        ("[prices]", "nothing but"),
        ("=", "it is not TOML"),
        ("\x00", "it is not TOML"),
    ],
)
def test_what_can_be_no_price_is_refused_with_its_place(
    tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(FileProblem) as caught:
        load_prices(of_file(tmp_path, text))
    assert said in str(caught.value)
    assert "--prices" in str(caught.value)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileProblem, match="No such file"):
        load_prices(tmp_path / "none.toml")


def test_the_file_can_be_set_for_good(tmp_path: Path) -> None:
    settings = tmp_path / "fleet.yaml"
    settings.write_text("prices: ours.toml\n", encoding="utf-8")
    assert Settings.load(settings, {}).prices == Path("ours.toml")
    assert Settings.load(settings, {"FLEET_PRICES": "b.toml"}).prices == Path("b.toml")
