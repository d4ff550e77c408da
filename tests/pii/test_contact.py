"""E-mail and IP addresses are found where they stand; what only looks like one is left."""

from collections.abc import Callable

import pytest

Find = Callable[[str], list[tuple[str, str]]]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("write to jane.doe@acme.com today", "jane.doe@acme.com"),
        ("<jane_doe+news@mail.acme.co.uk>", "jane_doe+news@mail.acme.co.uk"),
        ("'jane@acme.com'", "jane@acme.com"),
        ("jane@acme.com.", "jane@acme.com"),
        ("mailto:JANE@ACME.COM?subject=x", "JANE@ACME.COM"),
        ("patrick.o'brien@acme.com", "patrick.o'brien@acme.com"),
        ("jürgen.müller@börse.de", "jürgen.müller@börse.de"),
        ("иван@почта.рф", "иван@почта.рф"),
        ("请联系jane@acme.com谢谢", "jane@acme.com"),
        ("jane@xn--brse-5qa.xn--p1ai", "jane@xn--brse-5qa.xn--p1ai"),
        (r"To: a\njane@acme.com\n", "jane@acme.com"),
        (r'"mail\tjane@acme.com"', "jane@acme.com"),
        (r"\u00e9jane@acme.com", r"\u00e9jane@acme.com"),
    ],
)
def test_addresses_are_found_whole(find: Find, text: str, address: str) -> None:
    """The finding is the address, without quotes, escapes or the end of the sentence."""

    assert find(text) == [("EMAIL_ADDRESS", address)]


def test_every_address_of_a_list_is_found(find: Find) -> None:
    """Neighbours do not hide each other."""

    assert [value for _, value in find("a.b@acme.com c.d@acme.com,e@acme.io;f@acme.io")] == [
        "a.b@acme.com",
        "c.d@acme.com",
        "e@acme.io",
        "f@acme.io",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "user@example.com",
        "jane@mail.example.org",
        "a@b.test",
        "a@host.invalid",
        "root@localhost",
        "git@github.com:acme/app.git",
        "no-reply@acme.com",
        "icon@2x.png",
        "@decorator.method",
        "lodash@4.17.21",
        "a @ b.com",
        "@acme.com",
        "aes256-gcm@openssh.com",
    ],
)
def test_what_is_nobodys_mailbox_is_left(find: Find, text: str) -> None:
    """Reserved domains, remotes, images, decorators and versions are no addresses."""

    assert find(text) == []


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("client=151.201.206.84 ok", "151.201.206.84"),
        ("from 8.8.8.8.", "8.8.8.8"),
        ("from <8.8.8.8>", "8.8.8.8"),
        ("http://52.61.122.140:8080/x", "52.61.122.140"),
        ("52.61.122.140/32", "52.61.122.140"),
        (r"hosts:\n52.61.122.140\n", "52.61.122.140"),
        ("host=2a02:bb4c:af43::927 up", "2a02:bb4c:af43::927"),
        ("[2001:5810:b323:f813:4203:30a4:66f3:7cbc]:443", "2001:5810:b323:f813:4203:30a4:66f3:7cbc"),
        ("fe80::ffee:bea3:2278:5bee", "fe80::ffee:bea3:2278:5bee"),
        ("::ffff:52.61.122.140", "52.61.122.140"),
        ("firmware 2.1 asks the server 4.2.12.7 at night", "4.2.12.7"),
        ("release notes: 203.99.12.7 is down", "203.99.12.7"),
        ("version 2 listens on 4.2.12.7:8080", "4.2.12.7"),
    ],
)
def test_ip_addresses_are_found(find: Find, text: str, address: str) -> None:
    """Both versions, in URLs, logs and configuration."""

    assert find(text) == [("IP_ADDRESS", address)]


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1 169.254.169.254 0.0.0.0 255.255.255.0",
        "192.0.2.7 198.51.100.9 203.0.113.5 224.0.0.1",
        "::1 :: 2001:db8::8a2e ff02::1",
        "version 1.2.3.4",
        "v1.2.3.4",
        '__version__ = "3.5.0.1"',
        "pkg==1.2.3.4",
        "pkg >= 8.2.3.4",
        "1.2.3.4.5",
        "8.8.8.8-rc1",
        "300.1.2.3",
        "08.08.08.08",
        "at 12:34:56 sharp",
        "00:00:00:00:00:00 ff:ff:ff:ff:ff:ff",
        "SHA1 aa:bb:cc:dd:ee:ff:00:11:22:33",
        "std::vector<int> a::b()",
        "array[::1000]",
        "dead::beef::cafe",
        "firmware version 4.2.12.7 installed over 4.2.4.3; bootloader 6.35.28",
        "section 12.4.7.1 of the standard, clause 7.2.58.3, table 3.4",
        "kernel image 5.10.160.1 in the recovery partition",
    ],
)
def test_versions_times_and_reserved_addresses_are_left(find: Find, text: str) -> None:
    """Dots and colons alone make no address of a person's machine."""

    assert find(text) == []


def test_a_word_that_ends_in_v_is_no_version(find: Find) -> None:
    """Only the words themselves mark a version."""

    assert find("srv 52.61.122.140") == [("IP_ADDRESS", "52.61.122.140")]
