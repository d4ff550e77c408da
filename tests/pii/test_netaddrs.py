"""IP and hardware addresses are found however they are laid out; other rows of numbers and bytes are none."""

import pytest

from outwarden.pii import Detector, PiiPolicy


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector(PiiPolicy())


@pytest.mark.parametrize("joint", [" ", ".", "_", "/", " colon ", ", ", "", " - "])
def test_six_bytes_near_a_word_of_a_network(detector: Detector, joint: str) -> None:
    """Whatever stands between, as long as it is always the same."""
    value = joint.join(["b8", "27", "eb", "0e", "72", "7d"])

    assert "MAC_ADDRESS" in {span.entity for span in detector.find([f"MAC address of the laptop: {value}"])[0]}


def test_addresses_for_documentation_are_none(detector: Detector) -> None:
    """RFC 9542 keeps them for that."""
    assert detector.find(["sample MAC 00:00:5E:00:53:23", "group 01-00-5E-90-10-0A"]) == [[], []]


@pytest.mark.parametrize(
    ("entity", "text"),
    [
        ("MAC_ADDRESS", "uint8_t mac[6] = {0x00, 0x1B, 0x63, 0x83, 0xE3, 0x23};"),
        ("MAC_ADDRESS", "MAC 00:1b:63 (vendor) 83:e3:23 (device)"),
        ("MAC_ADDRESS", "device a4 83 e7 0b a2 4e joined SSID upstairs"),
        ("IP_ADDRESS", "vpn peer 086.009.074.243 does not answer"),
        ("IP_ADDRESS", "https://93-84-86-143.sslip.io/login"),
        ("IP_ADDRESS", "SELECT INET_NTOA(1569480335)"),
        ("IP_ADDRESS", "source ip\n84\n204\n166\n99"),
        ("IP_ADDRESS", "IP in hex: 54 CC A6 63"),
        ("IP_ADDRESS", "my ip is 84 dot 204 dot 166 dot 99"),
        ("IP_ADDRESS", "X-Forwarded-For: 1535489491"),
        ("IP_ADDRESS", "host dyn-84_204_166_99.pool.isp.io"),
        ("IP_ADDRESS", "6.e.5.8.0.0.0.0.0.0.0.0.0.0.0.0.9.b.5.7.c.0.9.a.4.e.0.0.3.0.0.2.ip6.arpa"),
        ("IP_ADDRESS", "host is now 2003-e4-3e74-2165--eff3.ipv6-literal.net"),
        ("IP_ADDRESS", "from 2405 : 201 : 493 : 3662 : 7fcd : bc1b : 404c : fea2"),
        ("IP_ADDRESS", "2600 colon 1700 colon 109a colon 8552 colon  colon c397"),
    ],
)
def test_other_layouts(detector: Detector, entity: str, text: str) -> None:
    """Arrays, halves, lines, names of hosts, reverse look-ups, words."""
    assert entity in {span.entity for span in detector.find([text])[0]}


@pytest.mark.parametrize(
    "text",
    [
        "allow 1, 2, 3, 4 retries",
        "ip packets: 100 - 200 - 150 - 250 of 900",
        "sha 00 11 22 33 44 55 66 77 88 99 aa bb",
        "mac pro 12 months",
        "ports 22 : 80 : 443 : 8080 : 9090 : 53",
        "blocked 1234567 calls",
        "the ratio 1 : 2 : 3 : 4 : 5 : 6",
        "blocked 1402 requests in 14 s, bucket 3021345678 drained",
    ],
)
def test_other_rows_are_none(detector: Detector, text: str) -> None:
    """Counts, sums of bytes, ports."""
    assert [s.entity for s in detector.find([text])[0] if s.entity in ("IP_ADDRESS", "MAC_ADDRESS")] == []
