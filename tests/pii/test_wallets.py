"""Addresses of wallets are told by their check sums; one wrong character is none."""

import hashlib

import pytest

from outwarden.pii.wallets import DIGITS_58, is_wallet


def base58(version: int) -> str:
    data = bytes([version]) + bytes(range(20, 40))
    data += hashlib.sha256(hashlib.sha256(data).digest()).digest()[:4]
    number, said = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        said = DIGITS_58[digit] + said
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + said


@pytest.mark.parametrize("version", [0, 5, 30, 48, 65])
def test_base58_addresses_are_known_by_their_check_sum(version: int) -> None:
    """Bitcoin, Dogecoin, Litecoin, Tron."""
    value = base58(version)

    assert is_wallet(value)
    assert not is_wallet(value[:-1] + ("2" if value[-1] != "2" else "3"))


def test_bech32_addresses_are_known_by_their_check_sum() -> None:
    """The example of BIP 173, and with one character changed."""
    assert is_wallet("bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq")
    assert not is_wallet("bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdp")


def test_ethereum_addresses_have_forty_hexadecimal_digits() -> None:
    """Not few different ones."""
    assert is_wallet("0x52908400098527886E0F7030069857D2E4169EE7")
    assert not is_wallet("0x" + "0" * 40)
    assert not is_wallet("0x52908400098527886E0F7030069857D2E4169E")
