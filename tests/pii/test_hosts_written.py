"""Addresses of hosts in forms that only programs read."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.pii import Detector, PiiPolicy
from outwarden.pii.hosts_written import _reading

DETECTOR = Detector(PiiPolicy())
ADDRESS = "84.204.166.99"
PARTS = [int(part) for part in ADDRESS.split(".")]


def found(text: str) -> list[str]:
    return [text[s.start : s.end] for s in DETECTOR.find([text])[0] if s.entity == "IP_ADDRESS"]


@pytest.mark.parametrize(
    "written",
    [
        str(int(ipaddress.ip_address(ADDRESS))),
        f"0x{int(ipaddress.ip_address(ADDRESS)):08x}",
        ".".join(f"0x{part:02x}" for part in PARTS),
        ".".join(f"{part:03d}" for part in PARTS),
        ".".join(f"{part:04o}" for part in PARTS),
        " ".join(f"{part:02X}" for part in PARTS),
    ],
)
def test_each_form_after_a_word_for_it(written: str) -> None:
    """One number, hexadecimal, octal, with zeros; without the word it may be anything."""
    assert found(f"source ip {written} port 22") == [written]
    assert found(f"the reading {written} is odd") == []


@pytest.mark.parametrize(
    "name",
    [
        ipaddress.ip_address("2a02:8108:4ec4:e18::2f").reverse_pointer,
        "2003-e4-3e74-2165--eff3.ipv6-literal.net",
    ],
)
def test_names_that_hold_an_address(name: str) -> None:
    """Of the reverse zone, and of UNC paths."""
    assert found(f"record {name} there") == [name]


@given(st.integers(1 << 24, (1 << 32) - 1))
def test_the_forms_of_one_address_say_the_same(number: int) -> None:
    """As the system's own parser reads them."""
    address = str(ipaddress.ip_address(number))
    parts = [int(part) for part in address.split(".")]

    assert _reading(str(number)) == address
    assert _reading(f"0x{number:08x}") == address
    assert _reading(".".join(f"{part:#04x}" for part in parts)) == address
    assert _reading(".".join(f"{part:04o}" for part in parts)) == address


@pytest.mark.parametrize("text", ["ip 0x7f000001 is home", "host 1.2.3.4000 no", "ip 12345678 packets"])
def test_what_is_nobodys_is_left_alone(text: str) -> None:
    """Loopback, versions, small numbers."""
    assert found(text) == []
