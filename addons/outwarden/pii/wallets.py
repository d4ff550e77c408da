"""Addresses of cryptocurrencies: Bitcoin, Litecoin, Dogecoin and Tron by their check sums, Ethereum by its shape."""

import hashlib

from stdnum import bitcoin

WALLET = (
    r"(?:0x[0-9a-fA-F]{40}|(?:bc|ltc)1[ac-hj-np-z02-9]{11,71}|(?:BC|LTC)1[AC-HJ-NP-Z02-9]{11,71}"
    r"|[13][1-9A-HJ-NP-Za-km-z]{25,34}|[LMTD][1-9A-HJ-NP-Za-km-z]{33})"
)
DIGITS_58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BASE58 = {one: at for at, one in enumerate(DIGITS_58)}
_BECH32 = {one: at for at, one in enumerate("qpzry9x8gf2tvdw0s3jn54khce6mua7l")}
_BECH32_ENDS = frozenset({1, 0x2BC830A3})  # BIP 173, BIP 350
_FIRST = frozenset("013bBlLMTD")
_KINDS_MIN = 5  # different digits: no 0x000…


def is_wallet(value: str) -> bool:
    """Whether ``value`` is the address of a wallet."""
    if value[:1] not in _FIRST:
        return False
    if value.startswith("0x"):
        rest = value[2:].lower()
        return len(rest) == 40 and not rest.strip("0123456789abcdef") and len(set(rest)) >= _KINDS_MIN
    prefix, one, rest = (value.lower() if value.isupper() else value).partition("1")  # capitals make small QR codes
    if one and prefix in ("bc", "ltc"):
        return len(rest) >= 11 and _is_bech32(prefix, rest)
    return value[:1] in frozenset("13LMTD") and 26 <= len(value) <= 35 and _is_base58(value)


def from_base58(said: str) -> int:
    """The number that a text in Bitcoin's base 58 is; KeyError where it is none. Stdnum's takes three times as long."""
    number = 0
    for one in said:
        number = number * 58 + _BASE58[one]
    return number


def _is_base58(value: str) -> bool:
    if not _BASE58.keys() >= set(value) or (number := from_base58(value)) >= 1 << 200:
        return False
    data = number.to_bytes(25, "big")
    return hashlib.sha256(hashlib.sha256(data[:21]).digest()).digest()[:4] == data[21:]


def _is_bech32(prefix: str, rest: str) -> bool:
    if not _BECH32.keys() >= set(rest):
        return False
    name = [ord(one) >> 5 for one in prefix] + [0] + [ord(one) & 31 for one in prefix]
    return bitcoin.bech32_checksum([*name, *(_BECH32[one] for one in rest)]) in _BECH32_ENDS
