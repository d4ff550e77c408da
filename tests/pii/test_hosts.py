"""Addresses of hosts in other forms than the usual, and numbers that are none."""

import ipaddress
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.pii.hosts import address_of

Find = Callable[[str], list[tuple[str, str]]]
ADDRESS = 83 << 24 | 149 << 16 | 27 << 8 | 206
PARTS = st.tuples(st.integers(11, 223), *[st.integers(0, 255)] * 3)


@pytest.mark.parametrize(
    "said",
    [
        "0x53951bce",
        "0x53.0x95.0x1b.0xce",
        "0123.0225.033.0316",
        "83.149.7118",
        "83.9771982",
        "1402280910",
        "0x53.149.033.206",
        "83-149-27-206",
        "83, 149, 27 and 206",
        "01010011.10010101.00011011.11001110",
    ],
)
@pytest.mark.parametrize("before", ["ip ", "IP address: ", "http://", "hxxps[:]//"])
def test_an_address_in_any_form_is_found_behind_its_word(find: Find, before: str, said: str) -> None:
    """As `inet_aton` reads it, in bits, and with other signs between."""
    assert address_of(said) == ADDRESS
    assert find(f"{before}{said} is up") == [("IP_ADDRESS", said)]


@pytest.mark.parametrize(
    "text",
    [
        "offset 1402280910",
        "int 0x53951bce",
        "ip 83.149.27.206.1.2",
        "octets 1, 2, 3 and 4",
        "ip 7",
        "http://0x7f000001/",
        "http://localhost:1402280910/",
        "ip 0300.0250.09.01",
        "1.0.0.127.in-addr.arpa",
        "mac 10.15.7",
        "mac 00 00 00 00 00 00",
        "macOS 12 34 56 78 90 12",
        "00 11 22 33 44 5a",
    ],
)
def test_other_numbers_are_left(find: Find, text: str) -> None:
    """Without the word, too large, in no such form, of nobody."""
    assert [entity for entity, _ in find(text) if entity in ("IP_ADDRESS", "MAC_ADDRESS")] == []


def test_an_address_turned_around_is_found(find: Find) -> None:
    """As a name server is asked for it."""
    assert find("PTR 206.27.149.83.in-addr.arpa.") == [("IP_ADDRESS", "206.27.149.83.in-addr.arpa")]


@pytest.mark.parametrize(
    "said",
    [
        "3c 5a b4 9f 21 7e",
        "3c5ab49f217e",
        "3C_5A_B4_9F_21_7E",
        "3c.5a.b4.9f.21.7e",
        "3c5a-b49f-217e",
        "0x3c 0x5a 0xb4 0x9f 0x21 0x7e",
    ],
)
def test_a_hardware_address_is_found_behind_its_word(find: Find, said: str) -> None:
    """With any sign between its bytes."""
    assert find(f"MAC address {said}, up") == [("MAC_ADDRESS", said)]


@given(PARTS, st.data())
def test_every_form_is_the_same_address(parts: tuple[int, ...], data: st.DataObject) -> None:
    """Of one to four parts, each in any base."""
    number = int(ipaddress.IPv4Address(".".join(map(str, parts))))
    count = data.draw(st.integers(1, 4))
    *first, _ = parts[:count]
    values = [*first, number & ((1 << (8 * (5 - count))) - 1)]
    forms = st.sampled_from([lambda value: str(value), lambda value: f"0x{value:x}", lambda value: f"0{value:o}"])

    assert address_of(".".join(data.draw(forms)(value) for value in values)) == number
