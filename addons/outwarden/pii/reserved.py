"""Values that belong to nobody, published for examples and tests; they are not personal data.

Replacing them would only damage code, fixtures and documentation that agents work on, so only what its publisher
reserved for good is listed: a missed entity is worse than a placeholder too many. An address that merely looks invented
(``john@acme.com``, 8.8.8.8, SSN 078-05-1120, AKIAIOSFODNN7EXAMPLE) is treated as real.
"""

import ipaddress
from bisect import bisect_right

# RFC 2606 and RFC 6761: example.com, .net, .org and four top-level domains.
_DOMAINS = frozenset({"example.com", "example.net", "example.org"})
_TOP_LEVEL = frozenset({"test", "example", "invalid", "localhost"})

# Card numbers that payment providers publish for their test modes (read 2026-11):
# https://docs.stripe.com/testing, https://docs.adyen.com/development-resources/test-cards-and-credentials,
# https://developer.paypal.com/tools/sandbox/card-testing, https://developers.braintreepayments.com/reference/general/testing
CARDS = frozenset(
    """
    4242424242424242 4111111111111111 4012888888881881 4222222222222 4000056655665556 4000002500003155
    4000002760003184 4000000000000002 4000000000009995 4000000000009987 4000000000009979 4000000000000069
    4000000000000127 4000000000000119 4000000000003220 4000000000000077 4000000000000341 4000000000000259
    4000000760000002 4000001240000000 4000004840008001 4000008260000000 4005519200000004 4009348888881881
    4012000033330026 4012000077777777 4500600000000061 4111111145551142 4988438843884305 4917610000000000
    4166676667666746 4646464646464644 4000620000000007 4000060000000006 4293189100000008 4988080000000000
    4217651111111119
    5555555555554444 5200828282828210 5105105105105100 2223003122003222 5555341244441115 2222400010000008
    2222400030000004 2223000048400011 5577000055770004 5136333333333335 5585558555855583 5555444433331111
    2222410740360010 5555558265554449 2222410700000002 2222400050000009 5454545454545454 5500000000000004
    5103221911199245 5100290029002909 6771798021000008 6304000000000000 5063516945005047
    378282246310005 371449635398431 378734493671000 370000000000002 370000000100018 374101000000608 343434343434343
    6011111111111117 6011000990139424 6011981111111113 6011601160116611 6445644564456445 6011000000000004
    3056930009020004 36227206271667 30569309025904 38520000023237 36006666333344 36148900647913 30000000000004
    3566002020360505 3530111333300000 3569990010095841 6200000000000005 6200000000000047 6205500000000000004
    6243030000000001 8171999927660000 8171999900000000021
    """.split()  # noqa: SIM905 - one word per number reads better than quotes
)

# Private networks (RFC 1918, RFC 4193) are not here: whoever knows that 10.20.30.40 is the payroll host has a map. They
# come back in the answer like any other value; who does not mind puts them on the allow list.
_IPV4_NETWORKS = (
    "0.0.0.0/8",  # RFC 6890: this host
    "10.0.0.0/32",  # RFC 1918: the names of the private blocks, which no host has
    "172.16.0.0/32",
    "192.168.0.0/32",
    "100.64.0.0/10",  # RFC 6598: shared between a provider's customers
    "127.0.0.0/8",  # RFC 1122: loopback
    "169.254.0.0/16",  # RFC 3927: link-local, and the clouds' metadata service
    "192.0.2.0/24",  # RFC 5737: documentation
    "198.51.100.0/24",
    "203.0.113.0/24",
    "198.18.0.0/15",  # RFC 2544: benchmarks
    "224.0.0.0/4",  # RFC 5771: multicast
    "240.0.0.0/4",  # RFC 1112 and 919: reserved, broadcast, netmasks
)
_IPV6_NETWORKS = (
    "::/127",  # RFC 4291: unspecified and loopback
    "2001:db8::/32",  # RFC 3849: documentation
    "3fff::/20",  # RFC 9637: documentation
    "ff00::/8",  # RFC 4291: multicast
    # fe80::/10 is not here: a link-local address may carry the hardware address of one person's machine
)


def _ranges(networks: tuple[str, ...]) -> tuple[list[int], list[int]]:
    """Return the first and last addresses of ``networks``, sorted; they do not overlap."""
    known = sorted((int(n[0]), int(n[-1])) for n in map(ipaddress.ip_network, networks))
    return [first for first, _ in known], [last for _, last in known]


_IPV4_FIRST, _IPV4_LAST = _ranges(_IPV4_NETWORKS)
_IPV6_FIRST, _IPV6_LAST = _ranges(_IPV6_NETWORKS)


def is_reserved_domain(domain: str) -> bool:
    """Whether ``domain`` lies in a namespace that RFC 2606 keeps for examples and tests."""
    labels = domain.lower().rstrip(".").split(".")
    return labels[-1] in _TOP_LEVEL or ".".join(labels[-2:]) in _DOMAINS


def is_reserved_ipv4(address: int) -> bool:
    """Whether ``address`` is loopback, for documentation, or not of a single host."""
    at = bisect_right(_IPV4_FIRST, address) - 1
    return at >= 0 and address <= _IPV4_LAST[at]


def is_reserved_ipv6(address: int) -> bool:
    """As `is_reserved_ipv4`, for the addresses of version 6."""
    at = bisect_right(_IPV6_FIRST, address) - 1
    return at >= 0 and address <= _IPV6_LAST[at]


# RFC 9542 2.1.4 and 2.2.4: for documentation, of one station and of many.
_MACS = ("00005e0053", "01005e9010")


def is_reserved_mac(digits: str) -> bool:
    """Whether twelve hexadecimal digits are a hardware address for documentation."""
    return digits.lower().startswith(_MACS)


def is_reserved_phone(digits: str) -> bool:
    """Whether ``digits`` are a North American 555-0100 to 555-0199 number, kept for fiction."""
    national = digits.removeprefix("1") if len(digits) == 11 else digits
    return len(national) in (7, 10) and national[-7:-2] == "55501"
