"""Addresses of wallets."""

import hashlib

import pytest

from outwarden.pii import Detector, PiiPolicy
from outwarden.pii.wallets import _DIGITS_58

DETECTOR = Detector(PiiPolicy())


def checked(version: int, seed: str) -> str:
    """An invented address with a right check sum."""
    body = bytes([version]) + hashlib.sha256(seed.encode()).digest()[:20]
    number = int.from_bytes(body + hashlib.sha256(hashlib.sha256(body).digest()).digest()[:4], "big")
    digits = ""
    while number:
        number, digit = divmod(number, 58)
        digits = _DIGITS_58[digit] + digits
    return ("1" if version == 0 else "") + digits


def found(text: str) -> list[str]:
    return [text[s.start : s.end] for s in DETECTOR.find([text])[0] if s.entity == "CRYPTO"]


@pytest.mark.parametrize("version", [0, 5, 48, 50, 30, 65, 76])
def test_a_right_check_sum_is_enough(version: int) -> None:
    """Bitcoin, Litecoin, Dogecoin, Tron, Dash."""
    address = checked(version, "invented")

    assert found(f"see {address}, thanks") == [address]
    assert found(f"see {address[:-1]}{'2' if address[-1] != '2' else '3'}, thanks") == []


def test_after_the_word_its_shape_is_enough() -> None:
    """Mistyped, it is somebody's all the same."""
    address = checked(65, "invented")[:-1] + "2"

    assert found(f"my wallet {address}") == [address]


def test_a_shape_that_nothing_else_has() -> None:
    """Bech32 of Litecoin."""
    address = "ltc1q" + "0p2zry9x8gf2tvdw0s3jn54khce6mua7lqpzry"

    assert found(f"to {address}.") == [address]


@pytest.mark.parametrize(
    "text", ["commit 3f786850e387550fdab836ed7e6dc881de23001b", "class XMLHttpRequestEventTargetFactory9a"]
)
def test_hashes_and_names_are_none(text: str) -> None:
    """Neither has a check sum."""
    assert found(text) == []
