"""Rates: how long to wait, and who an address is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.limits.rates import DAY, MINUTE, Rate, address_key, rates_of
from worker.settings import Settings


@given(
    most=st.integers(1, 10**12),
    seconds=st.sampled_from([MINUTE, DAY]),
    used=st.floats(0, 1),
    demand=st.floats(0, 1, exclude_min=True),
)
def test_after_the_wait_what_was_refused_fits(most: int, seconds: int, used: float, demand: float) -> None:
    rate = Rate("r", most, seconds)
    wait = rate.wait(used * most, demand * most)
    assert 1 <= wait <= seconds
    remainder = max(0.0, used * most - wait * rate.per_second)
    assert remainder + demand * most <= most * (1 + 1e-9) + rate.per_second * 1e-6


@pytest.mark.parametrize(
    ("host", "key"),
    [
        ("192.0.2.1", "address:192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "address:2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "address:2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "address:192.0.2.1"),
        ("testclient", "address:unknown"),
        (None, "address:unknown"),
    ],
)
def test_an_ipv6_subscriber_is_one_address(host: str | None, key: str) -> None:
    assert address_key(host) == key


def test_every_rate_has_a_name_of_its_own_and_a_default() -> None:
    rates = vars(rates_of(Settings())).values()
    assert len({rate.name for rate in rates}) == len(rates)
    assert all(rate.most > 0 for rate in rates)
