"""The arithmetic of costs, against tables that were computed by hand."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.cost import Estimate, Sum, Usage, added, estimate, gb_seconds
from fleet.prices import Price

VIRGINIA = Price(
    x86_64=Decimal("0.0000166667"), arm64=Decimal("0.0000133334"), request=Decimal("0.0000002")
)
MILAN = Price(
    x86_64=Decimal("0.0000195172"), arm64=Decimal("0.0000156138"), request=Decimal("0.00000023")
)

# By hand, price, then memory in MB, calls, their milliseconds, those of init; and what each comes
# to: requests, then in all on go1.x before August 2025, on the custom runtime, and there on arm64.
#
# 1. 1,000,000 calls of 100 ms at 1 GB, 1,000 cold starts of 100 ms.
#    requests   1,000,000 × 0.0000002              =  0.2
#    duration   1 GB × 100,000 s = 100,000 GB-s
#               100,000 × 0.0000166667             =  1.66667     arm64 × 0.0000133334 = 1.33334
#    init       1 GB × 100 s = 100 GB-s
#               100 × 0.0000166667                 =  0.00166667  arm64 0.00133334
#    then       0.2 + 1.66667                      =  1.86667
#    custom     1.86667 + 0.00166667               =  1.86833667
#    arm64      0.2 + 1.33334 + 0.00133334         =  1.53467334
# 2. The same with 128 MB, an eighth of the GB-seconds.
#    duration   12,500 × 0.0000166667              =  0.20833375   arm64 0.1666675
#    init       12.5 × 0.0000166667                =  0.00020833375  arm64 0.0001666675
#    then       0.2 + 0.20833375                   =  0.40833375
#    custom     0.40833375 + 0.00020833375         =  0.40854208375
#    arm64      0.2 + 0.1666675 + 0.0001666675     =  0.3668341675
# 3. 30 calls of 2 s at 512 MB in Milan, each of them cold, with 250 ms of init.
#    requests   30 × 0.00000023                    =  0.0000069
#    duration   0.5 GB × 60 s = 30 GB-s
#               30 × 0.0000195172                  =  0.000585516   arm64 0.000468414
#    init       0.5 GB × 7.5 s = 3.75 GB-s
#               3.75 × 0.0000195172                =  0.0000731895  arm64 0.00005855175
#    then       0.0000069 + 0.000585516            =  0.000592416
#    custom     0.000592416 + 0.0000731895         =  0.0006656055
#    arm64      0.0000069 + 0.000468414 + 0.00005855175 = 0.00053386575
# 4. Nobody called it.
# 5. A billion calls of 1 ms at 10,240 MB, and a million cold starts of 80 ms.
#    requests   1,000,000,000 × 0.0000002          =  200
#    duration   10 GB × 1,000,000 s = 10,000,000 GB-s
#               10,000,000 × 0.0000166667          =  166.667       arm64 133.334
#    init       10 GB × 80,000 s = 800,000 GB-s
#               800,000 × 0.0000166667             =  13.33336      arm64 10.66672
#    then       366.667; custom 380.00036; arm64 200 + 133.334 + 10.66672 = 344.00072
TABLE = [
    (
        (VIRGINIA, 1024, 1_000_000, 100_000_000, 100_000),
        ("0.2", "1.86667", "1.86833667", "1.53467334"),
    ),
    (
        (VIRGINIA, 128, 1_000_000, 100_000_000, 100_000),
        ("0.2", "0.40833375", "0.40854208375", "0.3668341675"),
    ),
    (
        (MILAN, 512, 30, 60_000, 7_500),
        ("0.0000069", "0.000592416", "0.0006656055", "0.00053386575"),
    ),
    ((VIRGINIA, 256, 0, 0, 0), ("0", "0", "0", "0")),
    (
        (VIRGINIA, 10_240, 1_000_000_000, 1_000_000_000, 80_000_000),
        ("200", "366.667", "380.00036", "344.00072"),
    ),
]


def priced(
    price: Price, memory: int, calls: int, duration: int, init: int | None, *, least: bool = False
) -> Estimate:
    usage = Usage(
        memory_mb=memory, invocations=calls, duration_ms=duration, init_ms=init, at_least=least
    )
    return estimate(usage, price)


@pytest.mark.parametrize(("given", "wanted"), TABLE)
def test_costs_are_those_that_were_computed_by_hand(
    given: tuple[Price, int, int, int, int], wanted: tuple[str, ...]
) -> None:
    found = priced(*given)
    told = (found.requests, found.go1x_then, found.custom, found.arm64_custom)
    assert told == tuple(map(Decimal, wanted))
    assert found.saving == Decimal(wanted[2]) - Decimal(wanted[3])
    assert not found.is_lower_bound


def test_sums_are_exact() -> None:
    found = added(priced(*given) for given, _ in TABLE)
    # The columns of the table, added up by hand.
    assert found == Sum(
        functions=5,
        lower_bounds=0,
        go1x_then=Decimal("368.942596166"),
        custom=Decimal("382.27790435925"),
        arm64_custom=Decimal("345.90276137325"),
    )
    assert added([]) == Sum()


def test_without_init_a_cost_is_what_is_known_and_said_to_be_the_least() -> None:
    found = priced(VIRGINIA, 1024, 1_000_000, 100_000_000, None)
    assert found.init_x86_64 is None
    assert (found.go1x_then, found.custom) == (Decimal("1.86667"), Decimal("1.86667"))
    assert found.arm64_custom == Decimal("1.53334")
    assert found.is_lower_bound
    assert added([found]).lower_bounds == 1


def test_the_least_of_several_memories_makes_a_lower_bound() -> None:
    assert priced(VIRGINIA, 128, 1, 1, 0, least=True).is_lower_bound


_numbers = st.integers(0, 10**13)


@given(memory=st.integers(128, 10_240), calls=_numbers, duration=_numbers, init=_numbers)
def test_costs_only_grow_by_what_is_billed_more(
    memory: int, calls: int, duration: int, init: int
) -> None:
    found = priced(VIRGINIA, memory, calls, duration, init)
    without = priced(VIRGINIA, memory, calls, duration, None)
    assert 0 <= found.go1x_then <= found.custom
    assert without.custom == found.go1x_then
    assert found.arm64_custom <= found.custom
    assert found.saving >= without.saving


@given(memory=st.integers(128, 10_240), parts=st.lists(_numbers, max_size=5))
def test_gb_seconds_of_parts_add_up_to_those_of_the_whole(memory: int, parts: list[int]) -> None:
    assert sum(gb_seconds(memory, each) for each in parts) == gb_seconds(memory, sum(parts))
