"""Only what its publisher reserved for good is reserved."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.pii.reserved import is_reserved_domain, is_reserved_ipv4, is_reserved_ipv6, is_reserved_phone


@pytest.mark.parametrize(
    "domain", ["example.com", "EXAMPLE.org", "mail.example.net", "a.test", "x.y.invalid", "b.example"]
)
def test_rfc_2606_domains_are_reserved(domain: str) -> None:
    """At any depth, in any case."""

    assert is_reserved_domain(domain)


@pytest.mark.parametrize("domain", ["acme.com", "notexample.com", "example.co.uk", "example.com.evil.io", "test.de"])
def test_other_domains_are_not(domain: str) -> None:
    """A name that merely contains a reserved one is anybody's."""

    assert not is_reserved_domain(domain)


@given(st.integers(0, 2**32 - 1))
def test_reserved_ipv4_is_what_the_registry_says(number: int) -> None:
    """Every address that Python counts as reserved is, and no public one; hosts of a private network are somebody's."""

    address = ipaddress.IPv4Address(number)
    shared = address in ipaddress.IPv4Network("100.64.0.0/10")
    networks = ("192.0.0.0/24", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")

    if not any(address in ipaddress.IPv4Network(network) for network in networks):
        assert is_reserved_ipv4(number) == (
            address.is_private or address.is_loopback or address.is_reserved or address.is_multicast or shared
        )


@pytest.mark.parametrize("network", ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"])
def test_the_name_of_a_private_block_is_nobodys(network: str) -> None:
    """Access lists name the blocks of RFC 1918; the first host in one is somebody's."""
    block = ipaddress.IPv4Network(network)

    assert is_reserved_ipv4(int(block[0]))
    assert not is_reserved_ipv4(int(block[1]))


@pytest.mark.parametrize(
    ("address", "reserved"),
    [
        ("::1", True),
        ("2001:db8::1", True),
        ("fd00::1", False),
        ("fe80::1", False),
        ("2a02::1", False),
        ("ff02::1", True),
    ],
)
def test_reserved_ipv6(address: str, reserved: bool) -> None:
    """Loopback and documentation; private ones are somebody's, link-local ones may carry a hardware address."""

    assert is_reserved_ipv6(int(ipaddress.IPv6Address(address))) is reserved


@pytest.mark.parametrize(
    ("digits", "reserved"),
    [("4155550123", True), ("14155550199", True), ("5550100", True), ("4155551234", False), ("4155550200", False)],
)
def test_fiction_numbers(digits: str, reserved: bool) -> None:
    """555-0100 to 555-0199, in every area."""

    assert is_reserved_phone(digits) is reserved
