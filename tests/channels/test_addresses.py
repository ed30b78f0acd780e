"""Which addresses webhooks may connect to: every way into internal networks is tried."""

from ipaddress import ip_network

import pytest

from worker.channels.addresses import is_allowed, is_named

INSIDE = [
    "0.0.0.0",  # noqa: S104 - an address that is refused
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::127.0.0.1",
    "::8.8.8.8",
    "64:ff9b::7f00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::a00:1",
    "100::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:10::1",
    "2001:2::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "2002:a9fe:a9fe::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%1",
    "fec0::1",
    "ff02::1",
]
OUTSIDE = ["8.8.8.8", "93.184.216.34", "172.15.0.1", "172.32.0.1", "100.63.255.255", "100.128.0.1", "196.188.0.1"]
OUTSIDE_V6 = ["2606:4700:4700::1111", "2a00:1450:4001:81b::200e", "2001:4860:4860::8888", "2c0f:fb50::1"]


@pytest.mark.parametrize("address", INSIDE)
def test_inside_is_refused(address: str) -> None:
    assert not is_allowed(address)


@pytest.mark.parametrize("address", [*OUTSIDE, *OUTSIDE_V6])
def test_the_internet_is_allowed(address: str) -> None:
    assert is_allowed(address)


def test_an_operator_may_name_networks() -> None:
    allowed = [ip_network("10.1.0.0/16"), ip_network("fd12::/16")]

    assert is_allowed("10.1.2.3", allowed)
    assert is_allowed("fd12::9", allowed)
    assert not is_allowed("10.2.0.1", allowed)
    assert not is_allowed("::ffff:10.1.2.3", allowed)
    assert is_named("10.1.2.3", allowed)
    assert not is_named("8.8.8.8", allowed)
